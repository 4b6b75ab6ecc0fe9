//! The git index as it was read: sorted entries, found by path and by pattern. Pure.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use super::file_set::{BlobId, FileMode};
use super::index_entry::{Entry, SHA1_BYTES};
use super::pathspec::Patterns;
use super::stat::Stamp;

/// The stage of one's own side of a merge.
const OWN_STAGE: u8 = 2;

/// All tracked paths, each once, sorted by their bytes.
#[derive(Default)]
pub struct IndexSnapshot {
    /// The project root relative to the git root.
    prefix: Vec<u8>,
    /// The entries as an index file of version 2 or 3 keeps them: that file, if there is one.
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// Bytes of an entry's id.
    id_length: usize,
    /// When the index was written: what is no older may be racily clean.
    pub(super) written: Stamp,
    /// What it says of whole folders, for [`super::known_trees`].
    known_trees: Range<usize>,
}

/// Where an entry is among the bytes: what is in front of its path, and the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    start: u32,
    path_end: u32,
    head_length: u8,
    mode: FileMode,
}

impl Row {
    /// `None` if it lies behind 4 GiB.
    pub(super) fn new(start: usize, path: Range<usize>, mode: FileMode) -> Option<Self> {
        let head_length = u8::try_from(path.start.checked_sub(start)?).ok()?;
        let (start, path_end) = (u32::try_from(start).ok()?, u32::try_from(path.end).ok()?);
        Some(Self { start, path_end, head_length, mode })
    }

    fn head<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.start as usize;
        &bytes[start..start + usize::from(self.head_length)]
    }

    fn path<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.start as usize + usize::from(self.head_length)..self.path_end as usize]
    }
}

