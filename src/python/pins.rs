//! Versions that lock files pin: `uv.lock`, `poetry.lock`, `pylock.toml` and the like, or
//! requirements with `==`. Pure.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::normalized;
use super::requirements::logical_lines;

/// Pinned versions by normalized name; several where they depend on the platform.
#[derive(Debug, Default)]
pub struct Pins(BTreeMap<String, BTreeSet<String>>);

impl Pins {
    /// What a lock file pins. What is in it decides what kind of a file it is, since any kind may
    /// have any name.
    pub fn parse(text: &str) -> Self {
        let mut pins = Self::default();
        if text.contains("[[package") {
            pins.add_packages(text);
        }
        if pins.0.is_empty() {
            for line in logical_lines(text) {
                pins.0
                    .extend(pinned(&line).map(|(name, it)| (normalized(name), [it.into()].into())));
            }
        }
        pins
    }

    /// The version of a distribution, in any spelling of its name; all of them where there are
    /// several, so that a change of any is one.
    pub fn version(&self, name: &str) -> Option<String> {
        let versions: Vec<&str> =
            self.0.get(&normalized(name))?.iter().map(String::as_str).collect();
        Some(versions.join(", "))
    }

    /// The normalized names of what is pinned.
    #[cfg(any(test, fuzzing))]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `[[package]]` of uv, poetry and PDM, `[[packages]]` of the standard.
    fn add_packages(&mut self, text: &str) {
        let Ok(document) = DeTable::parse(text) else { return };
        let lists = ["package", "packages"].map(|key| document.get_ref().get(key));
        let lists = lists.into_iter().flatten().filter_map(|list| list.get_ref().as_array());
        for package in lists.flat_map(|list| list.iter()) {
            let package = package.get_ref();
            let text = |key: &str| package.get(key).and_then(|value| value.get_ref().as_str());
            if let (Some(name), Some(version)) = (text("name"), text("version")) {
                self.0.entry(normalized(name)).or_default().insert(version.to_owned());
            }
        }
    }
}

/// The name and version of a requirement that allows one version alone.
fn pinned(line: &str) -> Option<(&str, &str)> {
    let requirement = line.split([';', ' ', '\t']).next()?;
    let requirement = if requirement.contains("==") { requirement } else { line };
    let (name, version) = requirement.split_once("==")?;
    let name = name.split('[').next()?.trim();
    let version = version.trim_start_matches('=').trim_start();
    let version = version.split([';', ' ', '\t', ',']).next()?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (is_name && !version.is_empty() && !version.contains('*')).then_some((name, version))
}
