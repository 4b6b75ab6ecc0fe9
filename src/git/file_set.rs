//! The files that a set of patterns matches, with mode and blob id: what the hash sees of git.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::index::IndexSnapshot;

/// git's name for a content: SHA-1 or SHA-256 of the blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId {
    bytes: [u8; 32],
    length: u8,
}

impl BlobId {
    /// From raw bytes, 20 or 32 of them; `None` for any other length.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if !matches!(raw.len(), 20 | 32) {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, length: u8::try_from(raw.len()).ok()? })
    }

    /// From hexadecimal digits, 40 or 64 of them.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if !digits.len().is_multiple_of(2) {
            return None;
        }
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let raw: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
        Self::from_bytes(&raw?)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a tracked path is, in git's four modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileMode {
    Plain,
    Executable,
    Symlink,
    Submodule,
}

impl FileMode {
    /// git's octal notation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }
}

/// One matched file that exists in the work tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Position in the index.
    pub entry: u32,
    pub mode: FileMode,
    /// The blob id of the work tree's content after git's clean conversions; of a symlink's
    /// text; a submodule's commit, or a digest of its state where it differs from its commit.
    pub id: BlobId,
}

/// The files that patterns match, sorted by path. A tracked file that is gone is not among them.
#[derive(Debug)]
pub struct FileSet {
    pub(super) snapshot: Arc<IndexSnapshot>,
    pub(super) files: Vec<File>,
}

impl FileSet {
    /// The files with their paths relative to the project root.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, &File)> {
        self.files.iter().map(|file| (self.snapshot.project_path(file.entry), file))
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}
