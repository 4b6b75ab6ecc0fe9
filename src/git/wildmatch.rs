//! The wildcard part of a pattern: `*`, `?`, `[…]`, `**`, compiled once, matched in polynomial
//! time. Pure.
//!
//! Two dialects. In [`Dialect::Plain`], git's default, every wildcard also matches `/`; there
//! `**/` after a slash or at the beginning additionally matches nothing at all, which is qik's
//! one extension. In [`Dialect::Glob`], git's `:(glob)`, only `**` crosses folders.

use super::bracket::{self, ByteSet};

/// What a wildcard may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Plain,
    Glob,
}

/// A compiled wildcard pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Wildmatch {
    tokens: Vec<Token>,
    /// The bytes that every match ends with, to refuse most texts at a glance.
    suffix: Vec<u8>,
    folds_case: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Token {
    Byte(u8),
    /// Any one byte but `/`.
    OneInFolder,
    /// Any one byte.
    One,
    /// One byte of a set.
    Class(Box<ByteSet>),
    /// Any number of bytes but `/`.
    ManyInFolder,
    /// Any number of bytes.
    Many,
    /// Nothing, or any number of bytes up to and including a `/`.
    Folders,
    /// Matches nothing: what follows a bracket without an end.
    Never,
}

impl Wildmatch {
    /// Compiles the part of a pattern from its first wildcard on; `before` is the byte in front
    /// of it, if it counts: where there is none, a folder begins.
    pub(super) fn new(
        pattern: &[u8],
        before: Option<u8>,
        dialect: Dialect,
        folds_case: bool,
    ) -> Self {
        let mut compiler = Compiler { pattern, at: 0, before, dialect, folds_case };
        let mut tokens = Vec::new();
        while let Some(token) = compiler.next_token() {
            tokens.push(token);
        }
        let literal_at_end = |token: &&Token| matches!(token, Token::Byte(_));
        let mut suffix: Vec<u8> = tokens
            .iter()
            .rev()
            .take_while(literal_at_end)
            .filter_map(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None })
            .collect();
        suffix.reverse();
        Self { tokens, suffix, folds_case }
    }

    /// Whether every text matches.
    pub(super) fn matches_all(&self) -> bool {
        matches!(*self.tokens, [Token::Many])
    }

    /// Whether the whole of a text matches.
    ///
    /// There are at most two places to come back to: the latest wildcard within a folder, and the
    /// latest across folders. Whatever an earlier one could still do, the later one can do too,
    /// so the time is bounded by the product of the lengths, times the number of folders.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        if !self.folds_case && !text.ends_with(&self.suffix) {
            return false;
        }
        // All that a wildcard can leave to what follows it, if that is the end.
        let end_at = self.tokens.len() - self.suffix.len();
        let (mut token_at, mut text_at) = (0, 0);
        let mut narrow: Option<(usize, usize)> = None;
        let mut wide: Option<(usize, usize, bool)> = None;
        loop {
            let advanced = match self.tokens.get(token_at) {
                Some(token @ (Token::ManyInFolder | Token::Many))
                    if token_at + 1 == end_at && !self.folds_case =>
                {
                    let between = text.len().checked_sub(self.suffix.len());
                    let between = between.and_then(|end| text.get(text_at..end));
                    let fits = |it: &[u8]| *token == Token::Many || !it.contains(&b'/');
                    if between.is_some_and(fits) {
                        return true;
                    }
                    narrow = None;
                    false
                }
                Some(Token::ManyInFolder) => {
                    narrow = Some((token_at + 1, text_at));
                    token_at += 1;
                    true
                }
                Some(token @ (Token::Many | Token::Folders)) => {
                    wide = Some((token_at + 1, text_at, *token == Token::Folders));
                    narrow = None;
                    token_at += 1;
                    true
                }
                Some(token) if text.get(text_at).is_some_and(|byte| self.takes(token, *byte)) => {
                    token_at += 1;
                    text_at += 1;
                    true
                }
                None if text_at == text.len() => return true,
                _ => false,
            };
            if advanced {
                continue;
            }
            match retry(text, &mut narrow, &mut wide) {
                Some(place) => (token_at, text_at) = place,
                None => return false,
            }
        }
    }

    fn takes(&self, token: &Token, byte: u8) -> bool {
        let byte = if self.folds_case { byte.to_ascii_lowercase() } else { byte };
        match token {
            Token::Byte(wanted) => *wanted == byte,
            Token::OneInFolder => byte != b'/',
            Token::One => true,
            Token::Class(bytes) => bytes.contains(byte),
            Token::ManyInFolder | Token::Many | Token::Folders | Token::Never => false,
        }
    }
}

/// Lets the latest wildcard that can take more take more; gives the token and text to go on with.
fn retry(
    text: &[u8],
    narrow: &mut Option<(usize, usize)>,
    wide: &mut Option<(usize, usize, bool)>,
) -> Option<(usize, usize)> {
    if let Some((token_at, from)) = narrow
        && text.get(*from).is_some_and(|byte| *byte != b'/')
    {
        *from += 1;
        return Some((*token_at, *from));
    }
    *narrow = None;
    let (token_at, from, is_folders) = wide.as_mut()?;
    let rest = text.get(*from..)?;
    let step = if *is_folders { rest.iter().position(|byte| *byte == b'/')? } else { 0 };
    if rest.is_empty() {
        return None;
    }
    *from += step + 1;
    Some((*token_at, *from))
}

