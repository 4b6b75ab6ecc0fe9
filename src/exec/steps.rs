//! What a unit needs of the world and of the caches, as a narrow seam: tests put a fake here.
//!
//! All of it blocks and is called off the run loop.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use crate::config::CacheWhen;
use crate::error::{Diagnostic, RunnableError};
use crate::hash::{ArtifactList, Digest, Document, Fingerprint};
use crate::plan::Runnable;
use crate::sys::Env;

/// The steps of a unit that are not the run of its command.
pub trait Steps: Debug + Send + Sync + 'static {
    type Hit: StoredResult;
    type Artifacts: Artifacts;

    /// The environment of the runnable's space.
    fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError>;

    /// All inputs of the runnable as they are now.
    fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError>;

    /// A command has written, or may have: what was seen of the files may no longer hold.
    fn forget_files(&self);

    /// Looks into the runnable's cache.
    fn lookup(&self, runnable: &Runnable, digest: Digest) -> Found<Self::Hit>;

    /// Brings the artifacts of a hit back to the project.
    fn restore(&self, hit: &Self::Hit) -> Result<Restored<Self::Artifacts>, Diagnostic>;

    /// The inputs of the runnable's most recent entry.
    fn latest(&self, runnable: &Runnable) -> Option<Document>;

    /// What artifact patterns match on disk.
    fn collect(&self, patterns: &[String]) -> Result<Self::Artifacts, Diagnostic>;

    /// Whether a result is one to keep; `is_killed` if a signal ended the command.
    fn is_worth_keeping(&self, when: CacheWhen, code: i32, is_killed: bool) -> bool;

    /// Puts a result into the runnable's cache.
    fn store(
        &self,
        runnable: &Runnable,
        digest: Digest,
        result: NewResult<'_, Self::Artifacts>,
    ) -> Result<(), Diagnostic>;

    /// A runnable's command or its replay has ended, and what there was to be stored is stored.
    fn ended(&self, _runnable: &Runnable) {}

    /// Nothing more will be stored. Gives warnings.
    fn finish(&self) -> Vec<Diagnostic>;
}

/// What a lookup gave.
#[derive(Debug)]
pub enum Found<H> {
    Hit(H),
    Absent,
    /// Something is there that cannot be trusted.
    Damaged(Diagnostic),
}

/// A restored hit.
#[derive(Debug)]
pub struct Restored<A> {
    pub artifacts: A,
    /// Whether files of the project were written, and not all were as they should be already.
    pub has_written: bool,
}

/// A hit.
pub trait StoredResult: Debug + Send {
    fn code(&self) -> i32;

    fn duration(&self) -> Option<Duration>;

    fn log_size_bytes(&self) -> u64;

    /// The log from its beginning; reading its end fails if it is not what was stored.
    fn open_log(&self) -> Result<Box<dyn Read + '_>, Diagnostic>;
}

/// Files that a command made.
pub trait Artifacts: Debug + Send + Sync {
    fn to_list(&self) -> ArtifactList;

    /// The patterns that match nothing.
    fn unmatched(&self) -> &[String];
}

/// A result to be stored.
#[derive(Debug)]
pub struct NewResult<'a, A> {
    pub code: i32,
    pub duration: Duration,
    /// The log, to be read from its beginning.
    pub log: &'a mut File,
    pub artifacts: &'a A,
    pub fingerprint: &'a Document,
}
