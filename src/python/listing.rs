//! One folder of distributions, listed once: the names of metadata folders hold the versions, so
//! that no metadata is read for what nobody asks for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::name::split_stem;
use super::normalized;
use crate::sys::fs;

/// Bound of the metadata that is read; real ones are a few KiB of headers and a readme.
pub(super) const METADATA_BYTES_MAX: u64 = 4 << 20;

/// The distributions of one folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// By normalized name; several where an installation left an older one behind.
    found: BTreeMap<String, Vec<Metadata>>,
    /// The `.pth` files, in the order in which Python reads them.
    pth_files: Vec<PathBuf>,
}

/// A distribution's metadata: a folder, or the file of an old one.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) path: PathBuf,
    /// As the name of the folder says it.
    version: Option<String>,
}

impl Listing {
    /// What a folder holds; one that is not there holds nothing.
    pub fn of(folder: &Path) -> Self {
        let mut listing = Self::default();
        for path in fs::list(folder).unwrap_or_default() {
            let Some(file_name) = path.file_name().and_then(OsStr::to_str) else { continue };
            if path.extension() == Some(OsStr::new("pth")) {
                listing.pth_files.push(path);
            } else if let Some((name, version)) = name_and_version(file_name, folder) {
                let metadata = Metadata { path, version };
                listing.found.entry(normalized(&name)).or_default().push(metadata);
            }
        }
        listing
    }

    /// The metadata under a normalized name.
    pub(super) fn find(&self, name: &str) -> Option<&[Metadata]> {
        self.found.get(name).map(Vec::as_slice)
    }

    /// All of it, with normalized names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Metadata)> {
        self.found.iter().flat_map(|(name, all)| all.iter().map(|it| (name.as_str(), it)))
    }

    pub(super) fn pth_files(&self) -> &[PathBuf] {
        &self.pth_files
    }
}

impl Metadata {
    /// The version, from the name of the folder if that says it, else from what is in it.
    pub(super) fn version(&self) -> Option<String> {
        self.version.clone().or_else(|| {
            let inside = ["METADATA", "PKG-INFO"].map(|name| self.path.join(name));
            let mut places = inside.iter().chain([&self.path]);
            places.find_map(|path| header(path, "Version"))
        })
    }

    /// A file of the metadata folder; `None` if there is none.
    pub(super) fn read(&self, name: &str) -> Option<String> {
        let bytes = fs::read_bounded(&self.path.join(name), METADATA_BYTES_MAX).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What a metadata folder or file is named after. The `EGG-INFO` of an egg is named after the egg.
fn name_and_version(file_name: &str, folder: &Path) -> Option<(String, Option<String>)> {
    let suffix = |name: &str| {
        [".dist-info", ".egg-info"].iter().find_map(|it| name.strip_suffix(it).map(str::to_owned))
    };
    let stem = if file_name == "EGG-INFO" {
        folder.file_name()?.to_str()?.strip_suffix(".egg")?.to_owned()
    } else {
        suffix(file_name)?
    };
    let (name, version) = split_stem(&stem);
    // Installers leave `~ame-1.0.dist-info` behind when they are killed.
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    is_name.then(|| (name.to_owned(), version.map(str::to_owned)))
}

/// A header of a metadata file.
fn header(path: &Path, name: &str) -> Option<String> {
    let bytes = fs::read_bounded(path, METADATA_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut headers = text.lines().take_while(|line| !line.is_empty());
    let value = headers.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(value.trim().to_owned())
}
