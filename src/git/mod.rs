//! Everything about git, behind our own types: git2's never leave this folder.

mod file_set;
mod index;

pub use file_set::{BlobId, File, FileMode, FileSet};
