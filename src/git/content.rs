//! Blob ids of what is in the work tree, as git would add it.
//!
//! libgit2 hashes what is stored as it is, git what has to be converted first. Ids are kept for as
//! long as a file's times do not move.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::clean::Cleaner;
use super::conversion::Conversions;
use super::file_set::BlobId;
use super::index::IndexSnapshot;
use super::look::Reading;
use super::memo::Memo;
use super::plain::{self, Plain};
use super::repo::Repo;
use crate::error::Diagnostic;
use crate::sys::folder::FileStamp;
use crate::sys::fs::{self, FileError};
use crate::sys::parallel;

/// So many files are worth a thread of their own.
const FILES_PER_THREAD_MIN: usize = 64;

/// What became of a file that was to be hashed.
#[derive(Debug, Clone)]
pub(super) enum Hashed {
    Id(BlobId),
    /// It vanished in between.
    Gone,
    Failed(Arc<Diagnostic>),
}

impl From<Diagnostic> for Hashed {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(Arc::new(diagnostic))
    }
}

impl From<FileError> for Hashed {
    fn from(error: FileError) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Self::Gone,
            _ => error.diagnostic().into(),
        }
    }
}

/// Blob ids by path, each with the stamp of the file that had it.
#[derive(Debug)]
pub(super) struct Contents {
    known: Mutex<BTreeMap<Vec<u8>, (FileStamp, BlobId)>>,
    /// What is known beyond this run: contents as they are, since what they are converted to is
    /// for settings to decide that may change.
    memo: Memo,
}

impl Contents {
    pub(super) fn new(memo: Memo) -> Self {
        Self { known: Mutex::default(), memo }
    }

    /// Keeps what was learned for other runs.
    pub(super) fn keep(&self) {
        self.memo.keep();
    }

    /// The blob ids of entries' files, in their order. `now` is a time before they were looked at.
    pub(super) fn hash(
        &self,
        repo: &Repo,
        snapshot: &IndexSnapshot,
        readings: &[(u32, Reading)],
        now: Duration,
    ) -> Vec<Hashed> {
        let mut hashed: Vec<Option<Hashed>> = readings
            .iter()
            .map(|(entry, reading)| self.known(snapshot.git_path(*entry), &reading.stamp))
            .collect();
        let unknown: Vec<usize> =
            (0..readings.len()).filter(|position| hashed[*position].is_none()).collect();
        let cleaner = Cleaner { repo, snapshot };
        let reader = Hasher { repo, snapshot, cleaner, memo: &self.memo, now };
        let (links, files): (Vec<usize>, Vec<usize>) =
            unknown.iter().partition(|position| readings[**position].1.is_link);
        for position in links {
            hashed[position] = Some(reader.hash_link(readings[position].0));
        }
        let stamped: Vec<Stamped> = files.iter().map(|at| stamped(&readings[*at])).collect();
        let ids = reader.hash_files(&stamped);
        let ids = ids.unwrap_or_else(|diagnostic| vec![diagnostic.into(); stamped.len()]);
        for (position, id) in files.iter().zip(ids) {
            hashed[*position] = Some(id);
        }
        for position in unknown {
            let (entry, reading) = &readings[position];
            if let Some(Hashed::Id(id)) = hashed[position]
                && reading.stamp.is_settled(now)
            {
                self.note(snapshot.git_path(*entry), reading.stamp, id);
            }
        }
        hashed.into_iter().map(|hashed| hashed.unwrap_or(Hashed::Gone)).collect()
    }

    fn known(&self, path: &[u8], stamp: &FileStamp) -> Option<Hashed> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (known_stamp, id) = known.get(path)?;
        (known_stamp == stamp).then_some(Hashed::Id(*id))
    }

    fn note(&self, path: &[u8], stamp: FileStamp, id: BlobId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_vec(), (stamp, id));
    }
}

/// An entry and the stamp of its file.
type Stamped = (u32, FileStamp);

fn stamped((entry, reading): &(u32, Reading)) -> Stamped {
    (*entry, reading.stamp)
}

