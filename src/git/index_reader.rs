//! Reads the index file, or has git list it where that is not all of the index.

use super::index::IndexSnapshot;
use super::repo::Repo;
use super::stat::Stat;
use super::{index_file, index_listing};
use crate::error::{Code, Diagnostic};
use crate::sys::folder::{self, FileStamp};
use crate::sys::fs;
use crate::sys::timings::{COUNT, STAGE};

/// What tells one index file from the next; `None` if there is none.
pub(super) type IndexStamp = Option<FileStamp>;

/// The stamp of the index file as it is now.
pub(super) fn stamp_index(repo: &Repo) -> IndexStamp {
    let meta = fs::stat_target(repo.index_file().as_path()).ok()?;
    Some(folder::Stat::from(&meta).stamp())
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
    let _stage = tracing::info_span!(target: STAGE, "read the index").entered();
    let path = repo.index_file().as_path();
    let Some(meta) = fs::optional(fs::stat_target(path))? else {
        return Ok((None, IndexSnapshot::new(prefix)));
    };
    let stat = folder::Stat::from(&meta);
    let Some(file) = fs::optional(fs::read(path))? else {
        return Ok((None, IndexSnapshot::new(prefix)));
    };
    let mut snapshot = empty_snapshot(prefix, &stat);
    if index_file::parse(file, &mut snapshot).is_none() {
        snapshot = list_index(repo, empty_snapshot(prefix, &stat))?;
    }
    tracing::info!(target: COUNT, index_entries = u64::from(snapshot.all().end));
    Ok((Some(stat.stamp()), snapshot))
}

fn empty_snapshot(prefix: &[u8], stat: &folder::Stat) -> IndexSnapshot {
    let mut snapshot = IndexSnapshot::new(prefix);
    snapshot.written = Stat::new(stat).mtime;
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
