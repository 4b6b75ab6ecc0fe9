//! Where files are until they are whole: a folder of each process's own, from which they are moved
//! into place. The process holds a lock on it, which ends with the process however that ends; so
//! whoever comes next can tell what a crashed one left from what is in use, and clears it up.

use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::fault::Filling;
use super::fs::{self, Result, verb};
use super::{clock, fault};

/// Where there are no locks: how old something is when surely nobody writes it any more.
const AGE_MAX: Duration = Duration::from_hours(24);

/// The mode of a new file.
pub const MODE: u32 = 0o644;

/// How often a new folder may be cleared up under our hands before its lock is ours.
const ATTEMPT_COUNT_MAX: usize = 100;

/// The unfinished files of this process below a folder. Making it touches nothing; its clones are
/// the same.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// Where each process has its folder.
    parent: PathBuf,
    own: Arc<Mutex<Option<Own>>>,
}

/// The folder of this process; it vanishes when dropped.
#[derive(Debug)]
struct Own {
    folder: tempfile::TempDir,
    _lock: File,
}

/// What a lock tells of a folder.
enum Owner {
    Gone(File),
    Alive,
    /// There are no locks here.
    Unknown(File),
}

impl Unfinished {
    pub fn new(parent: impl Into<PathBuf>) -> Self {
        Self { parent: parent.into(), own: Arc::default() }
    }

    /// The folder for what this process has not finished, made if it is not there.
    pub fn folder(&self) -> Result<PathBuf> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        // All of it may be deleted at any time.
        if let Some(own) = own.as_ref().filter(|own| own.folder.path().is_dir()) {
            return Ok(own.folder.path().to_path_buf());
        }
        fs::create_folder(&self.parent)?;
        let made = self.make()?;
        let path = made.folder.path().to_path_buf();
        *own = Some(made);
        Ok(path)
    }

    fn make(&self) -> Result<Own> {
        let mut failed = Ok(());
        for _ in 0..ATTEMPT_COUNT_MAX {
            let folder = fs::temporary_folder_in(&self.parent)?;
            match owner(folder.path()) {
                Ok(Owner::Gone(lock) | Owner::Unknown(lock)) if is_there(&lock) => {
                    return Ok(Own { folder, _lock: lock });
                }
                // Somebody took it for a crashed process's before it was locked.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => failed = Err(error),
            }
        }
        failed?;
        let error = io::Error::new(io::ErrorKind::ResourceBusy, "it is cleared up again and again");
        verb("create a folder in", &self.parent, Err(error))
    }

    /// A new, private, empty file for what will have this path; it is removed when dropped.
    /// Beside it, if there is no other place.
    pub fn file_for(&self, path: &Path) -> Result<tempfile::NamedTempFile> {
        let beside = path.parent().unwrap_or(Path::new("."));
        self.folder()
            .and_then(|folder| fs::temporary_in(&folder))
            .or_else(|_| fs::temporary_in(beside))
    }

    /// Gives a name to a new, empty, readable and writable file. Whoever has the file of that name
    /// open keeps it: two writers never mix.
    pub fn replace(&self, path: &Path) -> Result<File> {
        if let Ok(file) = fs::create_new(path, MODE) {
            return Ok(file);
        }
        let temporary = self.file_for(path)?;
        fs::set_mode(temporary.as_file(), path, MODE)?;
        fs::persist(temporary, path)
    }

    /// Writes a file so that readers see the old or the new content, never half of it. A file
    /// that was there passes its mode on.
    ///
    /// There is no `fsync`: after a power cut the file may be the old one, empty or missing, which
    /// every reader of ours takes for a miss.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut temporary = self.file_for(path)?;
        let mut filling = Filling { file: temporary.as_file_mut(), path };
        verb("write", path, filling.write_all(bytes))?;
        let old = fs::stat(path).ok().filter(Metadata::is_file);
        let mode = old.map_or(MODE, |meta| meta.mode() & 0o777);
        fs::set_mode(temporary.as_file(), path, mode)?;
        fs::persist(temporary, path)?;
        Ok(())
    }

    /// Writes a file unless it already has this content: cheaper than a write, and kind to
    /// whatever watches it. Returns whether it wrote.
    pub fn write_if_different(&self, path: &Path, bytes: &[u8]) -> Result<bool> {
        if fs::stat(path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes.len() as u64)
            && fs::read(path).is_ok_and(|old| old == bytes)
        {
            return Ok(false);
        }
        self.write(path, bytes)?;
        Ok(true)
    }

    /// Removes the folder of this process, with what is still in it, whoever has a clone.
    pub fn leave(&self) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Removes what crashed processes left. What cannot be removed is in nobody's way.
    pub fn sweep(&self) {
        let Ok(paths) = fs::list(&self.parent) else { return };
        for path in paths {
            match owner(&path) {
                Ok(Owner::Gone(_lock)) => drop(fs::remove_folder(&path)),
                Ok(Owner::Unknown(_)) | Err(_) if is_old(&path) => {
                    drop(fs::remove_file(&path).or_else(|_| fs::remove_folder(&path)));
                }
                Ok(Owner::Alive | Owner::Unknown(_)) | Err(_) => {}
            }
        }
    }
}

