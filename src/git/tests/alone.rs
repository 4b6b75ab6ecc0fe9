//! Without a git on the `PATH`: whatever is ordinary works.

use super::sandbox::{Sandbox, all_files, paths, patterns};
use crate::git::{Worktree, ensure_merge_driver};
use std::path::Path;

/// The same repository, with no git to be found.
fn without_git(sandbox: &mut Sandbox) {
    sandbox.set("PATH", "/nowhere");
}

/// Expects the files to be as the oracle said while it was there.
#[track_caller]
fn check(mut sandbox: Sandbox) {
    sandbox.check_like_git();
    let expected = sandbox.files();
    without_git(&mut sandbox);
    assert_eq!(sandbox.files(), expected);
}

#[test]
fn clean_and_changed_files_are_known() {
    let sandbox = Sandbox::with_files(&[
        ("clean", "1"),
        ("edited", "1"),
        ("touched", "1"),
        ("gone", "1"),
        ("d/mode", "1"),
        ("link", "1"),
    ]);
    sandbox.write("edited", "2");
    sandbox.touch("touched");
    sandbox.remove("gone");
    sandbox.chmod("d/mode", 0o755);
    sandbox.link("link", "elsewhere");
    check(sandbox);
}

#[test]
fn attributes_that_do_not_apply_need_no_git() {
    let sandbox = Sandbox::with_files(&[
        (".gitattributes", "* text=auto\n*.png binary\n*.psd filter=lfs -text\n*.bat -text\n"),
        ("d/.gitattributes", "*.txt eol=lf\n"),
        ("d/a.txt", "1\n"),
        ("a.txt", "1\n"),
        ("a.png", "1\n"),
        ("a.bat", "1\r\n"),
        ("a.bin", "\0\r\n"),
    ]);
    sandbox.write("d/a.txt", "2\n");
    sandbox.write("a.txt", "lone \r is nothing\n");
    sandbox.write("a.png", "2\r\n");
    sandbox.write("a.bat", "2\r\n");
    sandbox.write("a.bin", "\0\x002\r\n");
    check(sandbox);
}

#[test]
fn line_ends_as_the_index_has_them_need_no_git() {
    let sandbox = Sandbox::with_files(&[("a", "1\r\n"), ("b", "1\r\n")]);
    sandbox.touch("a");
    sandbox.write("b", "2\r\n");
    check(sandbox);
    let sandbox = Sandbox::with_files(&[("a", "1\r\n"), (".gitattributes", "")]);
    sandbox.write(".gitattributes", "* text\n");
    sandbox.touch("a");
    let expected = sandbox.files();
    let mut sandbox = sandbox;
    without_git(&mut sandbox);
    assert_eq!(sandbox.files(), expected);
}

#[test]
fn the_user_s_own_configuration_is_followed() {
    for (attributes, is_plain) in [("*.x diff\n", true), ("*.x filter=y\n", false)] {
        let mut sandbox = Sandbox::with_files(&[("a.x", "1")]);
        sandbox.write(".git/home/.gitconfig", "[core]\nattributesFile = ~/attributes\n");
        sandbox.write(".git/home/attributes", attributes);
        sandbox.set("HOME", sandbox.path(".git/home"));
        sandbox.env.remove(std::ffi::OsStr::new("GIT_CONFIG_GLOBAL"));
        sandbox.write("a.x", "2");
        without_git(&mut sandbox);
        let set = sandbox.worktree().file_set(&patterns(&["a.x"]));
        assert_eq!(set.is_ok(), is_plain, "{attributes}");
    }
}

#[test]
fn settings_are_read_from_all_levels() {
    let mut sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.write(".git/global", "[core]\nfileMode = false\n");
    sandbox.set("GIT_CONFIG_GLOBAL", sandbox.path(".git/global"));
    sandbox.chmod("a", 0o755);
    sandbox.git(&["config", "--unset", "core.fileMode"]);
    let is_executable = |sandbox: &Sandbox| sandbox.files()[0].starts_with("100755");
    without_git(&mut sandbox);
    assert!(!is_executable(&sandbox));
    sandbox.write(".git/config", "[core]\nfileMode = true\n[extensions]\nworktreeConfig = true\n");
    assert!(is_executable(&sandbox));
    sandbox.write(".git/config.worktree", "[core]\nfileMode = no\n");
    assert!(!is_executable(&sandbox));
}

#[test]
fn what_has_to_be_converted_names_git() {
    let mut sandbox = Sandbox::with_files(&[("a", "1"), (".gitattributes", "* text\n")]);
    sandbox.write("a", "2\r\n");
    without_git(&mut sandbox);
    let error = sandbox.worktree().file_set(&patterns(&["a"])).expect_err("git is needed");
    assert_eq!(error.0.message, "there is no `git` on the `PATH`");
    assert_eq!(error.0.hints, ["install git 2.25 or newer"]);
}

