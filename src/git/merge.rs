//! The merge driver: one's own results win.

use std::path::Path;

use super::repo::Repo;
use crate::error::Result;
use crate::sys::fs;

/// Leaves the result of a merge, git's `%A`, as one's own side has it.
///
/// In a merge or a cherry-pick `%A` is one's own side. In a rebase git plays one's own commits onto
/// the other side, so there it is `%B`.
pub fn keep_own_side(repo: &Repo, ours: &Path, theirs: &Path) -> Result<()> {
    if repo.is_rebasing() {
        // git's own scratch file, of which it believes nothing if we do not end well.
        fs::overwrite(ours, &fs::read(theirs)?)?;
    }
    Ok(())
}
