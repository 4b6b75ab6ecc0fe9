//! The index as git writes it, of versions 2 to 4: <https://git-scm.com/docs/index-format>. Pure.
//!
//! An index that is not whole by itself (split, sparse) is not for this reader, nor is one of
//! SHA-256 or one with anything that is not understood. The checksum at the end is not verified,
//! as git itself does not: hashing a large index takes longer than reading it. An entry that is
//! damaged and still well-formed makes its file count as changed, no more.

use std::ops::Range;

use super::index::{IndexSnapshot, Row};
use super::index_entry::{Entry, PATH_LENGTH_MAX, SHA1_BYTES, measure};

/// The shortest entry: stat data, id and flags.
const HEAD_BYTES: usize = 62;

/// Fills an empty snapshot, which keeps the file; `None` if the index is not for this reader.
pub(super) fn parse(file: Vec<u8>, snapshot: &mut IndexSnapshot) -> Option<()> {
    let mut rest = Rest { bytes: file.get(..file.len().checked_sub(SHA1_BYTES)?)?, at: 0 };
    if rest.take(4)? != b"DIRC" {
        return None;
    }
    let version = rest.number()?;
    let entry_count = usize::try_from(rest.number()?).ok()?;
    if !(2..=4).contains(&version) || entry_count > rest.bytes.len() / HEAD_BYTES {
        return None;
    }
    snapshot.reserve(entry_count);
    if version == 4 {
        let mut path = Vec::new();
        for _ in 0..entry_count {
            let (head, path_length) = rest.head()?;
            let entry = Entry::decode(&file[head], SHA1_BYTES)?;
            rest.decompress_path(&mut path)?;
            is_whole(path.len(), path_length).then_some(())?;
            snapshot.push(&path, &entry).ok()?;
        }
        let trees = rest.extensions()?;
        snapshot.set_known_trees(&file[trees]);
        return Some(());
    }
    for _ in 0..entry_count {
        let (head, path_length) = rest.head()?;
        let entry = Entry::decode(&file[head.clone()], SHA1_BYTES)?;
        let path = rest.padded_path(&head)?;
        is_whole(path.len(), path_length).then_some(())?;
        snapshot.add_row(&file, Row::new(head.start, path, entry.mode)?, &entry).ok()?;
    }
    let trees = rest.extensions()?;
    snapshot.keep(file, trees);
    Some(())
}

/// Whether a path has the length that its entry says.
fn is_whole(length: usize, said: u16) -> bool {
    let is_said = length == usize::from(said);
    length > 0 && (is_said || said == PATH_LENGTH_MAX && length > usize::from(said))
}

/// What was not read yet.
struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let range = self.skip(count)?;
        self.bytes.get(range)
    }

    fn skip(&mut self, count: usize) -> Option<Range<usize>> {
        let start = self.at;
        self.at = start.checked_add(count).filter(|end| *end <= self.bytes.len())?;
        Some(start..self.at)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// What is in front of an entry's path, and the length that it says the path has.
    fn head(&mut self) -> Option<(Range<usize>, u16)> {
        let (length, path_length) = measure(self.bytes.get(self.at..)?, SHA1_BYTES)?;
        Some((self.skip(length)?, path_length))
    }

    /// A path and the NUL behind it.
    fn path(&mut self) -> Option<Range<usize>> {
        let length = memchr::memchr(0, self.bytes.get(self.at..)?)?;
        let path = self.skip(length)?;
        self.skip(1)?;
        Some(path)
    }

    /// A path with so many NULs that its entry has a multiple of eight bytes.
    fn padded_path(&mut self, head: &Range<usize>) -> Option<Range<usize>> {
        let path = self.path()?;
        let length = self.at - head.start;
        let padding = self.take(length.next_multiple_of(8) - length)?;
        padding.iter().all(|byte| *byte == 0).then_some(path)
    }

    /// A path as it differs from the one before.
    fn decompress_path(&mut self, path: &mut Vec<u8>) -> Option<()> {
        let shared = path.len().checked_sub(self.offset()?)?;
        path.truncate(shared);
        let rest = self.path()?;
        path.extend_from_slice(self.bytes.get(rest)?);
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

    /// The extension with the ids of folders, empty if there is none; `None` if one follows that
    /// may not be passed over, as those may whose names begin with a capital.
    fn extensions(mut self) -> Option<Range<usize>> {
        let mut trees = 0..0;
        while self.at < self.bytes.len() {
            let (name, size) = (self.take(4)?, self.number()?);
            let extension = self.skip(usize::try_from(size).ok()?)?;
            match name {
                b"TREE" => trees = extension,
                [b'A'..=b'Z', ..] => {}
                _ => return None,
            }
        }
        Some(trees)
    }
}
