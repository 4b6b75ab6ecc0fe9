//! The index as git writes it, of versions 2 to 4: <https://git-scm.com/docs/index-format>. Pure.
//!
//! An index that is not whole by itself (split, sparse) is not for this reader, nor is one of
//! SHA-256 or one with anything that is not understood. The checksum at the end is not verified,
//! as git itself does not: hashing a large index takes longer than reading it. An entry that is
//! damaged and still well-formed makes its file count as changed, no more.

use super::file_set::{BlobId, FileMode};
use super::index::{IndexSnapshot, NewEntry};
use super::stat::{Stamp, Stat};

/// A SHA-1: one in each entry, one at the end of the file.
const ID_BYTES: usize = 20;

/// The shortest entry: stat data, id and flags.
const HEAD_BYTES: usize = 62;

/// Of an entry's flags.
const EXTENDED: u16 = 1 << 14;
const STAGE_SHIFT: u16 = 12;
const PATH_LENGTH_MAX: u16 = 0xfff;

/// Of an entry's extended flags.
const SKIP_WORKTREE: u16 = 1 << 14;
const INTENT_TO_ADD: u16 = 1 << 13;

/// An entry but for its path.
struct Head {
    new: NewEntry,
    /// As far as it fits into its field.
    path_length: u16,
    bytes: usize,
}

/// Fills an empty snapshot; `None` if the index is not for this reader.
pub(super) fn parse(file: &[u8], snapshot: &mut IndexSnapshot) -> Option<()> {
    let mut rest = Rest(file.get(..file.len().checked_sub(ID_BYTES)?)?);
    if rest.take(4)? != b"DIRC" {
        return None;
    }
    let version = rest.number()?;
    let entry_count = usize::try_from(rest.number()?).ok()?;
    if !(2..=4).contains(&version) || entry_count > rest.0.len() / HEAD_BYTES {
        return None;
    }
    snapshot.reserve(entry_count);
    let mut compressed = Vec::new();
    for _ in 0..entry_count {
        let head = rest.head()?;
        let path = if version == 4 {
            rest.decompress_path(&mut compressed)?;
            &compressed
        } else {
            rest.padded_path(&head)?
        };
        let is_whole = path.len() == usize::from(head.path_length)
            || head.path_length == PATH_LENGTH_MAX && path.len() > usize::from(PATH_LENGTH_MAX);
        if !is_whole || path.is_empty() {
            return None;
        }
        snapshot.push(path, head.new).ok()?;
    }
    snapshot.known_trees = rest.extensions()?.to_vec();
    Some(())
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn stamp(&mut self) -> Option<Stamp> {
        Some(Stamp { seconds: self.number()?, nanoseconds: self.number()? })
    }

    fn head(&mut self) -> Option<Head> {
        let before = self.0.len();
        let (ctime, mtime) = (self.stamp()?, self.stamp()?);
        let _device = self.number()?;
        let ino = self.number()?;
        let mode_bits = self.number()?;
        let mode = FileMode::from_bits(mode_bits).filter(|mode| mode.bits() == mode_bits)?;
        let (_user, _group) = (self.number()?, self.number()?);
        let size_bytes = self.number()?;
        let id = BlobId::from_bytes(self.take(ID_BYTES)?)?;
        let flags = self.short()?;
        let extended = if flags & EXTENDED == 0 { 0 } else { self.short()? };
        if extended & !(SKIP_WORKTREE | INTENT_TO_ADD) != 0 {
            return None;
        }
        let new = NewEntry {
            stat: Stat { ctime, mtime, ino, size_bytes },
            mode,
            id,
            is_intent_to_add: extended & INTENT_TO_ADD != 0,
            is_skip_worktree: extended & SKIP_WORKTREE != 0,
            stage: u8::try_from(flags >> STAGE_SHIFT & 3).ok()?,
        };
        Some(Head { new, path_length: flags & PATH_LENGTH_MAX, bytes: before - self.0.len() })
    }

    /// A path and the NUL behind it.
    fn path(&mut self) -> Option<&'a [u8]> {
        let length = memchr::memchr(0, self.0)?;
        let path = self.take(length)?;
        self.take(1)?;
        Some(path)
    }

    /// A path with so many NULs that its entry has a multiple of eight bytes.
    fn padded_path(&mut self, head: &Head) -> Option<&'a [u8]> {
        let path = self.path()?;
        let length = head.bytes + path.len() + 1;
        let padding = self.take(length.next_multiple_of(8) - length)?;
        padding.iter().all(|byte| *byte == 0).then_some(path)
    }

    /// A path as it differs from the one before.
    fn decompress_path(&mut self, path: &mut Vec<u8>) -> Option<()> {
        let shared = path.len().checked_sub(self.offset()?)?;
        path.truncate(shared);
        path.extend_from_slice(self.path()?);
        Some(())
    }

    /// A number of variable length, as those in packs.
    fn offset(&mut self) -> Option<usize> {
        let mut offset = 0_usize;
        loop {
            let byte = *self.take(1)?.first()?;
            offset = offset.checked_mul(128)?.checked_add(usize::from(byte & 127))?;
            if byte & 128 == 0 {
                return Some(offset);
            }
            offset = offset.checked_add(1)?;
        }
    }

    /// The extension with the ids of folders, empty if there is none; `None` if one follows that may not be passed over,
    /// as those may whose names begin with a capital.
    fn extensions(mut self) -> Option<&'a [u8]> {
        let mut trees: &[u8] = b"";
        while !self.0.is_empty() {
            let (name, size) = (self.take(4)?, self.number()?);
            let extension = self.take(usize::try_from(size).ok()?)?;
            match name {
                b"TREE" => trees = extension,
                [b'A'..=b'Z', ..] => {}
                _ => return None,
            }
        }
        Some(trees)
    }
}
