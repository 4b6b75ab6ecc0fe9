//! Keeps eviction apart from storing, between processes and threads.
//!
//! A lock of the operating system on an open file: it ends with the process, however that ends,
//! so that none is ever left behind. Nobody waits: who cannot have it goes on without, or leaves
//! it be. Where a file system has no locks, ages decide alone (see `bounds`).

use std::fs::File;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::paths::WorkDirs;
use crate::sys::fs;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
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

fn lock(dirs: &WorkDirs, operation: FlockOperation) -> Result<Lock, Errno> {
    let path = dirs.private.join("cache/lock");
    let file = fs::open_lock(path.as_path()).map_err(|_| Errno::NOLCK)?;
    rustix::fs::flock(&file, operation)?;
    Ok(Lock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::AbsPath;

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
