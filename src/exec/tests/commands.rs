//! How commands are started, what becomes of their output and of their end.

use super::project::{PATIENCE, Project};
use crate::exec::{Event, Status};
use crate::sys::clock;

#[track_caller]
fn check_code(exec: &str, code: i32) {
    let mut project = Project::new();
    project.command("it", exec, &[]);
    let done = project.run();
    assert_eq!((done.outcome(0).code, done.summary.code), (code, code));
}

#[test]
fn the_exit_code_is_the_commands() {
    check_code("true", 0);
    check_code("exit 3", 3);
    check_code("no-such-program-anywhere", 127);
}

#[test]
fn a_command_that_a_signal_ended_has_failed() {
    check_code("kill -9 $$", 137);
    check_code("kill -TERM $$", 143);
}

#[test]
fn the_runs_code_is_the_highest() {
    let mut project = Project::new();
    project.command("two", "exit 2", &[]);
    project.command("killed", "kill -9 $$", &[]);
    project.command("good", "true", &[]);
    let done = project.run();
    assert_eq!(done.statuses(), [Status::Failed, Status::Failed, Status::Succeeded]);
    assert_eq!(done.summary.code, 137);
}

#[test]
fn output_is_kept_as_written_whatever_its_bytes() {
    let mut project = Project::new();
    project.command("it", r"printf '  a\377\376\000b\r\n\n'; echo two >&2; printf three", &[]);
    let done = project.run();
    let expected = b"  a\xff\xfe\0b\r\n\ntwo\nthree";
    assert_eq!(done.output(0), expected);
    assert_eq!(done.log(0), expected);
    assert_eq!(fs_path(&done), project.path("._qik/out/it.out"));
}

fn fs_path(done: &super::project::Done) -> std::path::PathBuf {
    done.outcome(0).log.path.clone().expect("it has a log")
}

#[test]
fn one_line_of_many_megabytes_arrives() {
    let mut project = Project::new();
    project.command("it", "head -c 20000000 /dev/zero", &[]);
    let done = project.run();
    assert_eq!(done.output(0).len(), 20_000_000);
    let log = crate::sys::fs::stat(&fs_path(&done)).unwrap();
    assert_eq!(log.len(), 20_000_000);
}

#[test]
fn the_environment_tells_command_runnable_and_worker() {
    let mut project = Project::new();
    let exec = "echo $QIK__CMD $QIK__RUNNABLE $QIK__WORKER; pwd; cat";
    let runnable = project.command("it#m/n", exec, &[]);
    runnable.command = "it".to_owned();
    let done = project.run();
    let root = project.path("").canonicalize().unwrap();
    let expected = format!("it it#m/n 1\n{}\n", root.display());
    assert_eq!(String::from_utf8_lossy(&done.output(0)), expected);
    assert_eq!(project.read("._qik/out/it#m/n.out"), expected);
}

#[test]
fn upstreams_run_first_and_a_failure_skips_what_is_downstream() {
    let mut project = Project::new();
    project.command("bad", "echo bad >> order; exit 3", &[]);
    project.command("good", "echo good >> order", &[]);
    project.command("after-bad", "echo never >> order", &["bad", "good"]);
    project.command("after-that", "echo never >> order", &["after-bad"]);
    project.command("after-good", "echo last >> order", &["good"]);
    for worker_count in [1, 4] {
        project.worker_count = worker_count;
        project.write("order", "");
        let done = project.run();
        assert_eq!(
            done.statuses(),
            [
                Status::Failed,
                Status::Succeeded,
                Status::Skipped,
                Status::Skipped,
                Status::Succeeded
            ]
        );
        assert_eq!(done.summary.code, 3);
        let order = project.read("order");
        assert!(!order.contains("never") && order.find("good") < order.find("last"), "{order}");
    }
}

#[test]
fn commands_run_side_by_side_on_different_workers() {
    let wait = |mine: &str, other: &str| {
        format!(
            "echo $QIK__WORKER > {mine}; for i in $(seq 600); do test -s {other} && exit 0; \
             sleep 0.05; done; exit 1"
        )
    };
    let mut project = Project::new();
    project.command("one", &wait("a", "b"), &[]);
    project.command("two", &wait("b", "a"), &[]);
    assert_eq!(project.run().summary.code, 0);
    let mut workers = [project.read("a"), project.read("b")];
    workers.sort();
    assert_eq!(workers, ["1\n", "2\n"]);
}

