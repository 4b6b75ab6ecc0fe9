//! Readers and writers that keep an eye on what passes.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// A reader that keeps its error, whatever those who read through others make of it.
pub(super) struct Watched<R> {
    pub(super) source: R,
    pub(super) error: Option<io::Error>,
}

impl<R> Watched<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, error: None }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer).map_err(|error| {
            let shown = io::Error::new(error.kind(), error.to_string());
            self.error = Some(error);
            shown
        })
    }
}

/// A reader that gives so many bytes and fails at one more. The bound may be raised while
/// somebody reads.
pub(super) struct Bounded<'a, R> {
    pub(super) source: R,
    pub(super) bytes_left: &'a Cell<u64>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        match self.bytes_left.get().checked_sub(count as u64) {
            Some(bytes_left) => self.bytes_left.set(bytes_left),
            None => return Err(io::Error::other("it is larger than what it holds")),
        }
        Ok(count)
    }
}

/// A reader that hashes what passes.
pub(super) struct Hashing<R> {
    pub(super) source: R,
    pub(super) hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// A writer that counts, so that packing is seen to move.
pub(super) struct Counting<'a, W> {
    pub(super) target: W,
    pub(super) moved_bytes: &'a AtomicU64,
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.target.write(buffer)?;
        self.moved_bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}
