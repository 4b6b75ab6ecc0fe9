//! Results shared between machines: a remote tier behind the local one.
//!
//! ```text
//! tiers      local first; on a miss one request, kept locally; each result sent in the background
//! fetches    what is asked for, before and while it is needed
//! uploads    what is sent while the run goes on
//! link       one remote, guarded: what goes wrong there is a miss, and said once
//! breaker    when to leave a remote alone for the rest of the run
//! failure    what went wrong, in words, with what to do
//! archive    an entry as one object: packed, and unpacked without trusting any of it
//! s3         the only folder that knows AWS
//! ```
//!
//! A remote never fails a run, and never makes it wait for long: whatever goes wrong is a miss,
//! with one warning. What it sends is believed only if it is what its own digests say, and if it
//! could have been made here. Nothing is ever listed.

mod archive;
mod breaker;
mod failure;
mod fetches;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod link;
mod object;
mod pool;
mod s3;
mod settings;
mod signature;
mod tiers;
mod uploads;

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use settings::{Expected, Keys, Mode, S3Settings, Secret};
pub use tiers::Tiered;

use super::Key;
use crate::hash::Digest;
use crate::plan::RunnableName;
use failure::Failure;

/// Objects by name, somewhere else. All methods block, each for a bounded time.
trait Remote: Debug + Send + Sync {
    /// The bytes of an object, as they arrive; `None` if there is none.
    fn fetch(&self, object: &str) -> Result<Option<Box<dyn Read + Send>>, Failure>;

    /// What is known of an object without its bytes; `None` if there is none.
    fn look(&self, object: &str) -> Result<Option<Label>, Failure>;

    /// Sends a file.
    fn send(&self, object: &str, upload: &Upload<'_>) -> Result<(), Failure>;
}

/// What is said of an object beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Label {
    /// The entry's exit code; `None` where it is not said.
    code: Option<i32>,
}

/// An object to be sent.
#[derive(Debug)]
struct Upload<'a> {
    file: &'a Path,
    code: i32,
    overwrite: Overwrite,
    /// Counts the bytes that are on their way.
    moved_bytes: &'a Arc<AtomicU64>,
}

/// What to do where there is an object already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overwrite {
    /// It is as good: the same inputs made it.
    No,
    /// It was refused, or is not wanted.
    Yes,
}

/// A [`Key`] that can be kept.
#[derive(Debug, Clone)]
struct OwnedKey {
    runnable: RunnableName,
    command: String,
    digest: Digest,
}

impl OwnedKey {
    fn new(key: Key<'_>) -> Self {
        let Key { runnable, command, digest } = key;
        Self { runnable: runnable.clone(), command: command.to_owned(), digest }
    }

    fn as_key(&self) -> Key<'_> {
        Key { runnable: &self.runnable, command: &self.command, digest: self.digest }
    }
}
