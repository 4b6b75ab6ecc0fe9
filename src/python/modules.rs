//! Imported modules → the distributions that have them, by `top_level.txt`, else by `RECORD`.
//!
//! Built when the first import is asked for: it reads a file of each distribution.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::listing::{METADATA_BYTES_MAX, Metadata};
use super::pth;
use crate::sys::fs;

/// Bound of a `RECORD`; the largest distributions have some ten thousand files.
const RECORD_BYTES_MAX: u64 = 16 * METADATA_BYTES_MAX;

/// Top-level modules with the distributions that have them.
#[derive(Debug)]
pub(super) struct ModuleIndex {
    /// By top-level module: normalized names.
    by_top_level: BTreeMap<String, BTreeSet<String>>,
    /// By normalized name.
    metadata: BTreeMap<String, PathBuf>,
}

impl ModuleIndex {
    pub(super) fn new(distributions: BTreeMap<&str, &Metadata>) -> Self {
        let mut by_top_level: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, metadata) in &distributions {
            for module in top_levels(metadata) {
                by_top_level.entry(module).or_default().insert((*name).to_owned());
            }
        }
        let paths = distributions.into_iter().map(|(name, it)| (name.to_owned(), it.path.clone()));
        Self { by_top_level, metadata: paths.collect() }
    }

    /// See [`super::Distributions::distributions_of`].
    pub(super) fn distributions_of(&self, import: &str) -> Vec<String> {
        let top_level = import.split('.').next().unwrap_or(import);
        let Some(found) = self.by_top_level.get(top_level) else { return Vec::new() };
        if found.len() < 2 || top_level == import {
            return found.iter().cloned().collect();
        }
        let depths: Vec<(usize, &String)> =
            found.iter().map(|name| (self.depth(name, import), name)).collect();
        let deepest = depths.iter().map(|(depth, _)| *depth).max().unwrap_or_default();
        let all = depths.into_iter().filter(|(depth, _)| *depth == deepest);
        all.map(|(_, name)| name.clone()).collect()
    }

    /// How many parts of an import a distribution has files for.
    fn depth(&self, name: &str, import: &str) -> usize {
        let Some(text) = self.metadata.get(name).and_then(|path| read_record(path)) else {
            return 1;
        };
        let paths: Vec<Vec<&str>> = recorded(&text).map(|path| path.split('/').collect()).collect();
        let parts: Vec<&str> = import.split('.').collect();
        let has = |count: usize| {
            paths.iter().any(|path| {
                let (Some(folders), Some(last)) = (path.get(..count - 1), path.get(count - 1))
                else {
                    return false;
                };
                let is_folder = path.len() > count;
                folders == &parts[..count - 1]
                    && (is_folder && *last == parts[count - 1]
                        || !is_folder && module_name(last) == Some(parts[count - 1]))
            })
        };
        (1..=parts.len()).rev().find(|count| has(*count)).unwrap_or_default()
    }
}

/// The top-level modules of a distribution.
fn top_levels(metadata: &Metadata) -> BTreeSet<String> {
    if let Some(text) = metadata.read("top_level.txt") {
        // Old ones name submodules of namespace packages with slashes.
        let lines = text.lines().map(|line| line.trim().split('/').next().unwrap_or_default());
        let names: BTreeSet<String> =
            lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if !names.is_empty() {
            return names;
        }
    }
    let Some(text) = read_record(&metadata.path) else { return BTreeSet::new() };
    let site = metadata.path.parent().unwrap_or(Path::new("/"));
    let mut names = BTreeSet::new();
    for path in recorded(&text) {
        match path.split_once('/') {
            Some((folder, rest)) if is_identifier(folder) => {
                let is_module = module_name(rest.rsplit('/').next().unwrap_or(rest)).is_some();
                if is_module && folder != "__pycache__" {
                    names.insert(folder.to_owned());
                }
            }
            Some(_) => {}
            None if Path::new(path).extension() == Some(OsStr::new("pth")) => {
                let folders = pth::folders(&site.join(path));
                names.extend(folders.iter().flat_map(|folder| modules_in(folder)));
            }
            None => names.extend(module_name(path).map(str::to_owned)),
        }
    }
    names
}

