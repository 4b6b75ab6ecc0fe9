//! Runs a graph of runnables.
//!
//! [`begin()`] looks up what is quickly known to be warm (`first_pass.rs`), and [`Begun::finish`]
//! does the rest. Threads take turns (`turns.rs`) at the state of the run (`run.rs`), most of which
//! is in a pure `scheduler`; a unit (`unit.rs`, `process.rs`, `keep.rs`) is
//!
//! ```text
//! fingerprint → lookup → replay | run → fingerprint again → store
//! ```
//!
//! all of it on one thread, and many units a turn where they are warm. The thread that began the
//! run hears signals meanwhile. All tell the world by [`Event`]s. Nothing here knows a reporter.
//!
//! Whatever ends a run, no command survives it: every command has its own process group, and
//! whoever leaves the run kills those that are left.

mod ancestry;
mod artifacts_seen;
mod channel;
mod event;
mod first_pass;
mod graph_task;
mod groups;
mod input_source;
mod job;
mod keep;
mod log_file;
mod orphans;
mod output;
mod owners;
mod process;
mod run;
mod runtime;
mod scheduler;
mod signals;
mod stop;
mod stopped;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
mod unit;
mod worker;

pub use channel::{EventReceiver, EventSender, Received, event_channel};
pub use event::{Event, Log, Outcome, Planned, RunReason, RunSummary, Status};
pub use input_source::InputSource;
pub use job::{Job, ReadCaches};
pub use output::{folder as output_folder, path as output_path};
pub use run::{Begun, begin, run};
pub use signals::{Request, Signals, listen_to_process, suspend};
