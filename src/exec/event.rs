//! All that a run tells the world. No styling here, and no decision in a reporter.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Diagnostic;
use crate::hash::Change;
use crate::plan::RunnableName;

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// First of all: every runnable of the run, in the order of the selection.
    RunStarted { runnables: Arc<[Planned]>, worker_count: usize },
    /// Another qik process runs it, or brings its artifacts back: its result is waited for.
    Waiting { runnable: usize },
    /// A command has started.
    Started { runnable: usize, worker: usize, reason: RunReason },
    /// A cached result is about to be shown.
    Replaying { runnable: usize },
    /// Bytes that a running command wrote, as it wrote them. Sent only to reporters that ask for
    /// them; what is not live is read from [`Outcome::log`].
    Output { runnable: usize, bytes: Arc<[u8]> },
    /// A runnable is done with; sent once for each, also for those that were skipped.
    Ended { runnable: usize, outcome: Outcome },
    /// qik does something else than it was asked to.
    Warning { runnable: Option<usize>, diagnostic: Box<Diagnostic> },
    /// A signal has come: nothing starts any more, and the commands that run were told to end.
    Stopping { signal: i32 },
    /// Last of all.
    RunEnded { summary: RunSummary },
}

/// A runnable as reporters see it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub name: RunnableName,
    pub command: String,
    pub exec: String,
}

/// Why a command runs instead of being replayed.
#[derive(Debug, Clone)]
pub enum RunReason {
    /// It is never cached.
    Uncached,
    /// `--force`.
    Forced,
    /// There is no entry, and no output of an earlier run.
    FirstRun,
    /// It has run, but none of its results was one to keep.
    NotStored,
    /// These inputs differ from those of the most recent entry; at least one.
    Changed(Vec<Change>),
    /// The inputs are those of an earlier entry that was evicted, overwritten or damaged, or
    /// whose exit code is not kept now.
    NotKept,
}

/// How a runnable ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub status: Status,
    /// 128 + n for a command that signal n ended.
    pub code: i32,
    /// How long it took; of a replayed one, how long it took when it ran, where that is known.
    pub duration: Option<Duration>,
    pub log: Log,
    /// Why it did not run or could not be started.
    pub error: Option<Box<Diagnostic>>,
}

/// Where a runnable's output is to be read: first the file, then the rest.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The file below `._qik/out`; `None` if it has no output or none could be written.
    pub path: Option<PathBuf>,
    /// That file, still open: another process may have put its own in the place meanwhile.
    pub file: Option<Arc<File>>,
    /// What could not be written to the file, as far as it is kept.
    pub rest: Arc<[u8]>,
}

/// What became of a runnable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Pending,
    /// It ran and its exit code was 0.
    Succeeded,
    /// It ran and failed, or could not be started.
    Failed,
    /// An entry was replayed whose exit code is 0.
    Replayed,
    /// An entry was replayed whose exit code is not 0.
    ReplayedFailure,
    /// Something upstream failed, or the run was stopped before its turn.
    Skipped,
    /// It was running when the run was stopped.
    Interrupted,
}

impl Status {
    /// Whether downstreams may start.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Replayed)
    }

    /// Whether the result came from a cache.
    pub fn is_cached(self) -> bool {
        matches!(self, Self::Replayed | Self::ReplayedFailure)
    }
}

/// A finished run in numbers.
#[derive(Debug, Clone, Default)]
pub struct RunSummary {
    /// By runnable, in the order of [`Event::RunStarted`].
    pub statuses: Vec<Status>,
    /// The run's exit code: the highest of its runnables', or that of the signal that ended it.
    pub code: i32,
    pub duration: Duration,
    /// The run time of all that was replayed, where it is known.
    pub saved: Duration,
    /// The signal that ended the run.
    pub signal: Option<i32>,
}
