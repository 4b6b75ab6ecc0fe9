//! Where tracked files are, and which paths an index has that another has not: for whoever
//! watches files rather than hashes them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::file_set::FileMode;
use super::index::{IndexSnapshot, relative};
use super::pathspec::Patterns;
use super::worktree::Worktree;
use crate::error::{Diagnostic, RunnableError};
use crate::paths::AbsPath;

impl IndexSnapshot {
    /// The tracked path that a change of this one is a change of: itself, or the submodule that
    /// it lies in. All are relative to the git root.
    pub fn tracked<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        if self.find(path).is_some() {
            return Some(path);
        }
        let submodule = self.submodule_above(path)?;
        path.get(..self.git_path(submodule).len())
    }

    /// Tracked paths, all that the patterns match among them, each once: told by how they begin.
    pub fn paths_near(&self, patterns: &[Patterns]) -> impl Iterator<Item = &[u8]> {
        self.near(patterns).map(|entry| self.git_path(entry))
    }

    /// The paths that one of two indexes has and the other has not, or not with the same content,
    /// mode or state.
    pub fn differences(&self, other: &Self) -> Vec<Vec<u8>> {
        let mut paths = Vec::new();
        let (mut left, mut right) = (self.all().peekable(), other.all().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return paths,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(one), Some(two)) => self.git_path(*one).cmp(other.git_path(*two)),
            };
            let one = left.next_if(|_| order.is_le());
            let two = right.next_if(|_| order.is_ge());
            match (one, two) {
                (Some(one), Some(two)) if self.entry(one).says_as(other.entry(two)) => {}
                (Some(one), _) => paths.push(self.git_path(one).to_vec()),
                (None, Some(two)) => paths.push(other.git_path(two).to_vec()),
                (None, None) => {}
            }
        }
    }

    fn near(&self, patterns: &[Patterns]) -> impl Iterator<Item = u32> {
        let ranges = patterns.iter().flat_map(|patterns| self.candidates(patterns));
        let mut ranges: Vec<Range<u32>> = ranges.collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let mut end = 0;
        ranges.into_iter().flat_map(move |range| {
            let rest = range.start.max(end)..range.end;
            end = end.max(range.end);
            rest
        })
    }
}

impl Worktree {
    /// The index as it is now.
    pub fn index(&self) -> Result<Arc<IndexSnapshot>, Diagnostic> {
        self.current_index(&mut self.seen())
    }

    /// A path below the git root as seen from the project root.
    pub fn project_path<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        relative(self.prefix(), path)
    }

    /// The file that git keeps the index in.
    pub fn index_file(&self) -> &AbsPath {
        self.repo().index_file()
    }

    /// The submodules that the patterns may reach into, as far as they are checked out.
    pub fn submodules_near(&self, patterns: &[Patterns]) -> Result<Vec<Arc<Self>>, RunnableError> {
        let snapshot = self.index()?;
        let is_submodule = |entry: &u32| snapshot.entry(*entry).mode == FileMode::Submodule;
        let mut found = Vec::new();
        for entry in snapshot.near(patterns).filter(is_submodule) {
            found.extend(self.open_submodule(snapshot.git_path(entry))?);
        }
        Ok(found)
    }
}
