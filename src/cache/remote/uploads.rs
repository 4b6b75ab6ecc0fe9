//! What is sent to a remote while the run goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::link::Link;
use super::pool::Pool;
use super::{Overwrite, OwnedKey};
use crate::cache::Key;
use crate::error::{Code, Diagnostic};
use crate::sys::clock;

/// Entries that are sent at once: some, to hide the delay of a distant store, not so many as to
/// take the line from the commands.
const UPLOADS_AT_ONCE: usize = 4;

/// Entries that wait to be sent, a few hundred bytes each; more than any project has commands.
const QUEUE_LENGTH_MAX: usize = 100_000;

/// How long a run that is done waits for what is still moving, however well it moves: nobody
/// wants to wait for a cache.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// How often the wait for uploads looks whether anything moves.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The uploads of a run.
#[derive(Debug)]
pub(super) struct Uploads {
    pool: Pool<(OwnedKey, Overwrite)>,
    link: Arc<Link>,
    shared: Arc<Shared>,
    is_hurried: AtomicBool,
}

#[derive(Debug, Default)]
struct Shared {
    moved_bytes: Arc<AtomicU64>,
    ended_count: AtomicUsize,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Uploads {
    pub(super) fn new(link: Arc<Link>) -> Self {
        let shared = Arc::new(Shared::default());
        let (worker, state) = (Arc::clone(&link), Arc::clone(&shared));
        let pool = Pool::new(
            "remote upload",
            UPLOADS_AT_ONCE,
            move |(key, overwrite): (OwnedKey, Overwrite)| {
                if let Some(warning) = worker.send(key.as_key(), overwrite, &state.moved_bytes) {
                    let mut warnings =
                        state.warnings.lock().unwrap_or_else(PoisonError::into_inner);
                    warnings.push(warning);
                }
                state.ended_count.fetch_add(1, Ordering::Relaxed);
            },
        );
        Self { pool, link, shared, is_hurried: AtomicBool::new(false) }
    }

    /// Sends an entry of the local cache, sooner or later.
    pub(super) fn push(&self, key: Key<'_>, overwrite: Overwrite) {
        if self.link.writes() && self.pool.pending_count() < QUEUE_LENGTH_MAX {
            self.pool.push_back((OwnedKey::new(key), overwrite));
        }
    }

    /// Nobody waits any longer.
    pub(super) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Relaxed);
        self.pool.clear();
        self.pool.wake();
    }

    /// Waits until all is sent, or nothing moves any more, or it takes too long.
    pub(super) fn finish(&self) -> Vec<Diagnostic> {
        let given_up = self.wait();
        self.pool.clear();
        self.is_hurried.store(false, Ordering::Relaxed);
        let mut warnings = self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut warnings = std::mem::take(&mut *warnings);
        warnings.extend(given_up);
        warnings
    }

    fn wait(&self) -> Option<Diagnostic> {
        let begin = clock::instant();
        let (mut moved, mut moved_at) = (self.moved(), begin);
        loop {
            let pending_count = self.pool.pending_count();
            if pending_count == 0 || self.is_hurried.load(Ordering::Relaxed) {
                return None;
            }
            if !self.link.writes() {
                // What is under way will fare no better, and it has been said.
                self.pool.clear();
            }
            let now = clock::instant();
            let moved_now = self.moved();
            if moved_now != moved {
                (moved, moved_at) = (moved_now, now);
            }
            // A little more than the requests themselves are given, so that they can tell why.
            let bound = self.link.timeout() + self.link.timeout() / 2;
            if now - moved_at > bound {
                return Some(self.given_up(pending_count, "nothing moves any more"));
            }
            if now - begin > WAIT_MAX {
                return Some(self.given_up(pending_count, "it took more than 5 minutes"));
            }
            self.pool.wait(LOOK_INTERVAL);
        }
    }

    fn moved(&self) -> (u64, usize) {
        let moved_bytes = self.shared.moved_bytes.load(Ordering::Relaxed);
        (moved_bytes, self.shared.ended_count.load(Ordering::Relaxed))
    }

    fn given_up(&self, count: usize, cause: &str) -> Diagnostic {
        let cache = self.link.cache();
        let results =
            if count == 1 { "1 result is".to_owned() } else { format!("{count} results are") };
        Diagnostic::new(Code::RemoteFailed, format!("{results} not sent to the cache `{cache}`"))
            .because(cause)
            .hint("what is missing there is sent by the next machine that makes it")
    }
}
