//! A dep that changes while its command runs: the result is stored only if the command is known
//! to have made the change itself.
//!
//! Commands and tests hand over through files, so nothing depends on how fast either is.

use crate::support::{Project, Started, until};

/// A command that reads its dep, waits for `go`, and ends.
const READS: &str = "cp a.txt seen; touch started; {wait go}; {tick hello}";

fn project(command: &str) -> Project {
    let project = Project::new();
    project.toml(&format!("[commands.hello]\nexec = '{READS}'\ndeps = ['*.txt']\n{command}\n"));
    project.file("a.txt", "one\n").file("b.txt", "one\n").commit();
    project
}

/// Starts the command; it has read its deps when this returns.
fn start(project: &Project) -> Started {
    let started = project.start(["hello"]);
    until("the command has started", || project.exists("started"));
    project.remove("started");
    started
}

/// Lets the command end.
fn go(project: &Project, started: Started) -> crate::support::Output {
    project.file("go", "");
    let output = started.wait().ok();
    project.remove("go");
    output
}

/// The number of real runs of `hello` after one more call, which finds `go` in place.
fn runs_after(project: &Project) -> usize {
    project.file("go", "").qik(["hello"]).ok();
    project.forget("go").forget("started");
    project.runs("hello")
}

#[test]
fn an_edited_dep_keeps_the_result_out_of_the_cache_and_is_named() {
    let project = project("");
    let started = start(&project);
    project.file("a.txt", "two\n");
    let output = go(&project, started).says("warning[cache0]").says("`a.txt`").says("rewrites");
    output.lacks("b.txt");
    assert_eq!(project.read("seen"), "one\n");
    project.file("go", "").qik(["hello"]).ok().warns_not();
    assert_eq!(project.runs("hello"), 2, "the new content has not been seen by a run");
    assert_eq!(project.read("seen"), "two\n");
    project.file("a.txt", "one\n");
    assert_eq!(runs_after(&project), 3, "neither is the old content stored");
    assert_eq!(runs_after(&project), 3);
}

#[test]
fn an_edit_that_was_undone_before_the_end_may_have_been_read() {
    let project = project("");
    let started = start(&project);
    project.file("a.txt", "two\n").file("a.txt", "one\n");
    // Both hashes are equal; what matters is that the next result is one of this content.
    go(&project, started);
    runs_after(&project);
    assert_eq!(project.read("seen"), "one\n");
}

#[test]
fn all_that_changed_is_named_up_to_a_bound() {
    let project = project("");
    for number in 0..9 {
        project.file(format!("n{number}.txt"), "one\n");
    }
    project.commit();
    let started = start(&project);
    for number in 0..9 {
        project.file(format!("n{number}.txt"), "two\n");
    }
    go(&project, started).says("`n0.txt` changed").says("more");
}

#[test]
fn an_added_or_deleted_dep_is_a_change_as_well() {
    let project = project("");
    let started = start(&project);
    project.remove("b.txt");
    go(&project, started).says("`b.txt` gone");
    let started = start(&project);
    project.file("c.txt", "one\n").git(["add", "-N", "c.txt"]);
    go(&project, started).says("`c.txt` added");
    assert_eq!(runs_after(&project), 3);
    assert_eq!(runs_after(&project), 3);
}

#[test]
fn an_untracked_file_changes_nothing() {
    let project = project("");
    let started = start(&project);
    project.file("c.txt", "one\n");
    go(&project, started).warns_not();
    assert_eq!(runs_after(&project), 1);
}

#[test]
fn rewrites_stores_the_result_under_the_later_hash() {
    for setting in ["rewrites = true", "[defaults]\nrewrites = true"] {
        let project = project(setting);
        let started = start(&project);
        project.file("a.txt", "two\n");
        go(&project, started).warns_not();
        assert_eq!(runs_after(&project), 1, "{setting}: the later content is known");
        project.file("a.txt", "one\n");
        assert_eq!(runs_after(&project), 2, "{setting}: the former is not");
    }
    let project = project("rewrites = false\n[defaults]\nrewrites = true");
    let started = start(&project);
    project.file("a.txt", "two\n");
    go(&project, started).says("rewrites");
    assert_eq!(runs_after(&project), 2, "the command's own word wins");
}

