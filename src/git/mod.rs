//! Everything about git, behind our own types.
//!
//! libgit2 hashes files and answers about refs, trees and settings; its types never leave this
//! folder. The index is read by a reader of our own, since libgit2's takes longer than looking at
//! all files. git's own program is run only where these refuse (an index that is not whole by
//! itself, SHA-256) or would not answer exactly as git does (clean conversions), and to write:
//! `stage.rs` the index, `merge_config.rs` the configuration.
//!
//! A work tree whose files are all clean by their stat data needs nothing but its index.

mod attributes;
mod binary;
mod bracket;
mod clean;
mod configuration;
mod content;
mod conversion;
mod diff;
mod discover;
mod file_set;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod index;
mod index_entry;
mod index_file;
mod index_listing;
mod index_reader;
mod known_trees;
mod library;
mod look;
mod memo;
mod merge;
mod merge_config;
mod pathspec;
mod plain;
mod quote;
mod refs;
mod repo;
mod settings;
mod stage;
mod stat;
mod submodule;
#[cfg(test)]
mod tests;
mod tracked;
mod tree;
mod wildmatch;
mod worktree;

pub use attributes::ensure_attributes;
pub use discover::{find_root, has_much_to_read};
pub use file_set::{BlobId, File, FileMode, FileSet};
pub use index::IndexSnapshot;
pub use merge::keep_own_side;
pub use merge_config::ensure_merge_driver;
pub use pathspec::Patterns;
pub use repo::{Commit, Repo};
pub use stage::intent_to_add;
pub use worktree::Worktree;
