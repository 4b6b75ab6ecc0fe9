//! Edits that are made while commands run: none is lost, and none is acted on twice.
//!
//! Commands and tests hand over through files, so nothing depends on how fast either is.

use super::{Watching, project};
use crate::support::{Lifeline, Project, until};

/// A command that reads its dep, waits for `go`, and ends.
const READS: &str = "{tick x}; cat a.txt >> seen; touch started; {wait go}; rm go";

fn reading(more: &str) -> Project {
    let project = project(&format!("[commands.x]\nexec = '{READS}'\ndeps = ['*.txt']\n{more}\n"));
    // The probe's file is not an input of the command.
    project.file(".gitignore", "seen\n").file("a.txt", "0\n").commit();
    project
}

/// Starts watching; the command has read its dep when this returns.
fn begin(project: &Project, args: &[&str]) -> Watching {
    let watching = Watching::begin(project, &[&["x"], args].concat());
    started(project);
    watching
}

fn started(project: &Project) {
    until("the command has started", || project.exists("started"));
    project.remove("started");
}

/// Lets a running command end, and waits for as many rounds as there are to be.
fn go(watching: &Watching, idle_count: usize) {
    watching.project.file("go", "");
    until("the round is over", || watching.idle_count() == idle_count);
}

#[test]
fn an_edit_during_a_run_is_acted_on_after_it() {
    for more in ["", "cache = 'none'"] {
        let project = reading(more);
        let watching = begin(&project, &[]);
        project.file("a.txt", "1\n");
        project.file("go", "");
        started(&project);
        go(&watching, 1);
        assert_eq!(project.read("seen"), "0\n1\n");
        assert_eq!(watching.causes(), ["a.txt"]);
        watching.end().exits(0);
        assert_eq!(project.runs("x"), 2);
    }
}

#[test]
fn edits_during_each_of_many_runs_are_all_acted_on() {
    let project = reading("cache = 'none'");
    let watching = begin(&project, &[]);
    go(&watching, 1);
    project.file("a.txt", "1\n");
    for number in 2..8 {
        started(&project);
        project.file("a.txt", format!("{number}\n"));
        project.file("go", "");
    }
    started(&project);
    go(&watching, 2);
    assert_eq!(project.read("seen"), "0\n1\n2\n3\n4\n5\n6\n7\n");
}

#[test]
fn an_edit_that_was_undone_during_a_run_is_nothing() {
    let project = reading("cache = 'none'");
    let watching = begin(&project, &[]);
    project.file("a.txt", "1\n").file("a.txt", "0\n");
    go(&watching, 1);
    assert_eq!(watching.causes(), Vec::<String>::new());
}

#[test]
fn an_edit_of_another_command_s_input_is_acted_on_after_the_run() {
    let project = project(&format!(
        "[commands.x]\nexec = '{READS}'\ndeps = ['a.txt']\n
        [commands.y]\nexec = '{{tick y}}'\ndeps = ['b.txt']\n",
    ));
    project.file("a.txt", "0\n").file("b.txt", "0\n").commit();
    let watching = Watching::begin(&project, &["x", "y", "-n", "2"]);
    started(&project);
    until("the other command has run", || project.runs("y") == 1);
    project.file("b.txt", "1\n");
    go(&watching, 1);
    assert_eq!((project.runs("x"), project.runs("y")), (1, 2));
    assert_eq!(watching.causes(), ["b.txt"]);
}

#[test]
fn an_edit_of_a_file_that_the_command_writes_too_is_acted_on_once() {
    let exec = "{tick x}; cat a.txt >> seen; touch started; {wait go}; rm go; date +%N >> log.txt";
    let project = project(&format!(
        "[commands.x]\nexec = '{exec}'\ndeps = ['a.txt', 'log.txt']\ncache = 'none'\n"
    ));
    project.file("a.txt", "0\n").file("log.txt", "").commit();
    let watching = begin(&project, &[]);
    // It writes its input, which may have been somebody else the first times.
    for _ in 0..2 {
        project.file("go", "");
        started(&project);
    }
    go(&watching, 1);
    assert_eq!(project.runs("x"), 3);
    // It is known by now, and so is an edit of another input.
    project.file("a.txt", "1\n");
    started(&project);
    project.file("a.txt", "2\n");
    project.file("go", "");
    started(&project);
    go(&watching, 2);
    assert_eq!(project.runs("x"), 5);
    // One of the very file that the command writes is told by its number of saves.
    project.file("a.txt", "3\n");
    started(&project);
    project.file("log.txt", "edited\n");
    project.file("go", "");
    started(&project);
    go(&watching, 3);
    assert_eq!(project.runs("x"), 7);
    assert_eq!(watching.causes().last().unwrap(), "log.txt");
}

