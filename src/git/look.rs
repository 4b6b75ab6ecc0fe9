//! One `lstat` for each path: what is there, and whether the index still speaks for it.
//!
//! Nothing is opened here. The bits that tell git not to look (`assume-unchanged`,
//! `skip-worktree`, fsmonitor) are not believed: every path is looked at.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::time::Duration;

use super::file_set::FileMode;
use super::index::{Entry, IndexSnapshot};
use super::parallel;
use super::repo::Repo;
use super::stat::{Difference, Stat, compare, is_racy};
use crate::error::Diagnostic;
use crate::sys::fs::{self, FileError};

/// So many paths are worth a thread of their own.
const PATHS_PER_THREAD_MIN: usize = 1000;

/// What is found at a tracked path.
#[derive(Debug)]
pub(super) enum Look {
    /// Nothing, or something that git does not track: a folder, a fifo, a socket, a device.
    Gone,
    /// What the index says.
    AsIndexed,
    /// A file or symlink that has to be read.
    Read(Reading),
    /// The folder of a submodule.
    Submodule,
    Failed(Diagnostic),
}

/// A file or symlink that has to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) mode: FileMode,
    /// Whether it is a symlink on disk, whatever its mode.
    pub(super) is_link: bool,
    pub(super) stamp: FileStamp,
}

/// Everything that changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStamp {
    device: u64,
    ino: u64,
    size_bytes: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl FileStamp {
    pub(super) fn new(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            ino: meta.ino(),
            size_bytes: meta.size(),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            ctime: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Whether the file was left alone for so long that its next change will show in its times,
    /// however coarse they are.
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        const COARSEST_SECONDS: i64 = 2;
        let latest = self.mtime.0.max(self.ctime.0);
        i64::try_from(now.as_secs()).is_ok_and(|now| latest + COARSEST_SECONDS < now)
    }
}

/// Looks at entries, in parallel if there are many.
pub(super) fn look_at(repo: &Repo, snapshot: &IndexSnapshot, entries: &[u32]) -> Vec<Look> {
    parallel::map(entries, PATHS_PER_THREAD_MIN, repo.cpu_count, |chunk| {
        let mut looker = Looker::new(repo, snapshot);
        chunk.iter().map(|entry| looker.look(*entry)).collect()
    })
}

struct Looker<'a> {
    repo: &'a Repo,
    snapshot: &'a IndexSnapshot,
    /// The folder that was looked at last, with a final slash, and whether all of it is real.
    folder: Vec<u8>,
    is_folder_real: bool,
}

impl<'a> Looker<'a> {
    fn new(repo: &'a Repo, snapshot: &'a IndexSnapshot) -> Self {
        Self { repo, snapshot, folder: Vec::new(), is_folder_real: true }
    }

    fn path(&self, path: &[u8]) -> PathBuf {
        self.repo.root().as_path().join(OsStr::from_bytes(path))
    }

    fn look(&mut self, number: u32) -> Look {
        let entry = self.snapshot.entry(number);
        let path = self.snapshot.git_path(number);
        let absent = if entry.is_skip_worktree { Look::AsIndexed } else { Look::Gone };
        if !self.is_below_real_folder(path) {
            return absent;
        }
        match fs::stat(&self.path(path)) {
            Ok(meta) => self.judge(entry, &meta).unwrap_or_else(Look::Failed),
            Err(error) if is_absence(&error) => absent,
            Err(error) => Look::Failed(error.diagnostic()),
        }
    }

    /// Whether no part of the way to a path is a symlink: what lies behind one is not tracked.
    fn is_below_real_folder(&mut self, path: &[u8]) -> bool {
        let length = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let folder = &path[..length];
        if folder == self.folder {
            return self.is_folder_real;
        }
        let shared = if self.is_folder_real { shared_folders(&self.folder, folder) } else { 0 };
        let ends = (shared..length).filter(|at| folder[*at] == b'/');
        let is_real = ends
            .into_iter()
            .all(|end| fs::stat(&self.path(&folder[..end])).is_ok_and(|meta| meta.is_dir()));
        self.folder = folder.to_vec();
        self.is_folder_real = is_real;
        is_real
    }

    fn judge(&self, entry: &Entry, meta: &Metadata) -> Result<Look, Diagnostic> {
        let file_type = meta.file_type();
        if file_type.is_dir() {
            let is_submodule = entry.mode == FileMode::Submodule;
            return Ok(if is_submodule { Look::Submodule } else { Look::Gone });
        }
        if file_type.is_fifo()
            || file_type.is_socket()
            || file_type.is_block_device()
            || file_type.is_char_device()
        {
            return Ok(Look::Gone);
        }
        let mode = self.mode(entry, meta)?;
        let is_known = mode == entry.mode && !entry.is_conflicted && !entry.is_intent_to_add;
        if is_known && self.is_clean(entry, meta)? {
            return Ok(Look::AsIndexed);
        }
        let stamp = FileStamp::new(meta);
        Ok(Look::Read(Reading { mode, is_link: file_type.is_symlink(), stamp }))
    }

    /// The mode of a file or symlink, as git would add it.
    fn mode(&self, entry: &Entry, meta: &Metadata) -> Result<FileMode, Diagnostic> {
        if meta.is_symlink() {
            return Ok(FileMode::Symlink);
        }
        let is_executable = meta.mode() & 0o100 != 0;
        let mode = if is_executable { FileMode::Executable } else { FileMode::Plain };
        if mode == entry.mode {
            return Ok(mode);
        }
        let settings = self.repo.settings()?;
        let stays = match entry.mode {
            FileMode::Plain | FileMode::Executable => !settings.has_file_mode,
            FileMode::Symlink => !settings.has_symlinks,
            FileMode::Submodule => false,
        };
        Ok(match stays {
            true => entry.mode,
            false if settings.has_file_mode => mode,
            false => FileMode::Plain,
        })
    }

    fn is_clean(&self, entry: &Entry, meta: &Metadata) -> Result<bool, Diagnostic> {
        let (stat, written) = (entry.stat, self.snapshot.written);
        // git marks what was racily clean when it wrote the index by taking its size away.
        if stat.size_bytes == 0 && !entry.id.is_empty_blob() {
            return Ok(false);
        }
        let (is_same, by_seconds) = match compare(&stat, &Stat::new(meta)) {
            Difference::None => (true, false),
            Difference::Plain => (false, false),
            Difference::Slight { in_ctime, in_rest } => {
                let settings = self.repo.settings()?;
                let is_excused = !(in_rest || in_ctime && settings.trusts_ctime);
                (settings.is_minimal || is_excused, settings.is_minimal)
            }
        };
        let is_racy = if by_seconds {
            stat.mtime.seconds >= written.seconds
        } else {
            is_racy(stat.mtime, written)
        };
        Ok(is_same && !is_racy)
    }
}

/// How much of two folders' paths is the same, in whole parts.
fn shared_folders(left: &[u8], right: &[u8]) -> usize {
    let same = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    right[..same].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1)
}

fn is_absence(error: &FileError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
