//! What signals are heard and commands waited for with.

use std::io;
use std::os::unix::net::UnixStream;

use tokio::runtime::{Builder, Runtime};

use crate::error::{Code, Diagnostic};
use crate::sys::parallel;

/// Pairs of descriptors that a runtime and its signals take, and some to work with.
const DESCRIPTOR_PAIR_COUNT: usize = 5;

/// A runtime of one thread, and so many that block.
///
/// # Errors
/// There are too few open files left, or too few threads.
pub(super) fn new(blocking_thread_count_max: usize) -> Result<Runtime, Diagnostic> {
    // tokio panics where it cannot start the first of its own.
    drop(parallel::start(|| ())?.join());
    let made = has_descriptors().and_then(|()| {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().max_blocking_threads(blocking_thread_count_max).build()
    });
    made.map_err(|error| {
        Diagnostic::new(Code::SpawnFailed, "a run cannot be started")
            .because(error.to_string())
            .hint("`ulimit -n` says how many files may be open, and raises it")
    })
}

/// tokio panics where there are none left for what it hears signals by.
fn has_descriptors() -> io::Result<()> {
    let pairs = (0..DESCRIPTOR_PAIR_COUNT).map(|_| UnixStream::pair());
    pairs.collect::<io::Result<Vec<_>>>().map(drop)
}
