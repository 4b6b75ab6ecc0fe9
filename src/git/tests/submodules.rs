//! Submodules: a commit, or more than that.

use super::sandbox::{Sandbox, all_files, lines, paths, patterns};

/// A repository with the submodule `sub`, and that submodule's origin.
fn with_submodule() -> (Sandbox, Sandbox) {
    let origin = Sandbox::with_files(&[("x", "1"), ("y", "1")]);
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    let url = origin.root.display().to_string();
    sandbox.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "sub"]);
    sandbox.commit();
    (sandbox, origin)
}

fn sub_line(sandbox: &Sandbox) -> String {
    sandbox.files().into_iter().find(|line| line.ends_with(" sub")).unwrap_or_default()
}

#[test]
fn a_clean_submodule_is_its_commit() {
    let (sandbox, _origin) = with_submodule();
    sandbox.check_like_git();
    sandbox.touch("sub/x");
    sandbox.write("sub/untracked", "1");
    sandbox.check_like_git();
}

#[test]
fn every_change_in_a_submodule_is_another_state() {
    let (sandbox, _origin) = with_submodule();
    let clean = sub_line(&sandbox);
    let mut seen = vec![clean.clone()];
    for text in ["2", "3"] {
        sandbox.write("sub/x", text);
        seen.push(sub_line(&sandbox));
    }
    sandbox.remove("sub/y");
    seen.push(sub_line(&sandbox));
    sandbox.chmod("sub/x", 0o755);
    seen.push(sub_line(&sandbox));
    sandbox.git(&["-C", "sub", "commit", "-qam", "x"]);
    sandbox.check_like_git();
    seen.push(sub_line(&sandbox));
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
    sandbox.git(&["-C", "sub", "checkout", "-q", "HEAD~"]);
    assert_eq!(sub_line(&sandbox), clean);
}

#[test]
fn a_running_process_sees_the_next_change_in_a_submodule() {
    let (sandbox, _origin) = with_submodule();
    let worktree = sandbox.worktree();
    let clean = lines(&all_files(&worktree));
    sandbox.write("sub/x", "2");
    worktree.forget();
    assert_ne!(lines(&all_files(&worktree)), clean);
}

#[test]
fn a_submodule_that_is_not_checked_out_is_the_index_s_commit() {
    let (sandbox, _origin) = with_submodule();
    let before = sub_line(&sandbox);
    sandbox.git(&["submodule", "--quiet", "deinit", "-f", "sub"]);
    assert_eq!(sub_line(&sandbox), before);
    crate::sys::fs::remove_folder(&sandbox.path("sub")).expect("removed");
    assert_eq!(sub_line(&sandbox), "");
}

#[test]
fn a_pattern_into_a_submodule_matches_it() {
    let (sandbox, _origin) = with_submodule();
    let check = |texts: &[&str], expected: &[&str]| {
        let set = sandbox.worktree().file_set(&patterns(texts)).expect("a set");
        assert_eq!(paths(&set), expected, "{texts:?}");
    };
    check(&["sub"], &["sub"]);
    check(&["sub/"], &["sub"]);
    check(&["sub/x"], &["sub"]);
    check(&["sub/**/*.py"], &["sub"]);
    check(&["su"], &[]);
    check(&["sub/x", ":!sub"], &[]);
    check(&["subx/*"], &[]);
}

#[test]
fn the_environment_of_a_hook_is_not_the_submodule_s() {
    let (mut sandbox, _origin) = with_submodule();
    sandbox.set("GIT_DIR", sandbox.path(".git"));
    sandbox.set("GIT_INDEX_FILE", ".git/index");
    let clean = sub_line(&sandbox);
    sandbox.write("sub/x", "2");
    assert!(!clean.is_empty());
    assert_ne!(sub_line(&sandbox), clean);
}

#[test]
fn a_submodule_can_be_the_repository_itself() {
    let (sandbox, _origin) = with_submodule();
    let sys = sandbox.sys();
    let sub = sandbox.abs("sub");
    let repo = crate::git::Repo::discover(&sys, &sub).expect("no error").expect("a repository");
    assert_eq!(repo.root(), &sub);
    assert_eq!(crate::git::find_root(&sys, &sub), Some(sub));
}
