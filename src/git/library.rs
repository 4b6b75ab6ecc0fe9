//! The repository as libgit2 sees it, opened when something is first asked of it.
//!
//! libgit2 is asked before git, since it needs no process of its own. Whatever it cannot open
//! (SHA-256, partial clones, reftables) or answer exactly is left to git, whose word is final.
//! It verifies by itself that the repository may be trusted, more strictly than git in one thing:
//! it knows no `safe.directory` from the environment.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use git2::{Index, Repository, RepositoryOpenFlags};

use super::discover::Site;
use crate::sys::{Env, fs};

/// Variables that put objects elsewhere, or others in their place: libgit2 does not follow them.
const OBJECT_VARIABLES: [&str; 7] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_GRAFT_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
];

/// One repository; one thread at a time asks.
pub(super) struct Library {
    /// `None` if the environment has variables that libgit2 does not follow.
    site: Option<Site>,
    repository: OnceLock<Option<Mutex<Repository>>>,
}

impl Library {
    pub(super) fn new(site: &Site, env: &Env) -> Self {
        let is_plain = !OBJECT_VARIABLES.iter().any(|name| env.contains_key(OsStr::new(name)));
        Self { site: is_plain.then(|| site.clone()), repository: OnceLock::new() }
    }

    /// What libgit2 says; `None` if it cannot say.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Option<T> {
        let opened = self.repository.get_or_init(|| {
            let repository = self.site.as_ref().and_then(|site| open_at(site).ok().flatten());
            repository.map(Mutex::new)
        });
        let repository = opened.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        question(&repository).ok()
    }

    /// As [`Library::ask`], of commits and what they lead to. Replaced ones are git's to follow.
    pub(super) fn ask_history<T>(
        &self,
        question: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Option<T> {
        self.ask(|repository| {
            if repository.references_glob("refs/replace/*")?.next().is_some() {
                return Ok(None);
            }
            question(repository).map(Some)
        })
        .flatten()
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("site", &self.site).finish_non_exhaustive()
    }
}

/// Opens a repository by its own folder, looking nowhere else.
pub(super) fn open(git_dir: &Path) -> Result<Repository, git2::Error> {
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
    Repository::open_ext(git_dir, flags, std::iter::empty::<&OsStr>())
}

/// Opens the repository of a site; `None` if libgit2 finds it spread otherwise.
fn open_at(site: &Site) -> Result<Option<Repository>, git2::Error> {
    let repository = open(site.git_dir.as_path())?;
    if !is_same(Some(repository.commondir()), site.common_dir.as_path()) {
        return Ok(None);
    }
    if !is_same(repository.workdir(), site.root.as_path()) {
        repository.set_workdir(site.root.as_path(), false)?;
    }
    // Else attributes would make it read the whole index for a `.gitattributes` that is gone.
    repository.set_index(&mut Index::new()?)?;
    Ok(Some(repository))
}

/// Whether two paths lead to one folder.
pub(super) fn is_same(left: Option<&Path>, right: &Path) -> bool {
    let Some(left) = left else { return false };
    fs::resolve(left).is_ok_and(|left| fs::resolve(right).is_ok_and(|right| left == right))
}
