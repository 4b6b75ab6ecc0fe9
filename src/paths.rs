//! The three kinds of paths. No bare `PathBuf` crosses a folder.
//!
//! Git allows any byte but NUL in a name, so a [`ProjectPath`] is bytes; it becomes text only to
//! be shown or stored, by an escape that can be undone.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::sys::unfinished::Unfinished;

/// A path relative to the project root, with `/` between its parts, as git has it.
///
/// It may begin with `../` where the project lies below the git root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectPath(Box<[u8]>);

impl ProjectPath {
    /// From bytes as git gives them.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As the operating system takes it; still relative to the project root.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// As text that [`ProjectPath::unescape`] takes back: see [`escape`].
    pub fn escaped(&self) -> Cow<'_, str> {
        escape(&self.0)
    }

    /// The path that an escaped text stands for; `None` if it is no such text.
    pub fn unescape(text: &str) -> Option<Self> {
        unescape(text).map(|bytes| Self(bytes.into()))
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.escaped())
    }
}

impl fmt::Debug for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.escaped(), f)
    }
}

/// Bytes as text: UTF-8 as it is; control characters, other bytes and the backslash as
/// `\xNN`. Distinct bytes give distinct texts.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly all paths are of these alone.
    let is_simple = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\';
    let plain = |c: char| !c.is_control() && c != '\\';
    if let Ok(text) = std::str::from_utf8(bytes)
        && (bytes.iter().all(is_simple) || text.chars().all(plain))
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if plain(c) {
                text.push(c);
            } else {
                let mut buffer = [0; 4];
                push_hex(&mut text, c.encode_utf8(&mut buffer).as_bytes());
            }
        }
        push_hex(&mut text, chunk.invalid());
    }
    Cow::Owned(text)
}

/// The bytes that an escaped text stands for; `None` if an escape in it is none.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.strip_prefix(b"x").and_then(|hex| hex.get(..2))?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[3..];
    }
    Some(bytes)
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "\\x{byte:02x}"); // writing to a string cannot fail
    }
}

/// An absolute path on this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AbsPath(PathBuf);

impl AbsPath {
    /// `None` if the path is not absolute.
    pub fn new(path: impl Into<PathBuf>) -> Option<Self> {
        let path = path.into();
        path.is_absolute().then_some(Self(path))
    }

    /// A path below this one; an absolute `path` stands for itself, as in [`Path::join`].
    #[must_use]
    pub fn join(&self, path: impl AsRef<Path>) -> Self {
        Self(self.0.join(path))
    }

    pub fn as_path(&self) -> &Path {
        &self.0
    }

    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(|parent| Self(parent.to_path_buf()))
    }
}

impl AsRef<Path> for AbsPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

/// Where a project keeps things.
#[derive(Debug, Clone)]
pub struct WorkDirs {
    /// The folder of `qik.toml`: commands run here.
    pub root: AbsPath,
    /// `._qik`: private to this checkout, safe to delete, ignores itself.
    pub private: AbsPath,
    /// `.qik`: shared by being committed.
    pub shared: AbsPath,
    /// Where all that is written below `._qik` is until it is whole.
    pub unfinished: Unfinished,
}

impl WorkDirs {
    pub fn new(root: AbsPath) -> Self {
        let private = root.join("._qik");
        let unfinished = Unfinished::new(private.join("cache/tmp").as_path());
        Self { private, shared: root.join(".qik"), unfinished, root }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        for name in ["a/b.txt", "ümlaut", "with space", "'\"$"] {
            assert_eq!(escape(name.as_bytes()), name);
        }
    }

    #[test]
    fn odd_bytes_are_escaped() {
        assert_eq!(escape(b"a\n\\\xff"), "a\\x0a\\x5c\\xff");
        assert_eq!(unescape("\\x4"), None);
        assert_eq!(unescape("\\q41"), None);
    }

    proptest! {
        #[test]
        fn escapes_are_undone(bytes: Vec<u8>) {
            prop_assert_eq!(unescape(&escape(&bytes)), Some(bytes));
        }
    }
}
