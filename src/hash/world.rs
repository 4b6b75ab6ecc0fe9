//! Everything outside of the declarations that fingerprints are made of: files, dotenv and
//! requirements files, distributions. What was looked at is remembered until a command has run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::deps::{Expanded, expand};
use super::imports::{Imports, Needs};
use super::installed::{EnvironmentKey, MISSING, PydistRules};
use super::{Digest, Files, Fingerprint, Inputs};
use crate::error::{Code, Diagnostic, RunnableError};
use crate::git::{FileSet, Patterns, Worktree};
use crate::paths::{AbsPath, ProjectPath};
use crate::plan::{Dep, Runnable};
use crate::pygraph::Builder;
use crate::python::{Distributions, Listing, Pins, above_active, normalized};
use crate::sys::veil::Veil;
use crate::sys::{Env, Sys, fs};

/// Artifacts of one upstream: escaped path → what it is.
pub type ArtifactList = BTreeMap<String, String>;

/// Leaves out the files of the repo cache.
const NOT_OUR_OWN: &str = ":(exclude,glob).qik/cache/**";

/// The files, environments and distributions of a run.
#[derive(Debug)]
pub struct World {
    root: AbsPath,
    /// `None` outside of a git repository: nothing is cached there.
    worktree: Option<Arc<Worktree>>,
    /// The process's environment.
    env: Env,
    veil: Veil,
    pydist: PydistRules,
    thread_count_max: usize,
    /// Makes the import graph, where the project has its plugin.
    pub(super) imports: Option<Builder>,
    /// The patterns of glob deps, which many ask for more than once.
    parsed: Mutex<FxHashMap<Vec<String>, Patterns>>,
    seen: Mutex<Seen>,
    /// Counts the times at which `seen` was forgotten, so that nothing that was looked at before
    /// is remembered after.
    epoch: AtomicU64,
}

/// What was looked at since a command last ran.
#[derive(Debug, Default)]
pub(super) struct Seen {
    settings: BTreeMap<String, String>,
    pub(super) environments: BTreeMap<EnvironmentKey, Arc<Env>>,
    pub(super) distributions: BTreeMap<EnvironmentKey, Arc<Distributions>>,
    /// By folder: environments may share some.
    pub(super) listings: BTreeMap<PathBuf, Arc<Listing>>,
    /// By lock file.
    pub(super) pins: BTreeMap<String, Arc<Pins>>,
    pub(super) imports: Option<Arc<Imports>>,
    pub(super) needs: BTreeMap<String, Arc<Needs>>,
}

impl World {
    pub fn new(
        root: AbsPath,
        worktree: Option<Arc<Worktree>>,
        sys: &Sys,
        pydist: PydistRules,
    ) -> Self {
        let (env, veil) = (sys.env.clone(), sys.veil.clone());
        Self {
            root,
            worktree,
            env,
            veil,
            pydist,
            thread_count_max: sys.cpu_count,
            imports: None,
            parsed: Mutex::default(),
            seen: Mutex::default(),
            epoch: AtomicU64::new(0),
        }
    }

    /// The same world with an import graph.
    #[must_use]
    pub fn with_imports(mut self, builder: Builder) -> Self {
        self.imports = Some(builder);
        self
    }

    pub(super) fn root(&self) -> &AbsPath {
        &self.root
    }

    /// The process's environment.
    pub(super) fn env(&self) -> &Env {
        &self.env
    }

    pub(super) fn pydist(&self) -> &PydistRules {
        &self.pydist
    }

    /// The folders above those of the active environment's distributions, where they may come back.
    pub(super) fn above_site_packages(&self) -> Vec<AbsPath> {
        above_active(&self.env, &self.root).into_iter().filter_map(AbsPath::new).collect()
    }

    /// The work tree; `None` outside of a git repository.
    pub fn worktree(&self) -> Option<&Worktree> {
        self.worktree.as_deref()
    }

