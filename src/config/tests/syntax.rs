//! Files that are no TOML, or no text at all.

use super::*;

#[test]
fn syntax_errors_have_a_place() {
    insta::assert_snapshot!(errors("[commands\nlint = \"ruff\"\n\n[commands.test]\nexec = ruff\n"), @"
    error[conf1]: `qik.toml` is not valid TOML: unclosed table, expected `]`
     --> qik.toml:1:10
      |
    1 | [commands
      |          ^
    more: docs/errors.md#conf1
    error[conf1]: `qik.toml` is not valid TOML: string values must be quoted, expected literal string
     --> qik.toml:5:8
      |
    5 | exec = ruff
      |        ^^^^
    more: docs/errors.md#conf1
    ");
}

#[test]
fn a_syntax_error_hides_what_it_tore_off_but_no_other_error() {
    insta::assert_snapshot!(errors(r#"
[commands.lint
exec = "ruff"

[commands.test]
exce = "pytest"
deps = [{type = "command", name = "lint"}]
"#), @r#"
    error[conf1]: `qik.toml` is not valid TOML: unclosed table, expected `]`
     --> qik.toml:2:15
      |
    2 | [commands.lint
      |               ^
    more: docs/errors.md#conf1
    error[conf1]: unknown key `exce` in a command
     --> qik.toml:6:1
      |
    6 | exce = "pytest"
      | ^^^^
    hint: did you mean `exec`?
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn what_is_not_closed_is_shown_where_it_opens() {
    insta::assert_snapshot!(errors("[commands.a]\ndeps = [\"{[\", # [\n  {type = 'glob'\n]\nexec = 1\n"), @"
    error[conf1]: `qik.toml` is not valid TOML: unclosed inline table, expected `}`
     --> qik.toml:3:3
      |
    3 |   {type = 'glob'
      |   ^
    more: docs/errors.md#conf1
    ");
    insta::assert_snapshot!(errors("[commands.a]\ndeps = [\"x\",\nexec = \"x\"\n\n[commands.b]\n"), @r#"
    error[conf1]: `qik.toml` is not valid TOML: unclosed array, expected `]`
     --> qik.toml:2:8
      |
    2 | deps = ["x",
      |        ^
    more: docs/errors.md#conf1
    "#);
    insta::assert_snapshot!(errors("a = \"\"\"\nx"), @r#"
    error[conf1]: unknown key `a` in a project
     --> qik.toml:1:1
      |
    1 | a = """
      | ^
    hint: the keys of a project are `commands`, `ctx`, `base`, `defaults`, `caches`, `spaces`, `plugins` and `pydist`
    more: docs/errors.md#conf1
    error[conf1]: `qik.toml` is not valid TOML: invalid multi-line basic string, expected `"`
     --> qik.toml:2:2
      |
    2 | x
      |  ^
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    insta::assert_snapshot!(errors_of(&[("qik.toml", b"[commands]\na = \"x\xff\"\n")]), @r#"
    error[conf1]: `qik.toml` is not valid UTF-8
     --> qik.toml:2:7
      |
    2 | a = "x�"
      |       ^
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn a_file_can_be_too_large() {
    let bytes = vec![b'\n'; (16 << 20) + 1];
    insta::assert_snapshot!(errors_of(&[("qik.toml", &bytes)]), @"
    error[conf1]: `qik.toml` is larger than 16 MiB
    more: docs/errors.md#conf1
    ");
}

#[test]
fn a_file_can_be_gone() {
    insta::assert_snapshot!(errors_of(&[]), @"
    error[conf0]: there is no `qik.toml`
    more: docs/errors.md#conf0
    ");
}

#[test]
fn deep_nesting_is_refused() {
    let arrays = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let keys = format!("{}a = 1", "a.".repeat(100_000));
    let tables = format!("[{}a]\n", "a.".repeat(100_000));
    for text in [arrays, keys, tables] {
        let error = load_files(&[("qik.toml", text.as_bytes())]).map(|_| ());
        assert!(error.is_err());
    }
}
