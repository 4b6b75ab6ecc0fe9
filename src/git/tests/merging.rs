//! Whose side wins, in the states that git itself makes.

use super::sandbox::Sandbox;
use crate::git::{Repo, keep_own_side};
use crate::paths::AbsPath;
use crate::sys::fs;

/// Two branches that conflict in `a`.
fn conflicting() -> Sandbox {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.git(&["branch", "side"]);
    sandbox.write("a", "main");
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "side"]);
    sandbox.write("a", "side");
    sandbox.commit();
    sandbox
}

/// What the driver leaves in a repository's present state.
fn winner(sandbox: &Sandbox, root: &AbsPath) -> String {
    let repo = Repo::discover(&sandbox.sys(), root).expect("no error").expect("a repository");
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("A"), folder.path().join("B"));
    fs::write_atomic(&ours, b"A").expect("a file");
    fs::write_atomic(&theirs, b"B").expect("a file");
    keep_own_side(&repo, &ours, &theirs).expect("kept");
    fs::read_text(&ours).expect("a file")
}

#[track_caller]
fn check(args: &[&str], expected: &str) {
    let sandbox = conflicting();
    assert_eq!(winner(&sandbox, &sandbox.root()), "A", "at rest");
    assert!(!sandbox.try_git(args).status.success(), "{args:?} should conflict");
    assert_eq!(winner(&sandbox, &sandbox.root()), expected, "{args:?}");
}

#[test]
fn in_a_merge_and_a_cherry_pick_git_s_ours_is_one_s_own() {
    check(&["merge", "main"], "A");
    check(&["cherry-pick", "main"], "A");
}

#[test]
fn in_a_rebase_git_s_theirs_is_one_s_own() {
    check(&["rebase", "main"], "B");
    check(&["rebase", "--apply", "main"], "B");
    check(&["-c", "sequence.editor=true", "rebase", "-i", "main"], "B");
}

#[test]
fn applying_a_mail_is_no_rebase() {
    let sandbox = conflicting();
    let patch = sandbox.git(&["format-patch", "-1", "--stdout", "main"]);
    sandbox.write("mail", patch);
    assert!(!sandbox.try_git(&["am", "-3", "mail"]).status.success());
    assert!(sandbox.path(".git/rebase-apply").exists());
    assert_eq!(winner(&sandbox, &sandbox.root()), "A");
}

#[test]
fn a_linked_work_tree_has_a_rebase_of_its_own() {
    let sandbox = conflicting();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["worktree", "add", "-q", "linked", "side"]);
    assert!(!sandbox.try_git(&["-C", "linked", "rebase", "main"]).status.success());
    assert_eq!(winner(&sandbox, &sandbox.abs("linked")), "B");
    assert_eq!(winner(&sandbox, &sandbox.root()), "A");
}

#[test]
fn a_submodule_has_a_rebase_of_its_own() {
    let origin = conflicting();
    let sandbox = Sandbox::with_files(&[("x", "1")]);
    let url = origin.root.display().to_string();
    sandbox.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "sub"]);
    assert!(!sandbox.try_git(&["-C", "sub", "rebase", "origin/main"]).status.success());
    assert_eq!(winner(&sandbox, &sandbox.abs("sub")), "B");
    assert_eq!(winner(&sandbox, &sandbox.root()), "A");
}
