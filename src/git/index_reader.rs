//! Reads the index: with libgit2, or as git lists it where libgit2 refuses.
//!
//! libgit2 takes no index that is not whole by itself (split, sparse), none with SHA-256, none
//! whose checksum is wrong. It is opened afresh each time, without a repository.

use std::fs::Metadata;
use std::path::Path;

use git2::{Index, IndexEntry, IndexEntryExtendedFlag, IndexTime};

use super::file_set::{BlobId, FileMode};
use super::index::{IndexSnapshot, NewEntry};
use super::index_listing;
use super::look::FileStamp;
use super::repo::Repo;
use super::stat::{Stamp, Stat};
use crate::error::{Code, Diagnostic};
use crate::sys::fs;

/// The bits of an entry's flags that are its stage.
const STAGE_SHIFT: u16 = 12;

/// What tells one index file from the next; `None` if there is none.
pub(super) type IndexStamp = Option<FileStamp>;

/// The stamp of the index file as it is now.
pub(super) fn stamp_index(repo: &Repo) -> IndexStamp {
    fs::stat_target(repo.index_file().as_path()).ok().map(|meta| FileStamp::new(&meta))
}

/// The index with its stamp. A repository without an index file tracks nothing yet.
///
/// The file is looked at before it is read. Should another take its place in between, its entries
/// are compared with too early a time, which makes them racily clean at worst, and the stamp is
/// known to be old the next time.
pub(super) fn read_index(
    repo: &Repo,
    prefix: &[u8],
) -> Result<(IndexStamp, IndexSnapshot), Diagnostic> {
    let path = repo.index_file().as_path();
    let Some(meta) = fs::optional(fs::stat_target(path))? else {
        return Ok((None, IndexSnapshot::new(prefix)));
    };
    let snapshot = match load(path, empty_snapshot(prefix, &meta)) {
        Some(snapshot) => snapshot,
        None => list_index(repo, empty_snapshot(prefix, &meta))?,
    };
    Ok((Some(FileStamp::new(&meta)), snapshot))
}

fn empty_snapshot(prefix: &[u8], meta: &Metadata) -> IndexSnapshot {
    let mut snapshot = IndexSnapshot::new(prefix);
    snapshot.written = Stat::new(meta).mtime;
    snapshot
}

/// Fills an empty snapshot; `None` if libgit2 refuses, or has anything that is not understood.
pub(super) fn load(path: &Path, mut snapshot: IndexSnapshot) -> Option<IndexSnapshot> {
    let index = Index::open(path).ok()?;
    snapshot.reserve(index.len());
    for entry in index.iter() {
        snapshot.push(&entry.path, new_entry(&entry)?).ok()?;
    }
    Some(snapshot)
}

fn new_entry(entry: &IndexEntry) -> Option<NewEntry> {
    let flags = IndexEntryExtendedFlag::from_bits_retain(entry.flags_extended);
    let (intent, skip) =
        (IndexEntryExtendedFlag::INTENT_TO_ADD, IndexEntryExtendedFlag::SKIP_WORKTREE);
    if !(intent | skip).contains(flags) || entry.path.is_empty() || entry.path.contains(&0) {
        return None;
    }
    let stamp = |time: IndexTime| Stamp {
        seconds: time.seconds().cast_unsigned(),
        nanoseconds: time.nanoseconds(),
    };
    Some(NewEntry {
        stat: Stat {
            ctime: stamp(entry.ctime),
            mtime: stamp(entry.mtime),
            ino: entry.ino,
            size_bytes: entry.file_size,
        },
        mode: FileMode::from_bits(entry.mode)?,
        id: BlobId::from_bytes(entry.id.as_bytes())?,
        is_intent_to_add: flags.contains(intent),
        is_skip_worktree: flags.contains(skip),
        stage: u8::try_from(entry.flags >> STAGE_SHIFT & 3).ok()?,
    })
}

fn list_index(repo: &Repo, mut snapshot: IndexSnapshot) -> Result<IndexSnapshot, Diagnostic> {
    let listing = repo.git().read(&["ls-files", "-z", "--stage", "--debug"])?;
    index_listing::parse(&listing, &mut snapshot).map_err(|_| {
        Diagnostic::new(Code::GitFailed, "the git index is damaged")
            .because("what `git ls-files` lists of it makes no sense")
            .hint("remove the file `git rev-parse --git-path index` names, then run `git reset`")
    })?;
    Ok(snapshot)
}
