//! What is watched, and what a notice about it means.
//!
//! The folders are those of tracked files that the patterns of the selection may match, and all
//! above them up to the git root, so that none can come back unseen; of anything else only the
//! folder that a file is in. What git ignores is never among them. An untracked file means
//! nothing until `git add` makes it tracked, and that is a change of the index.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use super::{Change, IndexLock, Notice};
use crate::error::{Diagnostic, RunnableError};
use crate::git::{IndexSnapshot, Patterns, Worktree};
use crate::hash::Reach;
use crate::paths::{AbsPath, escape};
use crate::python::normalized;
use crate::sys::fs;

/// What is watched.
#[derive(Debug)]
pub struct Scope {
    git_root: AbsPath,
    index: Arc<IndexSnapshot>,
    index_file: AbsPath,
    globs: Vec<Patterns>,
    folders: BTreeSet<AbsPath>,
    /// By path: as the configuration names them.
    settings: BTreeMap<AbsPath, String>,
    configuration: BTreeMap<AbsPath, String>,
    /// What tells of a submodule's commits, with its path.
    submodules: BTreeMap<AbsPath, Vec<u8>>,
    site_packages: Vec<AbsPath>,
    distributions: BTreeSet<String>,
}

/// What a distribution's folder is named after its name and version, and what is written last
/// into it.
const METADATA: [(&str, &str); 2] = [(".dist-info", "RECORD"), (".egg-info", "PKG-INFO")];

impl Scope {
    /// What has to be watched for these runnables' inputs, the files of the configuration (given
    /// relative to the project root) and the index.
    pub fn new(
        root: &AbsPath,
        worktree: &Worktree,
        reaches: &[Reach],
        configuration: &[String],
    ) -> Result<Self, RunnableError> {
        let globs: BTreeSet<&Patterns> = reaches.iter().filter_map(|r| r.globs.as_ref()).collect();
        let globs: Vec<Patterns> = globs.into_iter().cloned().collect();
        let distributions: BTreeSet<String> =
            reaches.iter().flat_map(|reach| reach.distributions.iter().cloned()).collect();
        let site_packages: BTreeSet<&AbsPath> =
            reaches.iter().flat_map(|reach| &reach.site_packages).collect();
        let named = |path: &String| (root.join(path), path.clone());
        let settings = reaches.iter().flat_map(|reach| &reach.settings).map(named).collect();
        let mut scope = Self {
            git_root: worktree.repo().root().clone(),
            index: worktree.index()?,
            index_file: worktree.index_file().clone(),
            globs,
            folders: BTreeSet::new(),
            settings,
            configuration: configuration.iter().map(named).collect(),
            submodules: BTreeMap::new(),
            site_packages: site_packages.into_iter().cloned().collect(),
            distributions,
        };
        scope.add_folders(root, worktree)?;
        let above = reaches.iter().flat_map(|reach| &reach.above_site_packages);
        scope.folders.extend(above.cloned());
        Ok(scope)
    }

    /// The folders to be watched, each for itself; some may not be there.
    pub fn folders(&self) -> &BTreeSet<AbsPath> {
        &self.folders
    }

    pub fn index(&self) -> &IndexSnapshot {
        &self.index
    }

    /// The files to be looked at where nobody tells of changes.
    pub fn files(&self) -> Vec<AbsPath> {
        let tracked = self.index.paths_near(&self.globs);
        tracked
            .map(|path| self.git_root.join(OsStr::from_bytes(path)))
            .chain(self.settings.keys().cloned())
            .chain(self.configuration.keys().cloned())
            .chain(self.submodules.keys().cloned())
            .chain(self.site_packages.iter().cloned())
            .chain(self.metadata().map(|(_, last)| last))
            .chain([self.index_file.clone()])
            .collect()
    }

    /// Whether git is in the middle of writing the index.
    pub fn index_lock(&self) -> IndexLock {
        let mut name = self.index_file.as_path().as_os_str().to_owned();
        name.push(".lock");
        match fs::stat(Path::new(&name)) {
            Ok(_) => IndexLock::Held,
            Err(_) => IndexLock::Free,
        }
    }

    /// What a notice means; mostly nothing.
    pub fn changes(&self, notice: &Notice) -> Vec<Change> {
        let Notice::Path(path, _) = notice else { return vec![Change::Anything] };
        let mut changes = Vec::new();
        if *path == self.index_file {
            changes.push(Change::Index);
        }
        if let Some(name) = self.configuration.get(path) {
            changes.push(Change::Configuration(name.clone()));
        }
        if let Some(name) = self.settings.get(path) {
            changes.push(Change::Setting(name.clone()));
        }
        if let Some(submodule) = self.submodules.get(path) {
            changes.push(Change::File(submodule.clone()));
        }
        changes.extend(self.changes_of_distributions(path));
        if let Some(tracked) = self.below_git_root(path).and_then(|path| self.index.tracked(path)) {
            changes.push(Change::File(tracked.to_vec()));
        } else if self.is_folder(path) {
            changes.push(Change::Anything);
        }
        changes
    }

    /// Whether a path is that of a folder with something to be watched in it.
    pub fn is_folder(&self, path: &AbsPath) -> bool {
        self.folders.contains(path)
    }

    /// The folders of distributions that are being installed: what is written last is not there.
    pub fn unfinished_distributions(&self) -> BTreeSet<AbsPath> {
        let is_unfinished = |(folder, last): &(&AbsPath, AbsPath)| {
            let is_folder = || fs::stat(folder.as_path()).is_ok_and(|meta| meta.is_dir());
            fs::stat(last.as_path()).is_err() && is_folder()
        };
        let unfinished = self.metadata().filter(is_unfinished);
        unfinished.map(|(folder, _)| folder.clone()).collect()
    }

