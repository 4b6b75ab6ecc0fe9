//! What qik writes for git: intents to add, attributes, the merge driver.

use std::path::Path;
use std::sync::Arc;

use super::sandbox::Sandbox;
use crate::git::{Worktree, ensure_attributes, ensure_merge_driver, intent_to_add};
use crate::paths::ProjectPath;
use crate::sys::fs;
use crate::sys::unfinished::Unfinished;

fn project_paths(names: &[&str]) -> Vec<ProjectPath> {
    names.iter().map(|name| ProjectPath::from_bytes(name.as_bytes())).collect()
}

fn status(sandbox: &Sandbox) -> String {
    sandbox.git(&["status", "--porcelain", "-z", "-uno"])
}

#[test]
fn only_new_files_are_added_by_intent() {
    let sandbox = Sandbox::with_files(&[("old", "1"), ("edited", "1")]);
    sandbox.write("edited", "2");
    for name in ["new", "*", "a b\n", "-dash", ":colon", "d/new"] {
        sandbox.write(name, "1");
    }
    sandbox.write("other", "stays untracked");
    let worktree = sandbox.worktree();
    let names = ["old", "edited", "new", "*", "a b\n", "-dash", ":colon", "d/new", "missing", "d"];
    intent_to_add(&worktree, &project_paths(&names)).expect("added");
    assert_eq!(
        status(&sandbox),
        " A *\0 A -dash\0 A :colon\0 A a b\n\0 A d/new\0 M edited\0 A new\0"
    );
    assert!(worktree.is_tracked(&project_paths(&["new"])[0]).expect("an index"));
    let before = fs::stat(&sandbox.path(".git/index")).expect("an index").modified().expect("time");
    intent_to_add(&worktree, &project_paths(&names)).expect("nothing to add");
    let after = fs::stat(&sandbox.path(".git/index")).expect("an index").modified().expect("time");
    assert_eq!(before, after);
}

#[test]
fn paths_are_relative_to_the_project() {
    let sandbox = Sandbox::with_files(&[("p/old", "1")]);
    sandbox.write("p/new", "1");
    sandbox.write("above", "1");
    let worktree =
        Worktree::open(Arc::new(sandbox.repo()), &sandbox.abs("p")).expect("a work tree");
    intent_to_add(&worktree, &project_paths(&["new", "../above"])).expect("added");
    assert_eq!(status(&sandbox), " A above\0 A p/new\0");
    assert!(intent_to_add(&worktree, &project_paths(&["../../x"])).is_err());
}

#[test]
fn an_ignored_file_is_named() {
    let sandbox = Sandbox::with_files(&[(".gitignore", "*.out\n")]);
    sandbox.write("a.out", "1");
    sandbox.write("b", "1");
    let error = intent_to_add(&sandbox.worktree(), &project_paths(&["a.out", "b"]));
    let error = error.expect_err("ignored");
    assert_eq!(error.message, "`a.out` is not staged");
    assert_eq!(error.causes, ["git ignores it"]);
}

#[test]
fn a_locked_index_is_waited_for_and_then_reported() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.write("b", "1");
    sandbox.write(".git/index.lock", "");
    let error = intent_to_add(&sandbox.worktree(), &project_paths(&["b"])).expect_err("locked");
    assert_eq!(error.message, "`b` is not staged");
    assert!(error.causes[0].contains("index.lock"), "{:?}", error.causes);
    let lock = sandbox.path(".git/index.lock");
    std::thread::scope(|scope| {
        scope.spawn(|| intent_to_add(&sandbox.worktree(), &project_paths(&["b"])).expect("added"));
        fs::remove_file(&lock).expect("unlocked");
    });
    assert_eq!(status(&sandbox), " A b\0");
}

#[test]
fn sparse_checkouts_and_split_indexes_take_intents_too() {
    let sandbox = Sandbox::with_files(&[("d/a", "1"), ("e/b", "1")]);
    sandbox.git(&["sparse-checkout", "set", "--cone", "--no-sparse-index", "d"]);
    sandbox.write("e/new", "1");
    intent_to_add(&sandbox.worktree(), &project_paths(&["e/new"])).expect("added");
    assert!(status(&sandbox).contains(" A e/new"));
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.git(&["update-index", "--split-index"]);
    sandbox.write("b", "1");
    intent_to_add(&sandbox.worktree(), &project_paths(&["b"])).expect("added");
    assert_eq!(status(&sandbox), " A b\0");
}

#[test]
fn a_sparse_index_is_left_alone_since_git_would_crash() {
    let sandbox = Sandbox::with_files(&[("d/a", "1"), ("e/b", "1")]);
    sandbox.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "d"]);
    sandbox.write("d/new", "1");
    let error = intent_to_add(&sandbox.worktree(), &project_paths(&["d/new"]));
    assert_eq!(error.expect_err("refused").message, "`d/new` is not staged");
    assert_eq!(status(&sandbox), "");
}

#[test]
fn git_takes_the_attributes_for_odd_prefixes() {
    for prefix in ["", "p", "a b", "#x", "!x", "[a]*", "\"q", "é", "a\\b", "t\tt"] {
        let sandbox = Sandbox::new();
        let unfinished = Unfinished::new(sandbox.path(".git/qik"));
        let ensure = || ensure_attributes(&sandbox.root(), prefix.as_bytes(), &unfinished);
        assert!(ensure().expect("written"));
        assert!(!ensure().expect("there"));
        let inside = Path::new(prefix).join(".qik/cache/c/x.json");
        let inside = inside.to_str().expect("text");
        let merge = |path: &str| {
            let answer =
                sandbox.git(&["check-attr", "-z", "merge", "linguist-generated", "--", path]);
            let fields: Vec<&str> = answer.split('\0').collect();
            [fields[2].to_owned(), fields[5].to_owned()]
        };
        assert_eq!(merge(inside), ["qik", "true"], "{prefix:?}");
        assert_eq!(merge("other/.qik/x"), ["unspecified", "unspecified"], "{prefix:?}");
    }
}

#[test]
fn the_merge_driver_is_set_once_for_all_work_trees() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    let exe = Path::new("/opt/my qik/qik");
    assert!(ensure_merge_driver(&sandbox.repo(), exe).expect("written"));
    assert!(!ensure_merge_driver(&sandbox.repo(), exe).expect("there"));
    let driver = sandbox.git(&["config", "merge.qik.driver"]);
    assert_eq!(driver, "'/opt/my qik/qik' :merge-driver %O %A %B\n");
    sandbox.git(&["worktree", "add", "-q", "linked"]);
    let sys = sandbox.sys();
    let linked = crate::git::Repo::discover(&sys, &sandbox.abs("linked"));
    let linked = linked.expect("no error").expect("a repository");
    assert!(!ensure_merge_driver(&linked, exe).expect("there"));
    assert!(ensure_merge_driver(&linked, Path::new("/moved/qik")).expect("written"));
    assert!(sandbox.git(&["config", "merge.qik.driver"]).starts_with("'/moved/qik'"));
}

#[test]
fn a_locked_configuration_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.write(".git/config.lock", "");
    let error = ensure_merge_driver(&sandbox.repo(), Path::new("/qik")).expect_err("locked");
    assert_eq!(error.message, "`git config` failed");
    assert!(error.causes[0].contains("config"), "{:?}", error.causes);
}
