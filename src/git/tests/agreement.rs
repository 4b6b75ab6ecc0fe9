//! Blob ids against `git add`, for contents × attributes × settings.

use proptest::prelude::*;

use super::sandbox::Sandbox;

const CONTENTS: [&str; 9] = [
    "",
    "lines\nof text\n",
    "windows\r\nlines\r\n",
    "mixed\r\nlines\n",
    "lone\rcarriage\r\n",
    "nul\0\r\n",
    "\u{89}PNG\r\n\u{1a}\n",
    "$Id$ and $Id: something $\r\n",
    "\r\n",
];

const LINE_ENDS: [&str; 14] = [
    "text",
    "-text",
    "!text",
    "text=auto",
    "text=other",
    "eol=lf",
    "eol=crlf",
    "-eol",
    "crlf",
    "-crlf",
    "crlf=input",
    "binary",
    "-binary",
    "unrelated=text",
];

const CONTENT: [&str; 8] = [
    "ident",
    "-ident",
    "filter=upper",
    "-filter",
    "!filter",
    "filter=unknown",
    "filter",
    "working-tree-encoding=UTF-8",
];

const PATTERNS: [&str; 14] = [
    "*",
    "*.a",
    "d/*",
    "/*.a",
    "d/**",
    "**/f0.a",
    "f[0-4].a",
    "d/",
    "!*.a",
    "\"f1.a\"",
    "f1\\.a",
    "d/f2.b",
    "[attr]mine",
    "F3.*",
];

/// A few lines of attributes.
fn lines(attributes: Vec<&'static str>) -> impl Strategy<Value = String> {
    let attributes = prop::collection::vec(prop::sample::select(attributes), 1..3);
    let line = (prop::sample::select(&PATTERNS[..]), attributes)
        .prop_map(|(pattern, attributes)| format!("{pattern} {}\n", attributes.join(" ")));
    prop::collection::vec(line, 0..4).prop_map(|lines| lines.concat())
}

/// The files of attributes: at the root, below it, and in git's own folder.
fn files(attributes: Vec<&'static str>) -> impl Strategy<Value = [String; 3]> {
    [lines(attributes.clone()), lines(attributes.clone()), lines(attributes)]
}

/// Files with every content, in two folders.
fn write_all(sandbox: &Sandbox, change: impl Fn(&str) -> String) {
    for (number, content) in CONTENTS.iter().enumerate() {
        for name in [format!("f{number}.a"), format!("d/f{number}.b")] {
            sandbox.write(name, change(content));
        }
    }
}

/// Settings that conversions depend on.
fn settings() -> impl Strategy<Value = (&'static str, &'static str)> {
    let auto = prop::sample::select(&["false", "true", "input"][..]);
    (auto, prop::sample::select(&["false", "true"][..]))
}

/// A repository whose files are all changed after the attributes were.
fn check(
    [root, below, info]: [String; 3],
    (auto, folds_case): (&str, &str),
    before: impl Fn(&str) -> String,
) {
    let sandbox = Sandbox::new();
    write_all(&sandbox, before);
    sandbox.write(".gitattributes", "");
    sandbox.write("d/.gitattributes", "");
    sandbox.commit();
    sandbox.git(&["config", "filter.upper.clean", "tr a-z A-Z"]);
    sandbox.git(&["config", "core.autocrlf", auto]);
    sandbox.git(&["config", "core.ignoreCase", folds_case]);
    sandbox.write(".gitattributes", root);
    sandbox.write("d/.gitattributes", below);
    sandbox.write(".git/info/attributes", info);
    write_all(&sandbox, |content| format!("{content}more\n"));
    sandbox.check_like_git();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn line_ends_are_what_git_adds(attributes in files(LINE_ENDS.to_vec()), settings in settings()) {
        check(attributes, settings, str::to_owned);
    }

    #[test]
    fn contents_are_what_git_adds(
        attributes in files([&LINE_ENDS[..], &CONTENT[..]].concat()),
        settings in settings(),
    ) {
        check(attributes, settings, |content| content.replace("\r\n", "\n"));
    }
}
