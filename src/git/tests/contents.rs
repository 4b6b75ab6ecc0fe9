//! git's clean conversions: line ends, encodings, filter drivers.

use super::sandbox::{Sandbox, lines, patterns};

#[test]
fn line_ends_are_git_s() {
    let sandbox = Sandbox::with_files(&[
        (".gitattributes", "*.txt text\n*.crlf text eol=crlf\n*.auto text=auto\n*.bin -text\n"),
        ("a.txt", "1\n2\n"),
        ("a.crlf", "1\n2\n"),
        ("a.auto", "1\n2\n"),
        ("a.bin", "1\n2\n"),
        ("none", "1\n2\n"),
    ]);
    let before = sandbox.files();
    for name in ["a.txt", "a.crlf", "a.auto"] {
        sandbox.write(name, "1\r\n2\r\n");
    }
    assert_eq!(sandbox.files(), before, "the same content checked out otherwise");
    for name in ["a.txt", "a.crlf", "a.auto", "a.bin", "none"] {
        sandbox.write(name, "1\r\n2\r\n3\r\n");
    }
    sandbox.check_like_git();
}

#[test]
fn line_ends_of_the_configuration_are_git_s() {
    for setting in ["true", "input", "false"] {
        let sandbox = Sandbox::with_files(&[("a", "1\n"), ("crlf", "1\r\n2\r\n")]);
        sandbox.git(&["config", "core.autocrlf", setting]);
        sandbox.write("a", "1\r\n2\r\n");
        sandbox.write("crlf", "1\r\n3\r\n");
        sandbox.check_like_git();
    }
}

#[test]
fn crlf_that_was_committed_stays_as_it_is() {
    for attributes in ["* text=auto\n", "* text=auto eol=lf\n", "* text\n", "* text eol=crlf\n"] {
        let sandbox =
            Sandbox::with_files(&[("a", "1\r\n2\r\n"), ("b", "1\n"), (".gitattributes", "")]);
        sandbox.write(".gitattributes", attributes);
        let before = sandbox.files();
        sandbox.touch("a");
        assert_eq!(sandbox.files(), before, "a touch is no change: {attributes}");
        sandbox.write("a", "1\r\n2\r\n3\r\n");
        sandbox.write("b", "1\r\n");
        sandbox.check_like_git();
    }
}

#[test]
fn encodings_and_idents_are_git_s() {
    let sandbox = Sandbox::with_files(&[(
        ".gitattributes",
        "*.u16 working-tree-encoding=UTF-16LE\n*.id ident\n",
    )]);
    sandbox.write("a.u16", "a\0b\0");
    sandbox.write("a.id", "$Id$ x");
    sandbox.commit();
    sandbox.check_like_git();
    sandbox.write("a.u16", "a\0b\0c\0");
    sandbox.write("a.id", "$Id: something $ y");
    sandbox.check_like_git();
}

#[test]
fn a_filter_cleans() {
    let sandbox = Sandbox::with_files(&[(".gitattributes", "*.f filter=upper\n")]);
    sandbox.git(&["config", "filter.upper.clean", "tr a-z A-Z"]);
    sandbox.git(&["config", "filter.upper.smudge", "tr A-Z a-z"]);
    sandbox.write("a.f", "abc");
    sandbox.write("plain", "abc");
    sandbox.commit();
    let before = sandbox.files();
    sandbox.write("a.f", "aBc");
    sandbox.touch("plain");
    assert_eq!(sandbox.files(), before);
    sandbox.write("a.f", "abcd");
    sandbox.check_like_git();
}

#[test]
fn a_filter_that_fails_is_named_and_leaves_other_files_alone() {
    let sandbox = Sandbox::with_files(&[("a.f", "1"), ("b", "1"), ("c.f", "1"), ("d", "1")]);
    sandbox.write(".gitattributes", "*.f filter=nope\n");
    sandbox.git(&["config", "filter.nope.clean", "false"]);
    sandbox.git(&["config", "filter.nope.required", "true"]);
    for name in ["a.f", "b", "c.f", "d"] {
        sandbox.write(name, "22");
    }
    let worktree = sandbox.worktree();
    let error = worktree.file_set(&patterns(&["."])).expect_err("a filter that fails");
    assert_eq!(error.0.code.id(), "git3");
    assert_eq!(error.0.message, "git's filter `nope` fails on `a.f`");
    assert!(!error.0.causes.is_empty() && !error.0.hints.is_empty());
    let others = worktree.file_set(&patterns(&["b", "d"])).expect("no filter on these");
    let id = sandbox.git(&["hash-object", "--no-filters", "b"]);
    assert_eq!(lines(&others)[0], format!("100644 {} b", id.trim()));
    let error = worktree.file_set(&patterns(&["c.f"])).expect_err("a filter that fails");
    assert_eq!(error.0.message, "git's filter `nope` fails on `c.f`");
    sandbox.git(&["config", "filter.nope.clean", "cat"]);
    worktree.forget();
    worktree.file_set(&patterns(&["."])).expect("the filter works now");
}
