//! Patterns against `git ls-files`, which has the last word but for our one extension.

use proptest::prelude::*;

use super::sandbox::Sandbox;
use crate::git::Patterns;
use crate::git::file_set::{BlobId, FileMode};
use crate::git::index::IndexSnapshot;
use crate::git::index_entry::Entry;
use crate::git::stat::Stat;

struct Tree {
    sandbox: Sandbox,
    paths: Vec<String>,
}

impl Tree {
    fn new(paths: &[String]) -> Self {
        let tree = Self { sandbox: Sandbox::new(), paths: Vec::new() };
        tree.fill(paths)
    }

    /// Puts nothing but these paths into the index; those that exclude each other are left out.
    fn fill(mut self, paths: &[String]) -> Self {
        let mut kept: Vec<String> = paths.to_vec();
        kept.sort();
        kept.dedup();
        let all = kept.clone();
        kept.retain(|path| !all.iter().any(|other| other.starts_with(&format!("{path}/"))));
        let id = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        self.sandbox.git(&["read-tree", "--empty"]);
        let mut args = vec!["update-index".to_owned(), "--add".to_owned()];
        for path in &kept {
            args.extend(["--cacheinfo".to_owned(), format!("100644,{id},{path}")]);
        }
        self.sandbox.git(&args.iter().map(String::as_str).collect::<Vec<_>>());
        self.paths = kept;
        self
    }

    fn ours(&self, prefix: &str, patterns: &[&str]) -> Option<Vec<String>> {
        let patterns = Patterns::parse(prefix.as_bytes(), patterns.iter().copied()).ok()?;
        let matching = self.paths.iter().filter(|path| patterns.matches(path.as_bytes()));
        let matching: Vec<String> = matching.cloned().collect();
        assert_eq!(self.found(&patterns), matching, "{patterns:?} in {:?}", self.paths);
        Some(matching)
    }

    /// The same, as the index finds it.
    fn found(&self, patterns: &Patterns) -> Vec<String> {
        let mut snapshot = IndexSnapshot::new(b"");
        for path in &self.paths {
            let new = Entry {
                stat: Stat::default(),
                mode: FileMode::Plain,
                id: BlobId::from_bytes(&[1; 20]).expect("an id"),
                is_intent_to_add: false,
                is_skip_worktree: false,
                stage: 0,
            };
            snapshot.push(path.as_bytes(), &new).expect("sorted paths");
        }
        let found = snapshot.matching(patterns).into_iter();
        let path = |entry| String::from_utf8(snapshot.git_path(entry).to_vec()).expect("text");
        found.map(path).collect()
    }

    fn gits(&self, prefix: &str, patterns: &[&str]) -> Option<Vec<String>> {
        let folder = self.sandbox.path(prefix);
        crate::sys::fs::create_folder(&folder).expect("a folder");
        let folder = folder.display().to_string();
        let args = [&["-C", &folder, "ls-files", "-z", "--full-name", "--"], patterns].concat();
        let output = self.sandbox.try_git(&args);
        let listing = String::from_utf8(output.stdout).expect("text");
        let paths = listing.split_terminator('\0').map(str::to_owned).collect();
        output.status.success().then_some(paths)
    }

    #[track_caller]
    fn check(&self, prefix: &str, patterns: &[&str]) {
        let (ours, gits) = (self.ours(prefix, patterns), self.gits(prefix, patterns));
        assert_eq!(ours, gits, "{patterns:?} in {prefix:?} of {:?}", self.paths);
    }
}

fn tree() -> Tree {
    let paths = [
        "README.md",
        "a",
        "src/x.py",
        "src/y.c",
        "src/deep/er/z.py",
        "src/[x].py",
        "srcx/q.py",
        "Src/x.py",
        "docs/a b.md",
        "docs/*.md",
        "docs/é.md",
        "services/api/main.py",
        "services/api/lib/u.py",
        "services/web/main.py",
        ":colon",
        "b\\c",
        "foobar",
        "fooa/bar",
        "services/[v]/x",
        "services/[v]/y/z",
    ];
    Tree::new(&paths.map(str::to_owned))
}

