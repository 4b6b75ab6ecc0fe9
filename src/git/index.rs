//! The git index as it was read: sorted entries, found by path and by pattern. Pure.

use std::borrow::Cow;
use std::ops::Range;

use super::file_set::{BlobId, FileMode};
use super::pathspec::Patterns;
use super::stat::{Stamp, Stat};

/// All tracked paths, each once, sorted by their bytes.
#[derive(Debug, Default)]
pub struct IndexSnapshot {
    /// The project root relative to the git root.
    prefix: Vec<u8>,
    /// The paths one after the other.
    paths: Vec<u8>,
    entries: Vec<Entry>,
    /// When the index was written: what is no older may be racily clean.
    pub(super) written: Stamp,
    /// What it says of whole folders, for [`super::known_trees`].
    pub(super) known_trees: Vec<u8>,
}

/// What the index says of a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    path_start: u32,
    path_end: u32,
    pub(super) stat: Stat,
    pub(super) mode: FileMode,
    pub(super) id: BlobId,
    /// `git add -N`: only the path is known.
    pub(super) is_intent_to_add: bool,
    /// Left out of a sparse checkout, if it is not there.
    pub(super) is_skip_worktree: bool,
    /// Entries of both sides of a merge stand for it.
    pub(super) is_conflicted: bool,
}

impl Entry {
    /// Whether two entries of a path say the same of its content; when it was looked at is not
    /// a part of that.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        let said = |entry: &Self| {
            let states = (entry.is_intent_to_add, entry.is_skip_worktree, entry.is_conflicted);
            (entry.mode, entry.id, states)
        };
        said(self) == said(other)
    }
}

/// An entry about to be added.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewEntry {
    pub(super) stat: Stat,
    pub(super) mode: FileMode,
    pub(super) id: BlobId,
    pub(super) is_intent_to_add: bool,
    pub(super) is_skip_worktree: bool,
    /// 0, or 1 to 3 in a conflict.
    pub(super) stage: u8,
}

