//! The distributions of an environment, in the order in which Python finds them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use toml::de::DeTable;

use super::listing::Metadata;
use super::modules::ModuleIndex;
use super::{Listing, normalized, pth};
use crate::sys::fs;

/// More folders than this are not what `.pth` files are for.
const FOLDER_COUNT_MAX: usize = 4096;

/// Bound of a source tree's `pyproject.toml`.
const PYPROJECT_BYTES_MAX: u64 = 1 << 20;

/// What is installed in an environment.
#[derive(Debug)]
pub struct Distributions {
    /// The first that has a distribution wins.
    listings: Vec<Arc<Listing>>,
    modules: OnceLock<ModuleIndex>,
    /// By normalized name: what was asked for once.
    versions: Mutex<BTreeMap<String, Option<String>>>,
}

impl Distributions {
    /// What is installed in these folders and in those that their `.pth` files name. `list` gives
    /// the listing of a folder, which several environments may share.
    pub fn load(site_packages: &[PathBuf], list: impl Fn(&Path) -> Arc<Listing>) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut listings = Vec::new();
        for site in site_packages.iter().filter(|site| !is_repeated(site_packages, site)) {
            let listing = list(site);
            let named = listing.pth_files().iter().flat_map(|file| pth::folders(file));
            folders.extend(named.filter(|folder| !site_packages.contains(folder)));
            listings.push(listing);
        }
        folders.truncate(FOLDER_COUNT_MAX);
        let mut seen = std::collections::BTreeSet::new();
        listings.extend(folders.iter().filter(|it| seen.insert(*it)).map(|folder| list(folder)));
        Self { listings, modules: OnceLock::new(), versions: Mutex::default() }
    }

    /// The version of a distribution, in any spelling of its name.
    ///
    /// Where an installer has left several versions in one folder, Python takes any of them; then
    /// all of them are the version, so that a change of any is one.
    pub fn version(&self, name: &str) -> Option<String> {
        let name = normalized(name);
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.entry(name).or_insert_with_key(|name| self.find_version(name)).clone()
    }

    fn find_version(&self, name: &str) -> Option<String> {
        let found = self.listings.iter().find_map(|listing| listing.find(name))?;
        let mut versions: Vec<String> = found.iter().filter_map(version).collect();
        versions.sort();
        versions.dedup();
        (!versions.is_empty()).then(|| versions.join(", "))
    }

    /// The normalized names of the distributions that an import is from, sorted; none if no
    /// distribution has such a module.
    ///
    /// `import` may have dots: where distributions share a top-level package, those are meant
    /// that have the longest part of it.
    pub fn distributions_of(&self, import: &str) -> Vec<String> {
        let index = self.modules.get_or_init(|| {
            let mut all: BTreeMap<&str, &Metadata> = BTreeMap::new();
            for (name, metadata) in self.listings.iter().flat_map(|listing| listing.iter()) {
                all.entry(name).or_insert(metadata);
            }
            ModuleIndex::new(all)
        });
        index.distributions_of(import)
    }
}

fn is_repeated(site_packages: &[PathBuf], site: &PathBuf) -> bool {
    let first = site_packages.iter().position(|other| other == site);
    first.is_some_and(|first| !std::ptr::eq(&raw const site_packages[first], site))
}

/// The parts of `direct_url.json` that say what was installed.
#[derive(Debug, Deserialize)]
struct DirectUrl {
    url: String,
    #[serde(default)]
    dir_info: DirInfo,
    vcs_info: Option<VcsInfo>,
}

#[derive(Debug, Default, Deserialize)]
struct DirInfo {
    #[serde(default)]
    editable: bool,
}

#[derive(Debug, Deserialize)]
struct VcsInfo {
    commit_id: String,
}

/// A version as far as it tells contents apart: of a checkout the commit counts, and of an
/// editable installation the version that its sources have now.
fn version(metadata: &Metadata) -> Option<String> {
    let version = metadata.version()?;
    let direct = metadata.read("direct_url.json");
    let Some(direct) = direct.and_then(|text| serde_json::from_str::<DirectUrl>(&text).ok()) else {
        return Some(version);
    };
    if let Some(vcs) = direct.vcs_info {
        return Some(format!("{version} ({})", vcs.commit_id));
    }
    let source = direct.dir_info.editable.then(|| source_version(&direct.url)).flatten();
    Some(source.unwrap_or(version))
}

/// The version that `pyproject.toml` declares in the folder of a `file:` URL.
fn source_version(url: &str) -> Option<String> {
    let path = percent_decoded(url.strip_prefix("file://")?)?;
    let file = Path::new(&path).join("pyproject.toml");
    let bytes = fs::read_bounded(&file, PYPROJECT_BYTES_MAX).ok()?;
    let document = DeTable::parse(std::str::from_utf8(&bytes).ok()?).ok()?;
    let document = document.get_ref();
    let poetry = document.get("tool").and_then(|tool| tool.get_ref().get("poetry"));
    let mut tables = [document.get("project"), poetry].into_iter().flatten();
    tables.find_map(|table| Some(table.get_ref().get("version")?.get_ref().as_str()?.to_owned()))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
