//! Bytes by their digest, below `._qik/cache/blobs`.
//!
//! A blob is written to a temporary file and renamed, so that nobody sees half of one. There is
//! no `fsync`: what a power cut leaves empty or torn does not verify when it is read, and costs a
//! run of the command. What is read is always verified; what is there when a blob is stored is
//! trusted if it has the right size, as reading it would cost more than it saves.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Content;
use crate::error::{Code, Diagnostic};
use crate::hash::Digest;
use crate::paths::{AbsPath, WorkDirs};
use crate::sys::fault::Filling;
use crate::sys::fs;
use crate::sys::unfinished::Unfinished;

/// The blobs of a checkout.
#[derive(Debug, Clone)]
pub(super) struct Blobs {
    folder: AbsPath,
    unfinished: Unfinished,
    /// Bytes for which there is a [`Room`].
    promised_bytes: Arc<AtomicU64>,
}

/// Room on the disk for what is on its way, until it is dropped.
#[derive(Debug)]
pub(super) struct Room<'a> {
    promised_bytes: &'a AtomicU64,
    size_bytes: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.promised_bytes.fetch_sub(self.size_bytes, Ordering::Relaxed);
    }
}

impl Blobs {
    pub(super) fn new(dirs: &WorkDirs) -> Self {
        let folder = dirs.private.join("cache/blobs");
        Self { folder, unfinished: dirs.unfinished.clone(), promised_bytes: Arc::default() }
    }

    /// Room for so many bytes, kept and then brought back, beside what has room already. Sizes
    /// come from strangers: without a bound by what is free, they could fill the disk.
    pub(super) fn room(&self, size_bytes: u64) -> Result<Room<'_>, Diagnostic> {
        let promised_bytes = self.promised_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        let room = Room { promised_bytes: &self.promised_bytes, size_bytes };
        let needed_bytes = size_bytes.saturating_mul(2).saturating_add(promised_bytes);
        match fs::free_bytes(self.unfinished.folder()?.as_path()) {
            Some(free_bytes) if free_bytes < needed_bytes => {
                let [size, free] = [size_bytes, free_bytes].map(|bytes| bytes.div_ceil(1 << 20));
                let message = format!("it is of {size} MiB, and {free} MiB are free");
                let diagnostic = Diagnostic::new(Code::CacheFailed, message);
                Err(diagnostic.because("it is kept, and then copied to where it belongs"))
            }
            _ => Ok(room),
        }
    }

    /// Where all blobs are.
    pub(super) fn folder(&self) -> &AbsPath {
        &self.folder
    }

    fn path(&self, digest: Digest) -> AbsPath {
        let hex = digest.to_hex();
        self.folder.join(&hex[..2]).join(&hex[2..])
    }

    /// Whether there seems to be a blob; only reading it tells for sure.
    pub(super) fn has(&self, content: Content) -> bool {
        fs::stat(self.path(content.digest).as_path())
            .is_ok_and(|stat| stat.is_file() && stat.len() == content.size)
    }

    /// Stores what is expected to have this content, read only if it is not there yet. Returns
    /// how many bytes were added.
    pub(super) fn store_expected(
        &self,
        content: Content,
        open: impl FnOnce() -> fs::Result<File>,
    ) -> Result<u64, Diagnostic> {
        // The touch keeps it from being evicted before an entry names it.
        if self.has(content) && fs::touch(self.path(content.digest).as_path()).is_ok() {
            return Ok(0);
        }
        let (temporary, stored) = self.write(&mut open()?, content.size)?;
        if stored != content {
            return Err(Diagnostic::new(Code::CacheFailed, "it changed while it was being stored"));
        }
        self.finish(temporary, content)
    }

    /// Stores all that is left to read; gives what it is, and how many bytes were added.
    pub(super) fn store(&self, source: &mut impl Read) -> Result<(Content, u64), Diagnostic> {
        let (temporary, content) = self.write(source, u64::MAX)?;
        if self.has(content) && fs::touch(self.path(content.digest).as_path()).is_ok() {
            return Ok((content, 0));
        }
        Ok((content, self.finish(temporary, content)?))
    }

    /// Stores all that is left to read if it has this content; gives how many bytes were added,
    /// `None` if it is something else.
    pub(super) fn store_verified(
        &self,
        content: Content,
        source: &mut impl Read,
    ) -> Result<Option<u64>, Diagnostic> {
        if self.has(content) && fs::touch(self.path(content.digest).as_path()).is_ok() {
            return Ok(Some(0));
        }
        let (temporary, received) = self.write(source, content.size)?;
        if received != content {
            return Ok(None);
        }
        self.finish(temporary, content).map(Some)
    }

    fn write(
        &self,
        source: &mut impl Read,
        size_bytes_max: u64,
    ) -> Result<(tempfile::NamedTempFile, Content), Diagnostic> {
        let mut temporary = fs::temporary_in(&self.unfinished.folder()?)?;
        let path = temporary.path().to_path_buf();
        let mut filling = Filling { file: temporary.as_file_mut(), path: &path };
        let copied = Content::copy(source, &mut filling, size_bytes_max);
        let content = fs::verb("write", &path, copied)?;
        Ok((temporary, content))
    }

    fn finish(
        &self,
        temporary: tempfile::NamedTempFile,
        content: Content,
    ) -> Result<u64, Diagnostic> {
        let path = self.path(content.digest);
        if let Some(folder) = path.parent() {
            fs::create_folder(folder.as_path())?;
        }
        if fs::stat(path.as_path()).is_ok_and(|stat| stat.is_dir()) {
            fs::remove_folder(path.as_path())?;
        }
        fs::persist(temporary, path.as_path())?;
        Ok(content.size)
    }

    /// Opens a blob that has the right size; its content is not verified.
    pub(super) fn open(&self, content: Content) -> Result<File, Diagnostic> {
        let path = self.path(content.digest);
        let file = fs::open_plain(path.as_path())?;
        let size = fs::verb("read", path.as_path(), file.metadata())?.len();
        if size != content.size {
            return Err(self.discard(content));
        }
        Ok(file)
    }

    /// Copies a blob into a file, verified: on an error what was written is worthless.
    pub(super) fn copy(&self, content: Content, target: &mut impl Write) -> Result<(), Diagnostic> {
        let mut source = self.open(content)?;
        let path = self.path(content.digest);
        let copied = Content::copy(&mut source, target, content.size);
        if fs::verb("copy", path.as_path(), copied)? != content {
            return Err(self.discard(content));
        }
        Ok(())
    }

    /// A small blob as bytes, verified.
    pub(super) fn read(&self, content: Content) -> Result<Vec<u8>, Diagnostic> {
        let mut bytes = Vec::new();
        let source = self.open(content)?;
        let path = self.path(content.digest);
        fs::verb("read", path.as_path(), source.take(content.size).read_to_end(&mut bytes))?;
        if Content::of(&bytes) != content {
            return Err(self.discard(content));
        }
        Ok(bytes)
    }

    /// Removes a blob that is not what it should be, so that the next run can replace it; gives
    /// what there is to say.
    pub(super) fn discard(&self, content: Content) -> Diagnostic {
        let path = self.path(content.digest);
        // If it cannot be removed it stays a miss.
        drop(fs::remove_file(path.as_path()));
        Diagnostic::new(Code::CacheFailed, format!("`{path}` does not hold what was stored"))
    }
}
