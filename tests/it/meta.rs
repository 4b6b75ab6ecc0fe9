//! The rules of the code base that are worth a failing build.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use qik::error::Code;

/// Lines of code that a file may have, tests apart.
const FILE_LINES_MAX: usize = 500;

/// The cases of `docs/reliability.md`, from 1 on.
const CASE_COUNT: usize = 120;

/// Which folder may use which: the left one those on the right, and `sys`, `paths`, `error`.
const MAY_USE: &[(&str, &[&str])] = &[
    (
        "fuzzing",
        &[
            "cache", "config", "context", "git", "hash", "plan", "pygraph", "python", "report",
            "space",
        ],
    ),
    ("cli", &["ops", "config", "context", "plan", "report", "select", "watch"]),
    (
        "ops",
        &[
            "cli", "config", "context", "space", "plan", "git", "pygraph", "python", "hash",
            "cache", "select", "exec", "report", "watch",
        ],
    ),
    ("watch", &["select", "hash", "git", "python", "plan"]),
    ("report", &["exec", "hash", "plan"]),
    ("exec", &["cache", "hash", "plan", "config"]),
    ("select", &["plan", "config"]),
    ("cache", &["hash", "plan", "config"]),
    ("hash", &["plan", "git", "pygraph", "python", "space"]),
    ("pygraph", &["git"]),
    ("python", &[]),
    ("git", &[]),
    ("plan", &["space", "context", "config"]),
    ("space", &["config"]),
    ("context", &["config"]),
    ("config", &[]),
    ("sys", &[]),
    ("paths", &[]),
    ("error", &[]),
];

fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_says_what_it_is() {
    for path in files_below("src").into_iter().chain(files_below("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no module documentation", path.display());
    }
}

#[test]
fn no_file_holds_two_ideas() {
    for path in files_below("src") {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let count = code.lines().count();
        let is_tests = path.file_name().is_some_and(|name| name == "tests.rs");
        assert!(is_tests || count <= FILE_LINES_MAX, "{}: {count} lines", path.display());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension != "rs") {
            continue;
        }
        let listed = main.contains(&format!("mod {name};"));
        assert!(listed || name == "main", "tests/it/main.rs does not list {name}");
    }
}

#[test]
fn folders_use_only_what_lies_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in files_below("src") {
        let relative = path.strip_prefix(&src).unwrap();
        let owner = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let owner = owner.trim_end_matches(".rs");
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == owner) else {
            assert!(matches!(owner, "lib" | "main" | "build"), "{owner} is not in the table");
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (_, after) in
            code.match_indices("crate::").map(|(at, found)| (at, &code[at + found.len()..]))
        {
            let used: String =
                after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_own = used == owner || matches!(used.as_str(), "sys" | "paths" | "error" | "");
            let is_below = allowed.contains(&used.as_str());
            assert!(is_own || is_below, "{} uses crate::{used}", path.display());
        }
    }
}

#[test]
fn every_error_code_is_documented_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let text = fs::read_to_string(path).unwrap();
    let mut documented: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::trim).collect();
    let mut known: Vec<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    documented.sort_unstable();
    known.sort_unstable();
    assert_eq!(documented, known);
}

/// The rows of a table in Markdown, without its head.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::trim).collect::<Vec<_>>())
        .filter(|row| row[0].starts_with(|first: char| first.is_ascii_digit()))
}

/// All that is a test, by its name.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files_below("src").into_iter().chain(files_below("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        let mut is_marked = false;
        for line in text.lines().map(str::trim) {
            let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
            if let Some(name) = name.filter(|_| is_marked) {
                names.insert(name.split('(').next().unwrap().to_owned());
            }
            is_marked = matches!(line, "#[test]" | "#[tokio::test]")
                || (is_marked && (line.starts_with("#[") || line.starts_with("//")));
        }
    }
    names
}

#[test]
fn every_case_to_survive_has_a_test() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    let text = fs::read_to_string(path).unwrap();
    let tests = tests();
    assert!(tests.len() > 500, "{}", tests.len());
    let mut numbers = Vec::new();
    for row in rows(&text) {
        assert_eq!(row.len(), 5, "{row:?}");
        numbers.extend(row[0].split(", ").map(|number| number.parse::<usize>().unwrap()));
        let named: Vec<&str> = row[4].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "nothing shows {row:?}");
        for name in named {
            assert!(tests.contains(name), "there is no test `{name}`: {row:?}");
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=CASE_COUNT).collect::<Vec<_>>());
}
