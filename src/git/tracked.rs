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
                (Some(one), Some(two)) if self.entry(one).says_as(&other.entry(two)) => {}
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
        let is_submodule = |entry: &u32| snapshot.mode(*entry) == FileMode::Submodule;
        let mut found = Vec::new();
        for entry in snapshot.near(patterns).filter(is_submodule) {
            found.extend(self.open_submodule(snapshot.git_path(entry))?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::file_set::BlobId;
    use super::super::index_entry::Entry;
    use super::super::stat::Stat;
    use super::*;

    /// An index of these paths, each with a content told by a number; a path with a final slash
    /// is a submodule's.
    fn index(paths: &[(&str, u8)]) -> IndexSnapshot {
        let mut index = IndexSnapshot::new(b"");
        for (path, content) in paths {
            let name = path.trim_end_matches('/');
            let mode = if name == *path { FileMode::Plain } else { FileMode::Submodule };
            let entry = Entry {
                stat: Stat::default(),
                mode,
                id: BlobId::from_bytes(&[*content; 20]).expect("an id"),
                is_intent_to_add: false,
                is_skip_worktree: false,
                stage: 0,
            };
            index.push(name.as_bytes(), &entry).expect("in order");
        }
        index
    }

    #[track_caller]
    fn check_differences(one: &[(&str, u8)], two: &[(&str, u8)], expected: &[&str]) {
        for (one, two) in [(one, two), (two, one)] {
            let found = index(one).differences(&index(two));
            let found: Vec<_> = found.iter().map(|path| String::from_utf8_lossy(path)).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn indexes_differ_by_what_they_say_of_paths() {
        check_differences(&[], &[], &[]);
        check_differences(&[("a", 1), ("b", 1)], &[("a", 1), ("b", 1)], &[]);
        check_differences(&[("a", 1), ("b", 1)], &[("a", 1), ("b", 2)], &["b"]);
        check_differences(&[("a", 1), ("c", 1)], &[("b", 1), ("c", 1)], &["a", "b"]);
        check_differences(&[("a", 1)], &[("a", 1), ("b", 1), ("c", 1)], &["b", "c"]);
        check_differences(&[("a", 1)], &[("a/", 1)], &["a"]);
    }

    #[test]
    fn what_lies_in_a_submodule_is_the_submodule() {
        let index = index(&[("a", 1), ("sub/", 1), ("subs/x", 1)]);
        assert_eq!(index.tracked(b"a"), Some(&b"a"[..]));
        assert_eq!(index.tracked(b"sub/deep/x"), Some(&b"sub"[..]));
        assert_eq!(index.tracked(b"subs/y"), None);
        assert_eq!(index.tracked(b"a/x"), None);
    }

    #[test]
    fn paths_near_patterns_come_once() {
        let index = index(&[("a/x", 1), ("ab/x", 1), ("b/x", 1), ("c", 1)]);
        let near = |patterns: &[&[&str]]| -> Vec<String> {
            let parse = |texts: &&[&str]| Patterns::parse(b"", texts.iter().copied());
            let parsed: Vec<Patterns> = patterns.iter().map(|p| parse(p).expect("a set")).collect();
            index.paths_near(&parsed).map(|p| String::from_utf8_lossy(p).into_owned()).collect()
        };
        assert_eq!(near(&[]), Vec::<String>::new());
        assert_eq!(near(&[&["a/*.txt"], &["a"]]), ["a/x", "ab/x"]);
        assert_eq!(near(&[&["**"], &["b"], &["c"]]), ["a/x", "ab/x", "b/x", "c"]);
    }
}
