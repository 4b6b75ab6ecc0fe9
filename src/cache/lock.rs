//! Keeps eviction apart from storing, and two runs of one runnable apart from each other, between
//! processes and threads.
//!
//! A lock of the operating system on an open file: it ends with the process, however that ends,
//! so that none is ever left behind. Nobody waits: who cannot have it goes on without, or leaves
//! it be. Where a file system has no locks, ages decide alone (see `bounds`).
//!
//! Whoever deletes `._qik` deletes the locks in it, under the hands of those who hold them. For
//! eviction that costs an entry; claims have to outlive it, and so lie in git's own folder.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::{prepare_private, slug};
use crate::paths::{AbsPath, WorkDirs, escape};
use crate::plan::RunnableName;
use crate::sys::fs;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Whether eviction may go on.
#[derive(Debug)]
pub(super) enum Exclusive {
    Held(Lock),
    /// Somebody stores or evicts.
    Busy,
    /// There are no locks here.
    Unsupported,
}

/// The lock of those who store; `None` if it cannot be had.
pub(super) fn shared(dirs: &WorkDirs) -> Option<Lock> {
    lock(dirs, FlockOperation::NonBlockingLockShared).ok()
}

/// The lock of those who evict.
pub(super) fn exclusive(dirs: &WorkDirs) -> Exclusive {
    match lock(dirs, FlockOperation::NonBlockingLockExclusive) {
        Ok(lock) => Exclusive::Held(lock),
        Err(Errno::WOULDBLOCK) => Exclusive::Busy,
        Err(_) => Exclusive::Unsupported,
    }
}

/// The right to run a runnable, or to bring its artifacts back: of all processes in a checkout
/// one has it at a time, so that what a command makes is never mixed with what another makes.
#[derive(Debug)]
pub struct Claim(Option<Lock>);

/// Longest note that is read.
const NOTE_BYTES_MAX: u64 = 64;

impl Claim {
    /// Says something to whoever has the claim next, if this process does not live to drop it.
    pub fn note(&self, text: &str) {
        if let Some(Lock { file }) = &self.0 {
            // Without a note nobody knows, which is no worse than without a claim.
            drop(file.write_all_at(text.as_bytes(), 0));
        }
    }

    /// What the last one to have the claim has said, once.
    pub fn take_note(&self) -> Option<String> {
        let Lock { file } = self.0.as_ref()?;
        let mut text = String::new();
        (&mut &*file).take(NOTE_BYTES_MAX).read_to_string(&mut text).ok()?;
        self.forget_note();
        Some(text).filter(|text| !text.is_empty())
    }

    fn forget_note(&self) {
        if let Some(Lock { file }) = &self.0
            && file.metadata().is_ok_and(|meta| meta.len() > 0)
        {
            drop(file.set_len(0));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.forget_note();
    }
}

/// Where the claims of a project are.
#[derive(Debug, Clone)]
pub struct Claims {
    dirs: WorkDirs,
    /// Below git's own folder of this work tree.
    in_git: Option<AbsPath>,
}

impl Claims {
    /// Those of a project below `._qik`.
    pub fn new(dirs: &WorkDirs) -> Self {
        Self { dirs: dirs.clone(), in_git: None }
    }

    /// Those of a project that lies at `prefix` in the work tree that this git folder is for.
    pub fn in_git(dirs: &WorkDirs, git_dir: &AbsPath, prefix: &[u8]) -> Self {
        // Another project of the work tree may have a runnable of the same name.
        let folder = git_dir.join("qik/claims").join(slug(&format!("./{}", escape(prefix))));
        Self { dirs: dirs.clone(), in_git: Some(folder) }
    }

