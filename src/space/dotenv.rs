//! Dotenv files: `NAME=value` lines, comments, quotes, `export`, `${NAME}`.
//!
//! Written here because the crates for it take the values of `${NAME}` from the process's own
//! environment first, so that the same files would mean something else on another machine. Here
//! a name stands for what the environment holds so far: that of the process, the files before,
//! and the lines above.

use std::ffi::{OsStr, OsString};

use crate::error::{Code, Diagnostic, RunnableError};
use crate::paths::AbsPath;
use crate::sys::{Env, fs};

/// A file is added to an environment; its variables win over those that are there.
pub fn apply(env: &mut Env, root: &AbsPath, path: &str) -> Result<(), RunnableError> {
    let bytes = fs::optional(fs::read(root.join(path).as_path()))?.ok_or_else(|| {
        Diagnostic::new(Code::DotenvNotFound, format!("no dotenv file `{path}`"))
            .hint(format!("create `{path}` or remove it from `dotenv`"))
    })?;
    Ok(assign(env, path, &bytes)?)
}

/// The assignments of a file's content.
pub(super) fn assign(env: &mut Env, path: &str, bytes: &[u8]) -> Result<(), Diagnostic> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Diagnostic::new(Code::DotenvInvalid, format!("`{path}` is not valid UTF-8"))
            .because(format!("the first bad byte is at {}", error.valid_up_to()))
            .hint("save it as UTF-8")
    })?;
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}'), line: 1 };
    while let Some(assignment) = reader.next() {
        let (name, pieces) = assignment.map_err(|bad| invalid(path, bad))?;
        let value = join(&pieces, env);
        env.insert(name.into(), value);
    }
    Ok(())
}

/// The number of a line that is none.
#[derive(Debug, PartialEq, Eq)]
struct BadLine(usize);

/// A part of a value.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `$NAME` or `${NAME}`.
    Variable(String),
}

fn join(pieces: &[Piece], env: &Env) -> OsString {
    let mut value = OsString::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => value.push(text),
            Piece::Variable(name) => {
                value.push(env.get(OsStr::new(name)).unwrap_or(&OsString::new()));
            }
        }
    }
    value
}

/// Says which line, and not what is in it: such files hold passwords.
fn invalid(path: &str, BadLine(number): BadLine) -> Diagnostic {
    let message = format!("line {number} of `{path}` is no `NAME=value`");
    Diagnostic::new(Code::DotenvInvalid, message)
        .hint("write `NAME=value`, with quotes around a value that has spaces")
}

/// Reads assignments one after the other.
struct Reader<'t> {
    rest: &'t str,
    /// The number of the line that `rest` begins in.
    line: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<Result<(String, Vec<Piece>), BadLine>> {
        loop {
            let line = self.rest.split('\n').next().filter(|_| !self.rest.is_empty())?;
            let content = line.trim();
            if !content.is_empty() && !content.starts_with('#') {
                return Some(self.assignment(line).ok_or(BadLine(self.line)));
            }
            self.skip(line.len() + 1);
        }
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    /// An assignment that begins in a line; quotes may go over several. `None` if it is none.
    fn assignment(&mut self, line: &'t str) -> Option<(String, Vec<Piece>)> {
        let (name, value) = line.split_once('=')?;
        let name = name.trim();
        let name =
            name.strip_prefix("export").filter(|it| it.starts_with([' ', '\t'])).unwrap_or(name);
        let name = name.trim();
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let name = name.to_owned();
        let value_offset = line.len() - value.trim_start_matches([' ', '\t']).len();
        let mut value = Value { rest: &self.rest[value_offset..], pieces: Vec::new() };
        value.read()?;
        let length = self.rest.len() - value.rest.len();
        let pieces = value.pieces;
        self.skip(length);
        Some((name, pieces))
    }
}

/// A value that is being read; `rest` ends up behind its line.
struct Value<'t> {
    rest: &'t str,
    pieces: Vec<Piece>,
}

