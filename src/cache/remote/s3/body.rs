//! Bytes on their way: those of an answer as a reader, those of a file as a body that counts.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout_at};

use super::super::failure::{Failure, Kind};
use super::connect::Connection;
use crate::sys::fault::{self, Act};

/// How much of an answer has to come within the bound of the configuration, unless it ends
/// before: with a bound of 15 s some 17 KiB/s, slower than any line that is worth using.
const STRETCH_BYTES: u64 = 256 * 1024;

/// Bytes of a file that are read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// The bytes of an answer.
pub(super) struct Body {
    connection: Arc<Connection>,
    stream: Pin<Box<dyn AsyncRead + Send>>,
    bound: Duration,
    stretch_end: Instant,
    stretch_bytes: u64,
}

impl Body {
    pub(super) fn new(connection: &Arc<Connection>, stream: ByteStream, bound: Duration) -> Self {
        Self {
            connection: Arc::clone(connection),
            stream: Box::pin(stream.into_async_read()),
            bound,
            stretch_end: Instant::now() + bound,
            stretch_bytes: 0,
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reading = async { timeout_at(self.stretch_end, self.stream.read(buffer)).await };
        let count = match self.connection.driver.run(reading) {
            Ok(Ok(count)) => count,
            Ok(Err(error)) => {
                let facts = format!("GET: {}", innermost(&error));
                let facts = self.connection.veil.hide_text(&facts).into_owned();
                return Err(io::Error::other(Failure::new(Kind::Interrupted, facts)));
            }
            Err(_) => {
                let facts = format!("GET: {} bytes came meanwhile", self.stretch_bytes);
                return Err(io::Error::other(Failure::new(Kind::TimedOut, facts)));
            }
        };
        self.stretch_bytes += count as u64;
        if self.stretch_bytes >= STRETCH_BYTES {
            self.stretch_bytes = 0;
            self.stretch_end = Instant::now() + self.bound;
        }
        Ok(count)
    }
}

/// The cause of causes, which says most.
pub(super) fn innermost<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> &'e (dyn std::error::Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// A file as a body that can be sent again, with its size.
pub(super) fn of_file(
    file: &File,
    moved_bytes: &Arc<AtomicU64>,
) -> Result<(ByteStream, i64), Failure> {
    let failure = |cause: String| Failure::new(Kind::Rejected, format!("PUT: {cause}"));
    let size = file.metadata().map_err(|error| failure(error.to_string()))?.len();
    let content_length =
        i64::try_from(size).map_err(|_| failure("the entry is too large".to_owned()))?;
    let file = Arc::new(file.try_clone().map_err(|error| failure(error.to_string()))?);
    let moved_bytes = Arc::clone(moved_bytes);
    let body = SdkBody::retryable(move || {
        let (file, moved_bytes) = (Arc::clone(&file), Arc::clone(&moved_bytes));
        SdkBody::from_body_1_x(Sent { file, position: 0, size, moved_bytes })
    });
    Ok((ByteStream::new(body), content_length))
}

/// A file on its way. It was written just now, so that reading it hardly blocks; and it needs no
/// name, so that a run that is stopped leaves none behind.
struct Sent {
    file: Arc<File>,
    position: u64,
    size: u64,
    /// Counts what is taken from it.
    moved_bytes: Arc<AtomicU64>,
}

impl Sent {
    fn read(&mut self) -> io::Result<Bytes> {
        fault::pass(Act::Write, "send", Path::new("a piece"))?;
        let length =
            CHUNK_BYTES.min(usize::try_from(self.size - self.position).unwrap_or(CHUNK_BYTES));
        let mut chunk = vec![0; length];
        self.file.read_exact_at(&mut chunk, self.position)?;
        self.position += length as u64;
        self.moved_bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(Bytes::from(chunk))
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let is_end = self.is_end_stream();
        Poll::Ready((!is_end).then(|| self.read().map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.position == self.size
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.size - self.position)
    }
}
