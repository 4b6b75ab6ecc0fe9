//! Reads the index: the file itself, or git's listing of it where the file is not whole.

use std::fs::Metadata;
use std::io::Read as _;

use super::index::IndexSnapshot;
use super::look::FileStamp;
use super::repo::Repo;
use super::stat::Stat;
use super::{index_file, index_listing};
use crate::error::{Code, Diagnostic};
use crate::sys::fs;

/// What tells one index file from the next; `None` if there is none.
pub(super) type IndexStamp = Option<FileStamp>;

/// The stamp of the index file as it is now.
pub(super) fn stamp_index(repo: &Repo) -> IndexStamp {
    fs::stat_target(repo.index_file().as_path()).ok().map(|meta| FileStamp::new(&meta))
}

/// The index with its stamp. A repository without an index file tracks nothing yet.
pub(super) fn read_index(
    repo: &Repo,
    prefix: &[u8],
) -> Result<(IndexStamp, IndexSnapshot), Diagnostic> {
    let path = repo.index_file().as_path();
    let file = fs::optional(fs::open(path)).map_err(|error| error.diagnostic())?;
    let Some(mut file) = file else { return Ok((None, IndexSnapshot::new(prefix))) };
    let mut bytes = Vec::new();
    let meta = file.metadata().and_then(|meta| {
        bytes.reserve(usize::try_from(meta.len()).unwrap_or_default());
        file.read_to_end(&mut bytes).map(|_| meta)
    });
    let meta = meta.map_err(|error| {
        Diagnostic::new(Code::GitFailed, "the git index cannot be read").because(error.to_string())
    })?;
    let empty = || empty_snapshot(prefix, &meta);
    let snapshot = match index_file::parse(&bytes, empty) {
        Ok(snapshot) => snapshot,
        Err(index_file::Foreign) => list_index(repo, empty())?,
    };
    Ok((Some(FileStamp::new(&meta)), snapshot))
}

fn empty_snapshot(prefix: &[u8], meta: &Metadata) -> IndexSnapshot {
    let mut snapshot = IndexSnapshot::new(prefix);
    snapshot.written = Stat::new(meta).mtime;
    snapshot
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