#[test]
fn an_obsolete_run_is_stopped_and_started_anew() {
    let exec = "{tick x}; exec 3> alive; echo up >&3; cat a.txt; {wait go}; cp a.txt seen";
    let project = project(&format!("[commands.x]\nexec = '{exec}'\ndeps = ['a.txt']\n"));
    project.file("a.txt", "0\n").commit();
    let lifeline = Lifeline::at(&project.root.join("alive"));
    let watching = Watching::begin(&project, &["x", "--watch-mode", "restart"]);
    lifeline.up();
    project.file("a.txt", "1\n");
    // Its end of file proves that the first one is gone.
    lifeline.down();
    until("it runs anew", || project.runs("x") == 2);
    let lifeline = std::fs::File::open(project.root.join("alive")).unwrap();
    project.file("go", "");
    until("the round is over", || watching.idle_count() == 1);
    drop(lifeline);
    assert_eq!(project.read("seen"), "1\n");
    assert_eq!(watching.causes(), ["a.txt"]);
    watching.end().exits(0);
}

#[test]
fn a_run_that_is_not_obsolete_goes_on() {
    let project = project(&format!(
        "[commands.x]\nexec = '{READS}'\ndeps = ['a.txt']\n
        [commands.y]\nexec = '{{tick y}}'\ndeps = ['b.txt']\n",
    ));
    project.file("a.txt", "0\n").file("b.txt", "0\n").commit();
    let watching = Watching::begin(&project, &["x", "y", "--watch-mode", "restart", "-n", "2"]);
    started(&project);
    until("the other command has ended", || watching.said().contains("✓ y"));
    project.file("b.txt", "1\n");
    project.sh("touch a.txt").ok().lacks("error");
    go(&watching, 1);
    assert_eq!((project.runs("x"), project.runs("y")), (1, 2));
}

#[test]
fn what_the_stopped_run_had_not_done_is_done() {
    let project = project(&format!(
        "[commands.x]\nexec = '{READS}'\ndeps = ['a.txt']\n
        [commands.y]\nexec = '{{tick y}}'\ndeps = ['b.txt', {{type = 'command', name = 'x'}}]\n",
    ));
    project.file("a.txt", "0\n").file("b.txt", "0\n").commit();
    let watching = Watching::begin(&project, &["y", "--watch-mode", "restart"]);
    started(&project);
    project.file("a.txt", "1\n");
    started(&project);
    go(&watching, 1);
    assert_eq!((project.runs("x"), project.runs("y")), (2, 1));
    assert_eq!(project.read("seen"), "0\n1\n");
}

#[test]
fn a_command_that_writes_its_input_does_not_restart_for_ever() {
    let exec = "{tick x}; date +%N >> a.txt; {wait go}";
    let project =
        project(&format!("[commands.x]\nexec = '{exec}'\ndeps = ['a.txt']\ncache = 'none'\n"));
    project.file("a.txt", "").commit();
    let watching = Watching::begin(&project, &["x", "--watch-mode", "restart"]);
    until("it has run again", || project.runs("x") == 3);
    project.file("go", "");
    until("the round is over", || watching.idle_count() == 1);
    watching.end().exits(0);
    assert_eq!(project.runs("x"), 3);
}

#[test]
fn somebody_who_saves_in_each_of_very_many_runs_sees_the_last_save() {
    let project = reading("cache = 'none'");
    let watching = begin(&project, &[]);
    for number in 1..24 {
        project.file("a.txt", format!("{number}\n")).file("go", "");
        started(&project);
        if number == 1 {
            // Now and then a run is left alone.
            go(&watching, 1);
            project.file("a.txt", "again\n");
            started(&project);
        }
    }
    go(&watching, watching.idle_count() + 1);
    assert!(project.read("seen").ends_with("\n22\n23\n"));
    assert!(!watching.said().contains("watch0"), "{}", watching.said());
}

#[test]
fn a_round_that_ends_while_git_is_at_work_costs_no_time_of_the_processor() {
    let project = reading("");
    let watching = begin(&project, &[]);
    go(&watching, 1);
    project.file("a.txt", "1\n");
    started(&project);
    let before = processor_ticks(&watching);
    project.file(".git/index.lock", "").file("a.txt", "2\n").file("go", "");
    // A lock that nobody removes is waited for, and for a second.
    started(&project);
    let used = processor_ticks(&watching) - before;
    assert!(used < 25, "{used} ticks");
    go(&watching, 2);
}

/// How long a watcher has used processors so far, in the system's ticks, mostly hundredths of a
/// second.
fn processor_ticks(watching: &Watching) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", watching.started.id())).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
