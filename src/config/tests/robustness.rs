//! Whatever a file holds, there are declarations or diagnostics, and the places are within it.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// A configuration that has a bit of everything.
const RICH: &str = r#"
vars = ["a", {name = "b", type = "int", default = 1}]
modules = ["x.y", {name = "z", path = "q"}]
deps = [{type = "dist", name = "p"}]
plugins = ["qik.graph", {name = "u", path = "qik.uv"}]
[ctx.ci.qik]
workers = 1
[graph]
ignore-dists = true
[command.one]
exec = "echo {module.name} {ctx.a}"
deps = ["a", {type = "const", val = 1}, {type = "load", path = "j", default = ["k"]}]
[spaces.s]
venv = {type = "uv", reqs = "r", constraint = {type = "space", name = "default"}}
fence = ["f", {type = "space", name = "s"}]
[caches.c]
type = "s3"
bucket = "é"
[defaults]
cache-max-size = "1 GiB"
cache = "c"
"#;

fn check(bytes: &[u8]) {
    for name in ["qik.toml", "pyproject.toml"] {
        if let Err(error) = load_files(&[(name, bytes)]) {
            assert!(!rendered(&error).is_empty());
        }
    }
}

#[test]
fn the_rich_one_loads() {
    loaded(RICH);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_taken(bytes: Vec<u8>) {
        check(&bytes);
    }

    #[test]
    fn any_cut_is_taken(start in 0..RICH.len(), length in 0..40_usize, with in "[\\[\\]{}\"'=.,\n#a1 ]{0,4}") {
        let start = RICH.floor_char_boundary(start);
        let end = RICH.floor_char_boundary((start + length).min(RICH.len()));
        check([&RICH[..start], &with, &RICH[end..]].concat().as_bytes());
    }
}

#[test]
fn thousands_of_errors_are_shown_in_good_time() {
    let mut text = String::new();
    for number in 0..2_000 {
        let _ = write!(
            text,
            "[commands.c{number}]\nexce = 1\ndeps = [{{type = \"command\", name = \"d\"}}]\n"
        );
    }
    let error = load_files(&[("qik.toml", text.as_bytes())]).map(|_| ()).expect_err("errors");
    assert_eq!(error.diagnostics().len(), 4_000);
}

#[test]
fn megabytes_of_brackets_are_refused_in_good_time() {
    for text in ["[", "{", "a={", "a=[\n", "=\n", "\"", "[[a]]\n", "a.b={}\n"] {
        check(text.repeat(200_000).as_bytes());
    }
}
