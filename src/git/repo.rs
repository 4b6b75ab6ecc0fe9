//! A repository: its folders, its refs, the state it is in.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Mutex, OnceLock};

use super::binary::Git;
use super::discover::{Site, discover};
use super::file_set::BlobId;
use super::settings::Settings;
use crate::error::{Code, Diagnostic, Result};
use crate::paths::AbsPath;
use crate::sys::{Env, Sys, fs};

/// A repository with a work tree.
#[derive(Debug)]
pub struct Repo {
    site: Site,
    index_file: AbsPath,
    git: Git,
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
        Self {
            site,
            index_file,
            git,
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

    /// Loaded when first asked for: a work tree whose stat data are all clean never asks.
    pub(super) fn settings(&self) -> Result<Settings, Diagnostic> {
        if let Some(settings) = self.settings.get() {
            return Ok(*settings);
        }
        let settings = Settings::load(&self.git)?;
        Ok(*self.settings.get_or_init(|| settings))
    }

    /// The commit that `REF` names, or for `REF...` its merge base with `HEAD`.
    ///
    /// # Errors
    /// A ref that git does not know, or two without a common ancestor.
    pub fn resolve(&self, reference: &str) -> Result<Commit> {
        let Some((left, right)) = reference.split_once("...") else {
            return Ok(self.resolve_one(reference)?);
        };
        let or_head = |side: &str| self.resolve_one(if side.is_empty() { "HEAD" } else { side });
        let (left, right) = (or_head(left)?, or_head(right)?);
        let ids = [left.to_string(), right.to_string()];
        let output = self.git.run(&["merge-base", &ids[0], &ids[1]], b"")?;
        let base = output.status.success().then(|| parse_id(&output.stdout)).flatten();
        Ok(base.map(Commit).ok_or_else(|| self.no_merge_base(reference))?)
    }

    fn resolve_one(&self, reference: &str) -> Result<Commit, Diagnostic> {
        // No ref can begin with a dash, so nothing is lost by not asking for one that does.
        let is_askable = !reference.is_empty() && !reference.starts_with('-');
        let verify = |name: &str| -> Result<Option<BlobId>, Diagnostic> {
            if name.contains('\0') {
                return Ok(None);
            }
            let output = self.git.run(&["rev-parse", "--quiet", "--verify", name], b"")?;
            Ok(output.status.success().then(|| parse_id(&output.stdout)).flatten())
        };
        let object = if is_askable { verify(reference)? } else { None };
        let commit = match object {
            Some(object) => verify(&format!("{object}^{{commit}}"))?,
            None => None,
        };
        commit.map(Commit).ok_or_else(|| self.ref_not_found(reference))
    }

    fn ref_not_found(&self, reference: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            Code::RefNotFound,
            format!("git knows no commit by the name `{reference}`"),
        );
        if reference == "HEAD" {
            return diagnostic.hint("commit something first: this branch has no commit yet");
        }
        let names = self.git.read(&["for-each-ref", "--format=%(refname:short)"]);
        let names = String::from_utf8(names.unwrap_or_default()).unwrap_or_default();
        diagnostic.did_you_mean(reference, names.lines())
    }

    fn no_merge_base(&self, reference: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            Code::RefNotFound,
            format!("the two sides of `{reference}` have no common ancestor"),
        );
        if fs::stat(self.common_dir().join("shallow").as_path()).is_ok() {
            return diagnostic.hint("fetch more of the history: `git fetch --unshallow`");
        }
        diagnostic
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

/// The id on git's only line of output.
fn parse_id(stdout: &[u8]) -> Option<BlobId> {
    BlobId::from_hex(std::str::from_utf8(stdout).ok()?.trim_end())
}
