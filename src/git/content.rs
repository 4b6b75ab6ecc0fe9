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
use super::look::{FileStamp, Reading};
use super::parallel;
use super::plain::{self, Plain};
use super::repo::Repo;
use crate::error::Diagnostic;
use crate::sys::fs::{self, FileError};

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
#[derive(Debug, Default)]
pub(super) struct Contents(Mutex<BTreeMap<Vec<u8>, (FileStamp, BlobId)>>);

impl Contents {
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
        let reader = Hasher::new(repo, snapshot);
        let (links, files): (Vec<usize>, Vec<usize>) =
            unknown.iter().partition(|position| readings[**position].1.is_link);
        for position in links {
            hashed[position] = Some(reader.hash_link(readings[position].0));
        }
        let entries: Vec<u32> = files.iter().map(|position| readings[*position].0).collect();
        let ids = reader.hash_files(&entries);
        let ids = ids.unwrap_or_else(|diagnostic| vec![diagnostic.into(); entries.len()]);
        for (position, id) in files.iter().zip(ids) {
            hashed[*position] = Some(id);
        }
        for position in unknown {
            let (entry, reading) = &readings[position];
            if let Some(Hashed::Id(id)) = hashed[position]
                && reading.stamp.is_settled(now)
            {
                self.keep(snapshot.git_path(*entry), reading.stamp, id);
            }
        }
        hashed.into_iter().map(|hashed| hashed.unwrap_or(Hashed::Gone)).collect()
    }

    fn known(&self, path: &[u8], stamp: &FileStamp) -> Option<Hashed> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known_stamp, id) = known.get(path)?;
        (known_stamp == stamp).then_some(Hashed::Id(*id))
    }

    fn keep(&self, path: &[u8], stamp: FileStamp, id: BlobId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_vec(), (stamp, id));
    }
}

/// What hashes files of one index.
struct Hasher<'a> {
    repo: &'a Repo,
    snapshot: &'a IndexSnapshot,
    cleaner: Cleaner<'a>,
}

impl<'a> Hasher<'a> {
    fn new(repo: &'a Repo, snapshot: &'a IndexSnapshot) -> Self {
        Self { repo, snapshot, cleaner: Cleaner { repo, snapshot } }
    }

    /// Whether libgit2 makes ids of the repository's kind.
    fn is_for_library(&self, entry: u32) -> bool {
        self.snapshot.entry(entry).id.is_sha1()
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
    fn hash_files(&self, entries: &[u32]) -> Result<Vec<Hashed>, Diagnostic> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut conversions = Conversions::new(self.repo, self.snapshot)?;
        let (changed, rest): (Vec<usize>, Vec<usize>) = (0..entries.len())
            .partition(|at| conversions.may_change(self.snapshot.git_path(entries[*at])));
        let of =
            |positions: &[usize]| positions.iter().map(|at| entries[*at]).collect::<Vec<u32>>();
        let mut hashed = vec![None; entries.len()];
        for (position, cleaned) in changed.iter().zip(self.cleaner.hash_files(&of(&changed))) {
            hashed[*position] = Some(cleaned);
        }
        for (position, plain) in rest.iter().zip(self.hash_plain(&mut conversions, &of(&rest))) {
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
        entries: &[u32],
    ) -> Vec<Option<Hashed>> {
        if !entries.first().is_some_and(|entry| self.is_for_library(*entry)) {
            return vec![None; entries.len()];
        }
        let results = parallel::map(entries, FILES_PER_THREAD_MIN, self.repo.cpu_count, |chunk| {
            chunk.iter().map(|entry| plain::hash_file(&self.cleaner.path(*entry))).collect()
        });
        let results = entries.iter().zip(results);
        results
            .map(|(entry, result)| match result {
                Ok(Some(plain)) => self.accept(conversions, *entry, &plain).map(Hashed::Id),
                Ok(None) => None,
                Err(error) => Some(error.into()),
            })
            .collect()
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
            || plain.id == self.snapshot.entry(entry).id
            || !conversions.may_change_line_ends(self.snapshot.git_path(entry), plain.has_nul);
        is_plain.then_some(plain.id)
    }
}
