//! The bytes of `.git/index`, versions 2 to 4, SHA-1 or SHA-256. Pure.
//!
//! Read here and not through a library because all that a warm run asks of git is in this file.
//! An index that is not whole by itself (split, sparse) or that has anything unknown in it is
//! [`Foreign`]; git is then asked to list it. As in git, the checksum at its end is not verified:
//! the structure has to fit to the last byte instead.

use super::file_set::{BlobId, FileMode};
use super::index::{IndexSnapshot, Malformed, NewEntry};
use super::stat::{Stamp, Stat};

/// Not an index that is understood here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign;

impl From<Malformed> for Foreign {
    fn from(_: Malformed) -> Self {
        Self
    }
}

const EXTENDED: u16 = 0x4000;
const NAME_LENGTH: u16 = 0x0fff;
const SKIP_WORKTREE: u16 = 0x4000;
const INTENT_TO_ADD: u16 = 0x2000;

/// Fills an empty snapshot. How long ids are is not written in the file: only one length fits.
pub(super) fn parse(
    bytes: &[u8],
    empty: impl Fn() -> IndexSnapshot,
) -> Result<IndexSnapshot, Foreign> {
    parse_with(bytes, 20, empty()).or_else(|_| parse_with(bytes, 32, empty()))
}

fn parse_with(
    bytes: &[u8],
    id_length: usize,
    mut snapshot: IndexSnapshot,
) -> Result<IndexSnapshot, Foreign> {
    let body_length = bytes.len().checked_sub(id_length).ok_or(Foreign)?;
    let mut reader = Reader { bytes: &bytes[..body_length], at: 0, id_length };
    if reader.take(4)? != b"DIRC" {
        return Err(Foreign);
    }
    let version = reader.number()?;
    if !(2..=4).contains(&version) {
        return Err(Foreign);
    }
    let entry_count = reader.number()?;
    let mut path = Vec::new();
    for _ in 0..entry_count {
        let entry = reader.entry(version, &mut path)?;
        snapshot.push(&path, entry)?;
    }
    reader.extensions()?;
    Ok(snapshot)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    id_length: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Foreign> {
        let end = self.at.checked_add(length).ok_or(Foreign)?;
        let taken = self.bytes.get(self.at..end).ok_or(Foreign)?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Foreign> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn short(&mut self) -> Result<u16, Foreign> {
        let bytes = self.take(2)?;
        Ok(u16::from(bytes[0]) << 8 | u16::from(bytes[1]))
    }

    fn stamp(&mut self) -> Result<Stamp, Foreign> {
        Ok(Stamp { seconds: self.number()?, nanoseconds: self.number()? })
    }

    /// One entry; `path` holds the previous one's path before and this one's after.
    fn entry(&mut self, version: u32, path: &mut Vec<u8>) -> Result<NewEntry, Foreign> {
        let start = self.at;
        let (ctime, mtime) = (self.stamp()?, self.stamp()?);
        let _device = self.number()?;
        let ino = self.number()?;
        let mode = FileMode::from_bits(self.number()?).ok_or(Foreign)?;
        let _owner = self.take(8)?;
        let size_bytes = self.number()?;
        let id = BlobId::from_bytes(self.take(self.id_length)?).ok_or(Foreign)?;
        let flags = self.short()?;
        let more_flags = match flags & EXTENDED != 0 {
            true if version == 2 => return Err(Foreign),
            true => self.short()?,
            false => 0,
        };
        if more_flags & !(SKIP_WORKTREE | INTENT_TO_ADD) != 0 {
            return Err(Foreign);
        }
        if version == 4 {
            let kept = path.len().checked_sub(self.varint()?).ok_or(Foreign)?;
            path.truncate(kept);
            path.extend_from_slice(self.until_nul()?);
        } else {
            path.clear();
            path.extend_from_slice(self.until_nul()?);
            let padding = (8 - (self.at - start) % 8) % 8;
            if self.take(padding)?.iter().any(|byte| *byte != 0) {
                return Err(Foreign);
            }
        }
        let is_length_right = match usize::from(flags & NAME_LENGTH) {
            length if length < usize::from(NAME_LENGTH) => length == path.len(),
            _ => path.len() >= usize::from(NAME_LENGTH),
        };
        if path.is_empty() || !is_length_right {
            return Err(Foreign);
        }
        Ok(NewEntry {
            stat: Stat { ctime, mtime, ino, size_bytes },
            mode,
            id,
            is_intent_to_add: more_flags & INTENT_TO_ADD != 0,
            is_skip_worktree: more_flags & SKIP_WORKTREE != 0,
            stage: u8::try_from(flags >> 12 & 3).unwrap_or_default(),
        })
    }

    fn until_nul(&mut self) -> Result<&'a [u8], Foreign> {
        let length = self.bytes[self.at..].iter().position(|byte| *byte == 0).ok_or(Foreign)?;
        let taken = self.take(length)?;
        self.at += 1;
        Ok(taken)
    }

    /// git's variable-length number, in which no value has two forms.
    fn varint(&mut self) -> Result<usize, Foreign> {
        let mut byte = self.take(1)?[0];
        let mut number = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.take(1)?[0];
            let shifted = number.checked_add(1).and_then(|number| number.checked_mul(128));
            number = shifted.ok_or(Foreign)? + usize::from(byte & 0x7f);
        }
        Ok(number)
    }

    /// What follows the entries: caches that may be passed over, if their names begin with a
    /// capital; anything else changes what the entries mean.
    fn extensions(&mut self) -> Result<(), Foreign> {
        while self.at < self.bytes.len() {
            let name = self.take(4)?;
            if !name[0].is_ascii_uppercase() {
                return Err(Foreign);
            }
            let length = self.number()? as usize;
            self.take(length)?;
        }
        Ok(())
    }
}