impl Value<'_> {
    fn read(&mut self) -> Option<()> {
        loop {
            // A file may end without a line feed.
            let next = self.rest.chars().next().unwrap_or('\n');
            match next {
                '\n' => {
                    self.take(self.rest.len().min(1));
                    self.trim_end();
                    return Some(());
                }
                '\'' => {
                    let (text, _) = self.rest[1..].split_once('\'')?;
                    self.push(text);
                    self.take(text.len() + 2);
                    self.pieces.push(Piece::Text(String::new()));
                }
                '"' => self.double_quoted()?,
                '#' if self.is_at_space() => {
                    self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                }
                // Such values are Windows' folders, and none goes over several lines.
                '\\' if self.rest[1..].starts_with(['\n', '\r']) => {
                    self.push("\\");
                    self.take(1);
                }
                '\\' => self.escape(),
                '$' => self.variable()?,
                '\r' if self.rest.starts_with("\r\n") => self.take(1),
                _ => {
                    self.push(next.encode_utf8(&mut [0; 4]));
                    self.take(next.len_utf8());
                }
            }
        }
    }

    fn double_quoted(&mut self) -> Option<()> {
        self.take(1);
        loop {
            match self.rest.chars().next()? {
                '"' => {
                    self.take(1);
                    // Keeps what was quoted apart from what follows: its spaces stay.
                    self.pieces.push(Piece::Text(String::new()));
                    return Some(());
                }
                '\\' => self.escape(),
                '$' => self.variable()?,
                next => {
                    self.push(next.encode_utf8(&mut [0; 4]));
                    self.take(next.len_utf8());
                }
            }
        }
    }

    /// `\n`, `\r` and `\t` are what they are in most languages, any other character is itself.
    fn escape(&mut self) {
        self.take(1);
        let Some(next) = self.rest.chars().next() else { return self.push("\\") };
        match next {
            'n' => self.push("\n"),
            'r' => self.push("\r"),
            't' => self.push("\t"),
            _ => self.push(next.encode_utf8(&mut [0; 4])),
        }
        self.take(next.len_utf8());
    }

    fn variable(&mut self) -> Option<()> {
        let after = &self.rest[1..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, length) = if let Some(braced) = after.strip_prefix('{') {
            let (name, _) = braced.split_once('}')?;
            (name, name.len() + 2)
        } else {
            let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
            (&after[..end], end)
        };
        if name.is_empty() || !name.chars().all(is_name) {
            self.push("$");
            self.take(1);
            return Some(());
        }
        self.pieces.push(Piece::Variable(name.to_owned()));
        self.take(1 + length);
        Some(())
    }

    fn push(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn take(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }

    /// Whether a `#` here begins a comment.
    fn is_at_space(&self) -> bool {
        match self.pieces.last() {
            Some(Piece::Text(text)) => text.is_empty() || text.ends_with([' ', '\t']),
            Some(Piece::Variable(_)) => false,
            None => true,
        }
    }

    /// Spaces at the end of a value count only within quotes.
    fn trim_end(&mut self) {
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            text.truncate(text.trim_end().len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let root = tempfile::tempdir().unwrap();
        fs::write_atomic(&root.path().join(".env"), text.as_bytes()).unwrap();
        let root = AbsPath::new(root.path()).unwrap();
        let mut env = Env::from([("GIVEN".into(), "from outside".into())]);
        apply(&mut env, &root, ".env").unwrap();
        env.remove(OsStr::new("GIVEN")).unwrap();
        let got: Vec<_> = env
            .iter()
            .map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap()))
            .collect();
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn values_are_as_they_are_written() {
        check(
            "A=1\n\n# comment\nB = two words \nC=\n",
            &[("A", "1"), ("B", "two words"), ("C", "")],
        );
        check("URL=http://host/?a=b&c=d#e", &[("URL", "http://host/?a=b&c=d#e")]);
        check("A=1 # one\r\nB=2\r\n", &[("A", "1"), ("B", "2")]);
        check("export A=1\nexported=2", &[("A", "1"), ("exported", "2")]);
    }

    #[test]
    fn a_backslash_at_the_end_of_a_line_is_one() {
        check("A=C:\\dir\\\nB=2", &[("A", "C:dir\\"), ("B", "2")]);
        check("A=x\\\r\nB=2\\", &[("A", "x\\"), ("B", "2\\")]);
    }

    #[test]
    fn quotes_keep_what_is_in_them() {
        check(r#"A=" two  words # no comment ""#, &[("A", " two  words # no comment ")]);
        check("A='$B \\n' # comment", &[("A", "$B \\n")]);
        check("A=\"one\ntwo\"\nB='three\nfour'\n", &[("A", "one\ntwo"), ("B", "three\nfour")]);
        check(r#"A="a\tb\"c\$d\\""#, &[("A", "a\tb\"c$d\\")]);
        check("A=one' two 'three", &[("A", "one two three")]);
    }

    #[test]
    fn names_stand_for_what_is_known_so_far() {
        check("A=1\nB=${A}2$A\nA=3", &[("A", "3"), ("B", "121")]);
        check("A=$GIVEN/x\nB=${MISSING}.", &[("A", "from outside/x"), ("B", ".")]);
        check("A=5$ and $", &[("A", "5$ and $")]);
    }

    #[track_caller]
    fn check_bad(text: &str, line: usize) {
        let mut reader = Reader { rest: text, line: 1 };
        let bad = std::iter::from_fn(|| reader.next()).find_map(Result::err);
        assert_eq!(bad, Some(BadLine(line)), "{text:?}");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        check_bad("A=1\n\nnonsense\nB=2\n", 3);
        check_bad("A=\"open\n\n", 1);
        check_bad("A='one\ntwo'\n=3\n", 3);
        check_bad("two words=1", 1);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text: String) {
            let mut reader = Reader { rest: &text, line: 1 };
            while let Some(Ok(_)) = reader.next() {}
        }
    }
}