/// The paths are not in order, or too many: it is no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl IndexSnapshot {
    /// An empty index of a project.
    pub(super) fn new(prefix: &[u8]) -> Self {
        Self { prefix: prefix.to_vec(), id_length: SHA1_BYTES, ..Self::default() }
    }

    /// Makes room for entries that are about to be added.
    pub(super) fn reserve(&mut self, entry_count: usize) {
        self.rows.reserve_exact(entry_count);
    }

    /// Adds the next entry; paths come in order, the stages of a conflict one after the other.
    pub(super) fn push(&mut self, path: &[u8], entry: &Entry) -> Result<(), Malformed> {
        if self.rows.is_empty() {
            self.id_length = entry.id.as_bytes().len();
        } else if self.id_length != entry.id.as_bytes().len() {
            return Err(Malformed);
        }
        let start = self.bytes.len();
        entry.encode(path.len(), &mut self.bytes);
        let path_start = self.bytes.len();
        self.bytes.extend_from_slice(path);
        let row = Row::new(start, path_start..self.bytes.len(), entry.mode).ok_or(Malformed)?;
        let bytes = std::mem::take(&mut self.bytes);
        let added = self.add_row(&bytes, row, entry);
        self.bytes = bytes;
        added
    }

    /// Adds the next entry, which is there among bytes that are to be kept.
    pub(super) fn add_row(
        &mut self,
        bytes: &[u8],
        row: Row,
        entry: &Entry,
    ) -> Result<(), Malformed> {
        let Some(last) = self.rows.last_mut() else {
            self.rows.push(row);
            return Ok(());
        };
        match row.path(bytes).cmp(last.path(bytes)) {
            Ordering::Greater => self.rows.push(row),
            Ordering::Equal if entry.is_conflicted() => {
                let other = Entry::decode(last.head(bytes), self.id_length).ok_or(Malformed)?;
                if !other.is_conflicted() {
                    return Err(Malformed);
                }
                // One's own side speaks for the mode; the content is read anyway.
                if entry.stage == OWN_STAGE {
                    *last = row;
                }
            }
            Ordering::Equal | Ordering::Less => return Err(Malformed),
        }
        Ok(())
    }

    /// Keeps the bytes of the rows that were added.
    pub(super) fn keep(&mut self, bytes: Vec<u8>, known_trees: Range<usize>) {
        self.bytes = bytes;
        self.known_trees = known_trees;
    }

    /// Keeps what is known of whole folders.
    pub(super) fn set_known_trees(&mut self, known_trees: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(known_trees);
        self.known_trees = start..self.bytes.len();
    }

    pub(super) fn known_trees(&self) -> &[u8] {
        &self.bytes[self.known_trees.clone()]
    }

    /// The path of an entry relative to the project root.
    pub fn project_path(&self, entry: u32) -> Cow<'_, [u8]> {
        relative(&self.prefix, self.git_path(entry))
    }

    /// The path of an entry relative to the git root.
    pub(super) fn git_path(&self, entry: u32) -> &[u8] {
        self.rows[entry as usize].path(&self.bytes)
    }

    /// The mode of an entry, at less cost than all of it.
    pub(super) fn mode(&self, entry: u32) -> FileMode {
        self.rows[entry as usize].mode
    }

    /// The blob id of an entry, at less cost than all of it.
    pub(super) fn id(&self, entry: u32) -> BlobId {
        let head = self.rows[entry as usize].head(&self.bytes);
        Entry::decode_id(head, self.id_length).unwrap_or_default()
    }

    pub(super) fn entry(&self, entry: u32) -> Entry {
        let head = self.rows[entry as usize].head(&self.bytes);
        // Each was decoded when it was added.
        Entry::decode(head, self.id_length).unwrap_or_default()
    }

    /// All entries, by position.
    pub(super) fn all(&self) -> Range<u32> {
        // Positions fit: all entries have less than 4 GiB.
        0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// The entry of a path relative to the git root.
    pub(super) fn find(&self, path: &[u8]) -> Option<u32> {
        let position = self.rows.binary_search_by(|row| row.path(&self.bytes).cmp(path)).ok()?;
        u32::try_from(position).ok()
    }

    /// The entries that patterns match, in order. Only those are looked at that begin as the
    /// patterns do, and whose beginning alone does not tell.
    pub(super) fn matching(&self, patterns: &Patterns) -> Vec<u32> {
        let is_match = |entry: &u32| {
            let path = self.git_path(*entry);
            match self.mode(*entry) {
                FileMode::Submodule => patterns.matches_submodule(path),
                FileMode::Plain | FileMode::Executable | FileMode::Symlink => {
                    patterns.matches(path)
                }
            }
        };
        let reaches_into_submodule =
            || patterns.literal_prefixes().any(|prefix| self.submodule_above(prefix).is_some());
        let mut found = Vec::new();
        if !patterns.includes_by_prefix() || reaches_into_submodule() {
            found.extend(self.candidates(patterns).into_iter().flatten().filter(is_match));
            return found;
        }
        let excluded = patterns.excluded_prefixes().map(|prefix| self.starting_with(prefix));
        let excluded = merged(excluded.collect());
        for range in self.candidates(patterns) {
            let mut next = range.start;
            for doubtful in &excluded {
                let start = doubtful.start.clamp(next, range.end);
                let end = doubtful.end.clamp(start, range.end);
                found.extend(next..start);
                found.extend((start..end).filter(is_match));
                next = end;
            }
            found.extend(next..range.end);
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
        merged(ranges)
    }

    fn starting_with(&self, prefix: &[u8]) -> Range<u32> {
        let start = self.rows.partition_point(|row| row.path(&self.bytes) < prefix);
        let is_below = |row: &Row| row.path(&self.bytes).starts_with(prefix);
        let length = self.rows[start..].partition_point(is_below);
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        position(start)..position(start + length)
    }

    /// The submodule that a path lies in.
    pub(super) fn submodule_above(&self, path: &[u8]) -> Option<u32> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes
            .filter_map(|(position, _)| self.find(&path[..position]))
            .find(|entry| self.mode(*entry) == FileMode::Submodule)
    }
}

impl fmt::Debug for IndexSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |entry| String::from_utf8_lossy(self.git_path(entry));
        f.debug_map().entries(self.all().map(|entry| (path(entry), self.entry(entry)))).finish()
    }
}

/// The same ranges in order, without those that touch each other.
fn merged(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
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