/// What hashes files of one index.
struct Hasher<'a> {
    repo: &'a Repo,
    snapshot: &'a IndexSnapshot,
    cleaner: Cleaner<'a>,
    memo: &'a Memo,
    /// A time before any of the files was looked at.
    now: Duration,
}

impl Hasher<'_> {
    /// Whether libgit2 makes ids of the repository's kind.
    fn is_for_library(&self, entry: u32) -> bool {
        self.snapshot.id(entry).is_sha1()
    }

    /// A symlink's blob is its text.
    fn hash_link(&self, entry: u32) -> Hashed {
        let text = match fs::read_link(&self.cleaner.path(entry)) {
            Ok(text) => text,
            Err(error) => return error.into(),
        };
        let text = text.as_os_str().as_bytes();
        match self.is_for_library(entry).then(|| plain::hash(text)).flatten() {
            Some(id) => Hashed::Id(id),
            None => self.cleaner.hash_text(text),
        }
    }

    /// Files, as git would add them.
    fn hash_files(&self, files: &[Stamped]) -> Result<Vec<Hashed>, Diagnostic> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let mut conversions = Conversions::new(self.repo, self.snapshot)?;
        let (changed, rest): (Vec<usize>, Vec<usize>) = (0..files.len())
            .partition(|at| conversions.may_change(self.snapshot.git_path(files[*at].0)));
        let of =
            |positions: &[usize]| positions.iter().map(|at| files[*at].0).collect::<Vec<u32>>();
        let mut hashed = vec![None; files.len()];
        for (position, cleaned) in changed.iter().zip(self.cleaner.hash_files(&of(&changed))) {
            hashed[*position] = Some(cleaned);
        }
        let as_they_are: Vec<Stamped> = rest.iter().map(|at| files[*at]).collect();
        for (position, plain) in rest.iter().zip(self.hash_plain(&mut conversions, &as_they_are)) {
            hashed[*position] = plain;
        }
        let rest: Vec<usize> = rest.into_iter().filter(|at| hashed[*at].is_none()).collect();
        for (position, cleaned) in rest.iter().zip(self.cleaner.hash_texts(&of(&rest))) {
            hashed[*position] = Some(cleaned);
        }
        Ok(hashed.into_iter().map(|hashed| hashed.unwrap_or(Hashed::Gone)).collect())
    }

    /// Files as they are; `None` for those whose line ends may be converted.
    fn hash_plain(
        &self,
        conversions: &mut Conversions<'_>,
        files: &[Stamped],
    ) -> Vec<Option<Hashed>> {
        if !files.first().is_some_and(|(entry, _)| self.is_for_library(*entry)) {
            return vec![None; files.len()];
        }
        let results = parallel::map(files, FILES_PER_THREAD_MIN, self.repo.cpu_count, |chunk| {
            chunk.iter().map(|file| self.read_plain(*file)).collect()
        });
        let results = files.iter().zip(results);
        results
            .map(|((entry, _), result)| match result {
                Ok(Some(plain)) => self.accept(conversions, *entry, &plain).map(Hashed::Id),
                Ok(None) => None,
                Err(error) => Some(error.into()),
            })
            .collect()
    }

    /// A file as it is, read unless that is known; `None` if it was changed meanwhile.
    fn read_plain(&self, (entry, stamp): Stamped) -> Result<Option<Plain>, FileError> {
        let path = self.snapshot.git_path(entry);
        if let Some(plain) = self.memo.find(path, &stamp) {
            return Ok(Some(plain));
        }
        let plain = plain::hash_file(&self.cleaner.path(entry))?;
        if let Some(plain) = plain.filter(|_| stamp.is_settled(self.now)) {
            self.memo.learn(path, stamp, plain);
        }
        Ok(plain)
    }

    /// The id of a file, unless its line ends may be converted. Whatever attributes say by now, a
    /// file with the very bytes of the index's blob is that blob.
    fn accept(
        &self,
        conversions: &mut Conversions<'_>,
        entry: u32,
        plain: &Plain,
    ) -> Option<BlobId> {
        let is_plain = !plain.has_crlf
            || plain.id == self.snapshot.id(entry)
            || !conversions.may_change_line_ends(self.snapshot.git_path(entry), plain.has_nul);
        is_plain.then_some(plain.id)
    }
}
