//! The git index as it was read.

use std::borrow::Cow;

/// The index.
#[derive(Debug)]
pub struct IndexSnapshot {}

impl IndexSnapshot {
    /// The path of an entry relative to the project root.
    pub fn project_path(&self, entry: u32) -> Cow<'_, [u8]> {
        unreachable!("{entry}")
    }
}
