//! Work trees that are not the main one, submodules, hooks, and projects below the git root.

use crate::hashing::check_edits;
use crate::support::Project;

/// The same world in a linked work tree on a new branch.
fn linked(project: &Project, folder: &str) -> Project {
    let path = project.git_root.join(folder);
    project.git(["worktree", "add", "-q", "-b", "linked", path.to_str().unwrap()]);
    project.at(path)
}

/// A repository with a submodule `sub`, which holds `x.txt`.
fn with_submodule(deps: &str) -> (Project, Project) {
    let project = Project::hello(deps);
    let other = project.at(project.world().join("other"));
    std::fs::create_dir(&other.git_root).unwrap();
    other.git(["init", "-q", "-b", "main"]);
    other.file("x.txt", "one\n").file("y.txt", "one\n").commit();
    let url = other.git_root.to_str().unwrap().to_owned();
    project.git(["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "sub"]);
    project.commit();
    let sub = project.at(project.git_root.join("sub"));
    (project, sub)
}

#[test]
fn a_linked_work_tree_has_files_and_a_cache_of_its_own() {
    let project = Project::hello(r#"["*.txt"]"#);
    for folder in ["../beside", "inside/the main one"] {
        let tree = linked(&project, folder);
        check_edits(&tree, "a.txt");
        assert!(tree.exists("._qik"));
        assert!(!project.exists("._qik"));
        project.git(["worktree", "remove", "--force", tree.git_root.to_str().unwrap()]);
        project.git(["branch", "-q", "-D", "linked"]);
    }
}

#[test]
fn a_linked_work_tree_inside_of_the_main_one_has_its_own_configuration() {
    let project = Project::hello(r#"["*.txt"]"#);
    let tree = linked(&project, ".trees/topic");
    tree.toml("[commands.topic]\nexec = 'pwd > where'\n");
    assert_eq!(tree.ls([""; 0]), ["topic"]);
    tree.qik(["topic"]).ok();
    assert_eq!(tree.read("where").trim(), tree.root.to_str().unwrap());
    assert_eq!(project.ls([""; 0]), ["hello"]);
}

#[test]
fn a_submodule_counts_with_its_commit_and_its_state() {
    for deps in [r#"["sub"]"#, r#"["*"]"#] {
        let (project, sub) = with_submodule(deps);
        check_edits(&project, "sub/x.txt");
        sub.git(["checkout", "-q", "x.txt"]);
        assert!(!project.reruns("hello"), "{deps}: clean again");
        sub.file("x.txt", "in a new commit\n").commit();
        assert!(project.reruns("hello"), "{deps}: a new commit");
        project.git(["add", "sub"]);
        assert!(!project.reruns("hello"), "{deps}: the new commit staged");
        project.commit();
        assert!(!project.reruns("hello"), "{deps}: committed");
        sub.remove("y.txt");
        assert!(project.reruns("hello"), "{deps}: a deleted file");
    }
}

#[test]
fn a_pattern_inside_of_a_submodule_is_never_a_stale_hit() {
    for deps in [r#"["sub/*.txt"]"#, r#"["sub/x.txt"]"#] {
        let (project, sub) = with_submodule(deps);
        check_edits(&project, "sub/x.txt");
        sub.file("x.txt", "in a new commit\n").commit();
        assert!(project.reruns("hello"), "{deps}: a new commit");
        assert!(!project.reruns("hello"), "{deps}");
    }
}

#[test]
fn a_submodule_that_is_not_checked_out_counts_with_its_commit() {
    let (project, _) = with_submodule(r#"["sub", "a.txt"]"#);
    let clone = project.clone_to("clone");
    clone.reruns("hello");
    assert!(!clone.reruns("hello"));
    check_edits(&clone, "a.txt");
}

#[test]
fn a_submodule_is_a_project_of_its_own() {
    let (project, sub) = with_submodule(r#"["sub"]"#);
    sub.toml("[commands.hello]\nexec = '{tick hello}'\ndeps = ['*.txt']\n").commit();
    check_edits(&sub, "x.txt");
    assert!(sub.exists("._qik") && !project.exists("._qik"));
    sub.file("new.txt", "one\n").git(["add", "-N", "new.txt"]);
    check_edits(&sub, "new.txt");
}

#[test]
fn a_submodule_without_a_configuration_does_not_take_the_outer_one() {
    let (_, sub) = with_submodule(r#"["sub"]"#);
    sub.qik(["--ls"]).errs("conf0");
}

#[test]
fn a_hook_may_run_qik() {
    let base = Project::new().below("services/api");
    base.toml("[commands.hello]\nexec = '{tick hello}'\ndeps = ['*.txt']\ncache = 'repo'\n");
    base.file("a.txt", "one\n").file("b.txt", "one\n").commit();
    let qik = env!("CARGO_BIN_EXE_qik");
    base.file("../../.git/hooks/pre-commit", format!("#!/bin/sh\ncd services/api\n{qik} hello\n"));
    base.chmod("../../.git/hooks/pre-commit", 0o755);
    base.file("a.txt", "two\n").file("b.txt", "two\n");
    for (args, runs) in [
        (vec!["commit", "-q", "-m", "one file", "services/api/a.txt"], 1),
        (vec!["commit", "-q", "-a", "-m", "all"], 1),
    ] {
        base.git(args);
        assert_eq!(base.runs("hello"), runs);
    }
    base.qik(["hello"]).ok().warns_not();
    assert_eq!(base.runs("hello"), 1);
    base.file("a.txt", "three\n").git(["commit", "-q", "-a", "-m", "again"]);
    assert_eq!(base.runs("hello"), 2);
    let status = base.git(["status", "--porcelain", "-uno"]);
    assert!(!status.contains(".txt"), "{status}");
}

#[test]
fn a_hook_of_a_linked_work_tree_sees_the_linked_work_tree() {
    let project = Project::hello(r#"["*.txt"]"#);
    let tree = linked(&project, "../beside");
    let qik = env!("CARGO_BIN_EXE_qik");
    project.file(".git/hooks/pre-commit", format!("#!/bin/sh\nenv > $TICKS/env\n{qik} hello\n"));
    project.chmod(".git/hooks/pre-commit", 0o755);
    tree.file("a.txt", "two\n").git(["commit", "-q", "-a", "-m", "x"]);
    assert_eq!(tree.runs("hello"), 1);
    assert!(!tree.reruns("hello"));
    assert!(tree.exists("._qik") && !project.exists("._qik"));
    assert!(project.reruns("hello"));
}

#[test]
fn a_project_below_the_git_root_sees_its_own_folder() {
    let project = Project::new().below("services/api");
    project.toml("[commands.hello]\nexec = '{tick hello}; pwd > where'\ndeps = ['*.txt']\n");
    project
        .file("a.txt", "one\n")
        .file("../../top.txt", "one\n")
        .file("deep/er/x.txt", "")
        .commit();
    check_edits(&project, "a.txt");
    project.file("../../top.txt", "two\n");
    assert!(!project.reruns("hello"));
    let before = project.runs("hello");
    project.qik_in("deep/er", ["hello"]).ok();
    assert_eq!(project.runs("hello"), before, "from a folder below");
    project.qik_in("deep/er", ["hello", "-f"]).ok();
    assert_eq!(project.read("where").trim(), project.root.to_str().unwrap());
    assert!(!project.exists("../../._qik"));
}

#[test]
fn patterns_may_leave_the_project_but_not_the_repository() {
    let project = Project::new().below("services/api");
    project.toml(
        r"
        [commands.hello]
        exec = '{tick hello}'
        deps = ['../shared/*.txt', ':(top)VERSION', './../../docs']
        ",
    );
    for path in ["../shared/a.txt", "../../VERSION", "../../docs/x", "../other/a.txt"] {
        project.file(path, "one\n");
    }
    project.commit();
    check_edits(&project, "../shared/a.txt");
    check_edits(&project, "../../VERSION");
    check_edits(&project, "../../docs/x");
    project.file("../other/a.txt", "two\n");
    assert!(!project.reruns("hello"));
    project.toml("[commands.hello]\nexec = 'true'\ndeps = ['../../../out']\n");
    project.qik(["hello"]).fails().says("error[conf18]").says("../../../out");
}

#[test]
fn the_outermost_configuration_below_the_git_root_is_the_projects() {
    let project = Project::new();
    project
        .toml("[commands]\nouter = 'true'\n")
        .toml_at("sub/qik.toml", "[commands]\nin = 'true'\n");
    project.qik_in("sub", ["--ls"]).ok().prints("outer\n");
    let nested = project.at(project.git_root.join("sub/repo"));
    std::fs::create_dir_all(&nested.git_root).unwrap();
    nested.git(["init", "-q"]);
    nested.qik(["--ls"]).errs("conf0");
    nested.toml("[commands]\nnested = 'true'\n");
    nested.qik(["--ls"]).ok().prints("nested\n");
}
