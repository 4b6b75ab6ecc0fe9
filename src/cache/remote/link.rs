//! One remote, guarded: whatever goes wrong there is a miss, and is said once.

use std::error::Error as _;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::{Ask, Local, Peek, lock, staging, warning};
use super::archive::{self, Refusal, Unpacked};
use super::breaker::{Breaker, Say};
use super::failure::{Described, Direction, Failure, Kind};
use super::settings::{Mode, S3Settings};
use super::signature::Signer;
use super::{Overwrite, Remote, Upload, object};
use crate::cache::Key;
use crate::error::{Code, Diagnostic};
use crate::sys::{clock, fs};

/// A remote that takes this part of its bound for each answer is of no use, though it never
/// passes it.
const SLOW_DIVISOR: u32 = 3;

/// What a request for an entry gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetched {
    /// It is in the local cache now.
    Hit,
    Absent,
    /// There is something that must not be used.
    Refused,
    /// Nobody knows.
    Failed,
}

/// The remote behind a local cache.
#[derive(Debug)]
pub(super) struct Link {
    remote: Box<dyn Remote>,
    local: Arc<Local>,
    breaker: Mutex<Breaker>,
    described: Described,
    prefix: String,
    mode: Mode,
    signer: Signer,
    /// Packing takes a processor, which the commands need too: one at a time.
    packing: Mutex<()>,
}

impl Link {
    pub(super) fn new(local: Arc<Local>, remote: Box<dyn Remote>, settings: &S3Settings) -> Self {
        Self {
            remote,
            local,
            breaker: Mutex::default(),
            described: Described {
                cache: settings.cache.clone(),
                bucket: settings.bucket.clone(),
                timeout: settings.timeout,
            },
            prefix: settings.prefix.clone(),
            mode: settings.mode,
            signer: Signer::new(&settings.signing_keys),
            packing: Mutex::default(),
        }
    }

    pub(super) fn local(&self) -> &Arc<Local> {
        &self.local
    }

    pub(super) fn cache(&self) -> &str {
        &self.described.cache
    }

    /// The bound of the configuration.
    pub(super) fn timeout(&self) -> Duration {
        self.described.timeout
    }

    /// Whether entries may be asked for.
    pub(super) fn reads(&self) -> bool {
        self.mode.reads() && self.breaker().allows(Direction::Read)
    }

    /// Whether entries may be sent.
    pub(super) fn writes(&self) -> bool {
        self.mode.writes() && self.breaker().allows(Direction::Write)
    }

