//! What a file holds, as its size and digest.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::hash::Digest;

/// Bytes read at once: what blake3 hashes in parallel on the widest processors.
const CHUNK_BYTES: usize = 16 * 1024;

/// Bytes by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    pub size: u64,
    pub digest: Digest,
}

impl Content {
    /// That of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { size: bytes.len() as u64, digest: Digest::of(bytes) }
    }

    /// That of all that is left to read.
    pub fn read(source: &mut impl Read) -> io::Result<Self> {
        Self::copy(source, &mut io::sink(), u64::MAX)
    }

    /// Copies what is left to read, at most `size_bytes_max` of it and one byte more, so that a
    /// source that claims to be small cannot fill the disk; gives what was copied.
    pub(super) fn copy(
        source: &mut impl Read,
        target: &mut impl Write,
        size_bytes_max: u64,
    ) -> io::Result<Self> {
        let mut source = source.take(size_bytes_max.saturating_add(1));
        let mut hasher = blake3::Hasher::new();
        let mut size = 0;
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            let count = fill(&mut source, &mut chunk)?;
            if count == 0 {
                return Ok(Self { size, digest: Digest::finish(&hasher) });
            }
            hasher.update(&chunk[..count]);
            target.write_all(&chunk[..count])?;
            size += count as u64;
        }
    }
}

/// Reads as much as fits: a decompressor gives less at a time than hashing and writing go well
/// with. Gives how much it was; none at the end.
fn fill(source: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled_count = 0;
    while filled_count < chunk.len() {
        match source.read(&mut chunk[filled_count..]) {
            Ok(0) => break,
            Ok(count) => filled_count += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled_count)
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn reading_and_copying_see_the_same() {
        let bytes = vec![7; 200_000];
        let mut copy = Vec::new();
        let content = Content::copy(&mut bytes.as_slice(), &mut copy, u64::MAX).unwrap();
        assert_eq!(content, Content::of(&bytes));
        assert_eq!(content, Content::read(&mut bytes.as_slice()).unwrap());
        assert_eq!(copy, bytes);
    }

    #[test]
    fn a_copy_ends_where_the_bound_is_passed() {
        let mut copy = Vec::new();
        let content = Content::copy(&mut std::io::repeat(0), &mut copy, 5).unwrap();
        assert_eq!((content.size, copy.len()), (6, 6));
    }
}