#[test]
fn a_formatter_is_warm_once_it_leaves_its_files_alone() {
    let formatter = |extra: &str| {
        let project = Project::new();
        let exec = "{tick format}; sed -i.bak 's/ *$//' a.txt; rm a.txt.bak";
        project.toml(&format!("[commands.format]\nexec = \"{exec}\"\ndeps = ['*.txt']\n{extra}"));
        project.file("a.txt", "trailing   \n").commit();
        project
    };
    let project = formatter("");
    project.qik(["format"]).ok().says("`a.txt` changed").says("rewrites");
    assert_eq!(project.read("a.txt"), "trailing\n");
    assert!(project.reruns("format"));
    assert!(!project.reruns("format"));
    let project = formatter("rewrites = true\n");
    assert!(project.reruns("format"));
    assert!(!project.reruns("format"));
    let project = formatter("artifacts = ['a.txt']\n");
    project.qik(["format"]).ok().warns_not();
    assert!(!project.reruns("format"), "its own artifacts are its own writes");
}

#[test]
fn own_artifacts_excuse_no_other_change() {
    let project = Project::new();
    project.toml(
        r"
        [commands.hello]
        exec = '{tick hello}; cat a.txt >> gen.txt; echo more >> a.txt'
        deps = ['*.txt']
        artifacts = ['gen.txt']
        ",
    );
    project.file("a.txt", "one\n").file("gen.txt", "").commit();
    project.qik(["hello"]).ok().says("`a.txt` changed").lacks("`gen.txt`");
    assert!(project.reruns("hello"));
}

#[test]
fn an_upstream_may_rewrite_a_downstreams_dep() {
    let project = Project::new();
    project.toml(
        r"
        [commands.gen]
        exec = '{tick gen}; tr a-z A-Z < in.txt > gen.txt'
        deps = ['in.txt']
        artifacts = ['gen.txt']

        [commands.use]
        exec = '{tick use}; cp gen.txt used'
        deps = ['gen.txt', {type = 'command', name = 'gen'}]

        [commands.fix]
        exec = '{tick fix}; grep -q fixed src.txt || echo fixed >> src.txt'
        deps = ['src.txt']
        rewrites = true

        [commands.lint]
        exec = '{tick lint}; cp src.txt linted'
        deps = ['src.txt', {type = 'command', name = 'fix'}]
        ",
    );
    project.file("in.txt", "one\n").file("gen.txt", "").file("src.txt", "one\n").commit();
    for (input, runs) in [("one\n", 1), ("one\n", 1), ("two\n", 2), ("two\n", 2)] {
        project.file("in.txt", input).qik(["use", "-n", "2"]).ok().warns_not();
        assert_eq!((project.runs("gen"), project.runs("use")), (runs, runs), "{input}");
        assert_eq!(project.read("used"), input.to_uppercase());
    }
    for _ in 0..2 {
        project.qik(["lint"]).ok().warns_not();
        assert_eq!((project.runs("fix"), project.runs("lint")), (1, 1));
        assert_eq!(project.read("linted"), "one\nfixed\n");
    }
}

#[test]
fn a_command_beside_it_that_writes_a_dep_is_no_excuse() {
    let project = Project::new();
    project.toml(
        r"
        [commands.reader]
        exec = '{tick reader}; cp a.txt seen; touch read; {wait written}'
        deps = ['a.txt']

        [commands.writer]
        exec = '{wait read}; echo two > a.txt; touch written'
        ",
    );
    project.file("a.txt", "one\n").commit();
    project.qik(["-n", "2"]).ok().says("`reader` is not cached").says("`a.txt` changed");
    project.qik(["reader"]).ok();
    assert_eq!(project.runs("reader"), 2);
    assert_eq!(project.read("seen"), "two\n");
}

#[test]
fn a_failure_whose_dep_changed_is_not_kept_either() {
    let project = project("cache-when = 'finished'");
    project.toml(&project.read("qik.toml").replace("echo x >>", "false; echo x >>"));
    let started = start(&project);
    project.file("a.txt", "two\n");
    go(&project, started).says("is not cached");
    assert_eq!(runs_after(&project), 2);
}
