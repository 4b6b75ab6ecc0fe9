//! Keys, signals and what is shown, on a real terminal and without one.

use rustix::process::{Pid, Signal, kill_process};

use super::{Watching, project};
use crate::support::{Lifeline, Project, Started, Terminal, until};

/// Holds the fifo `alive` open until it is ended.
const HOLDS: &str = "{tick x}; exec 3> alive; echo up >&3; {wait never}";

fn start(project: &Project, args: &[&str]) -> Terminal {
    Terminal::start(&project.qik_command(args.iter().chain(&["--watch"])))
}

fn simple() -> Project {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['a.txt']\n");
    project.file("a.txt", "0\n").commit();
    project
}

#[test]
fn keys_rerun_force_and_quit() {
    let project = simple();
    let mut terminal = start(&project, &["x"]);
    terminal.shows("waiting for changes");
    terminal.shows("r rerun");
    assert!(!terminal.is_cooked());
    terminal.type_in("r");
    terminal.shows(" rerun ─");
    terminal.shows("cached");
    assert_eq!(project.runs("x"), 1);
    terminal.type_in("f");
    until("it runs", || project.runs("x") == 2);
    terminal.shows(" forced ─");
    terminal.type_in("zq");
    assert_eq!(terminal.wait(), Some(0));
    assert!(terminal.is_cooked(), "the terminal is as it was");
    assert!(!terminal.shown().contains('z'), "what is typed is not shown");
}

#[test]
fn a_rule_tells_when_and_why() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['*.txt', ':!probe.txt']\n");
    for name in ["a", "b", "c", "d", "e"] {
        project.file(format!("{name}.txt"), "0\n");
    }
    project.commit();
    let terminal = start(&project, &["x"]);
    terminal.shows("waiting for changes");
    for name in ["a", "b", "c", "d", "e"] {
        project.file(format!("{name}.txt"), "1\n");
    }
    terminal.shows("── a.txt, b.txt +3 ─");
    let shown = anstream_free(&terminal.shown());
    let rule = shown.lines().find(|line| line.contains("+3")).unwrap().trim_end().to_owned();
    assert_eq!(rule.chars().count(), 100, "{rule}");
    let time: Vec<char> = rule.chars().skip(3).take(8).collect();
    assert_eq!((time[2], time[5]), (':', ':'), "{rule}");
    assert!(terminal.shown().contains("\r\u{1b}[K"), "the idle line goes");
}

