//! One `lstat` for each path: what is there, and whether the index still speaks for it.
//!
//! Nothing is opened here. The bits that tell git not to look (`assume-unchanged`,
//! `skip-worktree`, fsmonitor) are not believed: every path is looked at.

use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::file_set::FileMode;
use super::index::IndexSnapshot;
use super::index_entry::Entry;
use super::repo::Repo;
use super::stat::{Difference, Stat, compare, is_racy};
use crate::error::Diagnostic;
use crate::sys::folder::{self, FileStamp, Kind, Missing, Walker};
use crate::sys::fs::{self, FileError};
use crate::sys::parallel;
use crate::sys::timings::{COUNT, STAGE};

/// So many paths are worth a thread of their own.
pub(super) const PATHS_PER_THREAD_MIN: usize = 1000;

/// What is found at a tracked path. There are as many as files, so what is rare is boxed.
#[derive(Debug, Clone)]
pub(super) enum Look {
    /// Nothing, or something that git does not track: a folder, a fifo, a socket, a device.
    Gone,
    /// What the index says.
    AsIndexed,
    /// A file or symlink that has to be read.
    Read(Box<Reading>),
    /// The folder of a submodule.
    Submodule,
    Failed(Box<Diagnostic>),
}

/// A file or symlink that has to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) mode: FileMode,
    /// Whether it is a symlink on disk, whatever its mode.
    pub(super) is_link: bool,
    pub(super) stamp: FileStamp,
}

/// The ways to what was looked at last, held open for what is looked at next.
#[derive(Debug, Default)]
pub(super) struct Ways(Mutex<OpenWays>);

#[derive(Debug, Default)]
struct OpenWays {
    /// Counts how often they were closed: none of before is kept after.
    epoch: u64,
    walkers: Vec<Walker>,
}

impl Ways {
    /// Folders may be others than they were.
    pub(super) fn close(&self) {
        let mut ways = self.lock();
        ways.epoch += 1;
        ways.walkers.clear();
    }

    fn take(&self) -> (u64, Option<Walker>) {
        let mut ways = self.lock();
        (ways.epoch, ways.walkers.pop())
    }

    fn put_back(&self, epoch: u64, walker: Walker) {
        let mut ways = self.lock();
        if ways.epoch == epoch {
            ways.walkers.push(walker);
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenWays> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at entries, in parallel if there are many. Gives those that are not as the index has
/// them, in the order of the entries.
pub(super) fn look_at(
    repo: &Repo,
    snapshot: &IndexSnapshot,
    entries: &[u32],
    ways: &Ways,
) -> Vec<(u32, Look)> {
    let _stage = tracing::info_span!(target: STAGE, "look at files").entered();
    tracing::info!(target: COUNT, files_looked_at = entries.len() as u64);
    parallel::map(entries, PATHS_PER_THREAD_MIN, repo.cpu_count, |chunk| {
        let (epoch, walker) = ways.take();
        match walker.map_or_else(|| Walker::new(repo.root().as_path()), Ok) {
            Ok(walker) => {
                let mut looker = Looker { repo, snapshot, walker };
                let looks = chunk.iter().map(|entry| (*entry, looker.look(*entry)));
                let looks = looks.filter(|(_, look)| !matches!(look, Look::AsIndexed)).collect();
                ways.put_back(epoch, looker.walker);
                looks
            }
            Err(error) => {
                let failed = Look::Failed(Box::new(error.diagnostic()));
                chunk.iter().map(|entry| (*entry, failed.clone())).collect()
            }
        }
    })
}

struct Looker<'a> {
    repo: &'a Repo,
    snapshot: &'a IndexSnapshot,
    /// What lies behind a symlink is not tracked: it follows none.
    walker: Walker,
}

impl Looker<'_> {
    fn look(&mut self, number: u32) -> Look {
        let entry = self.snapshot.entry(number);
        let absent = if entry.is_skip_worktree { Look::AsIndexed } else { Look::Gone };
        match self.stat(self.snapshot.git_path(number)) {
            Ok(Some(stat)) => {
                self.judge(&entry, &stat).unwrap_or_else(|error| Look::Failed(Box::new(error)))
            }
            Ok(None) => absent,
            Err(error) => Look::Failed(Box::new(error.diagnostic())),
        }
    }

    /// `None` if nothing is there, or a way to it leads through something else than folders.
    fn stat(&mut self, path: &[u8]) -> fs::Result<Option<folder::Stat>> {
        let looked = self.walker.parent(path, Missing::Fail);
        match looked.and_then(|(folder, name)| folder.stat(name)) {
            Err(error) if is_absence(&error) => Ok(None),
            looked => looked,
        }
    }

    fn judge(&self, entry: &Entry, stat: &folder::Stat) -> Result<Look, Diagnostic> {
        match stat.kind {
            Kind::Folder if entry.mode == FileMode::Submodule => return Ok(Look::Submodule),
            Kind::Folder | Kind::Special => return Ok(Look::Gone),
            Kind::File | Kind::Symlink => {}
        }
        let mode = self.mode(entry, stat)?;
        let is_known = mode == entry.mode && !entry.is_conflicted() && !entry.is_intent_to_add;
        if is_known && self.is_clean(entry, stat)? {
            return Ok(Look::AsIndexed);
        }
        let (is_link, stamp) = (stat.kind == Kind::Symlink, stat.stamp());
        Ok(Look::Read(Box::new(Reading { mode, is_link, stamp })))
    }

    /// The mode of a file or symlink, as git would add it.
    fn mode(&self, entry: &Entry, stat: &folder::Stat) -> Result<FileMode, Diagnostic> {
        if stat.kind == Kind::Symlink {
            return Ok(FileMode::Symlink);
        }
        let is_executable = stat.mode & 0o100 != 0;
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

    fn is_clean(&self, entry: &Entry, disk: &folder::Stat) -> Result<bool, Diagnostic> {
        let (stat, written) = (entry.stat, self.snapshot.written);
        // git marks what was racily clean when it wrote the index by taking its size away.
        if stat.size_bytes == 0 && !entry.id.is_empty_blob() {
            return Ok(false);
        }
        let (is_same, by_seconds) = match compare(&stat, &Stat::new(disk)) {
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

fn is_absence(error: &FileError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
