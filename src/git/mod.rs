//! Everything about git, behind our own types.
//!
//! The index file is read here, every other question is git's own to answer: its program is run
//! for refs, trees, clean conversions and whatever index is not a plain one. So no format or
//! extension of git's is unknown to qik, and a work tree whose files are all clean by their stat
//! data needs no git program at all.
//!
//! Only `stage.rs` writes the index, only `merge_config.rs` the configuration.

mod attributes;
mod binary;
mod bracket;
mod content;
mod diff;
mod discover;
mod file_set;
mod index;
mod index_file;
mod index_listing;
mod index_reader;
mod look;
mod merge;
mod merge_config;
mod pathspec;
mod quote;
mod repo;
mod settings;
mod stage;
mod stat;
mod submodule;
#[cfg(test)]
mod tests;
mod tracked;
mod wildmatch;
mod worktree;

pub use attributes::ensure_attributes;
pub use discover::find_root;
pub use file_set::{BlobId, File, FileMode, FileSet};
pub use index::IndexSnapshot;
pub use merge::keep_own_side;
pub use merge_config::ensure_merge_driver;
pub use pathspec::Patterns;
pub use repo::{Commit, Repo};
pub use stage::intent_to_add;
pub use worktree::Worktree;