/// The text without colours.
fn anstream_free(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[test]
fn time_is_local() {
    let project = simple().env("TZ", "UTC-7");
    let watching = Watching::start(&project, &["x"]);
    watching.edit("a.txt", "1\n");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let hour = (now.as_secs() / 3600 + 7) % 24;
    let said = watching.said();
    let rule = said.lines().find(|line| line.starts_with("── ")).unwrap();
    let told: u64 = rule[7..9].parse().unwrap();
    assert!(told == hour || (told + 1) % 24 == hour, "{rule}");
}

#[test]
fn ctrl_c_during_a_run_ends_it_and_its_commands() {
    let project = project(&format!("[commands.x]\nexec = '{HOLDS}'\n"));
    project.commit();
    let lifeline = Lifeline::at(&project.root.join("alive"));
    let mut terminal = start(&project, &["x"]);
    lifeline.up();
    terminal.type_in("\x03");
    assert_eq!(terminal.wait(), Some(130));
    lifeline.down();
    assert!(terminal.is_cooked());
}

#[test]
fn ctrl_c_between_runs_is_a_good_end() {
    let project = simple();
    let mut terminal = start(&project, &["x"]);
    terminal.shows("waiting for changes");
    terminal.type_in("\x03");
    assert_eq!(terminal.wait(), Some(0));
    assert!(terminal.is_cooked());
}

#[test]
fn a_second_ctrl_c_kills_what_does_not_end() {
    let exec = "trap \"\" INT; {tick x}; exec 3> alive; echo up >&3; {wait never}";
    let project = project(&format!("[commands.x]\nexec = '{exec}'\n"));
    project.commit();
    let lifeline = Lifeline::at(&project.root.join("alive"));
    let mut terminal = start(&project, &["x"]);
    lifeline.up();
    terminal.type_in("\x03");
    terminal.type_in("\x03");
    assert_eq!(terminal.wait(), Some(130));
    lifeline.down();
}

#[test]
fn q_during_a_run_ends_it_and_its_commands() {
    let project = project(&format!("[commands.x]\nexec = '{HOLDS}'\n"));
    project.commit();
    let lifeline = Lifeline::at(&project.root.join("alive"));
    let mut terminal = start(&project, &["x"]);
    lifeline.up();
    terminal.type_in("q");
    assert_eq!(terminal.wait(), Some(0));
    lifeline.down();
}

#[test]
fn other_signals_end_it_with_their_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 0)] {
        let watching = Watching::start(&simple(), &["x"]);
        watching.started.signal(signal);
        watching.started.wait().no_panic().exits(code);
    }
    let project = project(&format!("[commands.x]\nexec = '{HOLDS}'\n"));
    project.commit();
    let lifeline = Lifeline::at(&project.root.join("alive"));
    let started = project.start(["x", "--watch"]);
    lifeline.up();
    started.signal(Signal::TERM);
    started.wait().no_panic().exits(143);
    lifeline.down();
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_takes_it_again() {
    let project = simple();
    let terminal = start(&project, &["x"]);
    terminal.shows("waiting for changes");
    let id = Pid::from_raw(i32::try_from(terminal.id()).unwrap()).unwrap();
    kill_process(id, Signal::TSTP).unwrap();
    until("the terminal is as it was", || terminal.is_cooked());
    let state = format!("/proc/{}/stat", terminal.id());
    until("it is stopped", || {
        std::fs::read_to_string(&state).unwrap().rsplit(')').next().unwrap().starts_with(" T")
    });
    kill_process(id, Signal::CONT).unwrap();
    until("it takes keys again", || !terminal.is_cooked());
    terminal.type_in("f");
    until("it runs", || project.runs("x") == 2);
}

#[test]
fn commands_have_no_terminal_to_read_from() {
    let project = project("[commands.x]\nexec = '{tick x}; cat > got; cmp got /dev/null'\n");
    project.commit();
    let mut terminal = start(&project, &["x"]);
    terminal.shows("waiting for changes");
    terminal.type_in("q");
    assert_eq!(terminal.wait(), Some(0));
    assert_eq!(project.read("got"), "");
}

#[test]
fn without_a_terminal_keys_are_not_read() {
    let project = simple();
    let mut started = project.start(["x", "--watch"]);
    started.type_in(b"q");
    until("it waits", || started.stderr_so_far().contains("waiting for changes"));
    assert!(!started.stderr_so_far().contains("r rerun"));
    assert!(started.is_running());
}

#[test]
fn a_closed_stdin_is_no_end() {
    let project = simple();
    let mut command = project.qik_command(["x", "--watch"]);
    let watching = Watching { project: project.clone(), started: Started::of(&mut command) };
    until("the first round is over", || watching.idle_count() == 1);
    watching.edit("a.txt", "1\n");
    assert_eq!(project.runs("x"), 2);
}

#[test]
fn silence_is_kept() {
    let project = simple();
    let started = project.start(["x", "-v0", "--watch"]);
    until("it has run", || project.runs("x") == 1);
    project.file("a.txt", "1\n");
    until("it has run again", || project.runs("x") == 2);
    started.signal(Signal::TERM);
    started.wait().exits(143).lacks("waiting").lacks("──");
}

#[test]
fn a_bad_debounce_and_a_bad_mode_are_told() {
    let project = simple();
    project.qik(["--watch", "--debounce", "soon"]).errs("args1").says("milliseconds");
    project.qik(["--watch", "--watch-mode", "never"]).exits(2).says("restart");
    project.env("QIK__DEBOUNCE", "soon").qik(["--watch"]).exits(2).says("QIK__DEBOUNCE");
}
