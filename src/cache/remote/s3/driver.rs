//! A runtime for connections, on a thread of its own, for callers that block.

use std::fmt;
use std::future::Future;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::super::failure::{Failure, Kind};

/// Threads that look up hosts and run `credential_process`.
const BLOCKING_THREADS_MAX: usize = 8;

/// Ends its runtime when dropped.
pub(super) struct Driver {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Driver {
    pub(super) fn start() -> Result<Self, Failure> {
        let failure = |error: std::io::Error| {
            Failure::new(Kind::Unreachable, format!("a thread cannot be started: {error}"))
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .build()
            .map_err(failure)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("remote cache".to_owned())
            .spawn(move || {
                // Sent or dropped, it is the end.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })
            .map_err(failure)?;
        Ok(Self { handle, _stop: stop })
    }

    /// Waits for a future on the calling thread.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle.block_on(future)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Driver")
    }
}
