//! What git calls to merge files of the repo cache: one's own side wins.

use std::path::Path;

use crate::error::Result;
use crate::git::{self, Repo};
use crate::sys::Sys;

/// Leaves one's own side in `ours`, the file that git takes the result from.
pub fn run(sys: &Sys, ours: &Path, theirs: &Path) -> Result<()> {
    let ours = sys.cwd.join(ours);
    let theirs = sys.cwd.join(theirs);
    match Repo::discover(sys, &sys.cwd)? {
        Some(repo) => git::keep_own_side(&repo, ours.as_path(), theirs.as_path()),
        None => Ok(()),
    }
}
