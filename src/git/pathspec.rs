//! Patterns of deps: git pathspecs, matched on bytes. Pure.
//!
//! What is matched is a path relative to the git root; a pattern is relative to the project root
//! and may leave the project, but not the repository. A pattern is tried as the path of a file or
//! folder before its wildcards count, as in git. Hashing, `--since` and `--watch` all ask here.

use std::sync::Arc;

use super::wildmatch::{Dialect, Wildmatch};
use crate::error::{Code, Diagnostic};

/// A set of patterns in canonical form: equal sets are equal values, whatever their order.
///
/// A path matches if one of the patterns matches it and none that excludes does. A set that only
/// excludes means all else in the project; an empty set matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Patterns(Arc<[Pattern]>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pattern {
    is_exclude: bool,
    folds_case: bool,
    /// The whole pattern below the git root, wildcards and all.
    text: Vec<u8>,
    /// Up to here it has to be matched letter by letter even if case is folded: the project.
    exact_len: usize,
    /// Up to here there is no wildcard in it.
    literal_len: usize,
    wildcards: Option<Wildmatch>,
}

impl Patterns {
    /// Parses patterns; `prefix` is the project root relative to the git root, without a final
    /// slash. The error names the pattern.
    pub fn parse<'a>(
        prefix: &[u8],
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Diagnostic> {
        let patterns = patterns.into_iter();
        let mut parsed = Vec::with_capacity(patterns.size_hint().0);
        for text in patterns {
            parsed.push(Pattern::parse(prefix, text)?);
        }
        if !parsed.is_empty() && parsed.iter().all(|pattern| pattern.is_exclude) {
            parsed.push(Pattern::new(in_folder(prefix), prefix.len(), Magic::default()));
        }
        parsed.sort();
        parsed.dedup();
        Ok(Self(parsed.into()))
    }

    /// What is wrong with a pattern.
    pub fn check(prefix: &[u8], text: &str) -> Result<(), Diagnostic> {
        Pattern::parse(prefix, text).map(drop)
    }

    /// Whether a path relative to the git root matches.
    pub fn matches(&self, path: &[u8]) -> bool {
        let hit = |is_exclude: bool| {
            self.0.iter().any(|pattern| pattern.is_exclude == is_exclude && pattern.matches(path))
        };
        hit(false) && !hit(true)
    }

    /// Whether the folder of a submodule matches: as a path, or because a pattern names something
    /// in it.
    pub fn matches_submodule(&self, path: &[u8]) -> bool {
        let reaches_in = |pattern: &Pattern| {
            let rest = pattern.literal().strip_prefix(path);
            !pattern.is_exclude && rest.is_some_and(|rest| rest.first() == Some(&b'/'))
        };
        let excluded = |pattern: &Pattern| pattern.is_exclude && pattern.matches(path);
        self.matches(path) || (self.0.iter().any(reaches_in) && !self.0.iter().any(excluded))
    }

    /// Whether every path matches that begins with one of [`Self::literal_prefixes`] and none of
    /// [`Self::excluded_prefixes`].
    pub(super) fn includes_by_prefix(&self) -> bool {
        self.0.iter().filter(|pattern| !pattern.is_exclude).all(|pattern| {
            let matches_all = pattern.wildcards.as_ref().is_some_and(Wildmatch::matches_all);
            matches_all && !pattern.folds_case
        })
    }

    /// What the matching paths begin with: every one of them with one of these.
    pub(super) fn literal_prefixes(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(|pattern| !pattern.is_exclude).map(Pattern::known_prefix)
    }

    /// What the paths begin with that are left out: every one of them with one of these.
    pub(super) fn excluded_prefixes(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(|pattern| pattern.is_exclude).map(Pattern::known_prefix)
    }
}

impl Pattern {
    fn parse(prefix: &[u8], text: &str) -> Result<Self, Diagnostic> {
        parse_one(prefix, text).map_err(|invalid| {
            let message = format!("`{text}` is not a pattern: {}", invalid.reason);
            let diagnostic = Diagnostic::new(Code::PatternInvalid, message);
            invalid.hint.into_iter().fold(diagnostic, Diagnostic::hint)
        })
    }

    fn new(text: Vec<u8>, exact_len: usize, magic: Magic) -> Self {
        let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let literal_len = if magic.is_literal {
            text.len()
        } else {
            let first = text.iter().skip(exact_len).position(special);
            first.map_or(text.len(), |position| exact_len + position)
        };
        let dialect = if magic.is_glob { Dialect::Glob } else { Dialect::Plain };
        let wildcards = (literal_len < text.len()).then(|| {
            // git takes the start of the wildcard part for the start of a folder, wherever it is.
            // Where the project's own path has wildcards, that part begins behind it.
            let begins_here = literal_len == exact_len || !text[..exact_len].iter().any(special);
            let before = literal_len.checked_sub(1).map(|last| text[last]);
            let before = before.filter(|_| !(magic.is_glob && begins_here));
            Wildmatch::new(&text[literal_len..], before, dialect, magic.is_icase)
        });
        Self {
            is_exclude: magic.is_exclude,
            folds_case: magic.is_icase,
            text,
            exact_len,
            literal_len,
            wildcards,
        }
    }

