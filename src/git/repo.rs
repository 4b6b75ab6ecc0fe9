//! A repository: its folders, its settings, the state it is in.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Mutex, OnceLock};

use super::binary::Git;
use super::configuration;
use super::discover::{Site, discover};
use super::file_set::BlobId;
use super::library::Library;
use super::settings::Settings;
use crate::error::{Diagnostic, Result};
use crate::paths::AbsPath;
use crate::sys::{Env, Sys, fs};

/// A repository with a work tree.
#[derive(Debug)]
pub struct Repo {
    site: Site,
    index_file: AbsPath,
    git: Git,
    library: Library,
    settings: OnceLock<Settings>,
    /// Held while the index is written: of two runnables that end at once, one waits.
    pub(super) staging: Mutex<()>,
    pub(super) cpu_count: usize,
}

/// A commit that was resolved: its id is the only way to name it from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commit(pub(super) BlobId);

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Repo {
    /// The repository that a folder is in, if it is in one; git's variables and ceilings count.
    ///
    /// # Errors
    /// A bare repository, one that git does not trust or cannot read.
    pub fn discover(sys: &Sys, folder: &AbsPath) -> Result<Option<Self>> {
        let Some(site) = discover(&sys.env, folder)? else { return Ok(None) };
        Ok(Some(Self::open(site, &sys.env, sys.cpu_count)))
    }

    /// The repository of a submodule; `None` if its folder is not one's own root.
    pub(super) fn of_submodule(&self, folder: &AbsPath) -> Result<Option<Self>, Diagnostic> {
        let git = self.git.clone().without_local_variables();
        let site = discover(git.env(), folder)?;
        let site = site.filter(|site| site.root == *folder);
        Ok(site.map(|site| Self::open(site, git.env(), self.cpu_count)))
    }

    fn open(site: Site, env: &Env, cpu_count: usize) -> Self {
        let index_file = match env.get(OsStr::new("GIT_INDEX_FILE")) {
            Some(path) => site.root.join(path),
            None => site.git_dir.join("index"),
        };
        let git = bound_git(env, &site, &index_file);
        let library = Library::new(&site, env);
        Self {
            site,
            index_file,
            git,
            library,
            settings: OnceLock::new(),
            staging: Mutex::new(()),
            cpu_count,
        }
    }

    /// The root of the work tree.
    pub fn root(&self) -> &AbsPath {
        &self.site.root
    }

    /// The folder of this work tree's own state: a linked work tree has one to itself.
    pub fn git_dir(&self) -> &AbsPath {
        &self.site.git_dir
    }

    /// The folder that all work trees share.
    pub fn common_dir(&self) -> &AbsPath {
        &self.site.common_dir
    }

    pub(super) fn index_file(&self) -> &AbsPath {
        &self.index_file
    }

    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    /// The repository as libgit2 sees it: asked before git is.
    pub(super) fn library(&self) -> &Library {
        &self.library
    }

    /// Loaded when first asked for: a work tree whose stat data are all clean never asks.
    pub(super) fn settings(&self) -> Result<&Settings, Diagnostic> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let config = configuration::load(&self.site, self.git.env(), &self.library);
        let settings = match config.and_then(|config| Settings::read(&config).ok()) {
            Some(settings) => settings,
            None => Settings::ask(&self.git)?,
        };
        Ok(self.settings.get_or_init(|| settings))
    }

    /// Whether a rebase is in progress in this work tree; `git am` is none.
    pub fn is_rebasing(&self) -> bool {
        let has = |name: &str| fs::stat(self.git_dir().join(name).as_path()).is_ok();
        has("rebase-merge") || has("rebase-apply/rebasing")
    }
}

/// git in the root of the work tree; where the environment named the repository, it is named
/// again by absolute paths, since git starts in another folder than qik did.
fn bound_git(env: &Env, site: &Site, index_file: &AbsPath) -> Git {
    let mut git = Git::new(env, &site.root);
    let has = |name: &str| env.contains_key(OsStr::new(name));
    let path = |path: &AbsPath| OsString::from(path.as_path());
    if has("GIT_DIR") || has("GIT_WORK_TREE") {
        git = git.with("GIT_DIR", path(&site.git_dir)).with("GIT_WORK_TREE", path(&site.root));
    }
    if has("GIT_COMMON_DIR") {
        git = git.with("GIT_COMMON_DIR", path(&site.common_dir));
    }
    if has("GIT_INDEX_FILE") {
        git = git.with("GIT_INDEX_FILE", path(index_file));
    }
    git
}