#[test]
fn changes_since_a_commit_are_known() {
    let mut sandbox = Sandbox::with_files(&[("a", "1"), ("b/c", "1"), ("d", "1"), ("i", "1")]);
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("a", "2");
    sandbox.git(&["rm", "-q", "b/c"]);
    sandbox.write("b", "a file now");
    sandbox.write("new", "1");
    sandbox.git(&["add", "b", "new"]);
    sandbox.git(&["rm", "-q", "--cached", "i"]);
    sandbox.git(&["add", "-N", "i"]);
    sandbox.git(&["pack-refs", "--all"]);
    without_git(&mut sandbox);
    let repo = sandbox.repo();
    for reference in ["HEAD", "main", "side...", "side~", "refs/heads/main"] {
        let commit = repo.resolve(reference).expect(reference);
        let changed = sandbox.worktree().changed_since(&commit).expect("changes");
        assert_eq!(changed, [&b"a"[..], b"b", b"b/c", b"new"], "{reference}");
    }
    let commit = repo.resolve("HEAD").expect("a commit");
    let content = sandbox.worktree().file_at(&commit, b"b/c").expect("an answer");
    assert_eq!(content.as_deref(), Some(&b"1"[..]));
    let error = repo.resolve("sied").expect_err("no such ref");
    assert_eq!(error.diagnostics()[0].hints, ["did you mean `side`?"]);
}

#[test]
fn submodules_and_linked_work_trees_are_known() {
    let origin = Sandbox::with_files(&[("x", "1")]);
    let mut sandbox = Sandbox::with_files(&[("a", "1")]);
    let url = origin.root.display().to_string();
    sandbox.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "sub"]);
    sandbox.commit();
    sandbox.git(&["worktree", "add", "-q", "linked"]);
    let clean = sandbox.files();
    sandbox.write("sub/x", "2");
    let changed = sandbox.files();
    assert_ne!(changed, clean);
    sandbox.write("linked/a", "2");
    without_git(&mut sandbox);
    assert_eq!(sandbox.files(), changed);
    let linked = crate::git::Repo::discover(&sandbox.sys(), &sandbox.abs("linked"));
    let linked = linked.expect("no error").expect("a repository");
    let commit = linked.resolve("linked").expect("a commit");
    let worktree = Worktree::open(linked.into(), &sandbox.abs("linked")).expect("a work tree");
    assert_eq!(worktree.changed_since(&commit).expect("changes"), [b"a"]);
    assert_eq!(paths(&all_files(&worktree)), [".gitmodules", "a", "sub"]);
}

#[test]
fn a_merge_driver_that_is_set_is_not_set_again() {
    let mut sandbox = Sandbox::with_files(&[("a", "1")]);
    let exe = Path::new("/opt/\"q\" %/qik");
    assert!(ensure_merge_driver(&sandbox.repo(), exe).expect("written"));
    without_git(&mut sandbox);
    assert!(!ensure_merge_driver(&sandbox.repo(), exe).expect("there"));
}

#[test]
fn a_clean_work_tree_needs_its_index_alone() {
    let mut sandbox = Sandbox::with_files(&[("a", "1"), ("b", "1")]);
    let expected = sandbox.files();
    // Nothing is racily clean: the index is later than all files.
    sandbox.touch("a");
    sandbox.touch("b");
    sandbox.git(&["update-index", "--refresh"]);
    sandbox.write(".git/global", "[no configuration");
    sandbox.set("GIT_CONFIG_GLOBAL", sandbox.path(".git/global"));
    without_git(&mut sandbox);
    assert_eq!(sandbox.files(), expected);
    sandbox.write("a", "2");
    let set = sandbox.worktree().file_set(&patterns(&["a"]));
    set.expect_err("now the configuration is read");
}

#[test]
fn a_repository_that_libgit2_cannot_open_has_plain_files_all_the_same() {
    let mut sandbox = Sandbox::with_files(&[("a", "1"), (".gitattributes", "*.psd filter=lfs\n")]);
    sandbox.git(&["config", "core.repositoryFormatVersion", "1"]);
    sandbox.git(&["config", "extensions.partialClone", "origin"]);
    let commit = sandbox.repo().resolve("HEAD").expect("git knows it");
    sandbox.write("a", "2");
    sandbox.check_like_git();
    assert_eq!(sandbox.worktree().changed_since(&commit).expect("changes"), [b"a"]);
    sandbox.write(".gitattributes", "*.psd diff\n");
    without_git(&mut sandbox);
    assert_eq!(sandbox.files().len(), 2);
}
