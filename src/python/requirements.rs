//! Files of requirements: their lines, and the other files that they stand for.

use std::collections::BTreeSet;

use crate::paths::AbsPath;
use crate::sys::fs;

/// Bound of a file of requirements; the largest locks have some ten thousand lines.
const REQUIREMENTS_BYTES_MAX: u64 = 16 << 20;

/// More files than this are a mistake.
const FILE_COUNT_MAX: usize = 256;

/// What says in a folder of sources which requirements they have.
const SOURCE_FILES: [&str; 3] = ["pyproject.toml", "setup.cfg", "setup.py"];

/// The options that name another file of requirements or of constraints.
const INCLUDING: [&str; 4] = ["--requirement", "--constraint", "-r", "-c"];

/// The options that name a folder of sources.
const EDITABLE: [&str; 2] = ["--editable", "-e"];

/// What a file of requirements names beside distributions.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    /// Other files of requirements, relative to this one.
    files: Vec<String>,
    /// Folders of sources, relative to where the installer is started.
    folders: Vec<String>,
}

/// The files that decide what a file of requirements asks for, the file itself first: those that
/// it includes, and what says the requirements of local sources. Relative to the root.
pub fn requirement_files(root: &AbsPath, path: &str) -> Vec<String> {
    let mut found = vec![tidy(path)];
    let mut seen: BTreeSet<String> = found.iter().cloned().collect();
    let mut next = 0;
    while next < found.len() && found.len() < FILE_COUNT_MAX {
        let path = found[next].clone();
        next += 1;
        let file_name = path.rsplit('/').next().unwrap_or(&path);
        if SOURCE_FILES.contains(&file_name) {
            continue;
        }
        let Ok(bytes) = fs::read_start(root.join(&path).as_path(), REQUIREMENTS_BYTES_MAX) else {
            continue;
        };
        let named = Named::parse(&String::from_utf8_lossy(&bytes));
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let files = named.files.iter().map(|file| tidy(&beside(folder, file)));
        let sources = named.folders.iter().flat_map(|folder| {
            SOURCE_FILES.iter().map(move |file| tidy(&format!("{folder}/{file}")))
        });
        found.extend(files.chain(sources).filter(|path| seen.insert(path.clone())));
    }
    found
}

impl Named {
    fn parse(text: &str) -> Self {
        let mut named = Self::default();
        for line in logical_lines(text) {
            if let Some(file) = option(&line, &INCLUDING) {
                named.files.extend((!file.contains("://")).then(|| file.to_owned()));
            } else if let Some(folder) = option(&line, &EDITABLE).or_else(|| local(&line)) {
                let folder = folder.split([';', '[', ' ']).next().unwrap_or(folder);
                let folder = folder.strip_prefix("file://").unwrap_or(folder);
                named.folders.extend((!folder.contains("://")).then(|| folder.to_owned()));
            }
        }
        named
    }
}

/// The value of one of some options, if a line is one.
fn option<'l>(line: &'l str, names: &[&str]) -> Option<&'l str> {
    let rest = names.iter().find_map(|name| line.strip_prefix(name))?;
    let is_short = !line.starts_with("--");
    let is_value = is_short || rest.starts_with([' ', '\t', '=']);
    let value = rest.trim_start_matches([' ', '\t', '=']).trim_matches(['"', '\'']);
    (is_value && !value.is_empty()).then_some(value)
}

/// The folder that a requirement names instead of a version.
fn local(line: &str) -> Option<&str> {
    let is_path = |text: &str| {
        let begins = ["./", "../", "/", ".[", "file://"];
        text == "." || begins.iter().any(|begin| text.starts_with(begin))
    };
    let after_name = line.split_once(" @ ").map(|(_, place)| place.trim());
    [Some(line), after_name].into_iter().flatten().find(|text| is_path(text))
}

/// Lines without comments, those that go on joined, the empty ones left out.
pub(super) fn logical_lines(text: &str) -> impl Iterator<Item = String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines: Vec<String> = joined.lines().map(|line| without_comment(line).to_owned()).collect();
    lines.into_iter().filter(|line| !line.is_empty())
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    line.split(" #").next().unwrap_or(line).trim()
}

fn beside(folder: &str, file: &str) -> String {
    if folder.is_empty() || file.starts_with('/') {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

/// A path without `.`, and without `..` where that is known to lead back.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let start = if path.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, files: &[&str], folders: &[&str]) {
        let named = Named::parse(text);
        assert_eq!((named.files, named.folders), (own(files), own(folders)), "{text:?}");
    }

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn included_files_are_found_however_they_are_written() {
        check("-r base.in\n-c limits.txt # both\n", &["base.in", "limits.txt"], &[]);
        check("--requirement=base.in\n--constraint limits.txt", &["base.in", "limits.txt"], &[]);
        check("-rbase.in\nflask==1.0 \\\n  --hash=sha256:00\n", &["base.in"], &[]);
        check("--require-hashes\n--index-url https://host/\nrequests\n", &[], &[]);
        check("-r https://host/base.in\n", &[], &[]);
    }

    #[test]
    fn local_sources_have_requirements_of_their_own() {
        check("-e ./libs/one\n../two\n.[extra]\n", &[], &["./libs/one", "../two", "."]);
        check(
            "three @ file:///src/three\n./four ; python_version > '3'\n",
            &[],
            &["/src/three", "./four"],
        );
        check("-e git+https://host/five\n", &[], &[]);
    }

    #[test]
    fn inclusion_is_followed_once() {
        let temporary = tempfile::tempdir().unwrap();
        let root = AbsPath::new(temporary.path()).unwrap();
        fs::create_folder(root.join("reqs").as_path()).unwrap();
        let write = |path: &str, text: &str| {
            fs::write_atomic(root.join(path).as_path(), text.as_bytes()).unwrap();
        };
        write("reqs/all.in", "-r base.in\n-c ../limits.txt\n-e ./lib\n");
        write("reqs/base.in", "-r all.in\n-r gone.in\n");
        let expected = [
            "reqs/all.in",
            "reqs/base.in",
            "limits.txt",
            "lib/pyproject.toml",
            "lib/setup.cfg",
            "lib/setup.py",
            "reqs/gone.in",
        ];
        assert_eq!(requirement_files(&root, "./reqs/all.in"), expected);
    }
}
