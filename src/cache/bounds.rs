//! Keeps the cache below its bound.
//!
//! A file holds an estimate of the size, so that nothing is counted while there is room. Two
//! processes that write it at once may lose a few bytes; whenever it passes the bound all is
//! counted anew. First entries go, then the blobs that none of the remaining names.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::attached;
use super::entry::ENTRY_BYTES_MAX;
use super::evict::{self, Candidate};
use super::local::{LATEST, parse_name};
use super::lock::{self, Exclusive};
use super::{Content, warning};
use crate::error::Diagnostic;
use crate::hash::Digest;
use crate::paths::{AbsPath, WorkDirs};
use crate::sys::unfinished::MODE;
use crate::sys::{clock, fs};

/// How long a blob that no entry names is left alone, as somebody may be about to name it: next
/// to nothing while all who store are locked out, more than any store takes where there are no
/// locks.
const GRACE_LOCKED: Duration = Duration::from_millis(100);
const GRACE_UNLOCKED: Duration = Duration::from_hours(1);

/// A part of the bound that is freed beyond need, so that not every run has to evict.
const SLACK_DIVISOR: u64 = 10;

/// The folders of the local cache, with their bound.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) dirs: WorkDirs,
    pub(super) entries: AbsPath,
    pub(super) blobs: AbsPath,
    pub(super) size_bytes_max: u64,
}

/// All entries as found.
#[derive(Debug, Default)]
struct Scan {
    paths: Vec<PathBuf>,
    candidates: Vec<Candidate>,
}

impl Bounds {
    /// To be called once something was stored, with how much it was.
    pub(super) fn keep(&self, added_bytes: u64) -> Result<(), Diagnostic> {
        let estimate = self.load_estimate().map(|before| before.saturating_add(added_bytes));
        if let Some(estimate) = estimate.filter(|estimate| *estimate <= self.size_bytes_max) {
            return self.store_estimate(estimate);
        }
        let grace = match lock::exclusive(&self.dirs) {
            Exclusive::Busy => return Ok(()),
            Exclusive::Held(_lock) => return self.evict(GRACE_LOCKED),
            Exclusive::Unsupported => GRACE_UNLOCKED,
        };
        self.evict(grace)
    }

    /// Of a new cache the size is known.
    pub(super) fn begin(&self) {
        let size = fs::create_new(self.estimate_path().as_path(), MODE);
        // Without it all is counted, once.
        drop(size.map(|mut file| file.write_all(b"0\n")));
    }

    fn estimate_path(&self) -> AbsPath {
        self.dirs.private.join("cache/size")
    }

    fn load_estimate(&self) -> Option<u64> {
        let bytes = fs::read_bounded(self.estimate_path().as_path(), 32).ok()?;
        std::str::from_utf8(&bytes).ok()?.trim_end().parse().ok()
    }

    fn store_estimate(&self, size_bytes: u64) -> Result<(), Diagnostic> {
        let text = format!("{size_bytes}\n");
        let written = self.dirs.unfinished.write(self.estimate_path().as_path(), text.as_bytes());
        // A cache that was deleted meanwhile has no size.
        Ok(fs::optional(written).map(|_| ())?)
    }

    fn evict(&self, grace: Duration) -> Result<(), Diagnostic> {
        let settled = clock::wall().checked_sub(grace).unwrap_or(SystemTime::UNIX_EPOCH);
        let scan = self.scan()?;
        let mut dropped = evict::choose(&scan.candidates, self.size_bytes_max);
        if !dropped.is_empty() {
            let lower = self.size_bytes_max - self.size_bytes_max / SLACK_DIVISOR;
            dropped = evict::choose(&scan.candidates, lower);
        }
        let dropped: BTreeSet<usize> = dropped.into_iter().collect();
        let mut named = BTreeSet::new();
        let mut size_bytes = 0_u64;
        for (index, candidate) in scan.candidates.iter().enumerate() {
            if dropped.contains(&index) {
                remove(&scan.paths[index])?;
            } else {
                named.extend(candidate.blobs.iter().map(|blob| blob.digest));
                size_bytes = size_bytes.saturating_add(candidate.size_bytes);
            }
        }
        size_bytes = size_bytes.saturating_add(self.remove_unnamed(&named, settled)?);
        self.store_estimate(size_bytes)
    }

    /// Removes the blobs that are not named and were not touched lately; gives the size of the
    /// others.
    fn remove_unnamed(
        &self,
        named: &BTreeSet<Digest>,
        settled: SystemTime,
    ) -> Result<u64, Diagnostic> {
        let mut size_bytes = 0_u64;
        for shard in list(self.blobs.as_path())? {
            for path in list(&shard)? {
                let is_named = blob_digest(&path).is_some_and(|digest| named.contains(&digest));
                let Some(stat) = fs::optional(fs::stat(&path))? else { continue };
                if is_named || stat.modified().is_ok_and(|modified| modified > settled) {
                    size_bytes = size_bytes.saturating_add(stat.len());
                } else {
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(size_bytes)
    }

    fn scan(&self) -> Result<Scan, Diagnostic> {
        let mut scan = Scan::default();
        let mut runnables: BTreeMap<String, usize> = BTreeMap::new();
        for folder in list(self.entries.as_path())? {
            for path in list(&folder)? {
                let name = path.file_name().and_then(OsStr::to_str).and_then(parse_name);
                let Some((slug, _)) = name else { continue };
                let Some(stat) = fs::optional(fs::stat(&path))? else { continue };
                let next = runnables.len();
                scan.candidates.push(Candidate {
                    runnable: *runnables.entry(slug.to_owned()).or_insert(next),
                    used: stat.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    size_bytes: stat.len(),
                    blobs: blobs_of(&path),
                });
                scan.paths.push(path);
            }
        }
        Ok(scan)
    }
}

/// Removes an entry, and the second name that it has if it was stored last.
fn remove(path: &Path) -> fs::Result<()> {
    let latest = path.with_extension(LATEST);
    let file_of = |path| fs::stat(path).map(|stat| (stat.dev(), stat.ino())).ok();
    if file_of(path).is_some_and(|file| file_of(&latest) == Some(file)) {
        fs::remove_file(&latest)?;
    }
    fs::remove_file(path)
}

/// What is in a folder, sorted; nothing if it is none.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let listed = fs::optional(fs::list(folder));
    listed.map(Option::unwrap_or_default).map_err(|error| warning::not_evicted(&error.into()))
}

/// The blobs that an entry names; one that cannot be read names none.
fn blobs_of(path: &Path) -> Vec<Content> {
    let bytes = fs::read_bounded(path, ENTRY_BYTES_MAX).unwrap_or_default();
    let Ok((entry, _)) = attached::parse(&bytes) else { return Vec::new() };
    let own = [entry.log, entry.fingerprint].into_iter().filter(|it| !attached::is_attached(*it));
    own.chain(entry.artifacts.contents().map(|(_, content)| content)).collect()
}

/// The digest that a blob's path stands for.
fn blob_digest(path: &Path) -> Option<Digest> {
    let name = path.file_name()?.to_str()?;
    let shard = path.parent()?.file_name()?.to_str()?;
    format!("{shard}{name}").parse().ok()
}
