//! Results by digest.
//!
//! A cache never fails a run: what cannot be read is a [`Lookup::Miss`] that says why, what
//! cannot be stored is a warning. Nothing here knows a runnable's declaration: it gets a
//! [`Key`], and gives a [`Hit`] or takes a [`NewEntry`].

mod artifacts;
mod attached;
mod blobs;
mod bounds;
mod collect;
mod content;
mod entry;
mod evict;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hit;
mod local;
mod lock;
mod memo;
mod pattern;
mod policy;
mod private;
mod reach;
mod remote;
mod replays;
mod repo;
mod restore;
mod slug;
mod staging;
mod stores;
mod warning;

#[cfg(test)]
mod tests;

use std::fs::File;

pub use artifacts::{Artifact, ArtifactKind, Manifest};
pub use collect::collect;
pub use content::Content;
pub use hit::{Hit, LogReader, Restored};
pub use local::Local;
pub use lock::{Claim, Claims};
pub use memo::Memo;
pub use pattern::check_pattern;
pub use policy::is_worth_keeping;
pub use private::prepare_private;
pub use remote::{Expected, Keys, Mode, S3Settings, Secret, Tiered};
pub use replays::{RECALL_COUNT_MIN, Replayed};
pub use repo::{Publication, Publish, Shared};
pub use slug::slug;
pub use stores::Stores;

use crate::error::Diagnostic;
use crate::hash::{ArtifactList, Digest, Document};
use crate::plan::RunnableName;
use crate::sys::folder::FileStamp;

/// What an entry is found by.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    pub runnable: &'a RunnableName,
    /// The command's name: the folder of the repo cache.
    pub command: &'a str,
    pub digest: Digest,
}

/// What a lookup gives.
#[derive(Debug)]
pub enum Lookup {
    Hit(Box<Hit>),
    Miss(Miss),
}

/// Why there is no hit.
#[derive(Debug)]
pub enum Miss {
    /// Nothing is stored under the key.
    Absent,
    /// Something is there, but cannot be trusted; the warning says what and why.
    Damaged(Diagnostic),
}

/// A result to be stored: made from a finished unit alone.
#[derive(Debug)]
pub struct NewEntry<'a> {
    pub code: i32,
    pub duration: std::time::Duration,
    /// The log, to be read from its beginning.
    pub log: &'a mut File,
    /// What the command made, as [`collect()`] found it.
    pub artifacts: &'a Manifest,
    /// All inputs, to say later what differs.
    pub fingerprint: &'a Document,
}

/// Where entries are kept.
///
/// All methods block but for [`Store::expect`] and [`Store::hurry`]. A remote tier is one of these in front of [`Local`]: see [`Tiered`].
pub trait Store: Send + Sync {
    /// The entry of a key, its manifest checked, nothing restored.
    fn lookup(&self, key: Key<'_>) -> Lookup;

    /// The same, right after a miss, for an entry that another process in this checkout may have
    /// stored meanwhile.
    fn look_again(&self, key: Key<'_>) -> Lookup {
        self.lookup(key)
    }

    /// The last replay of a key's runnable, if its entry is still the one that was read then.
    /// Whether its output file is, too, is for the caller to see.
    fn recall(&self, _key: Key<'_>) -> Option<Replayed> {
        None
    }

    /// A hit was replayed, and nothing had to be written; `output` is the file that holds its log.
    fn learn(&self, _key: Key<'_>, _hit: &Hit, _output: FileStamp) {}

    /// Puts an entry in. Errors are for the caller to show as a warning.
    fn store(&self, key: Key<'_>, entry: NewEntry<'_>) -> Result<(), Diagnostic>;

    /// The fingerprint of the runnable's most recent entry, to say what has changed since.
    fn latest(&self, runnable: &RunnableName, command: &str) -> Option<Document>;

    /// What is stored under some keys, as cheaply as it can be told, without keeping any of it.
    /// Only what keeps it from being told at all is worth a warning.
    fn peek(&self, asks: &[Ask<'_>], _warnings: &mut Vec<Diagnostic>) -> Vec<Option<Peek>> {
        let peek = |ask: &Ask<'_>| {
            if let Some(Replayed { code, .. }) = self.recall(ask.key) {
                let artifacts = Some(ArtifactList::default());
                return Some(Peek { code: i32::from(code), artifacts });
            }
            match self.lookup(ask.key) {
                Lookup::Hit(hit) => {
                    Some(Peek { code: hit.code, artifacts: Some(hit.manifest().to_list()) })
                }
                Lookup::Miss(_) => None,
            }
        };
        asks.iter().map(peek).collect()
    }

    /// A key is about to be looked up: what takes time may begin.
    fn expect(&self, _key: Key<'_>) {}

    /// Whether lookups have to wait for another machine, as far as this run has seen.
    fn looks_elsewhere(&self) -> bool {
        false
    }

    /// Whether it may have to wait for another machine; [`Store::finish`] sends what other caches
    /// keep then.
    fn is_remote(&self) -> bool {
        false
    }

    /// Called when nothing more will be stored: finishes what runs in the background and keeps
    /// the bounds. Gives warnings.
    fn finish(&self) -> Vec<Diagnostic>;

    /// The run is being stopped: whoever waits for something elsewhere, in a lookup or in
    /// [`Store::finish`], waits no longer.
    fn hurry(&self) {}
}

/// A question of what is stored.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub key: Key<'a>,
    /// Whether the artifacts are of interest: a remote is asked for more.
    pub needs_artifacts: bool,
}

/// What is known of an entry that was not looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    pub code: i32,
    /// `None` if they were not asked for.
    pub artifacts: Option<ArtifactList>,
}
