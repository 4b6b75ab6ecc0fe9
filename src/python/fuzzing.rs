//! Lock files and what is installed as entry points of fuzzing: in a temporary folder, since it
//! is read from there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::pins::Pins;
use super::{Distributions, Listing, normalized, requirement_files};
use crate::paths::AbsPath;
use crate::sys::fs;

/// What is asked for, whatever there is.
const NAMES: [&str; 4] = ["a", "Ab", "a.b", "flask"];

/// A lock file or requirements, and a file beside it: pins are those of any spelling, and do not
/// depend on what follows; what is included is there once.
pub fn lock_file(files: &[&[u8]]) {
    let text = String::from_utf8_lossy(files.first().copied().unwrap_or_default());
    let pins = Pins::parse(&text);
    for name in NAMES.into_iter().chain(pins.names()) {
        assert_eq!(pins.version(name), pins.version(&name.to_ascii_uppercase()));
    }
    let is_open = text.trim_end_matches('\r').ends_with('\\');
    if !is_open && !text.contains("[[package") {
        let more = Pins::parse(&format!("{text}\nlast-one==1\n"));
        assert_eq!(more.version("last.one").as_deref(), Some("1"));
        for name in pins.names().filter(|name| *name != "last-one") {
            assert_eq!(pins.version(name), more.version(name));
        }
    }
    let Ok(folder) = tempfile::tempdir() else { return };
    let Some(root) = AbsPath::new(folder.path()) else { return };
    for (name, bytes) in ["reqs.txt", "base.txt"].into_iter().zip(files) {
        drop(fs::write_atomic(root.join(name).as_path(), bytes));
    }
    let found = requirement_files(&root, "./reqs.txt");
    assert_eq!(found.first().map(String::as_str), Some("reqs.txt"));
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
}

/// The files of `site-packages`, each with its path in the first line.
pub fn environment(files: &[&[u8]]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    for file in files {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let Ok(path) = std::str::from_utf8(&file[..end]) else { continue };
        let is_below = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if path.split('/').all(is_below) {
            let path = folder.path().join(path);
            let made = path.parent().map_or(Ok(()), fs::create_folder);
            let text = file.get(end + 1..).unwrap_or_default();
            drop(made.and_then(|()| fs::write_atomic(&path, text)));
        }
    }
    let list = |path: &Path| Arc::new(Listing::of(path));
    let installed = Distributions::load(&[folder.path().to_path_buf()], list);
    let listing = Listing::of(folder.path());
    for name in NAMES.into_iter().chain(listing.iter().map(|(name, _)| name)) {
        assert_eq!(installed.version(name), installed.version(&normalized(name)));
        for import in [name.to_owned(), format!("{name}.b")] {
            let found = installed.distributions_of(&import);
            assert!(found.is_sorted_by(|one, two| one < two), "{found:?}");
        }
    }
}
