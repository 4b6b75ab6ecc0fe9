//! Where the repository is, as git sees it.

use super::sandbox::Sandbox;
use crate::error::Error;
use crate::git::{Repo, find_root};
use crate::paths::AbsPath;

fn discover(sandbox: &Sandbox, folder: &AbsPath) -> Result<Option<Repo>, Error> {
    Repo::discover(&sandbox.sys(), folder)
}

/// Expects the folders that git names.
#[track_caller]
fn check(sandbox: &Sandbox, folder: &str) {
    let folder = sandbox.abs(folder);
    let repo = discover(sandbox, &folder).expect("no error").expect("a repository");
    let shown = folder.as_path().display().to_string();
    let ask = |option: &str| {
        let answer = sandbox.git(&["-C", &shown, "rev-parse", option]);
        crate::sys::fs::resolve(folder.join(answer.trim_end()).as_path()).expect("a path")
    };
    assert_eq!(repo.root().as_path(), ask("--show-toplevel"));
    assert_eq!(repo.git_dir().as_path(), ask("--absolute-git-dir"));
    assert_eq!(repo.common_dir().as_path(), ask("--git-common-dir"));
    assert_eq!(find_root(&sandbox.sys(), &folder).as_ref(), Some(repo.root()));
}

#[test]
fn ordinary_folders_are_found_upwards() {
    let sandbox = Sandbox::with_files(&[("a/b/c", "1")]);
    check(&sandbox, "");
    check(&sandbox, "a/b");
}

#[test]
fn linked_work_trees_and_separate_folders_are_found() {
    let sandbox = Sandbox::with_files(&[("a/b", "1")]);
    sandbox.git(&["worktree", "add", "-q", "inside/linked"]);
    check(&sandbox, "inside/linked/a");
    check(&sandbox, "inside");
    let elsewhere = Sandbox::bare_folder();
    elsewhere.git(&["init", "-q", "--separate-git-dir", "kept", "tree"]);
    check(&elsewhere, "tree");
}

#[test]
fn a_moved_work_tree_is_where_the_configuration_says() {
    let sandbox = Sandbox::with_files(&[("a/b", "1")]);
    sandbox.git(&["config", "core.worktree", "../a"]);
    let repo = discover(&sandbox, &sandbox.abs("a")).expect("no error").expect("a repository");
    assert_eq!(repo.root(), &sandbox.abs("a"));
}

#[test]
fn an_empty_git_folder_is_passed_over() {
    let sandbox = Sandbox::with_files(&[("a/b", "1")]);
    crate::sys::fs::create_folder(&sandbox.path("a/.git")).expect("a folder");
    check(&sandbox, "a");
}

#[test]
fn outside_of_a_repository_there_is_none() {
    let sandbox = Sandbox::bare_folder();
    assert!(discover(&sandbox, &sandbox.root()).expect("no error").is_none());
    assert_eq!(find_root(&sandbox.sys(), &sandbox.root()), None);
}

#[test]
fn ceilings_end_the_search() {
    let mut sandbox = Sandbox::with_files(&[("a/b/c", "1")]);
    sandbox.set("GIT_CEILING_DIRECTORIES", sandbox.path("a"));
    assert!(discover(&sandbox, &sandbox.abs("a/b")).expect("no error").is_none());
    check(&sandbox, "");
    check(&sandbox, "a");
}

#[test]
fn a_bare_repository_and_git_s_own_folder_are_errors() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.git(&["init", "-q", "--bare", "bare"]);
    for folder in ["bare", ".git", ".git/refs", "bare/refs"] {
        let error = discover(&sandbox, &sandbox.abs(folder)).expect_err(folder);
        assert_eq!(error.diagnostics()[0].code.id(), "git0", "{folder}");
    }
    sandbox.git(&["config", "core.bare", "true"]);
    let error = discover(&sandbox, &sandbox.root()).expect_err("bare by configuration");
    assert_eq!(error.diagnostics()[0].code.id(), "git0");
}

#[test]
fn a_git_file_that_leads_nowhere_is_an_error() {
    let sandbox = Sandbox::with_files(&[("a/b", "1")]);
    sandbox.write("a/.git", "gitdir: /nowhere\n");
    let error = discover(&sandbox, &sandbox.abs("a")).expect_err("leads nowhere");
    assert_eq!(error.diagnostics()[0].code.id(), "git2");
}

#[test]
fn the_variables_of_a_hook_are_followed() {
    let mut sandbox = Sandbox::with_files(&[("a/b", "1")]);
    sandbox.set("GIT_DIR", sandbox.path(".git"));
    for folder in ["", "a"] {
        let folder = sandbox.abs(folder);
        let repo = discover(&sandbox, &folder).expect("no error").expect("a repository");
        assert_eq!(repo.root(), &sandbox.root(), "not the folder it was asked from");
        assert_eq!(find_root(&sandbox.sys(), &folder), Some(sandbox.root()));
    }
    sandbox.set("GIT_DIR", ".git");
    check(&sandbox, "");
    let mut elsewhere = Sandbox::bare_folder();
    elsewhere.set("GIT_DIR", sandbox.path(".git"));
    elsewhere.set("GIT_WORK_TREE", elsewhere.root.clone());
    let repo = discover(&elsewhere, &elsewhere.root()).expect("no error").expect("a repository");
    assert_eq!((repo.root(), repo.git_dir()), (&elsewhere.root(), &sandbox.abs(".git")));
    assert_eq!(find_root(&elsewhere.sys(), &elsewhere.root()), Some(elsewhere.root()));
}

#[test]
fn another_owner_s_repository_is_refused_with_the_way_out() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    if std::os::unix::fs::chown(&sandbox.root, Some(12345), None).is_err() {
        return; // only root can give files away
    }
    let error = discover(&sandbox, &sandbox.root()).expect_err("not trusted");
    let diagnostic = &error.diagnostics()[0];
    let root = sandbox.root.display();
    assert_eq!(diagnostic.message, format!("git does not trust `{root}`, which another user owns"));
    assert_eq!(diagnostic.hints, [format!("git config --global --add safe.directory '{root}'")]);
}
