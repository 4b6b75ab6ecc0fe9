//! What signals are heard and commands waited for with.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::process::{Resource, getrlimit};
use tokio::runtime::{Builder, Runtime};

use crate::error::{Code, Diagnostic};

/// Pairs of descriptors that a runtime and its signals take, and some to work with.
const DESCRIPTOR_PAIR_COUNT: usize = 5;

/// Open files of a thread that runs a command: three of its runtime, for signals, the output, the
/// log, the claim and the process; once that has ended, for artifacts and what is stored.
const DESCRIPTORS_PER_THREAD: usize = 12;

/// Open files that are left for all else.
const DESCRIPTORS_RESERVED: usize = 64;

/// How many threads can run commands with the files that may be open.
pub(super) fn thread_count_max() -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    let spare = limit.unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_RESERVED);
    (spare / DESCRIPTORS_PER_THREAD).max(1)
}

/// The first runtime of a process or of a run, which hears its signals.
///
/// # Errors
/// There are too few open files left.
pub(super) fn new() -> Result<Runtime, Diagnostic> {
    has_descriptors().map_err(|error| no_files(&error))?;
    of_thread()
}

/// A runtime of a thread that waits for commands.
///
/// # Errors
/// There are too few open files left.
pub(super) fn of_thread() -> Result<Runtime, Diagnostic> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().map_err(|error| no_files(&error))
}

fn no_files(error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::SpawnFailed, "a run cannot be started")
        .because(error.to_string())
        .hint("`ulimit -n` says how many files may be open, and raises it")
}

/// tokio panics where there are none left for what it hears signals by.
fn has_descriptors() -> io::Result<()> {
    let pairs = (0..DESCRIPTOR_PAIR_COUNT).map(|_| UnixStream::pair());
    pairs.collect::<io::Result<Vec<_>>>().map(drop)
}