#[test]
fn patterns_mean_what_git_means() {
    let tree = tree();
    for pattern in [
        ".",
        "./",
        "a",
        "./a",
        "a/",
        "src",
        "src/",
        "src//x.py",
        "src/./x.py",
        "src/../a",
        "*.py",
        "**.py",
        "src/*",
        "src/*.py",
        "s*c",
        "src/[x].py",
        "src/[xy].*",
        "src/[!x].*",
        "src/?.py",
        "docs/a b.md",
        "docs/*.md",
        "docs/\\*.md",
        "docs/é.md",
        "docs/?.md",
        "services/*/main.py",
        "services/**",
        ":colon",
        "./:colon",
        ":(literal):colon",
        ":(glob)*.md",
        ":(glob)**/*.py",
        ":(glob)src/*.py",
        ":(glob)src/**",
        ":(glob)foo**/bar",
        ":(glob)s**c/x.py",
        ":(icase)SRC/X.PY",
        ":(icase)src",
        ":(icase)*.PY",
        ":(glob,icase)SRC/*",
        ":(literal)docs/*.md",
        ":(literal)*.md",
        ":/a",
        ":/",
        ":(top)src",
        ":(top,glob)*",
        ":",
        "::a",
        ":(,)a",
        "b\\c",
        "b\\\\c",
        "src/",
        "nope",
        "[",
        "a[",
        "src/[[:alpha:]].py",
        "src/[[:nope:]].py",
        "src/[[:al].py",
        "*",
        "**",
        "?",
        "",
        "..",
        "../a",
        "/a",
        ":(nope)a",
        ":(literal,glob)a",
        ":%a",
        ":(top",
        ":!a",
        ":^src",
        ":(exclude)*.py",
        "services/[v]",
        "services/[v]/x",
    ] {
        tree.check("", &[pattern]);
    }
}

#[test]
fn patterns_mean_what_git_means_below_the_root() {
    let tree = tree();
    for pattern in [
        ".",
        "api",
        "api/",
        "./api/lib",
        "../a",
        "../src/*.py",
        "..",
        "../..",
        "../../x",
        "*.py",
        "api/../web",
        ":/a",
        ":/*.md",
        ":(icase)API",
        ":(icase)../SRC",
        "[v]",
        "[v]/x",
        "*",
        ":!api",
        ":(glob)*/main.py",
        ":(exclude,icase)API",
        "../services/api",
    ] {
        tree.check("services", &[pattern]);
    }
    tree.check("services/[v]", &["."]);
    tree.check("services/[v]", &["x*"]);
    tree.check("services/[v]", &[":(icase)X"]);
}

#[test]
fn the_project_s_own_path_may_have_wildcards() {
    let tree = tree();
    for pattern in ["x", "*", "y/*", "?", "[x]", ":(glob)y**", ":(glob)**", ":(glob)y/**"] {
        tree.check("services/[v]", &[pattern]);
    }
}

#[test]
fn sets_unite_and_excludes_win() {
    let tree = tree();
    tree.check("", &["src", "a"]);
    tree.check("", &["src", ":!src/*.c"]);
    tree.check("", &[":!src/*.c", "src"]);
    tree.check("", &[":!src", ":!docs"]);
    tree.check("services", &[":!api", ":^../a"]);
    tree.check("services", &[":/src", ":(top,exclude)src/deep"]);
}

#[test]
fn a_double_star_folder_also_stands_for_none() {
    let tree = tree();
    let check = |pattern: &str, expected: &[&str]| {
        assert_eq!(tree.ours("", &[pattern]).expect("a pattern"), expected, "{pattern}");
    };
    check("src/**/*.py", &["src/[x].py", "src/deep/er/z.py", "src/x.py"]);
    check("**/a", &["a"]);
    check("**/main.py", &["services/api/main.py", "services/web/main.py"]);
    check("src/**/er/*", &["src/deep/er/z.py"]);
}

