//! What git lists, how it is set up and what patterns match as entry points of fuzzing. Pure but
//! for `repository`, since libgit2 reads a file.

use super::index::IndexSnapshot;
use super::pathspec::Patterns;
use super::{attributes, clean, diff, discover, index_file, index_listing, quote, refs, settings};
use crate::sys::fs;

/// Longest pattern and path that are compared with the oracle, which is slow.
const ORACLE_BYTES_MAX: usize = 48;

/// What git prints, for each of those who read it, and its index.
pub fn listings(bytes: &[u8]) {
    let _ = index_file::parse(bytes.to_vec(), &mut IndexSnapshot::new(b"sub"));
    let mut snapshot = IndexSnapshot::new(b"sub");
    let _ = index_listing::parse(bytes, &mut snapshot);
    drop(diff::parse(bytes));
    drop(clean::parse_eol(bytes));
    drop(clean::parse_ids(bytes));
    let _ = refs::parse_id(bytes);
    drop(settings::Settings::parse(bytes));
    // A line of git's input is one line, whatever the path.
    assert!(!quote::line(bytes).contains(&b'\n'));
    assert!(quote::c_quoted(bytes).iter().all(|byte| (b' '..=b'~').contains(byte)));
}

/// `.gitattributes`: what is added is added once, and nothing else changes.
pub fn attributes(bytes: &[u8]) {
    let (prefix, text) = cut(bytes);
    let pattern = attributes::pattern(prefix);
    let Some(added) = attributes::with_line(text.to_vec(), &pattern) else { return };
    assert!(added.starts_with(text));
    if !pattern.contains(&b'\n') {
        assert_eq!(attributes::with_line(added, &pattern), None);
    }
}

/// The configuration of a repository: what is taken to move nothing does not, as libgit2 reads it.
pub fn repository(bytes: &[u8]) {
    if !discover::is_plain_config(bytes) {
        return;
    }
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("config");
    if fs::write_atomic(&path, bytes).is_err() {
        return;
    }
    let Ok(config) = git2::Config::open(&path).and_then(|mut config| config.snapshot()) else {
        return;
    };
    assert!(config.get_bytes("core.worktree").is_err());
    assert!(!config.get_bool("core.bare").unwrap_or_default());
    let includes = config.entries(Some("^include(if)?\\."));
    assert!(!includes.is_ok_and(|mut found| found.next().is_some()));
}

/// A prefix, patterns and a path, a line each.
pub fn pathspec(bytes: &[u8]) {
    let (prefix, rest) = cut(bytes);
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut lines: Vec<&str> = text.split('\n').collect();
    let Some(path) = lines.pop() else { return };
    let path = path.as_bytes();
    let Ok(patterns) = Patterns::parse(prefix, lines.iter().copied()) else { return };
    let is_match = patterns.matches(path);
    // The order does not count, nor does saying it twice.
    let again = Patterns::parse(prefix, lines.iter().rev().chain(&lines).copied());
    assert_eq!(again.as_ref(), Ok(&patterns));
    let begins = |prefix: &[u8]| path.starts_with(prefix);
    assert!(!is_match || patterns.literal_prefixes().any(begins), "{patterns:?}");
    assert!(!is_match || patterns.matches_submodule(path));
    if let ([pattern], b"") = (&lines[..], prefix)
        && is_plain(pattern)
        && pattern.len().max(path.len()) <= ORACLE_BYTES_MAX
    {
        assert_eq!(is_match, Oracle::new(pattern.as_bytes(), path).decide(), "{pattern:?}");
    }
}

/// The first line and the rest.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// Whether a pattern is one that the oracle knows: no magic, no brackets, nothing to normalize.
fn is_plain(pattern: &str) -> bool {
    let parts = || pattern.split('/');
    !pattern.starts_with(':')
        && !pattern.contains('[')
        && !parts().any(|part| matches!(part, "." | ".."))
        && !parts().rev().skip(1).any(str::is_empty)
        && !pattern.is_empty()
}

/// Matches a pattern as its definition says, each place of it against each of a path.
struct Oracle<'a> {
    pattern: &'a [u8],
    path: &'a [u8],
    /// What was found to match nothing.
    dead: Vec<bool>,
}

impl<'a> Oracle<'a> {
    fn new(pattern: &'a [u8], path: &'a [u8]) -> Self {
        let dead = vec![false; (pattern.len() + 1) * (path.len() + 1)];
        Self { pattern, path, dead }
    }

    fn decide(mut self) -> bool {
        let below = self.path.strip_prefix(self.pattern);
        let is_folder = self.pattern.last() == Some(&b'/');
        below.is_some_and(|rest| rest.is_empty() || is_folder || rest[0] == b'/')
            || (self.pattern.iter().any(|byte| b"*?\\".contains(byte)) && self.matches(0, 0))
    }

    fn matches(&mut self, at: usize, from: usize) -> bool {
        let place = at * (self.path.len() + 1) + from;
        if self.dead[place] {
            return false;
        }
        let is_match = self.step(at, from);
        self.dead[place] = !is_match;
        is_match
    }

    fn step(&mut self, at: usize, from: usize) -> bool {
        let rest = &self.path[from..];
        let Some(byte) = self.pattern.get(at) else { return rest.is_empty() };
        match byte {
            b'*' => {
                let count = self.pattern[at..].iter().take_while(|byte| **byte == b'*').count();
                let next = at + count;
                let is_folders = count > 1
                    && (at == 0 || self.pattern[at - 1] == b'/')
                    && self.pattern.get(next) == Some(&b'/');
                if !is_folders {
                    return (from..=self.path.len()).any(|to| self.matches(next, to));
                }
                let path = self.path;
                let behind = |to: &usize| *to == from || path[*to - 1] == b'/';
                (from..=path.len()).filter(behind).any(|to| self.matches(next + 1, to))
            }
            b'?' => !rest.is_empty() && self.matches(at + 1, from + 1),
            b'\\' => {
                let escaped = self.pattern.get(at + 1);
                escaped.is_some() && rest.first() == escaped && self.matches(at + 2, from + 1)
            }
            byte => rest.first() == Some(byte) && self.matches(at + 1, from + 1),
        }
    }
}
