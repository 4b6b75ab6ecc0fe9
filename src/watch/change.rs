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

    /// Whether no input is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.files.is_disjoint(&other.files) && self.settings.is_disjoint(&other.settings)
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

/// How a path was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Some of it was written.
    Written,
    /// Whoever wrote it is done.
    Closed,
    /// Something whole was put in its place, or all that is known is that it differs.
    Replaced,
    /// Anything else: it is gone, or has another mode.
    Other,
}

/// How often each input was saved while something went on: one save in many small writes is one,
/// and two saves are two, however quickly they follow each other.
#[derive(Debug, Clone, Default)]
pub struct Saves(BTreeMap<String, Saved>);

#[derive(Debug, Clone, Copy, Default)]
struct Saved {
    count: u32,
    is_open: bool,
}

impl Saves {
    /// Counts a touch of an input.
    pub fn note(&mut self, input: String, touch: Touch) {
        let saved = self.0.entry(input).or_default();
        match touch {
            Touch::Written => saved.is_open = true,
            // What was written before anybody counted is not counted now.
            Touch::Closed => saved.count += u32::from(std::mem::take(&mut saved.is_open)),
            Touch::Replaced => saved.count += 1,
            Touch::Other => {}
        }
    }

    /// How often an input was saved.
    pub fn of(&self, input: &str) -> u32 {
        self.0.get(input).map_or(0, |saved| saved.count + u32::from(saved.is_open))
    }
}

#[cfg(test)]
mod tests {
    use super::Touch::{Closed, Other, Replaced, Written};
    use super::{Saves, Touch};

    #[track_caller]
    fn check(touches: &[Touch], expected: u32) {
        let mut saves = Saves::default();
        for touch in touches {
            saves.note("a".to_owned(), *touch);
        }
        assert_eq!(saves.of("a"), expected);
    }

    #[test]
    fn a_save_is_one_however_it_is_made() {
        check(&[], 0);
        check(&[Written, Written, Closed], 1);
        check(&[Other, Replaced, Other], 1);
        check(&[Written], 1);
    }

    #[test]
    fn two_saves_are_two() {
        check(&[Written, Closed, Written, Closed], 2);
        check(&[Written, Closed, Replaced], 2);
    }

    #[test]
    fn the_end_of_an_earlier_save_is_none() {
        check(&[Closed], 0);
        check(&[Closed, Written, Closed], 1);
    }
}
