//! What may have changed, as it was noticed. Pure.
//!
//! A [`Change`] is a reason to look, never a fact: whether something did change is decided by
//! content, when things have settled.

use std::collections::{BTreeMap, BTreeSet};

/// Something that was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A tracked file; relative to the git root.
    File(Vec<u8>),
    /// A file that counts whether it is tracked or not, as the configuration names it.
    Setting(String),
    /// The record of an installed distribution.
    Distributions,
    /// The index: files may have become tracked, or no longer be.
    Index,
    /// A file of the configuration.
    Configuration(String),
    /// There is more or less to be watched.
    Folders,
    /// Folders with tracked files came or went, or notices were lost: everything is possible.
    Anything,
}

/// Changes that settled together.
#[expect(clippy::struct_excessive_bools, reason = "each is noticed for itself")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Relative to the git root.
    pub files: BTreeSet<Vec<u8>>,
    pub settings: BTreeSet<String>,
    pub configuration: BTreeSet<String>,
    pub has_distributions: bool,
    pub has_index: bool,
    pub has_folders: bool,
    pub is_anything: bool,
}

impl Batch {
    /// Adds a change.
    pub fn add(&mut self, change: Change) {
        match change {
            Change::File(path) => drop(self.files.insert(path)),
            Change::Setting(path) => drop(self.settings.insert(path)),
            Change::Configuration(path) => drop(self.configuration.insert(path)),
            Change::Distributions => self.has_distributions = true,
            Change::Index => self.has_index = true,
            Change::Folders => self.has_folders = true,
            Change::Anything => {
                self.has_folders = true;
                self.is_anything = true;
            }
        }
    }

    /// Adds the changes of another batch.
    pub fn join(&mut self, other: Self) {
        self.files.extend(other.files);
        self.settings.extend(other.settings);
        self.configuration.extend(other.configuration);
        self.has_distributions |= other.has_distributions;
        self.has_index |= other.has_index;
        self.has_folders |= other.has_folders;
        self.is_anything |= other.is_anything;
    }

    /// Whether tracked files are all that changed, and are named.
    pub fn is_plain(&self) -> bool {
        let files = self.files.clone();
        *self == Self { files, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// In how many batches each input changed while something went on; batches are as far apart as it
/// takes to settle, so two saves are two, and one save in many small writes is one.
#[derive(Debug, Clone, Default)]
pub struct Bursts(BTreeMap<String, u32>);

impl Bursts {
    /// Counts the inputs of a batch.
    pub fn count(&mut self, inputs: impl IntoIterator<Item = String>) {
        for input in inputs {
            *self.0.entry(input).or_default() += 1;
        }
    }

    /// How many batches had the input.
    pub fn of(&self, input: &str) -> u32 {
        self.0.get(input).copied().unwrap_or_default()
    }
}