    /// The fingerprint of a runnable as things are now. `upstreams` are the artifacts of all its
    /// upstreams, by runnable name.
    pub fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        let mut expanded = expand(&self.root, runnable)?;
        let mut settings = BTreeMap::new();
        for path in settings_of(runnable, &expanded) {
            settings.insert(path.to_owned(), self.setting(path)?);
        }
        let mut distributions = BTreeMap::new();
        for name in &expanded.distributions {
            distributions.insert(normalized(name), self.version(runnable, name)?);
        }
        let mut consts = std::mem::take(&mut expanded.consts);
        let mut parts = Vec::new();
        for pyimport in &expanded.pyimports {
            let needs = self.needs(pyimport)?;
            self.add_versions(runnable, &needs, &mut distributions)?;
            for path in &needs.links {
                settings.insert(path.clone(), self.setting(path)?);
            }
            parts.push(needs.files.clone());
        }
        if expanded.has_sources || expanded.fence.is_some() {
            let found = self.findings_of(runnable, &expanded)?;
            consts.extend(found.consts);
            parts.push(found.files);
        }
        let files = self.all_files(&expanded.globs, &parts)?;
        let inputs = Inputs {
            runnable: runnable.name.as_str().to_owned(),
            exec: runnable.exec.clone(),
            deps: expanded.declared,
            artifacts: runnable.artifacts.clone(),
            space: runnable.space.clone(),
            consts,
            settings,
            distributions,
            secrets: runnable.secrets.clone(),
            upstreams,
        };
        Ok(Fingerprint::new(files, inputs, self.veil.clone()))
    }

    /// The runnables' fingerprints are about to be taken: looks at the files of all of them at
    /// once. What only their turn can tell is left to it.
    pub fn look_ahead<'r>(&self, runnables: impl IntoIterator<Item = &'r Runnable>) {
        let Some(worktree) = &self.worktree else { return };
        let cached = runnables.into_iter().filter(|runnable| runnable.cache.is_some());
        let globs = cached.map(|runnable| {
            let globs = runnable.deps.iter().filter_map(|dep| match dep {
                Dep::Glob(pattern) => Some(pattern.clone()),
                _ => None,
            });
            globs.collect::<Vec<String>>()
        });
        // Of equal ones one will do; an error comes again where it can be told.
        let distinct: BTreeSet<Patterns> = globs
            .filter(|globs| !globs.is_empty())
            .filter_map(|globs| self.patterns(worktree, &globs).ok())
            .collect();
        worktree.look_ahead(&distinct.into_iter().collect::<Vec<_>>());
    }

    /// Keeps for other runs what was learned of the files.
    pub fn keep_learned(&self) {
        self.worktree.iter().for_each(|worktree| worktree.keep_learned());
        self.imports.iter().for_each(Builder::wait_for_keeping);
    }

    /// A command has run, or has written: what was seen may no longer hold.
    pub fn forget_files(&self) {
        let mut seen = self.lock();
        self.epoch.fetch_add(1, Ordering::AcqRel);
        *seen = Seen::default();
        drop(seen);
        if let Some(worktree) = &self.worktree {
            worktree.forget();
        }
    }

    /// These files, given relative to the git root, have been written, and nothing else has.
    pub fn forget_paths<'p>(&self, paths: impl IntoIterator<Item = &'p [u8]>) {
        let mut seen = self.lock();
        self.epoch.fetch_add(1, Ordering::AcqRel);
        *seen = Seen::default();
        drop(seen);
        if let Some(worktree) = &self.worktree {
            worktree.forget_paths(paths);
        }
    }

    /// Something that git does not track has been written, and nothing else.
    pub fn forget_untracked(&self) {
        let mut seen = self.lock();
        self.epoch.fetch_add(1, Ordering::AcqRel);
        *seen = Seen::default();
    }

    /// Whether a change of these files, given relative to the git root, is one of the runnable's
    /// inputs.
    pub fn is_affected_by(
        &self,
        runnable: &Runnable,
        paths: &[Vec<u8>],
    ) -> Result<bool, RunnableError> {
        let Some(worktree) = &self.worktree else { return Ok(false) };
        let expanded = expand(&self.root, runnable)?;
        let globs = patterns(worktree, &expanded.globs)?;
        let imported = self.imported_paths(&expanded, paths)?;
        let settings: Vec<_> =
            settings_of(runnable, &expanded).map(|path| format!(":(literal){path}")).collect();
        let settings = Patterns::parse(worktree.prefix(), settings.iter().map(String::as_str))?;
        Ok(paths
            .iter()
            .any(|path| globs.matches(path) || settings.matches(path) || imported.contains(path)))
    }

    /// Whether git tracks a file; in doubt it does.
    pub fn is_tracked(&self, path: &ProjectPath) -> bool {
        self.worktree.as_ref().is_some_and(|worktree| worktree.is_tracked(path).unwrap_or(true))
    }

    /// The glob deps of a runnable that match no file: typing errors, perhaps.
    pub fn unmatched_globs(&self, runnable: &Runnable) -> Vec<String> {
        let (Some(worktree), Ok(expanded)) = (&self.worktree, expand(&self.root, runnable)) else {
            return Vec::new();
        };
        let is_unmatched = |glob: &String| {
            let patterns = patterns(worktree, std::slice::from_ref(glob));
            let set = patterns.ok().and_then(|patterns| worktree.file_set(&patterns).ok());
            set.is_some_and(|set| set.is_empty())
        };
        expanded.globs.into_iter().filter(is_unmatched).collect()
    }

    /// The files of glob deps and of imports.
    fn all_files(&self, globs: &[String], parts: &[Files]) -> Result<Files, RunnableError> {
        let globbed = self.files(globs)?;
        if parts.is_empty() {
            return Ok(globbed);
        }
        let sets: Vec<&Files> =
            std::iter::once(&globbed).chain(parts).filter(|files| files.set.is_some()).collect();
        if sets.len() < 2 {
            return Ok(sets.first().map_or_else(|| globbed.clone(), |files| (*files).clone()));
        }
        let union = FileSet::union(sets.iter().filter_map(|files| files.set.as_deref()));
        // Somebody writes the index while it is read: what was seen is of different moments.
        let changing = || {
            Diagnostic::new(Code::GitFailed, "the index of git changes all the time")
                .hint("run qik again when git is done")
        };
        Ok(self.hashed(union.ok_or_else(changing)?.into()))
    }

    /// The tracked files that patterns match.
    pub(super) fn files(&self, globs: &[String]) -> Result<Files, RunnableError> {
        let (Some(worktree), false) = (&self.worktree, globs.is_empty()) else {
            return Ok(Files::none());
        };
        Ok(self.hashed(worktree.file_set(&self.patterns(worktree, globs)?)?))
    }

    /// The patterns of glob deps, parsed once.
    fn patterns(&self, worktree: &Worktree, globs: &[String]) -> Result<Patterns, Diagnostic> {
        // A map of what was parsed is whole whatever a panicking thread was doing with it.
        let parsed = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(patterns) = parsed().get(globs) {
            return Ok(patterns.clone());
        }
        let patterns = patterns(worktree, globs)?;
        parsed().insert(globs.to_vec(), patterns.clone());
        Ok(patterns)
    }

    pub(super) fn hashed(&self, set: Arc<FileSet>) -> Files {
        Files::new(set, self.thread_count_max)
    }

    fn setting(&self, path: &str) -> Result<String, RunnableError> {
        let epoch = self.epoch();
        if let Some(digest) = self.lock().settings.get(path) {
            return Ok(digest.clone());
        }
        let bytes = fs::optional(fs::read(self.root.join(path).as_path()))?;
        let digest = bytes.map_or(MISSING.to_owned(), |bytes| Digest::of(&bytes).to_hex());
        self.remember(epoch, |seen| {
            seen.settings.insert(path.to_owned(), digest.clone());
        });
        Ok(digest)
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Remembers what was looked at, unless a command has run meanwhile.
    pub(super) fn remember(&self, epoch: u64, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.lock();
        if self.epoch() == epoch {
            change(&mut seen);
        }
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files whose content counts whether git tracks them or not.
pub(super) fn settings_of<'a>(
    runnable: &'a Runnable,
    expanded: &'a Expanded,
) -> impl Iterator<Item = &'a str> {
    let paths = runnable.dotenv.iter().chain(&runnable.venv_files).chain(&expanded.loaded);
    paths.map(String::as_str)
}

/// The patterns of glob deps. What the repo cache writes is never an input: a store would be a
/// change of its own.
pub(super) fn patterns(worktree: &Worktree, globs: &[String]) -> Result<Patterns, Diagnostic> {
    if globs.is_empty() {
        return Patterns::parse(worktree.prefix(), []);
    }
    let globs = globs.iter().map(String::as_str);
    Patterns::parse(worktree.prefix(), globs.chain([NOT_OUR_OWN]))
}
