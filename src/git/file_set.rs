//! The files that a set of patterns matches, with mode and blob id: what the hash sees of git.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::index::IndexSnapshot;

/// The id of the empty blob, with SHA-1.
const EMPTY_SHA1: [u8; 32] = [
    0xe6, 0x9d, 0xe2, 0x9b, 0xb2, 0xd1, 0xd6, 0x43, 0x4b, 0x8b, 0x29, 0xae, 0x77, 0x5a, 0xd8, 0xc2,
    0xe4, 0x8c, 0x53, 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// The id of the empty blob, with SHA-256.
const EMPTY_SHA256: [u8; 32] = [
    0x47, 0x3a, 0x0f, 0x4c, 0x3b, 0xe8, 0xa9, 0x36, 0x81, 0xa2, 0x67, 0xe3, 0xb1, 0xe9, 0xa7, 0xdc,
    0xda, 0x11, 0x85, 0x43, 0x6f, 0xe1, 0x41, 0xf7, 0x74, 0x91, 0x20, 0xa3, 0x03, 0x72, 0x18, 0x13,
];

/// git's name for a content: SHA-1 or SHA-256 of the blob.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId {
    bytes: [u8; 32],
    length: u8,
}

impl BlobId {
    /// From raw bytes, 20 or 32 of them; `None` for any other length.
    #[inline]
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        // Of known lengths, since there are many.
        if let Ok(raw) = <&[u8; 20]>::try_from(raw) {
            bytes[..20].copy_from_slice(raw);
            return Some(Self { bytes, length: 20 });
        }
        bytes.copy_from_slice(<&[u8; 32]>::try_from(raw).ok()?);
        Some(Self { bytes, length: 32 })
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

    /// Adds its hexadecimal digits to a text.
    pub fn push_to(&self, text: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(self.as_bytes()) {
            *pair = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        }
        let digits = &digits[..2 * usize::from(self.length)];
        text.push_str(std::str::from_utf8(digits).unwrap_or_default());
    }

    /// As libgit2 takes it, which knows none of SHA-256.
    pub(super) fn to_oid(self) -> Result<git2::Oid, git2::Error> {
        git2::Oid::from_bytes(self.as_bytes())
    }

    /// Whether it is of SHA-1, the only kind that libgit2 makes.
    pub(super) fn is_sha1(&self) -> bool {
        self.as_bytes().len() == 20
    }

    /// Whether it is the id of no content at all.
    pub(super) fn is_empty_blob(&self) -> bool {
        matches!(self.bytes, EMPTY_SHA1 | EMPTY_SHA256)
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(64);
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a tracked path is, in git's four modes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileMode {
    #[default]
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

    /// The bits that git writes today.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Symlink => 0o120_000,
            Self::Submodule => 0o160_000,
        }
    }

    /// From the bits that trees and the index keep; `None` for a folder or what git does not know.
    pub(super) fn from_bits(bits: u32) -> Option<Self> {
        match bits & 0o170_000 {
            0o100_000 if bits & 0o100 != 0 => Some(Self::Executable),
            0o100_000 => Some(Self::Plain),
            0o120_000 => Some(Self::Symlink),
            0o160_000 => Some(Self::Submodule),
            _ => None,
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
///
/// Most files are as the index has them, so they are kept by their position in it alone.
#[derive(Debug)]
pub struct FileSet {
    pub(super) snapshot: Arc<IndexSnapshot>,
    entries: Vec<u32>,
    /// Those that are not as the index has them.
    different: BTreeMap<u32, (FileMode, BlobId)>,
    digest: OnceLock<[u8; 32]>,
}

impl FileSet {
    /// An empty set; there is room for so many files.
    pub(super) fn with_capacity(snapshot: Arc<IndexSnapshot>, file_count: usize) -> Self {
        let entries = Vec::with_capacity(file_count);
        Self { snapshot, entries, different: BTreeMap::new(), digest: OnceLock::new() }
    }

    /// The digest of the set, made once however many share it.
    pub fn digest(&self, make: impl FnOnce(&Self) -> [u8; 32]) -> [u8; 32] {
        *self.digest.get_or_init(|| make(self))
    }

    /// Adds a file; they come in the order of the index.
    pub(super) fn push(&mut self, file: File) {
        let indexed = (self.snapshot.mode(file.entry), self.snapshot.id(file.entry));
        if (file.mode, file.id) != indexed {
            self.different.insert(file.entry, (file.mode, file.id));
        }
        self.entries.push(file.entry);
    }

    /// Adds a file that is as the index has it.
    pub(super) fn push_as_indexed(&mut self, entry: u32) {
        self.entries.push(entry);
    }

    /// The files with their paths relative to the project root.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, File)> {
        self.iter_from(0)
    }

    /// The same, without those before a position.
    pub fn iter_from(&self, position: usize) -> impl Iterator<Item = (Cow<'_, [u8]>, File)> {
        let entries = self.entries.iter().skip(position);
        entries.map(|&entry| (self.snapshot.project_path(entry), self.of_entry(entry)))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The path of a file by its position in the set, relative to the project root.
    pub fn path(&self, position: usize) -> Option<Cow<'_, [u8]>> {
        self.entries.get(position).map(|entry| self.snapshot.project_path(*entry))
    }

    pub fn file(&self, position: usize) -> Option<File> {
        self.entries.get(position).map(|entry| self.of_entry(*entry))
    }

    fn of_entry(&self, entry: u32) -> File {
        let different = if self.different.is_empty() { None } else { self.different.get(&entry) };
        let indexed = || (self.snapshot.mode(entry), self.snapshot.id(entry));
        let (mode, id) = different.copied().unwrap_or_else(indexed);
        File { entry, mode, id }
    }

    /// Some of the files, by position.
    #[must_use]
    pub fn part(&self, positions: impl IntoIterator<Item = usize>) -> Self {
        let mut part = Self::with_capacity(Arc::clone(&self.snapshot), 0);
        let files = positions.into_iter().filter_map(|position| self.file(position));
        files.for_each(|file| part.push(file));
        part
    }

    /// The files of several sets; `None` if they are not of one look at the index.
    pub fn union<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Option<Self> {
        let mut sets = sets.into_iter();
        let first = sets.next()?;
        let (mut entries, mut different) = (first.entries.clone(), first.different.clone());
        for set in sets {
            if !Arc::ptr_eq(&set.snapshot, &first.snapshot) {
                return None;
            }
            entries.extend_from_slice(&set.entries);
            different.extend(&set.different);
        }
        entries.sort_unstable();
        entries.dedup();
        let snapshot = Arc::clone(&first.snapshot);
        Some(Self { snapshot, entries, different, digest: OnceLock::new() })
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