/// The list of installed files: `RECORD`, or for an egg what it was made from.
fn read_record(metadata: &Path) -> Option<String> {
    let read = |name: &str| fs::read_bounded(&metadata.join(name), RECORD_BYTES_MAX).ok();
    let bytes = read("RECORD").or_else(|| read("installed-files.txt"))?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The paths of a `RECORD`, relative to the folder of the metadata.
fn recorded(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| match line.strip_prefix('"') {
            // A path with a comma in it is quoted; a quote in it is doubled, and no module's.
            Some(quoted) => quoted.split('"').next(),
            None => line.split(',').next(),
        })
        .map(|path| path.strip_prefix("../").filter(|it| !it.starts_with("../")).unwrap_or(path))
}

/// What a file is imported as; `None` for one that is no module.
fn module_name(file_name: &str) -> Option<&str> {
    let (stem, rest) = file_name.split_once('.')?;
    let is_module = matches!(rest, "py" | "pyi" | "pyc")
        || Path::new(rest).extension().is_some_and(|it| it == "so" || it == "pyd")
        || matches!(rest, "so" | "pyd");
    (is_module && is_identifier(stem)).then_some(stem)
}

/// The modules and packages of a folder of sources.
fn modules_in(folder: &Path) -> Vec<String> {
    let paths = fs::list(folder).unwrap_or_default();
    let names = paths.iter().filter_map(|path| {
        let name = path.file_name().and_then(OsStr::to_str)?;
        if path.is_dir() {
            return (is_identifier(name) && name != "__pycache__").then_some(name);
        }
        module_name(name)
    });
    names.map(str::to_owned).collect()
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Distributions, Listing};
    use super::*;

    fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
        let temporary = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = temporary.path().join(path);
            fs::create_folder(file.parent().unwrap()).unwrap();
            fs::write_atomic(&file, text.as_bytes()).unwrap();
        }
        temporary
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[(&str, &[&str])]) {
        let site = site(files);
        let folders = [site.path().to_path_buf()];
        let distributions = Distributions::load(&folders, |it| Arc::new(Listing::of(it)));
        for (import, names) in expected {
            assert_eq!(distributions.distributions_of(import), *names, "{import}");
        }
    }

    #[test]
    fn declared_modules_go_before_recorded_files() {
        check(
            &[
                ("PyYAML-6.0.dist-info/top_level.txt", "_yaml\nyaml\n"),
                ("PyYAML-6.0.dist-info/RECORD", "yaml/__init__.py,,\nunseen.py,,\n"),
                ("Old-1.0.egg-info/top_level.txt", "old/inner\n"),
                ("no.dist-info/RECORD", "no/data.txt,,\n"),
            ],
            &[
                ("yaml", &["pyyaml"]),
                ("yaml.loader", &["pyyaml"]),
                ("unseen", &[]),
                ("old", &["old"]),
                ("no", &[]),
            ],
        );
    }

    #[test]
    fn recorded_files_say_the_modules() {
        let record = "\
            flask/__init__.py,sha256=x,1\nflask/sub/deep.py,,\nsingle.py,,\n\
            fast.cpython-312-x86_64-linux-gnu.so,,\nplain.so,,\nstubs/only.pyi,,\n\
            \"odd,name/x.py\",,\n../../../bin/flask,,\nFlask-3.0.dist-info/METADATA,,\n\
            data/readme.txt,,\n__pycache__/single.cpython-312.pyc,,\n";
        check(
            &[("Flask-3.0.dist-info/RECORD", record)],
            &[
                ("flask", &["flask"]),
                ("single", &["flask"]),
                ("fast", &["flask"]),
                ("plain", &["flask"]),
                ("stubs", &["flask"]),
                ("data", &[]),
                ("bin", &[]),
                ("__pycache__", &[]),
            ],
        );
    }

    #[test]
    fn shared_packages_are_told_apart_by_their_parts() {
        check(
            &[
                ("google_storage-1.dist-info/RECORD", "google/cloud/storage/__init__.py,,\n"),
                ("google_auth-2.dist-info/RECORD", "google/auth/__init__.py,,\ngoogle/one.py,,\n"),
            ],
            &[
                ("google", &["google-auth", "google-storage"]),
                ("google.cloud.storage.blob", &["google-storage"]),
                ("google.auth", &["google-auth"]),
                ("google.one", &["google-auth"]),
                ("google.other", &["google-auth", "google-storage"]),
            ],
        );
    }

    #[test]
    fn editable_sources_have_the_modules_that_are_there() {
        check(
            &[
                ("mine-1.dist-info/RECORD", "_mine.pth,,\nmine-1.dist-info/METADATA,,\n"),
                ("_mine.pth", "source\n"),
                ("source/mine/__init__.py", ""),
                ("source/also.py", ""),
            ],
            &[("mine", &["mine"]), ("also", &["mine"]), ("source", &[])],
        );
    }
}
