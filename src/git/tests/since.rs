//! Refs, and what differs from a commit, against `git diff`.

use super::sandbox::{Sandbox, patterns};
use crate::git::Worktree;

/// Expects the paths that `git diff --name-only` gives.
#[track_caller]
fn check(sandbox: &Sandbox, reference: &str) {
    let commit = sandbox.repo().resolve(reference).expect("a commit");
    let ours = changed(&sandbox.worktree(), &commit);
    let args = ["diff", "--name-only", "-z", "--no-renames", &commit.to_string()];
    let listing = sandbox.git(&args);
    let mut gits: Vec<&str> = listing.split_terminator('\0').collect();
    gits.sort_unstable();
    gits.dedup();
    assert_eq!(ours, gits, "since {reference}");
}

fn changed(worktree: &Worktree, commit: &crate::git::Commit) -> Vec<String> {
    let changed = worktree.changed_since(commit).expect("changes");
    changed.into_iter().map(|path| String::from_utf8_lossy(&path).into_owned()).collect()
}

#[test]
fn what_differs_is_what_git_diff_says() {
    let sandbox = Sandbox::with_files(&[
        ("same", "1"),
        ("touched", "1"),
        ("edited", "1"),
        ("staged", "1"),
        ("deleted", "1"),
        ("renamed", "some text to rename"),
        ("mode", "1"),
        ("undone", "1"),
        ("d/a", "1"),
        ("d/b", "1"),
        ("unindexed", "1"),
        ("é \"\n", "1"),
    ]);
    check(&sandbox, "HEAD");
    sandbox.touch("touched");
    sandbox.write("edited", "2");
    sandbox.write("staged", "2");
    sandbox.git(&["add", "staged"]);
    sandbox.remove("deleted");
    sandbox.git(&["mv", "renamed", "new-name"]);
    sandbox.chmod("mode", 0o755);
    sandbox.write("undone", "2");
    sandbox.git(&["add", "undone"]);
    sandbox.write("undone", "1");
    sandbox.git(&["rm", "-q", "--cached", "unindexed"]);
    sandbox.write("untracked", "1");
    sandbox.write("intended", "1");
    sandbox.git(&["add", "-N", "intended"]);
    sandbox.write("é \"\n", "2");
    check(&sandbox, "HEAD");
    sandbox.commit();
    check(&sandbox, "HEAD");
    check(&sandbox, "HEAD~");
}

/// git keeps the ids of the folders that it made trees of, and forgets those that change.
#[test]
fn folders_that_the_index_knows_hide_nothing() {
    let paths: Vec<String> =
        (0..3).flat_map(|a| (0..3).map(move |b| format!("d{a}/e{b}/f"))).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (&**path, "1")).collect();
    let sandbox = Sandbox::with_files(&files);
    for (path, text) in [("d0/e0/f", "2"), ("d1/e0/new", "1"), ("d1.x", "1"), ("d1/e", "1")] {
        sandbox.write(path, text);
        sandbox.commit();
    }
    let steps: [&[&str]; 11] = [
        &["status"],
        &["write-tree"],
        &["rm", "-q", "-r", "--cached", "d2/e1"],
        &["write-tree"],
        &["reset", "-q", "--soft", "HEAD~"],
        &["checkout", "-q", "-f", "HEAD~", "--", "d1"],
        &["add", "-N", "d2/e1/f"],
        &["read-tree", "HEAD~2"],
        &["update-index", "--force-remove", "d0/e0/f"],
        &["reset", "-q", "--hard", "HEAD~"],
        &["checkout", "-q", "-f", "main@{2}"],
    ];
    for step in steps {
        sandbox.git(step);
        for reference in ["HEAD", "HEAD~", "main@{1}"] {
            check(&sandbox, reference);
        }
    }
}

#[test]
fn a_conflict_counts() {
    let sandbox = Sandbox::with_files(&[("a", "1"), ("b", "1")]);
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.write("a", "side");
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("a", "main");
    sandbox.commit();
    assert!(!sandbox.try_git(&["merge", "side"]).status.success());
    check(&sandbox, "HEAD");
    check(&sandbox, "side");
}

#[test]
fn bits_that_hide_changes_are_not_believed() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.git(&["update-index", "--assume-unchanged", "a"]);
    sandbox.write("a", "2");
    let commit = sandbox.repo().resolve("HEAD").expect("a commit");
    assert_eq!(changed(&sandbox.worktree(), &commit), ["a"]);
}

