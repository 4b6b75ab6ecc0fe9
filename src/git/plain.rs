//! Blob ids of contents as they are, without any conversion, made by libgit2.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use git2::{ObjectType, Oid};

use super::file_set::BlobId;
use crate::sys::folder::{FileStamp, Stat};
use crate::sys::fs::{self, FileError, verb};
use crate::sys::timings::COUNT;

/// A file that is larger is not read into memory.
const IN_MEMORY_BYTES_MAX: u64 = 32 << 20;

/// What is read at once of a larger one.
const CHUNK_BYTES: usize = 1 << 16;

/// A file as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) id: BlobId,
    pub(super) has_crlf: bool,
    /// Told only of a file that has CRLF.
    pub(super) has_nul: bool,
}

/// As one word: the id, and what else is to be said.
impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let crlf = if self.has_crlf { ",crlf" } else { "" };
        let nul = if self.has_nul { ",nul" } else { "" };
        write!(f, "{}{crlf}{nul}", self.id)
    }
}

/// The text is none of a [`Plain`].
#[derive(Debug)]
pub(super) struct NotPlain;

impl FromStr for Plain {
    type Err = NotPlain;

    fn from_str(text: &str) -> Result<Self, NotPlain> {
        let mut words = text.split(',');
        let id = words.next().and_then(BlobId::from_hex).ok_or(NotPlain)?;
        let mut plain = Self { id, has_crlf: false, has_nul: false };
        for word in words {
            match word {
                "crlf" => plain.has_crlf = true,
                "nul" => plain.has_nul = true,
                _ => return Err(NotPlain),
            }
        }
        Ok(plain)
    }
}

/// The blob id of a content.
pub(super) fn hash(content: &[u8]) -> Option<BlobId> {
    let id = Oid::hash_object(ObjectType::Blob, content).ok()?;
    BlobId::from_bytes(id.as_bytes())
}

/// Hashes a file; `None` if it was changed meanwhile.
pub(super) fn hash_file(path: &Path) -> Result<Option<Plain>, FileError> {
    tracing::info!(target: COUNT, files_hashed = 1_u64);
    let mut file = fs::open_plain(path)?;
    let meta = verb("read", path, file.metadata())?;
    if meta.len() > IN_MEMORY_BYTES_MAX {
        return hash_large(path, file, &Stat::from(&meta).stamp());
    }
    let mut content = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default() + 1);
    verb("read", path, file.read_to_end(&mut content))?;
    let has_crlf = has_crlf(&content);
    let has_nul = has_crlf && content.contains(&0);
    Ok(hash(&content).map(|id| Plain { id, has_crlf, has_nul }))
}

/// Reads a file in parts: once for what is in it, once for libgit2, which opens it by its path.
fn hash_large(path: &Path, file: File, stamp: &FileStamp) -> Result<Option<Plain>, FileError> {
    let (has_crlf, has_nul) = verb("read", path, scan(file))?;
    let id = Oid::hash_file(ObjectType::Blob, path).ok();
    let id = id.and_then(|id| BlobId::from_bytes(id.as_bytes()));
    let is_same = Stat::from(&fs::stat(path)?).stamp() == *stamp;
    Ok(id.filter(|_| is_same).map(|id| Plain { id, has_crlf, has_nul }))
}

/// Whether a file has CRLF, and whether it has a NUL.
pub(super) fn scan(mut file: File) -> std::io::Result<(bool, bool)> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut has_crlf, mut has_nul, mut is_after_cr) = (false, false, false);
    loop {
        let length = file.read(&mut chunk)?;
        let Some(last) = chunk[..length].last() else { return Ok((has_crlf, has_nul)) };
        has_crlf |= (is_after_cr && chunk[0] == b'\n') || self::has_crlf(&chunk[..length]);
        has_nul |= chunk[..length].contains(&0);
        is_after_cr = *last == b'\r';
    }
}

fn has_crlf(content: &[u8]) -> bool {
    content.contains(&b'\r') && content.windows(2).any(|pair| pair == b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::write_atomic;

    #[test]
    fn a_large_file_is_hashed_like_a_small_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large");
        let mut content = vec![b'x'; usize::try_from(IN_MEMORY_BYTES_MAX).expect("a size") + 2];
        let check = |content: &[u8], facts: (bool, bool)| {
            write_atomic(&path, content).expect("written");
            let large = hash_file(&path).expect("read").expect("unchanged");
            assert_eq!(Some(large.id), hash(content));
            assert_eq!((large.has_crlf, large.has_nul), facts);
        };
        check(&content, (false, false));
        content[CHUNK_BYTES - 1] = b'\r';
        content[CHUNK_BYTES] = b'\n';
        check(&content, (true, false));
        content[CHUNK_BYTES * 2] = 0;
        check(&content, (true, true));
    }
}