/// The paths are not in order, or too many: it is no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl IndexSnapshot {
    /// An empty index of a project.
    pub(super) fn new(prefix: &[u8]) -> Self {
        Self { prefix: prefix.to_vec(), ..Self::default() }
    }

    /// Makes room for entries that are about to be added.
    pub(super) fn reserve(&mut self, entry_count: usize) {
        const PATH_LENGTH_TYPICAL: usize = 48;
        self.entries.reserve_exact(entry_count);
        self.paths.reserve(entry_count.saturating_mul(PATH_LENGTH_TYPICAL));
    }

    /// Adds the next entry; paths come in order, the stages of a conflict one after the other.
    pub(super) fn push(&mut self, path: &[u8], new: NewEntry) -> Result<(), Malformed> {
        if let Some(last) = self.entries.last().copied() {
            let last_path = self.slice(&last);
            if path == last_path && new.stage > 0 && last.is_conflicted {
                // One's own side speaks for the mode; the content is read anyway.
                if new.stage == 2 {
                    self.entries.pop();
                    self.entries.push(Entry { mode: new.mode, id: new.id, ..last });
                }
                return Ok(());
            }
            if path <= last_path {
                return Err(Malformed);
            }
        }
        let path_start = u32::try_from(self.paths.len()).map_err(|_| Malformed)?;
        self.paths.extend_from_slice(path);
        self.entries.push(Entry {
            path_start,
            path_end: u32::try_from(self.paths.len()).map_err(|_| Malformed)?,
            stat: new.stat,
            mode: new.mode,
            id: new.id,
            is_intent_to_add: new.is_intent_to_add,
            is_skip_worktree: new.is_skip_worktree,
            is_conflicted: new.stage > 0,
        });
        Ok(())
    }

    /// The path of an entry relative to the project root.
    pub fn project_path(&self, entry: u32) -> Cow<'_, [u8]> {
        relative(&self.prefix, self.git_path(entry))
    }

    /// The path of an entry relative to the git root.
    pub(super) fn git_path(&self, entry: u32) -> &[u8] {
        self.slice(self.entry(entry))
    }

    pub(super) fn entry(&self, entry: u32) -> &Entry {
        &self.entries[entry as usize]
    }

    /// All entries, by position.
    pub(super) fn all(&self) -> Range<u32> {
        // Positions fit: each entry has a path, and all paths have less than 4 GiB.
        0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// The entry of a path relative to the git root.
    pub(super) fn find(&self, path: &[u8]) -> Option<u32> {
        let position = self.entries.binary_search_by(|entry| self.slice(entry).cmp(path)).ok()?;
        u32::try_from(position).ok()
    }

    /// The entries that patterns match, in order. Only those are looked at that begin as the
    /// patterns do.
    pub(super) fn matching(&self, patterns: &Patterns) -> Vec<u32> {
        if patterns.matches_by_prefix()
            && let Some(prefix) = patterns.literal_prefixes().next()
            && self.submodule_above(prefix).is_none()
        {
            return self.starting_with(prefix).collect();
        }
        let mut found = Vec::new();
        for range in self.candidates(patterns) {
            found.extend(range.filter(|&entry| {
                let path = self.git_path(entry);
                match self.entry(entry).mode {
                    FileMode::Submodule => patterns.matches_submodule(path),
                    FileMode::Plain | FileMode::Executable | FileMode::Symlink => {
                        patterns.matches(path)
                    }
                }
            }));
        }
        found
    }

    /// Ranges that hold all that can match; they do not overlap.
    pub(super) fn candidates(&self, patterns: &Patterns) -> Vec<Range<u32>> {
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for prefix in patterns.literal_prefixes() {
            ranges.push(self.starting_with(prefix));
            ranges.extend(self.submodule_above(prefix).map(|entry| entry..entry + 1));
        }
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<u32>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    fn starting_with(&self, prefix: &[u8]) -> Range<u32> {
        let start = self.entries.partition_point(|entry| self.slice(entry) < prefix);
        let length =
            self.entries[start..].partition_point(|entry| self.slice(entry).starts_with(prefix));
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        position(start)..position(start + length)
    }

    /// The submodule that a path lies in.
    pub(super) fn submodule_above(&self, path: &[u8]) -> Option<u32> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes
            .filter_map(|(position, _)| self.find(&path[..position]))
            .find(|entry| self.entry(*entry).mode == FileMode::Submodule)
    }

    fn slice(&self, entry: &Entry) -> &[u8] {
        &self.paths[entry.path_start as usize..entry.path_end as usize]
    }
}

/// A path below the git root as seen from the project root.
pub(super) fn relative<'a>(prefix: &[u8], path: &'a [u8]) -> Cow<'a, [u8]> {
    if prefix.is_empty() {
        return Cow::Borrowed(path);
    }
    if let Some(rest) = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b"/")) {
        return Cow::Borrowed(rest);
    }
    let mut shared = 0;
    for (at, (left, right)) in prefix.iter().zip(path).enumerate() {
        if left != right {
            break;
        }
        if *left == b'/' {
            shared = at + 1;
        }
    }
    let up_count = prefix[shared..].split(|byte| *byte == b'/').count();
    let mut out = b"../".repeat(up_count);
    out.extend_from_slice(&path[shared..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[track_caller]
    fn check(prefix: &str, path: &str, expected: &str) {
        let shown = relative(prefix.as_bytes(), path.as_bytes());
        assert_eq!(String::from_utf8_lossy(&shown), expected);
    }

    #[test]
    fn paths_outside_of_the_project_go_up() {
        check("", "a/b", "a/b");
        check("a", "a/b", "b");
        check("a/b", "a/c/d", "../c/d");
        check("a/b", "x", "../../x");
        check("ab", "a/x", "../a/x");
        check("a/b", "a/bc", "../bc");
        check("a/b", "a", "../../a");
    }
}
