//! One remote, guarded: whatever goes wrong there is a miss, and is said once.

use std::error::Error as _;
use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::local::Loaded;
use super::super::{Ask, Local, Peek, lock, warning};
use super::archive::{self, Refusal, Unpacked};
use super::breaker::{Breaker, Say, Wait};
use super::failure::{Described, Direction, Failure, Kind};
use super::repeats::{Repeats, Topic};
use super::settings::{Mode, S3Settings};
use super::signature::Signer;
use super::streams::{Counting, Watched};
use super::{Label, Overwrite, Remote, Upload, object};
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
    repeats: Mutex<Repeats>,
    /// What can wait for the end of the run to be said.
    unsaid: Mutex<Vec<Diagnostic>>,
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
            repeats: Mutex::default(),
            unsaid: Mutex::default(),
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

    /// The run is over. Gives what was not said yet.
    pub(super) fn forgive(&self) -> Vec<Diagnostic> {
        self.breaker().forgive(clock::instant());
        let mut warnings = self.take_unsaid();
        warnings.extend(self.repeats().rest(self.cache()));
        warnings
    }

    /// Says something at the end of the run.
    pub(super) fn say_later(&self, warning: Diagnostic) {
        self.unsaid.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// What was to be said later.
    pub(super) fn take_unsaid(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.unsaid.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn repeats(&self) -> MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A warning about one of many, if it is the first.
    fn once(&self, topic: Topic, key: Key<'_>, warning: Diagnostic) -> Option<Diagnostic> {
        self.repeats().is_first(topic, key.runnable).then_some(warning)
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
            Ok(None) => {
                self.answered(since(begin));
                return (Fetched::Absent, None);
            }
            Ok(Some(body)) => Watched::new(body),
        };
        let wait = since(begin);
        // Until an entry names them, only this keeps its blobs from being evicted.
        let _lock = lock::shared(self.local.dirs());
        let unpacked = archive::unpack(&mut body, key, self.local.blobs(), &self.signer);
        match unpacked {
            Ok(unpacked) => {
                self.answered(wait);
                self.adopt(key, &unpacked)
            }
            Err(refusal) => self.refused(key, refusal, (body.error, wait)),
        }
    }

    fn adopt(&self, key: Key<'_>, unpacked: &Unpacked) -> (Fetched, Option<Diagnostic>) {
        let Unpacked { entry, attached, added_bytes } = unpacked;
        match self.local.adopt(key, entry, attached, *added_bytes) {
            Ok(()) => (Fetched::Hit, None),
            Err(cause) => (Fetched::Failed, self.not_kept(key, &cause)),
        }
    }

    fn not_kept(&self, key: Key<'_>, cause: &Diagnostic) -> Option<Diagnostic> {
        self.once(Topic::NotKept, key, warning::unusable(key.runnable, cause))
    }

    /// What to make of an entry that was not taken, with the error of the connection.
    fn refused(
        &self,
        key: Key<'_>,
        refusal: Refusal,
        (error, wait): (Option<io::Error>, Wait),
    ) -> (Fetched, Option<Diagnostic>) {
        if let Some(error) = error {
            return (Fetched::Failed, self.failed(Direction::Read, &failure_of(error)));
        }
        match refusal {
            Refusal::Refused(cause) => {
                self.answered(wait);
                let cache = self.cache();
                let message =
                    format!("what the cache `{cache}` has for `{}` is not used", key.runnable);
                let mut causes = vec![cause.message];
                causes.extend(cause.causes);
                let diagnostic = Diagnostic::new(Code::RemoteFailed, message)
                    .hint(format!("`{}` runs, and its result replaces it", key.runnable));
                let warning = Diagnostic { causes, ..diagnostic };
                (Fetched::Refused, self.once(Topic::Refused, key, warning))
            }
            Refusal::NoArchive => {
                let failure = Failure::new(Kind::Garbled, "GET: 200 with a page for people");
                (Fetched::Refused, self.failed(Direction::Read, &failure))
            }
            Refusal::Local(cause) => (Fetched::Failed, self.not_kept(key, &cause)),
        }
    }

    /// What is stored under a key, without fetching it.
    pub(super) fn peek(&self, ask: &Ask<'_>) -> (Option<Peek>, Option<Diagnostic>) {
        if !self.reads() {
            return (None, None);
        }
        let object = object::name(&self.prefix, ask.key);
        let begin = clock::instant();
        // What is said beside an object is signed by nobody.
        if !ask.needs_artifacts && !self.signer.is_on() {
            match self.remote.look(&object) {
                Ok(label) => {
                    self.answered(since(begin));
                    match label {
                        None => return (None, None),
                        Some(Label { code: Some(code) }) => {
                            return (Some(Peek { code, artifacts: None }), None);
                        }
                        Some(Label { code: None }) => {}
                    }
                }
                Err(failure) => return (None, self.failed(Direction::Read, &failure)),
            }
        }
        // Its entry comes first, and says all: the rest is not read.
        let begin = clock::instant();
        let answer = self.remote.fetch(&object);
        let wait = since(begin);
        let mut body = match answer {
            Ok(Some(body)) => Watched::new(body),
            Ok(None) => {
                self.answered(wait);
                return (None, None);
            }
            Err(failure) => return (None, self.failed(Direction::Read, &failure)),
        };
        match archive::peek(&mut body, ask.key, &self.signer) {
            Ok(entry) => {
                self.answered(wait);
                let artifacts = Some(entry.artifacts.to_list());
                (Some(Peek { code: entry.code, artifacts }), None)
            }
            Err(refusal) => (None, self.refused(ask.key, refusal, (body.error, wait)).1),
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
            Err(cause) => return self.once(Topic::NotSent, key, self.not_sent(key, &cause)),
        };
        let upload = Upload { file: &file, code, overwrite, moved_bytes };
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
    ) -> Result<Option<(File, i32)>, Diagnostic> {
        let _lock = lock::shared(self.local.dirs());
        let Some(Loaded { entry, attached, .. }) = self.local.load(key)? else { return Ok(None) };
        let _packing = self.packing.lock().unwrap_or_else(PoisonError::into_inner);
        let file = fs::unnamed_in(&self.local.dirs().unfinished.folder()?)?;
        let mut target = Counting { target: &file, moved_bytes };
        archive::pack(&entry, &attached, self.local.blobs(), &self.signer, &mut target)?;
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

    /// An answer was of use, so that whoever waited for it need not hear that it was slow.
    fn answered(&self, wait: Wait) {
        let bound = self.timeout() / SLOW_DIVISOR;
        let failure = self.breaker().answered(wait, bound);
        if let Some(failure) = failure {
            self.say_later(failure.warning(&self.described, Direction::Read));
        }
    }

    fn failed(&self, direction: Direction, failure: &Failure) -> Option<Diagnostic> {
        tracing::info!(cache = self.cache(), ?direction, ?failure, "remote failed");
        match self.breaker().failed(direction, failure) {
            Say::It => Some(failure.warning(&self.described, direction)),
            Say::Nothing => None,
        }
    }
}

/// A wait that ends now.
fn since(begin: Instant) -> Wait {
    Wait { begin, end: clock::instant() }
}

/// What a connection's error says.
fn failure_of(error: io::Error) -> Failure {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(_) => Failure::new(Kind::Interrupted, text),
    }
}