#[test]
fn equal_sets_are_equal_values() {
    let parse = |texts: &[&str]| Patterns::parse(b"p", texts.iter().copied()).expect("patterns");
    assert_eq!(parse(&["a", "b/"]), parse(&["./b/", "a", "x/../a"]));
    assert_ne!(parse(&["a"]), parse(&[":(icase)a"]));
    assert_ne!(parse(&["a"]), parse(&["a", ":!b"]));
    assert!(!parse(&[]).matches(b"p/a"), "no pattern matches nothing");
}

#[test]
fn what_is_no_pattern_says_why() {
    let check = |text: &str, expected: &str| {
        let error = Patterns::parse(b"", [text]).expect_err("no pattern");
        assert_eq!(error.code.id(), "conf18");
        assert_eq!(error.message, format!("`{text}` is not a pattern: {expected}"));
        assert!(!error.hints.is_empty() || text == ":(top");
    };
    check("", "it is empty");
    check("../x", "it leaves the repository");
    check("/x", "it is an absolute path");
    check(":(attr:binary)x", "qik does not match by attributes");
    check(":(globs)x", "there is no magic `globs`");
    check(":%x", "there is no magic `%`");
    check(":(top", "`)` is missing after its magic");
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab*\\[A]{1,3}", 1..4).prop_map(|parts| parts.join("/"))
}

/// Patterns of the letters of the paths; upper case in brackets and escapes is left out, which git
/// does not fold, and the folders that only ours take for none.
fn pattern() -> impl Strategy<Value = String> {
    let magic = prop::sample::select(vec![
        "",
        "",
        "",
        ":(glob)",
        ":(icase)",
        ":(literal)",
        ":/",
        ":!",
        ":(glob,icase)",
        ":(exclude,glob)",
        "./",
        "../",
    ]);
    let part = prop_oneof![
        4 => "[abA]{1,2}".boxed(),
        2 => Just("*".to_owned()).boxed(),
        1 => Just("**".to_owned()).boxed(),
        1 => Just("?".to_owned()).boxed(),
        1 => Just("[ab]".to_owned()).boxed(),
        1 => Just("[!a]".to_owned()).boxed(),
        1 => Just("[^/b-]".to_owned()).boxed(),
        1 => Just("\\*".to_owned()).boxed(),
        1 => Just("\\[".to_owned()).boxed(),
        1 => Just("[".to_owned()).boxed(),
        3 => Just("/".to_owned()).boxed(),
    ];
    let is_comparable = |text: &String| {
        let is_ours = text.contains("**/") && !text.contains("glob");
        let is_absolute = text.starts_with('/') || text.contains(")/") || text.starts_with(":!/");
        // git folds a name's letters, but not those of a bracket or behind a backslash.
        let is_folded = text.contains("icase")
            && text.contains(['[', '\\'])
            && text.contains(|c: char| c.is_ascii_uppercase());
        !is_ours && !is_absolute && !is_folded && !text.is_empty()
    };
    (magic, prop::collection::vec(part, 1..7))
        .prop_map(|(magic, parts)| format!("{magic}{}", parts.concat()))
        .prop_filter("comparable", is_comparable)
}

#[test]
fn random_patterns_mean_what_git_means() {
    let tree = std::cell::RefCell::new(Some(Tree::new(&[])));
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() };
    let input = (
        prop::collection::vec(path(), 1..12),
        prop::collection::vec(prop::collection::vec(pattern(), 1..4), 6),
        prop::sample::select(vec!["", "a", "a/b", "[a"]),
    );
    proptest!(config, |((paths, sets, prefix) in input)| {
        let filled = tree.take().unwrap_or_else(|| Tree::new(&[])).fill(&paths);
        for set in &sets {
            let set: Vec<&str> = set.iter().map(String::as_str).collect();
            prop_assert_eq!(
                filled.ours(prefix, &set),
                filled.gits(prefix, &set),
                "{:?} in {:?} of {:?}", set, prefix, filled.paths
            );
        }
        tree.replace(Some(filled));
    });
}
