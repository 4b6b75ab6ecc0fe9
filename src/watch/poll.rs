//! Looks at files again and again, where the system does not tell of changes.
//!
//! Unlike notify's own poller it sees each save within a second, by nanoseconds, and looks at
//! nothing but the files that count.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Touch;
use super::source::{Notice, Notices};
use crate::paths::AbsPath;
use crate::sys::{clock, fs};

/// How long a look at all files is followed by none, at least.
const INTERVAL_MIN: Duration = Duration::from_millis(500);

/// A look at all files takes at most this part of the time.
const SHARE: u32 = 10;

/// A thread that looks at files, until it is dropped.
pub(super) struct Poller {
    shared: Arc<Shared>,
    /// Never sent to: its end ends the thread.
    _life: Sender<()>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<BTreeMap<AbsPath, Stamp>>,
    interval_ms: AtomicU64,
}

/// What tells one state of a file from the next; `None` if it is not there.
type Stamp = Option<(i64, i64, i64, i64, u64, u64, u32)>;

impl Poller {
    pub(super) fn start(notices: Notices) -> Self {
        let shared = Arc::new(Shared::default());
        shared.set_interval(INTERVAL_MIN);
        let (life, lives) = channel::<()>();
        let looker = Arc::clone(&shared);
        std::thread::spawn(move || {
            while lives.recv_timeout(looker.interval()) == Err(RecvTimeoutError::Timeout) {
                looker.look(&notices);
            }
        });
        Self { shared, _life: life }
    }

    /// Looks at these files from now on: whatever happens to them after this call is noticed.
    /// Gives whether there are new ones among them.
    pub(super) fn look_at(&self, files: Vec<AbsPath>) -> bool {
        let mut seen = self.shared.lock();
        let mut before = std::mem::take(&mut *seen);
        let mut is_more = false;
        *seen = files
            .into_iter()
            .map(|file| {
                let known = before.remove(&file);
                is_more |= known.is_none();
                let stamp = known.unwrap_or_else(|| stamp(&file));
                (file, stamp)
            })
            .collect();
        is_more
    }

    /// How long a change may go unnoticed.
    pub(super) fn interval(&self) -> Duration {
        self.shared.interval()
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poller(looks at {} files)", self.shared.lock().len())
    }
}

impl Shared {
    fn look(&self, notices: &Notices) {
        let begin = clock::instant();
        let mut changed = Vec::new();
        for (file, before) in self.lock().iter_mut() {
            let now = stamp(file);
            if *before != now {
                *before = now;
                changed.push(file.clone());
            }
        }
        for file in changed {
            notices(Notice::Path(file, Touch::Replaced));
        }
        self.set_interval((begin.elapsed() * SHARE).max(INTERVAL_MIN));
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.load(Ordering::Relaxed))
    }

    fn set_interval(&self, interval: Duration) {
        let ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.interval_ms.store(ms, Ordering::Relaxed);
    }

    /// Stamps are whole whatever a panicking thread was doing with them.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<AbsPath, Stamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamp(file: &AbsPath) -> Stamp {
    let meta = fs::stat(file.as_path()).ok()?;
    let (mtime, ctime) = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
    Some((mtime.0, mtime.1, ctime.0, ctime.1, meta.size(), meta.ino(), meta.mode()))
}
