//! What a result depends on.
//!
//! A [`Fingerprint`] holds all inputs of a runnable; its [`Digest`] is the key of the caches, and
//! its [`Document`] is kept with the entry, so that it can be said later what differs.

mod deps;
mod digest;
mod encode;
mod explain;
mod file_list;
mod fingerprint;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod graph_result;
mod imports;
mod installed;
mod reach;
mod world;

pub use digest::{Digest, NotADigest};
pub use explain::{Change, diff};
pub use file_list::FileList;
pub use fingerprint::{Document, Files, Fingerprint, Inputs, VERSION};
pub use graph_result::GraphResult;
pub use imports::{Imports, unknown_module};
pub use installed::PydistRules;
pub use reach::Reach;
pub use world::{ArtifactList, World};
