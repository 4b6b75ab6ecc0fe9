//! What files hold of which git's index has no fresh stat data: touched, copied, racily clean.
//!
//! git learns it with the next command that writes the index, which may be far off; until then
//! each run would read them all again. So it is kept in `._qik`, where there is enough to gain.
//! A lost or damaged memo is an empty one.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::plain::Plain;
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::sys::folder::FileStamp;
use crate::sys::fs;
use crate::sys::memo::{Facts, parse, render};

/// Files and bytes below which everything is simply read again: to write a file takes as long.
const FILE_COUNT_MIN: usize = 32;
const SIZE_BYTES_MIN: u64 = 1 << 20;

/// Largest memo that is read; some 500,000 files.
const MEMO_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A memo; making it reads nothing.
#[derive(Debug)]
pub(super) struct Memo {
    /// `None` if nothing is kept.
    dirs: Option<WorkDirs>,
    kept: OnceLock<Facts<Plain>>,
    learned: Mutex<Facts<Plain>>,
}

impl Memo {
    /// One that remembers as long as it lives.
    pub(super) fn none() -> Self {
        Self { dirs: None, kept: OnceLock::new(), learned: Mutex::default() }
    }

    pub(super) fn of(dirs: &WorkDirs) -> Self {
        Self { dirs: Some(dirs.clone()), ..Self::none() }
    }

    fn path(dirs: &WorkDirs) -> AbsPath {
        dirs.private.join("stale/v1")
    }

    /// What a file with this stamp was found to hold; its path is relative to the git root.
    pub(super) fn find(&self, path: &[u8], stamp: &FileStamp) -> Option<Plain> {
        let kept = self.kept.get_or_init(|| self.load().unwrap_or_default());
        if kept.is_empty() {
            return None;
        }
        let (seen, plain) = kept.get(&ProjectPath::from_bytes(path))?;
        (seen == stamp).then_some(*plain)
    }

    fn load(&self) -> Option<Facts<Plain>> {
        let path = Self::path(self.dirs.as_ref()?);
        parse(&fs::read_bounded(path.as_path(), MEMO_BYTES_MAX).ok()?)
    }

    /// Takes in what a file holds that has been left alone for a while.
    pub(super) fn learn(&self, path: &[u8], stamp: FileStamp, plain: Plain) {
        if self.dirs.is_some() {
            self.lock().insert(ProjectPath::from_bytes(path), (stamp, plain));
        }
    }

    /// Keeps what was learned, if there is enough of it. That it cannot be kept costs time alone,
    /// so nobody is told.
    pub(super) fn keep(&self) {
        let Some(dirs) = &self.dirs else { return };
        let learned = std::mem::take(&mut *self.lock());
        let size_bytes: u64 = learned.values().map(|(stamp, _)| stamp.size).sum();
        if learned.len() < FILE_COUNT_MIN && size_bytes < SIZE_BYTES_MIN {
            return;
        }
        let mut facts = self.load().unwrap_or_default();
        facts.extend(learned);
        let text = render(&facts);
        let has_place = fs::stat(dirs.private.as_path()).is_ok_and(|stat| stat.is_dir());
        if has_place && text.len() as u64 <= MEMO_BYTES_MAX {
            let path = Self::path(dirs);
            let folder = path.as_path().parent().unwrap_or(path.as_path());
            let write = || dirs.unfinished.write(path.as_path(), text.as_bytes());
            drop(fs::create_folder(folder).and_then(|()| write()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Facts<Plain>> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::plain;

    fn stamp(size: u64) -> FileStamp {
        let time = crate::sys::folder::Time { seconds: 1, nanoseconds: 2 };
        FileStamp { device: 1, inode: 2, size, mtime: time, ctime: time }
    }

    fn plain() -> Plain {
        let id = plain::hash(b"x\r\n").expect("an id");
        Plain { id, has_crlf: true, has_nul: false }
    }

    /// A project whose memo has learned what so many files hold.
    fn learned(file_count: usize) -> (tempfile::TempDir, WorkDirs) {
        let folder = tempfile::tempdir().expect("a folder");
        let dirs = WorkDirs::new(AbsPath::new(folder.path()).expect("a path"));
        fs::create_folder(dirs.private.as_path()).expect("a folder");
        let memo = Memo::of(&dirs);
        for file in 0..file_count {
            memo.learn(format!("f{file}").as_bytes(), stamp(3), plain());
        }
        memo.keep();
        (folder, dirs)
    }

    #[test]
    fn another_run_knows_what_has_not_changed() {
        let (_folder, dirs) = learned(FILE_COUNT_MIN);
        let memo = Memo::of(&dirs);
        assert_eq!(memo.find(b"f0", &stamp(3)), Some(plain()));
        assert_eq!(memo.find(b"f0", &stamp(4)), None, "another stamp");
        assert_eq!(memo.find(b"g", &stamp(3)), None, "another file");
    }

    #[test]
    fn what_is_read_in_no_time_is_not_kept() {
        let (_folder, dirs) = learned(FILE_COUNT_MIN - 1);
        assert_eq!(Memo::of(&dirs).find(b"f0", &stamp(3)), None);
    }

    #[test]
    fn what_is_kept_adds_up_and_a_damaged_memo_is_an_empty_one() {
        let (_folder, dirs) = learned(FILE_COUNT_MIN);
        let memo = Memo::of(&dirs);
        memo.learn(b"large", stamp(SIZE_BYTES_MIN), plain());
        memo.keep();
        let again = Memo::of(&dirs);
        assert_eq!(again.find(b"f0", &stamp(3)), Some(plain()));
        assert_eq!(again.find(b"large", &stamp(SIZE_BYTES_MIN)), Some(plain()));
        let path = Memo::path(&dirs);
        let mut text = fs::read(path.as_path()).expect("a memo");
        text[70] ^= 1;
        fs::write_atomic(path.as_path(), &text).expect("written");
        assert_eq!(Memo::of(&dirs).find(b"f0", &stamp(3)), None);
    }
}