#[test]
fn three_dots_mean_the_merge_base() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    let base = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.write("b", "1");
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("c", "1");
    sandbox.commit();
    for reference in ["side...", "side...HEAD", "...side"] {
        let commit = sandbox.repo().resolve(reference).expect("a commit");
        assert_eq!(commit.to_string(), base.trim(), "{reference}");
    }
    sandbox.git(&["checkout", "-q", "--orphan", "other"]);
    sandbox.commit();
    let error = sandbox.repo().resolve("main...").expect_err("no ancestor");
    assert_eq!(error.diagnostics()[0].code.id(), "git1");
}

#[test]
fn refs_of_all_kinds_are_resolved() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.git(&["tag", "-a", "-m", "x", "v1"]);
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    for reference in ["main", "v1", "HEAD^{/x}", ":/x", "@", &head[..7], "refs/heads/main"] {
        let commit = sandbox.repo().resolve(reference).expect(reference);
        assert_eq!(commit.to_string(), head.trim(), "{reference}");
    }
}

#[test]
fn a_ref_is_never_an_option_nor_a_command() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    let check = |reference: &str, hints: &[&str]| {
        let error = sandbox.repo().resolve(reference).expect_err(reference);
        let diagnostic = &error.diagnostics()[0];
        assert_eq!(diagnostic.code.id(), "git1");
        assert!(diagnostic.message.contains(&format!("`{reference}`")), "{}", diagnostic.message);
        assert_eq!(diagnostic.hints, hints, "{reference}");
    };
    check("HEAD; touch PWNED;", &[]);
    check("$(touch PWNED)", &[]);
    check("--help", &[]);
    check("--git-dir", &[]);
    check("", &[]);
    check("a\0b", &[]);
    check("mian", &["did you mean `main`?"]);
    check("HEAD:a", &[]);
    assert!(!sandbox.path("PWNED").exists());
}

#[test]
fn a_replaced_commit_is_what_replaces_it() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.commit();
    let before = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.write("a", "2");
    sandbox.commit();
    sandbox.git(&["replace", before.trim(), "HEAD"]);
    check(&sandbox, before.trim());
    check(&sandbox, "HEAD");
}

#[test]
fn conditions_of_the_configuration_are_git_s() {
    let mut sandbox = Sandbox::with_files(&[("a", "1")]);
    let condition = format!("[includeIf \"gitdir:{}/\"]\n", sandbox.root.display());
    sandbox.write(".git/global", format!("{condition}path = included\n"));
    sandbox.write(".git/included", "[core]\nfileMode = false\n");
    sandbox.git(&["config", "--unset", "core.fileMode"]);
    sandbox.set("GIT_CONFIG_GLOBAL", sandbox.path(".git/global"));
    sandbox.chmod("a", 0o755);
    check(&sandbox, "HEAD");
    assert!(sandbox.files()[0].starts_with("100644"));
}

#[test]
fn without_a_commit_there_is_no_head() {
    let sandbox = Sandbox::new();
    let error = sandbox.repo().resolve("HEAD").expect_err("no commit");
    assert_eq!(
        error.diagnostics()[0].hints,
        ["commit something first: this branch has no commit yet"]
    );
}

#[test]
fn a_file_of_a_commit_is_read_as_it_was() {
    let sandbox = Sandbox::with_files(&[("qik.toml", "one\0\r\n"), ("d/qik.toml", "two")]);
    sandbox.link("link", "d/qik.toml");
    sandbox.link("dangling", "nowhere");
    sandbox.commit();
    let commit = sandbox.repo().resolve("HEAD").expect("a commit");
    sandbox.write("qik.toml", "later");
    let worktree = sandbox.worktree();
    let check = |path: &str, expected: Option<&str>| {
        let content = worktree.file_at(&commit, path.as_bytes()).expect("an answer");
        assert_eq!(content.as_deref(), expected.map(str::as_bytes), "{path}");
    };
    check("qik.toml", Some("one\0\r\n"));
    check("d/qik.toml", Some("two"));
    check("link", Some("two"));
    check("dangling", None);
    check("d", None);
    check("nope", None);
    check("no\npe", None);
    worktree.file_set(&patterns(&["."])).expect("a set");
}
