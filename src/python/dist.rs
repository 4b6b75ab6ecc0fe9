//! Installed distributions and their versions, from `*.dist-info` and `*.egg-info`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::sys::fs;

/// Bound of the metadata that is read; real ones are a few KiB of headers and a readme.
const METADATA_BYTES_MAX: u64 = 4 << 20;

/// Versions of distributions by normalized name.
#[derive(Debug, Default)]
pub struct Distributions(BTreeMap<String, String>);

impl Distributions {
    /// What is installed in these folders; the first folder that has a distribution wins.
    pub fn load(site_packages: &[PathBuf]) -> Self {
        let mut versions = BTreeMap::new();
        for path in site_packages.iter().flat_map(|folder| fs::list(folder).unwrap_or_default()) {
            if let Some((name, version)) = name_and_version(&path) {
                versions.entry(normalized(&name)).or_insert(version);
            }
        }
        Self(versions)
    }

    /// The version of a distribution, in any spelling of its name.
    pub fn version(&self, name: &str) -> Option<&str> {
        self.0.get(&normalized(name)).map(String::as_str)
    }
}

/// A distribution's name as PEP 503 compares it: lower case, `-` for runs of `-`, `_` and `.`.
pub fn normalized(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_lowercase());
    }
    normal
}

/// From the name of the metadata's file or folder where it says both, else from what is in it.
fn name_and_version(path: &Path) -> Option<(String, String)> {
    let file_name = path.file_name()?.to_str()?;
    let split = |stem: &str| {
        let mut parts = stem.split('-');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    if let Some(stem) = file_name.strip_suffix(".dist-info") {
        return split(stem).or_else(|| read_metadata(&path.join("METADATA")));
    }
    let stem = file_name.strip_suffix(".egg-info")?;
    split(stem).or_else(|| read_metadata(&path.join("PKG-INFO"))).or_else(|| read_metadata(path))
}

/// The `Name` and `Version` headers of a metadata file.
fn read_metadata(path: &Path) -> Option<(String, String)> {
    let bytes = fs::read_bounded(path, METADATA_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let headers = || text.lines().take_while(|line| !line.is_empty());
    let header = |name: &str| {
        let value = headers().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.map(|value| value.trim().to_owned())
    };
    Some((header("Name")?, header("Version")?))
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn names_are_the_same_in_any_spelling() {
        for name in ["my-linter", "My_Linter", "my.linter", "my--linter", "MY-._LINTER"] {
            assert_eq!(normalized(name), "my-linter");
        }
    }
}