    fn matches(&self, path: &[u8]) -> bool {
        if self.matches_as_path(path) {
            return true;
        }
        let Some(wildcards) = &self.wildcards else { return false };
        path.get(self.literal_len..)
            .is_some_and(|rest| self.starts(path, self.literal_len) && wildcards.matches(rest))
    }

    /// The path itself, or a folder above it.
    fn matches_as_path(&self, path: &[u8]) -> bool {
        let length = self.text.len();
        if path.len() < length || !self.starts(path, length) {
            return false;
        }
        path.len() == length
            || self.text.last().is_none_or(|last| *last == b'/')
            || path[length] == b'/'
    }

    /// Whether a path begins with the pattern's first bytes.
    fn starts(&self, path: &[u8], length: usize) -> bool {
        if !self.folds_case {
            return path.starts_with(&self.text[..length]);
        }
        let exact_len = self.exact_len.min(length);
        path.starts_with(&self.text[..exact_len])
            && path[exact_len..length].eq_ignore_ascii_case(&self.text[exact_len..length])
    }

    fn literal(&self) -> &[u8] {
        &self.text[..self.literal_len]
    }

    fn known_prefix(&self) -> &[u8] {
        if self.folds_case { &self.text[..self.exact_len] } else { self.literal() }
    }
}

#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "git's words are independent of each other")]
struct Magic {
    is_top: bool,
    is_literal: bool,
    is_glob: bool,
    is_icase: bool,
    is_exclude: bool,
}

/// Why a text is no pattern, and what to write instead.
struct Invalid {
    reason: String,
    hint: Option<String>,
}

impl Invalid {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

fn in_folder(prefix: &[u8]) -> Vec<u8> {
    let mut text = prefix.to_vec();
    if !text.is_empty() {
        text.push(b'/');
    }
    text
}

fn parse_one(prefix: &[u8], text: &str) -> Result<Pattern, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("it is empty").hint("write `.` for all files of the project"));
    }
    let (magic, rest) = match text.strip_prefix(':') {
        Some(rest) => match rest.strip_prefix('(') {
            Some(rest) => parse_long_magic(rest)?,
            None => parse_short_magic(rest)?,
        },
        None => (Magic::default(), text),
    };
    if magic.is_literal && magic.is_glob {
        return Err(Invalid::new("`literal` and `glob` exclude each other"));
    }
    if magic.is_top {
        return Ok(Pattern::new(rest.as_bytes().to_vec(), 0, magic));
    }
    if rest.starts_with('/') {
        return Err(Invalid::new("it is an absolute path")
            .hint("write it relative to the project root, or `:/…` relative to the git root"));
    }
    let (path, exact_len) = normalize(prefix, rest.as_bytes()).ok_or_else(|| {
        Invalid::new("it leaves the repository").hint("only files of the repository can be deps")
    })?;
    Ok(Pattern::new(path, exact_len, magic))
}

/// `:!`, `:^`, `:/` and combinations, perhaps ended by another colon.
fn parse_short_magic(text: &str) -> Result<(Magic, &str), Invalid> {
    let mut magic = Magic::default();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match letter {
            '!' | '^' => magic.is_exclude = true,
            '/' => magic.is_top = true,
            ':' => return Ok((magic, &rest[1..])),
            '"' | '#' | '%' | '&' | '\'' | ',' | '-' | ';' | '<' | '=' | '>' | '@' | '_' | '`'
            | '~' => {
                return Err(Invalid::new(format!("there is no magic `{letter}`"))
                    .hint("write `:(literal):…` or `./:…` for a name that begins with a colon"));
            }
            _ => break,
        }
        rest = &rest[1..];
    }
    Ok((magic, rest))
}

/// `:(word,word)`; the opening is taken already.
fn parse_long_magic(text: &str) -> Result<(Magic, &str), Invalid> {
    let Some((words, rest)) = text.split_once(')') else {
        return Err(Invalid::new("`)` is missing after its magic"));
    };
    let mut magic = Magic::default();
    for word in words.split(',') {
        match word {
            "" => {}
            "top" => magic.is_top = true,
            "literal" => magic.is_literal = true,
            "glob" => magic.is_glob = true,
            "icase" => magic.is_icase = true,
            "exclude" => magic.is_exclude = true,
            _ if word.starts_with("attr:") => {
                return Err(Invalid::new("qik does not match by attributes")
                    .hint("list the files or folders instead of `:(attr:…)`"));
            }
            _ => {
                return Err(Invalid::new(format!("there is no magic `{word}`"))
                    .hint("git and qik know `top`, `literal`, `glob`, `icase` and `exclude`"));
            }
        }
    }
    Ok((magic, rest))
}

/// The path below the git root without `.`, `..` and double slashes, and how much of it is still
/// the project's own; `None` if it leaves the repository.
fn normalize(prefix: &[u8], path: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = in_folder(prefix);
    out.reserve_exact(path.len());
    let mut exact_len = out.len();
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        match part {
            b"" | b"." => {}
            b".." => {
                out.pop()?;
                let parent = out.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
                out.truncate(parent);
                exact_len = exact_len.min(out.len());
            }
            _ => {
                out.extend_from_slice(part);
                if parts.peek().is_some() {
                    out.push(b'/');
                }
            }
        }
    }
    Some((out, exact_len))
}
