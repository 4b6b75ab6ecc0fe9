//! Bytes on their way: those of an answer as a reader, those of a file as a body that counts.

use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout_at};

use super::super::failure::{Failure, Kind};
use super::connect::Connection;
use crate::sys::fs;

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
pub(super) async fn of_file(
    path: &Path,
    moved_bytes: &Arc<AtomicU64>,
) -> Result<(ByteStream, i64), Failure> {
    let failure = |cause: String| Failure::new(Kind::Rejected, format!("PUT: {cause}"));
    let size = fs::stat(path).map_err(|error| failure(error.to_string()))?.len();
    let stream = ByteStream::read_from()
        .path(path)
        .length(Length::Exact(size))
        .buffer_size(CHUNK_BYTES)
        .build()
        .await
        .map_err(|error| failure(error.to_string()))?;
    let moved_bytes = Arc::clone(moved_bytes);
    let body = stream.into_inner().map_preserve_contents(move |body| {
        SdkBody::from_body_1_x(Counted { body, moved_bytes: Arc::clone(&moved_bytes) })
    });
    let size = i64::try_from(size).map_err(|_| failure("the entry is too large".to_owned()))?;
    Ok((ByteStream::new(body), size))
}

/// A body that counts what is taken from it.
struct Counted {
    body: SdkBody,
    moved_bytes: Arc<AtomicU64>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = <SdkBody as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.moved_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