#[test]
fn a_daemon_that_holds_the_output_is_not_waited_for() {
    let mut project = Project::new();
    project.command("it", "echo before; sleep 5 & echo after", &[]);
    let begin = clock::instant();
    let done = project.run();
    assert!(begin.elapsed().as_secs() < 4, "it was waited for");
    assert_eq!(done.output(0), b"before\nafter\n");
    assert_eq!(done.outcome(0).status, Status::Succeeded);
    assert!(done.warnings()[0].contains("holds its output open"), "{:?}", done.warnings());
}

#[test]
fn a_command_that_closes_its_output_is_waited_for() {
    let mut project = Project::new();
    project.command("it", "echo x; exec >&- 2>&-; sleep 0.3; exit 4", &[]);
    let done = project.run();
    assert_eq!((done.outcome(0).code, done.warnings().len()), (4, 0));
}

#[test]
fn no_shell_is_127_and_a_command_that_is_too_long_126() {
    let mut project = Project::new();
    project.command("it", &format!(": {}", "x".repeat(4_000_000)), &[]);
    let done = project.run();
    assert_eq!(done.outcome(0).code, 126);
    assert!(String::from_utf8_lossy(&done.log(0)).contains("cannot be started"));
    project.runnables[0].exec = "true".to_owned();
    project.world.env.lock().unwrap().insert("PATH".into(), "/nowhere".into());
    let done = project.run();
    assert_eq!(done.outcome(0).code, 127);
    assert!(done.outcome(0).error.is_some());
}

#[test]
fn a_broken_environment_fails_its_runnable_alone() {
    let mut project = Project::new();
    project.command("it", "true", &[]).space = "broken".to_owned();
    project.command("other", "true", &[]);
    let done = project.run();
    assert_eq!(done.statuses(), [Status::Failed, Status::Succeeded]);
    assert_eq!(done.outcome(0).code, 2);
    let log = String::from_utf8(done.log(0)).unwrap();
    assert!(log.contains("`.env` is missing") && !log.contains('\x1b'), "{log:?}");
}

#[test]
fn output_that_cannot_be_written_is_shown_and_kept_in_memory() {
    let mut project = Project::new();
    project.write("a.txt", "one");
    project.cached("it", "echo shown; exit 0", &["a.txt"]);
    project.cached("other", "echo too", &["a.txt"]);
    project.write("._qik", "a file where a folder should be");
    let done = project.run();
    assert_eq!(done.summary.code, 0);
    assert_eq!((done.output(0), done.log(0)), (b"shown\n".to_vec(), b"shown\n".to_vec()));
    assert_eq!(done.warnings().len(), 1, "{:?}", done.warnings());
    assert_eq!(project.entry_count(), 0);
}

#[test]
fn readers_of_the_last_runs_output_keep_it() {
    use std::io::Read as _;
    let mut project = Project::new();
    project.command("it", "echo first", &[]);
    project.run();
    let mut reader = crate::sys::fs::open(&project.path("._qik/out/it.out")).unwrap();
    project.runnables[0].exec = "echo second".to_owned();
    project.run();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), project.read("._qik/out/it.out").as_str()), ("first\n", "second\n"));
}

#[test]
fn a_log_grows_while_the_command_runs() {
    let mut project = Project::new();
    let exec = "echo first-words; for i in $(seq 600); do grep -q first-words ._qik/out/it.out \
                && exit 0; sleep 0.05; done; exit 9";
    project.command("it", exec, &[]);
    assert_eq!(project.run().summary.code, 0);
}

#[test]
fn an_empty_run_ends() {
    let done = Project::new().run();
    assert_eq!(done.summary.code, 0);
    assert!(matches!(done.events[0], Event::RunStarted { .. }));
    assert!(matches!(done.events.last(), Some(Event::RunEnded { .. })));
    assert!(done.summary.duration < PATIENCE);
}