/// Whether somebody holds the lock of a folder; if nobody does, we do now.
fn owner(folder: &Path) -> Result<Owner> {
    let folder = fs::open_folder(folder)?;
    let locked = fault::pass(fault::Act::Lock, "lock", Path::new("unfinished"))
        .map_err(|_| Errno::NOLCK)
        .and_then(|()| rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive));
    Ok(match locked {
        Ok(()) => Owner::Gone(folder),
        Err(Errno::WOULDBLOCK) => Owner::Alive,
        Err(_) => Owner::Unknown(folder),
    })
}

/// Whether an open folder has not been removed.
fn is_there(folder: &File) -> bool {
    folder.metadata().is_ok_and(|meta| meta.nlink() > 0)
}

fn is_old(path: &Path) -> bool {
    let modified = fs::stat(path).ok().and_then(|stat| stat.modified().ok());
    let age = modified.and_then(|modified| clock::wall().duration_since(modified).ok());
    age.is_some_and(|age| age > AGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(parent: &Path) -> usize {
        fs::list(parent).unwrap().len()
    }

    #[test]
    fn what_is_in_use_stays_and_what_is_left_goes() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("tmp");
        let unfinished = Unfinished::new(&parent);
        let folder = unfinished.folder().unwrap();
        assert_eq!(unfinished.clone().folder().unwrap(), folder);
        fs::create_folder(&parent.join(".tmp-crashed/1")).unwrap();
        Unfinished::new(&parent).sweep();
        assert_eq!(fs::list(&parent).unwrap(), [folder.as_path()]);
        let clone = unfinished.clone();
        unfinished.leave();
        assert_eq!(listed(&parent), 0);
        assert_ne!(clone.folder().unwrap(), folder);
        drop((unfinished, clone));
        assert_eq!(listed(&parent), 0);
    }

    #[test]
    fn a_file_keeps_its_mode() {
        let root = tempfile::tempdir().unwrap();
        let unfinished = Unfinished::new(root.path().join("tmp"));
        let path = root.path().join("x");
        for (mode, bytes) in [(0o644, b"one"), (0o600, b"two"), (0o751, b"six")] {
            unfinished.write(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            let is_new = mode == 0o644;
            let file = fs::open(&path).unwrap();
            assert!(!is_new || file.metadata().unwrap().mode() & 0o777 == mode);
            fs::set_mode(&file, &path, mode).unwrap();
            unfinished.write(&path, bytes).unwrap();
            assert_eq!(fs::stat(&path).unwrap().mode() & 0o777, mode);
        }
    }

    #[test]
    fn one_that_was_deleted_is_made_again() {
        let root = tempfile::tempdir().unwrap();
        let unfinished = Unfinished::new(root.path().join("tmp"));
        let one = unfinished.folder().unwrap();
        fs::remove_folder(root.path()).unwrap();
        assert_ne!(unfinished.folder().unwrap(), one);
        unfinished.file_for(&root.path().join("x")).unwrap();
    }

    #[test]
    fn where_there_is_no_place_files_are_beside() {
        let root = tempfile::tempdir().unwrap();
        fs::write_atomic(&root.path().join("tmp"), b"mine").unwrap();
        let unfinished = Unfinished::new(root.path().join("tmp"));
        unfinished.folder().unwrap_err();
        let file = unfinished.file_for(&root.path().join("x")).unwrap();
        assert_eq!(file.path().parent(), Some(root.path()));
    }

    #[test]
    fn sweeping_all_the_time_disturbs_nobody() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("tmp");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let unfinished = Unfinished::new(&parent);
                        let file = unfinished.file_for(&root.path().join("x")).unwrap();
                        unfinished.sweep();
                        assert!(file.path().is_file());
                    }
                });
            }
        });
        assert_eq!(listed(&parent), 0);
    }
}