    /// Claims a runnable; `None` if somebody else has it now. Where there are no locks, or no
    /// place for them, everybody may.
    pub fn try_claim(&self, runnable: &RunnableName) -> Option<Claim> {
        let name = slug(runnable.as_str());
        let in_git = self.in_git.as_ref().map(|folder| claim_file(folder, &name));
        let locked =
            in_git.filter(|locked| !matches!(locked, Err(Errno::NOLCK))).unwrap_or_else(|| {
                prepare_private(&self.dirs).map_err(|_| Errno::NOLCK)?;
                claim_file(&self.dirs.private.join("cache/claims"), &name)
            });
        match locked {
            Ok(lock) => Some(Claim(Some(lock))),
            Err(Errno::WOULDBLOCK) => None,
            Err(_) => Some(Claim(None)),
        }
    }
}

fn claim_file(folder: &AbsPath, name: &str) -> Result<Lock, Errno> {
    let operation = FlockOperation::NonBlockingLockExclusive;
    lock_file(&folder.join(name), operation).or_else(|error| {
        if error != Errno::NOLCK {
            return Err(error);
        }
        fs::create_folder(folder.as_path()).map_err(|_| Errno::NOLCK)?;
        lock_file(&folder.join(name), operation)
    })
}

fn lock(dirs: &WorkDirs, operation: FlockOperation) -> Result<Lock, Errno> {
    lock_file(&dirs.private.join("cache/lock"), operation)
}

fn lock_file(path: &AbsPath, operation: FlockOperation) -> Result<Lock, Errno> {
    let file = fs::open_lock(path.as_path()).map_err(|_| Errno::NOLCK)?;
    rustix::fs::flock(&file, operation)?;
    Ok(Lock { file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_claims_a_runnable() {
        let root = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(root.path()).unwrap());
        let git_dir = dirs.root.join(".git");
        let [one, two] = ["one", "two"].map(|name| RunnableName::from(name.to_owned()));
        for claims in [Claims::new(&dirs), Claims::in_git(&dirs, &git_dir, b"a")] {
            let claim = claims.try_claim(&one);
            assert!(claim.is_some());
            assert!(claims.try_claim(&one).is_none());
            assert!(claims.try_claim(&two).is_some());
            assert!(Claims::in_git(&dirs, &git_dir, b"b").try_claim(&one).is_some());
            drop(claim);
            assert!(claims.try_claim(&one).is_some());
        }
    }

    #[test]
    fn where_git_s_folder_takes_nothing_claims_are_private() {
        let root = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(root.path()).unwrap());
        fs::write_atomic(dirs.root.join(".git").as_path(), b"in the way").unwrap();
        let claims = Claims::in_git(&dirs, &dirs.root.join(".git"), b"");
        let name = RunnableName::from("one".to_owned());
        let claim = claims.try_claim(&name);
        assert!(claim.is_some() && claims.try_claim(&name).is_none());
        assert!(fs::is_file(dirs.private.join("cache/claims/one").as_path()));
    }

    #[test]
    fn a_note_is_for_who_comes_after_a_killed_process() {
        let root = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(root.path()).unwrap());
        let claims = Claims::new(&dirs);
        let name = RunnableName::from("one".to_owned());
        let claim = claims.try_claim(&name).unwrap();
        claim.note("12");
        let path = dirs.private.join("cache/claims").join(slug("one"));
        assert_eq!(fs::read(path.as_path()).unwrap(), b"12");
        drop(claim);
        let claim = claims.try_claim(&name).unwrap();
        assert_eq!(claim.take_note(), None, "its holder has dropped it");
        drop(claim);
        fs::write_atomic(path.as_path(), b"34").unwrap();
        let claim = claims.try_claim(&name).unwrap();
        assert_eq!(claim.take_note().as_deref(), Some("34"));
        assert_eq!(claim.take_note(), None);
    }

    #[test]
    fn without_a_place_for_locks_everybody_may() {
        let root = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(root.path()).unwrap());
        fs::write_atomic(dirs.private.as_path(), b"in the way").unwrap();
        let name = RunnableName::from("one".to_owned());
        let claims = Claims::new(&dirs);
        let claims = [claims.try_claim(&name), claims.try_claim(&name)];
        assert!(claims.iter().all(Option::is_some));
    }

    #[test]
    fn eviction_does_not_disturb_those_who_store() {
        let root = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(root.path()).unwrap());
        assert!(matches!(exclusive(&dirs), Exclusive::Unsupported), "there is no folder yet");

        fs::create_folder(dirs.private.join("cache").as_path()).unwrap();
        let (one, two) = (shared(&dirs), shared(&dirs));
        assert!(one.is_some() && two.is_some());
        assert!(matches!(exclusive(&dirs), Exclusive::Busy));
        drop((one, two));
        let held = exclusive(&dirs);
        assert!(matches!(held, Exclusive::Held(_)));
        assert!(shared(&dirs).is_none());
        assert!(matches!(exclusive(&dirs), Exclusive::Busy));
    }
}