    /// The run is over.
    pub(super) fn forgive(&self) {
        self.breaker().forgive(clock::instant());
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for an entry, and puts it into the local cache.
    pub(super) fn fetch(&self, key: Key<'_>) -> (Fetched, Option<Diagnostic>) {
        if !self.reads() {
            return (Fetched::Failed, None);
        }
        match self.local.prepare() {
            Ok(true) => {}
            Ok(false) => return (Fetched::Failed, None),
            Err(cause) => return (Fetched::Failed, Some(cause)),
        }
        let begin = clock::instant();
        let mut body = match self.remote.fetch(&object::name(&self.prefix, key)) {
            Err(failure) => return (Fetched::Failed, self.failed(Direction::Read, &failure)),
            Ok(None) => return (Fetched::Absent, self.answered(begin.elapsed())),
            Ok(Some(body)) => Watched { source: body, error: None },
        };
        let slow = self.answered(begin.elapsed());
        // Until an entry names them, only this keeps its blobs from being evicted.
        let _lock = lock::shared(self.local.dirs());
        let unpacked = archive::unpack(&mut body, key, self.local.blobs(), &self.signer);
        match unpacked {
            Ok(unpacked) => self.adopt(key, &unpacked, slow),
            Err(refusal) => self.refused(key, refusal, body.error),
        }
    }

    fn adopt(
        &self,
        key: Key<'_>,
        unpacked: &Unpacked,
        slow: Option<Diagnostic>,
    ) -> (Fetched, Option<Diagnostic>) {
        match self.local.adopt(key, &unpacked.entry, unpacked.added_bytes) {
            Ok(()) => (Fetched::Hit, slow),
            Err(cause) => (Fetched::Failed, Some(warning::unusable(key.runnable, &cause))),
        }
    }

    /// What to make of an entry that was not taken; `error` is that of the connection.
    fn refused(
        &self,
        key: Key<'_>,
        refusal: Refusal,
        error: Option<io::Error>,
    ) -> (Fetched, Option<Diagnostic>) {
        if let Some(error) = error {
            return (Fetched::Failed, self.failed(Direction::Read, &failure_of(error)));
        }
        match refusal {
            Refusal::Refused(cause) => {
                let cache = self.cache();
                let message =
                    format!("what the cache `{cache}` has for `{}` is not used", key.runnable);
                let mut causes = vec![cause.message];
                causes.extend(cause.causes);
                let diagnostic = Diagnostic::new(Code::RemoteFailed, message)
                    .hint(format!("`{}` runs, and its result replaces it", key.runnable));
                (Fetched::Refused, Some(Diagnostic { causes, ..diagnostic }))
            }
            Refusal::NoArchive => {
                let failure = Failure::new(Kind::Garbled, "GET: 200 with a page for people");
                (Fetched::Refused, self.failed(Direction::Read, &failure))
            }
            Refusal::Local(cause) => {
                (Fetched::Failed, Some(warning::unusable(key.runnable, &cause)))
            }
        }
    }

    /// What is stored under a key, without fetching it.
    pub(super) fn peek(&self, ask: &Ask<'_>) -> (Option<Peek>, Option<Diagnostic>) {
        if !self.reads() {
            return (None, None);
        }
        let object = object::name(&self.prefix, ask.key);
        let begin = clock::instant();
        if !ask.needs_artifacts {
            match self.remote.look(&object) {
                Ok(None) => return (None, self.answered(begin.elapsed())),
                Ok(Some(label)) => {
                    let warning = self.answered(begin.elapsed());
                    if let Some(code) = label.code {
                        return (Some(Peek { code, artifacts: None }), warning);
                    }
                }
                Err(failure) => return (None, self.failed(Direction::Read, &failure)),
            }
        }
        // Its entry comes first, and says all: the rest is not read.
        let mut body = match self.remote.fetch(&object) {
            Ok(Some(body)) => Watched { source: body, error: None },
            Ok(None) => return (None, self.answered(begin.elapsed())),
            Err(failure) => return (None, self.failed(Direction::Read, &failure)),
        };
        match archive::peek(&mut body, ask.key, &self.signer) {
            Ok(entry) => {
                let artifacts = Some(entry.artifacts.to_list());
                (Some(Peek { code: entry.code, artifacts }), self.answered(begin.elapsed()))
            }
            Err(refusal) => (None, self.refused(ask.key, refusal, body.error).1),
        }
    }

    /// Packs an entry of the local cache and sends it. Gives a warning.
    pub(super) fn send(
        &self,
        key: Key<'_>,
        overwrite: Overwrite,
        moved_bytes: &Arc<AtomicU64>,
    ) -> Option<Diagnostic> {
        if !self.writes() {
            return None;
        }
        let (file, code) = match self.pack(key, moved_bytes) {
            Ok(Some(packed)) => packed,
            // Nothing was kept, which has been said, or it is gone again.
            Ok(None) => return None,
            Err(cause) => return Some(self.not_sent(key, &cause)),
        };
        let upload = Upload { file: file.path(), code, overwrite, moved_bytes };
        match self.remote.send(&object::name(&self.prefix, key), &upload) {
            Ok(()) => {
                self.breaker().succeeded(Direction::Write);
                None
            }
            Err(failure) => self.failed(Direction::Write, &failure),
        }
    }

    fn pack(
        &self,
        key: Key<'_>,
        moved_bytes: &AtomicU64,
    ) -> Result<Option<(tempfile::NamedTempFile, i32)>, Diagnostic> {
        let _lock = lock::shared(self.local.dirs());
        let Some(entry) = self.local.load(key)? else { return Ok(None) };
        let _packing = self.packing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = fs::temporary_in(staging::folder(self.local.dirs()).as_path())?;
        let mut target = Counting { target: file.as_file_mut(), moved_bytes };
        archive::pack(&entry, self.local.blobs(), &self.signer, &mut target)?;
        Ok(Some((file, entry.code)))
    }

    fn not_sent(&self, key: Key<'_>, cause: &Diagnostic) -> Diagnostic {
        let cache = self.cache();
        let message =
            format!("the result of `{}` is not sent to the cache `{cache}`", key.runnable);
        let mut causes = vec![cause.message.clone()];
        causes.extend(cause.causes.iter().cloned());
        Diagnostic { causes, ..Diagnostic::new(Code::RemoteFailed, message) }
    }

    fn answered(&self, waited: Duration) -> Option<Diagnostic> {
        let bound = self.timeout() / SLOW_DIVISOR;
        let failure = self.breaker().answered(waited, bound)?;
        Some(failure.warning(&self.described, Direction::Read))
    }

    fn failed(&self, direction: Direction, failure: &Failure) -> Option<Diagnostic> {
        tracing::info!(cache = self.cache(), ?direction, ?failure, "remote failed");
        match self.breaker().failed(direction, failure) {
            Say::It => Some(failure.warning(&self.described, direction)),
            Say::Nothing => None,
        }
    }
}

/// What a connection's error says.
fn failure_of(error: io::Error) -> Failure {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(_) => Failure::new(Kind::Interrupted, text),
    }
}

/// A reader that keeps its error, whatever those who read through others make of it.
struct Watched<R> {
    source: R,
    error: Option<io::Error>,
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

/// A writer that counts, so that packing is seen to move.
struct Counting<'a, W> {
    target: W,
    moved_bytes: &'a AtomicU64,
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
