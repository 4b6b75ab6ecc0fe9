//! Several qik processes in one checkout: one runs a cold command, the others wait and replay.

use rustix::process::Signal;

use crate::support::{Project, Started, until};

/// A command that tells when it has started and ends when `go` is there.
fn project(more: &str) -> Project {
    let project = Project::new();
    project.toml(&format!(
        "[commands.slow]\nexec = '{{tick slow}}; touch started; {{wait go}}; cat a.txt > out; cat a.txt'
        deps = ['a.txt']\nartifacts = ['out']\n{more}\n"
    ));
    project.file("a.txt", "one\n").commit();
    project
}

/// Starts the command; it runs when this returns.
fn start(project: &Project) -> Started {
    let started = project.start(["slow"]);
    until("the command runs", || project.exists("started"));
    started
}

/// Starts a second process; it waits when this returns.
fn start_waiting(project: &Project, args: &[&str]) -> Started {
    let started = project.start(args);
    until("it says that it waits", || started.stderr_so_far().contains("slow"));
    started
}

#[test]
fn who_comes_second_waits_and_replays() {
    let project = project("");
    let first = start(&project);
    let second = start_waiting(&project, &["slow"]);
    project.file("go", "");
    first.wait().ok().prints("one\n");
    second.wait().ok().prints("one\n").warns_not();
    assert_eq!(project.runs("slow"), 1);
    assert_eq!(project.read("out"), "one\n");
}

#[test]
fn who_comes_second_waits_even_if_the_cache_was_deleted_meanwhile() {
    let project = project("");
    let first = start(&project);
    project.remove("._qik");
    let second = start_waiting(&project, &["slow"]);
    assert_eq!(project.runs("slow"), 1);
    project.file("go", "");
    first.wait().ok().prints("one\n");
    second.wait().ok().prints("one\n").warns_not();
    assert_eq!(project.runs("slow"), 1);
}

#[test]
fn who_comes_second_with_force_waits_and_runs() {
    let project = project("");
    let first = start(&project);
    let second = start_waiting(&project, &["slow", "-f"]);
    assert_eq!(project.runs("slow"), 1);
    project.file("go", "");
    first.wait().ok();
    second.wait().ok().prints("one\n");
    assert_eq!(project.runs("slow"), 2);
}

#[test]
fn who_comes_second_runs_if_the_first_has_failed() {
    let project = project("");
    let text = project.read("qik.toml").replace("cat a.txt'", "test -e ok'");
    project.file("qik.toml", text);
    let first = start(&project);
    let second = start_waiting(&project, &["slow"]);
    project.file("go", "");
    first.wait().exits(1);
    second.wait().exits(1);
    assert_eq!(project.runs("slow"), 2);
}

#[test]
fn who_waits_can_be_interrupted() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = project("");
        let first = start(&project);
        let second = start_waiting(&project, &["slow"]);
        second.signal(signal);
        second.wait().no_panic().exits(code);
        project.file("go", "");
        first.wait().ok();
        assert_eq!(project.runs("slow"), 1);
    }
}

#[test]
fn who_waits_goes_on_when_the_first_is_killed() {
    let project = project("");
    let first = start(&project);
    let second = start_waiting(&project, &["slow"]);
    first.signal(Signal::KILL);
    until("the second one runs it", || project.runs("slow") == 2);
    project.file("go", "");
    second.wait().ok().prints("one\n");
    project.qik(["slow"]).ok().prints("one\n");
    assert_eq!(project.runs("slow"), 2);
    assert_eq!(project.read("out"), "one\n");
}

#[test]
fn an_edit_while_waiting_is_seen() {
    let project = project("");
    let first = start(&project);
    let second = start_waiting(&project, &["slow"]);
    project.file("a.txt", "two\n").file("go", "");
    first.wait().ok().says("is not cached");
    second.wait().ok().prints("two\n");
    assert_eq!(project.runs("slow"), 2);
    project.qik(["slow"]).ok().prints("two\n");
    assert_eq!(project.runs("slow"), 2);
}

#[test]
fn other_commands_do_not_wait() {
    let project = project("[commands.other]\nexec = '{tick other}'\ndeps = ['a.txt']");
    let first = start(&project);
    project.qik(["other"]).ok();
    project.qik(["--ls", "--cache-status", "cold"]).ok().prints("slow\n");
    let both = start_waiting(&project, &["slow", "other", "-n", "2"]);
    project.file("go", "");
    first.wait().ok();
    both.wait().ok();
    assert_eq!((project.runs("slow"), project.runs("other")), (1, 1));
}

#[test]
fn uncached_commands_do_not_wait() {
    let project = Project::new();
    let meet = "echo x >> arrived; {wait go}";
    project.toml(&format!("[commands]\nmeet = '{meet}'\n")).commit();
    let all = [project.start(["meet"]), project.start(["meet"])];
    until("both run", || project.exists("arrived") && project.read("arrived").lines().count() == 2);
    project.file("go", "");
    for one in all {
        one.wait().ok();
    }
}

#[test]
fn a_command_may_run_qik() {
    let qik = env!("CARGO_BIN_EXE_qik");
    let project = Project::new();
    project.toml(&format!(
        "[commands.outer]\nexec = '{{tick outer}}; {qik} inner -v 0 && {qik} inner -v 0'
        deps = ['a.txt']
        [commands.inner]\nexec = '{{tick inner}}; echo inner'\ndeps = ['a.txt']\n"
    ));
    project.file("a.txt", "").commit();
    project.start(["outer"]).wait().ok();
    project.start(["outer", "inner", "-n", "2", "-f"]).wait().ok();
    assert!(project.runs("inner") <= 3);
}

#[test]
fn a_command_that_runs_itself_does_not_wait_for_itself() {
    let qik = env!("CARGO_BIN_EXE_qik");
    let project = Project::new();
    project.toml(&format!(
        "[commands.again]\nexec = '{{tick again}}; test -n \"$INNER\" || INNER=1 {qik} again'
        deps = ['a.txt']\n"
    ));
    project.file("a.txt", "").commit();
    project.start(["again"]).wait().no_panic();
    assert_eq!(project.runs("again"), 2);
}