    /// The folders of distributions, each with the file that is written last.
    fn metadata(&self) -> impl Iterator<Item = (&AbsPath, AbsPath)> {
        self.folders.iter().filter_map(|folder| {
            let (_, last) = METADATA.iter().find(|(suffix, _)| has_suffix(folder, suffix))?;
            Some((folder, folder.join(last)))
        })
    }

    fn below_git_root<'p>(&self, path: &'p AbsPath) -> Option<&'p [u8]> {
        let below = path.as_path().strip_prefix(self.git_root.as_path()).ok()?;
        Some(below.as_os_str().as_bytes())
    }

    fn changes_of_distributions(&self, path: &AbsPath) -> Option<Change> {
        if self.site_packages.contains(path) {
            return Some(Change::Distributions);
        }
        let site_packages = |path: &AbsPath| self.site_packages.contains(path);
        let parent = path.parent()?;
        if site_packages(&parent) && self.is_wanted_metadata(path) {
            // An old distribution's folder is a file.
            let is_file = fs::is_file(path.as_path());
            return Some(if is_file { Change::Distributions } else { Change::Folders });
        }
        let is_last = |(suffix, last): &(&str, &str)| {
            has_suffix(&parent, suffix) && path.as_path().file_name() == Some(OsStr::new(last))
        };
        let is_in_metadata = parent.parent().is_some_and(|folder| site_packages(&folder))
            && self.is_wanted_metadata(&parent);
        (is_in_metadata && METADATA.iter().any(is_last)).then_some(Change::Distributions)
    }

    /// Whether a path is named as the metadata of a distribution that somebody depends on.
    fn is_wanted_metadata(&self, path: &AbsPath) -> bool {
        let name = path.as_path().file_name().and_then(OsStr::to_str).unwrap_or_default();
        let stem = METADATA.iter().find_map(|(suffix, _)| name.strip_suffix(suffix));
        let project = stem.and_then(|stem| stem.split('-').next());
        project.is_some_and(|project| self.distributions.contains(&normalized(project)))
    }

    fn add_folders(&mut self, root: &AbsPath, worktree: &Worktree) -> Result<(), RunnableError> {
        self.folders = tracked_folders(&self.index, &self.globs, &self.git_root);
        for submodule in worktree.submodules_near(&self.globs)? {
            self.add_submodule(&submodule)?;
        }
        let named = [&self.settings, &self.configuration];
        let files: Vec<AbsPath> = named.into_iter().flat_map(BTreeMap::keys).cloned().collect();
        for file in files {
            self.add_parents(&file, root);
        }
        self.folders.extend(self.index_file.parent());
        // A root that is gone may come back. Where paths are watched and not folders, that is
        // noticed anyway.
        if !cfg!(target_os = "macos") {
            self.folders.extend(self.git_root.parent());
        }
        for folder in self.site_packages.clone() {
            let listed = fs::list(folder.as_path()).unwrap_or_default();
            let metadata = listed.into_iter().filter_map(AbsPath::new);
            let metadata: Vec<_> = metadata.filter(|path| self.is_wanted_metadata(path)).collect();
            self.folders.extend(metadata);
            self.folders.insert(folder);
        }
        Ok(())
    }

    /// The folder of a file, and those above it below the project root.
    fn add_parents(&mut self, file: &AbsPath, root: &AbsPath) {
        let mut folder = file.parent();
        while let Some(path) = folder {
            let goes_on = path != *root && path.as_path().starts_with(root.as_path());
            folder = if goes_on { path.parent() } else { None };
            self.folders.insert(path);
        }
    }

    fn add_submodule(&mut self, submodule: &Worktree) -> Result<(), Diagnostic> {
        let repo = submodule.repo();
        let (root, git_dir) = (repo.root(), repo.git_dir());
        let Some(path) = self.below_git_root(root).map(<[u8]>::to_vec) else { return Ok(()) };
        let logs = git_dir.join("logs");
        let everything = Patterns::parse(b"", ["."])?;
        self.folders.extend(tracked_folders(&*submodule.index()?, &[everything], root));
        // `HEAD` says which branch is checked out, its log whenever that has another commit.
        let telling = [submodule.index_file().clone(), git_dir.join("HEAD"), logs.join("HEAD")];
        self.submodules.extend(telling.map(|file| (file, path.clone())));
        self.folders.extend([git_dir.clone(), logs]);
        Ok(())
    }
}

/// The folders of tracked files near the patterns, and all above them up to the root.
fn tracked_folders(index: &IndexSnapshot, globs: &[Patterns], root: &AbsPath) -> BTreeSet<AbsPath> {
    let mut folders: BTreeSet<&[u8]> = BTreeSet::new();
    for path in index.paths_near(globs) {
        let mut folder = path;
        // Those above a known folder are known.
        while let Some(end) = folder.iter().rposition(|byte| *byte == b'/')
            && folders.insert(&path[..end])
        {
            folder = &path[..end];
        }
    }
    let folders = folders.into_iter().map(|folder| root.join(OsStr::from_bytes(folder)));
    folders.chain([root.clone()]).collect()
}

fn has_suffix(path: &AbsPath, suffix: &str) -> bool {
    path.as_path().file_name().is_some_and(|name| name.as_bytes().ends_with(suffix.as_bytes()))
}

/// A changed file as its fingerprint names it.
pub fn input_name(worktree: &Worktree, path: &[u8]) -> String {
    escape(&worktree.project_path(path)).into_owned()
}
