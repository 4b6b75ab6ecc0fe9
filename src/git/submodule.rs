//! What a submodule counts as: its commit, as long as its work tree is that commit's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::file_set::BlobId;
use super::index::IndexSnapshot;
use super::repo::{Commit, Repo};
use super::worktree::{Content, Worktree};
use crate::error::{Code, Diagnostic, Error, RunnableError};
use crate::paths::AbsPath;
use crate::sys::fs;

/// The submodules that were looked at, by path.
#[derive(Debug, Default)]
pub(super) struct Submodules(Mutex<BTreeMap<Vec<u8>, Arc<Worktree>>>);

impl Submodules {
    /// What the submodule of an entry, whose folder is there, counts as.
    pub(super) fn id(
        &self,
        repo: &Repo,
        snapshot: &IndexSnapshot,
        entry: u32,
    ) -> Result<BlobId, RunnableError> {
        let path = snapshot.git_path(entry);
        let Some(worktree) = self.open(repo, path)? else {
            return Ok(snapshot.id(entry));
        };
        let head = worktree.repo().resolve("HEAD").map_err(|error| first(&error))?;
        let changes = worktree.changes_since(&head)?;
        Ok(if changes.is_empty() { head.0 } else { digest(&head, &changes) })
    }

    /// Forgets what was seen in them.
    pub(super) fn forget(&self) {
        let worktrees = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        worktrees.values().for_each(|worktree| worktree.forget());
    }

    /// The work tree of a submodule; `None` if it was never checked out.
    pub(super) fn open(
        &self,
        repo: &Repo,
        path: &[u8],
    ) -> Result<Option<Arc<Worktree>>, RunnableError> {
        let folder = repo.root().join(OsStr::from_bytes(path));
        if fs::stat(folder.join(".git").as_path()).is_err() {
            return Ok(None);
        }
        let mut worktrees = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worktree) = worktrees.get(path) {
            return Ok(Some(Arc::clone(worktree)));
        }
        let folder = AbsPath::new(fs::resolve(folder.as_path())?).unwrap_or(folder);
        let Some(submodule) = repo.of_submodule(&folder)? else { return Ok(None) };
        let worktree =
            Arc::new(Worktree::open(Arc::new(submodule), &folder).map_err(|error| first(&error))?);
        worktrees.insert(path.to_vec(), Arc::clone(&worktree));
        Ok(Some(worktree))
    }
}

/// Stands for a commit together with all that differs from it: as long as a commit's id, and equal
/// to none.
fn digest(head: &Commit, changes: &[(Vec<u8>, Content)]) -> BlobId {
    let mut hasher = blake3::Hasher::new_derive_key("qik 2026 state of a git submodule");
    hasher.update(head.0.as_bytes());
    for (path, content) in changes {
        hasher.update(&(path.len() as u64).to_le_bytes()).update(path);
        match content {
            Some((mode, id)) => {
                hasher.update(mode.as_str().as_bytes()).update(id.as_bytes());
            }
            None => {
                hasher.update(b"gone");
            }
        }
    }
    let digest = hasher.finalize();
    BlobId::from_bytes(&digest.as_bytes()[..head.0.as_bytes().len()]).unwrap_or(head.0)
}

/// The first of the diagnostics: the others say the same of other places.
fn first(error: &Error) -> RunnableError {
    let diagnostic = error.diagnostics().first().cloned();
    RunnableError::from(
        diagnostic
            .unwrap_or_else(|| Diagnostic::new(Code::GitFailed, "a submodule cannot be read")),
    )
}