struct Compiler<'a> {
    pattern: &'a [u8],
    at: usize,
    before: Option<u8>,
    dialect: Dialect,
    folds_case: bool,
}

impl Compiler<'_> {
    fn next_token(&mut self) -> Option<Token> {
        let byte = *self.pattern.get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'*' => self.stars(),
            b'?' if self.dialect == Dialect::Glob => Token::OneInFolder,
            b'?' => Token::One,
            b'[' => self.class(),
            b'\\' => match self.pattern.get(self.at) {
                Some(escaped) => {
                    self.at += 1;
                    self.byte(*escaped)
                }
                None => Token::Never,
            },
            _ => self.byte(byte),
        })
    }

    fn byte(&self, byte: u8) -> Token {
        Token::Byte(if self.folds_case { byte.to_ascii_lowercase() } else { byte })
    }

    /// One star or more; the first is taken already.
    fn stars(&mut self) -> Token {
        let start = self.at - 1;
        let rest = &self.pattern[self.at..];
        let star_count = 1 + rest.iter().take_while(|byte| **byte == b'*').count();
        self.at = start + star_count;
        let before = if start == 0 { self.before } else { Some(self.pattern[start - 1]) };
        let opens_folder = matches!(before, None | Some(b'/'));
        let after = self.pattern.get(self.at);
        if self.dialect == Dialect::Plain {
            if star_count > 1 && opens_folder && after == Some(&b'/') {
                self.at += 1;
                return Token::Folders;
            }
            return Token::Many;
        }
        if star_count == 1 || !opens_folder {
            return Token::ManyInFolder;
        }
        match after {
            Some(b'/') => {
                self.at += 1;
                Token::Folders
            }
            Some(b'\\') if self.pattern.get(self.at + 1) == Some(&b'/') => Token::Many,
            None => Token::Many,
            Some(_) => Token::ManyInFolder,
        }
    }

    /// A bracket; its `[` is taken already.
    fn class(&mut self) -> Token {
        let rest = &self.pattern[self.at..];
        let Some((mut bytes, length)) = bracket::parse(rest, self.folds_case) else {
            self.at = self.pattern.len();
            return Token::Never;
        };
        self.at += length;
        if self.dialect == Dialect::Glob {
            bytes.remove(b'/');
        }
        Token::Class(Box::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, pattern: &str, matching: &[&str], other: &[&str]) {
        let compiled = Wildmatch::new(pattern.as_bytes(), None, dialect, false);
        for text in matching {
            assert!(compiled.matches(text.as_bytes()), "`{pattern}` should match `{text}`");
        }
        for text in other {
            assert!(!compiled.matches(text.as_bytes()), "`{pattern}` should not match `{text}`");
        }
    }

    #[test]
    fn a_plain_star_crosses_folders() {
        check(Dialect::Plain, "*.py", &["a.py", "a/b.py", ".py"], &["a.pyc", "py"]);
        check(Dialect::Plain, "**.py", &["a.py", "a/b/c.py"], &["a.pyc"]);
        check(Dialect::Plain, "a?b", &["a/b", "axb"], &["ab", "axxb"]);
    }

    #[test]
    fn a_plain_double_star_folder_also_matches_none() {
        check(Dialect::Plain, "**/x.py", &["x.py", "a/x.py", "a/b/x.py"], &["ax.py", "x.pyx"]);
        check(Dialect::Plain, "*/**/x", &["a/x", "a/b/x"], &["x", "a/bx"]);
    }

    #[test]
    fn a_glob_star_stays_in_its_folder() {
        check(Dialect::Glob, "*.py", &["a.py"], &["a/b.py"]);
        check(Dialect::Glob, "**/*.py", &["a.py", "a/b.py", "a/b/c.py"], &["a.pyc"]);
        check(Dialect::Glob, "*/**", &["a/b", "a/b/c"], &["a"]);
        check(Dialect::Glob, "**/a/*b/**/c", &["a/xb/c", "q/a/a/b/z/z/c"], &["a/x/b/c"]);
    }

    #[test]
    fn brackets_have_ranges_classes_and_negation() {
        check(Dialect::Plain, "[a-c]", &["a", "b", "c"], &["d", "-"]);
        check(Dialect::Plain, "[!a-c]", &["d", "/"], &["a"]);
        check(Dialect::Plain, "[]a]", &["]", "a"], &["b"]);
        check(Dialect::Plain, "[a-]", &["a", "-"], &["b"]);
        check(Dialect::Plain, "[[:digit:]x]", &["7", "x"], &["a", ":"]);
        check(Dialect::Plain, "[\\]]", &["]"], &["\\"]);
        check(Dialect::Plain, "[[:nope:]]*", &[], &["n"]);
        check(Dialect::Plain, "[abc", &[], &["a", "[abc"]);
        check(Dialect::Glob, "a[!b]c", &["axc"], &["a/c"]);
    }

    #[test]
    fn a_backslash_takes_the_meaning_away() {
        check(Dialect::Plain, "\\*", &["*"], &["a", "\\*"]);
        check(Dialect::Plain, "a\\", &[], &["a", "a\\"]);
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(60) + "b";
        let text = "a".repeat(4000);
        check(Dialect::Plain, &pattern, &[], &[&text]);
        let folders = "**/*a".repeat(30) + "/b";
        check(Dialect::Glob, &folders, &[], &[&"a/".repeat(2000)]);
    }
}
