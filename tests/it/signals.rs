//! Signals and what outlives whom. That a process is gone is proved by a fifo that it held open.

use rustix::process::Signal;

use crate::support::{Lifeline, Project, Started, until};

/// A command of several processes that hold the fifo `alive` open until they are ended.
const HOLDS: &str = "exec 3> alive; (echo a >&3; {wait never}) | (echo b >&3; {wait never})";

fn project(exec: &str, more: &str) -> (Project, Lifeline) {
    let project = Project::new();
    project.toml(&format!(
        "[commands.hold]\nexec = '{{tick hold}}; {exec}'\ndeps = ['qik.toml']
        cache-when = 'finished'\n{more}"
    ));
    project.commit();
    let lifeline = Lifeline::at(&project.root.join("alive"));
    (project, lifeline)
}

/// Starts qik and waits until the command and its child are up.
fn start(project: &Project, lifeline: &Lifeline, args: &[&str]) -> Started {
    let started = project.start(args);
    lifeline.up();
    lifeline.up();
    started
}

#[test]
fn a_signal_to_qik_ends_its_commands_and_is_its_exit_code() {
    for (signal, code) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)]
    {
        let (project, lifeline) = project(HOLDS, "[commands]\nnext = '{tick next}'\n");
        let started = start(&project, &lifeline, &["-n", "1"]);
        started.signal(signal);
        started.wait().no_panic().exits(code);
        lifeline.down();
        assert_eq!(project.runs("hold"), 1);
        assert!(project.runs("next") < 2);
        let stored = project.ls(["--cache-status", "warm"]);
        assert!(stored.is_empty(), "{stored:?} of an interrupted run");
    }
}

#[test]
fn the_commands_get_the_signal_and_may_clean_up() {
    let exec = "trap \"echo cleaned > cleaned; exit 0\" TERM; \
                exec 3> alive; echo a >&3; echo b >&3; {wait never}";
    let (project, lifeline) = project(exec, "");
    let started = start(&project, &lifeline, &["hold"]);
    started.signal(Signal::TERM);
    started.wait().exits(143);
    lifeline.down();
    assert_eq!(project.read("cleaned"), "cleaned\n");
    assert!(project.ls(["--cache-status", "warm"]).is_empty(), "its exit code means nothing");
}

#[test]
fn an_interrupted_run_starts_nothing_more() {
    let after =
        "[commands.after]\nexec = '{tick after}'\ndeps = [{type = 'command', name = 'hold'}]\n";
    let (project, lifeline) = project(HOLDS, after);
    let started = start(&project, &lifeline, &["after", "-n", "4"]);
    started.signal(Signal::INT);
    started.wait().exits(130);
    lifeline.down();
    assert_eq!(project.runs("after"), 0);
}

#[test]
fn ctrl_c_on_a_terminal_ends_the_run_once() {
    let (project, lifeline) = project(HOLDS, "");
    let mut command = project.command("script", &project.root);
    let run = format!("exec {} hold", env!("CARGO_BIN_EXE_qik"));
    command.env("TERM", "xterm").args(["-qefc", &run, "/dev/null"]);
    let mut started = Started::of(&mut command);
    lifeline.up();
    lifeline.up();
    started.type_in(b"\x03");
    let output = started.wait().exits(130);
    assert!(!output.stdout().contains("panicked"), "{}", output.dump());
    lifeline.down();
    let shows = output.stdout().rfind("\x1b[?25h");
    let hides = output.stdout().rfind("\x1b[?25l");
    assert!(shows >= hides, "the cursor stays hidden");
    assert!(project.ls(["--cache-status", "warm"]).is_empty());
}

#[test]
fn a_second_signal_kills_what_ignores_the_first() {
    let exec = "trap \"\" TERM INT; exec 3> alive; echo a >&3; echo b >&3; {wait never}";
    let (project, lifeline) = project(exec, "");
    let mut started = start(&project, &lifeline, &["hold"]);
    started.signal(Signal::TERM);
    until("qik has heard", || !started.stderr_so_far().is_empty() || !started.is_running());
    assert!(started.is_running());
    // Again until it counts: two signals that come at once are one.
    until("a further signal ends it", || {
        if started.is_running() {
            started.signal(Signal::TERM);
        }
        !started.is_running()
    });
    started.wait().exits(143);
    lifeline.down();
}

#[test]
fn what_ignores_a_signal_is_killed_after_a_grace_period() {
    let exec = "trap \"\" TERM; exec 3> alive; echo a >&3; echo b >&3; {wait never}";
    let (project, lifeline) = project(exec, "");
    let started = start(&project, &lifeline, &["hold"]);
    started.signal(Signal::TERM);
    started.wait().exits(143);
    lifeline.down();
}

#[test]
fn what_a_command_leaves_behind_ends_with_an_interrupted_run() {
    let exec = "(trap \"\" TERM; exec 3> alive; echo a >&3; echo b >&3; {wait never}) & wait";
    let (project, lifeline) = project(exec, "");
    let started = start(&project, &lifeline, &["hold"]);
    started.signal(Signal::TERM);
    started.wait().exits(143);
    lifeline.down();
}

#[test]
fn a_daemon_that_holds_the_output_is_not_waited_for() {
    let exec = "echo before; (exec 3> alive; echo a >&3; echo b >&3; {wait go}) & echo after";
    let (project, lifeline) = project(exec, "");
    let started = project.start(["hold"]);
    lifeline.up();
    lifeline.up();
    let output = started.wait().ok().says("holds its output");
    output.prints("before\nafter\n");
    project.file("go", "");
    lifeline.down();
}

#[test]
fn a_daemon_with_its_own_output_may_stay() {
    let exec = "(exec > /dev/null 2>&1; {wait go}; touch stayed) & echo started";
    let project = Project::new();
    project.toml(&format!("[commands]\nserve = '{exec}'\n")).commit();
    project.qik(["serve"]).ok().prints("started\n").warns_not();
    project.file("go", "");
    until("the daemon has done its work", || project.exists("stayed"));
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let project = Project::new();
    project.toml("[commands]\nwaits = 'touch up; {wait go}'\n").commit();
    let qik = env!("CARGO_BIN_EXE_qik");
    let mut command = project.command("sh", &project.root);
    command.args(["-c", &format!("trap '' HUP; exec {qik} waits")]);
    let started = Started::of(&mut command);
    until("it is up", || project.exists("up"));
    started.signal(Signal::HUP);
    project.file("go", "");
    started.wait().ok();
}

#[test]
fn stopping_a_run_stops_its_commands_and_continuing_goes_on() {
    let exec = "touch up; i=0; while [ ! -e go ]; do echo x >> beats; sleep 0.02; done";
    let project = Project::new();
    project.toml(&format!("[commands]\nbeats = '{exec}'\n")).commit();
    let started = project.start(["beats"]);
    until("it beats", || project.exists("beats"));
    started.signal(Signal::TSTP);
    let is_stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", started.id())).unwrap();
        stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
    };
    until("qik has stopped", is_stopped);
    let mut beats = project.read("beats").len();
    until("the command has stopped", || {
        let before = std::mem::replace(&mut beats, project.read("beats").len());
        std::thread::sleep(std::time::Duration::from_millis(100));
        before == beats && beats == project.read("beats").len()
    });
    started.signal(Signal::CONT);
    until("it beats again", || project.read("beats").len() > beats);
    project.file("go", "");
    started.wait().ok();
}

#[test]
fn none_of_many_that_go_on_is_taken_for_stopped() {
    let project = Project::new();
    let commands: String =
        (0..12).map(|number| format!("c{number} = 'touch up{number}; {{wait go}}'\n")).collect();
    project.toml(&format!("[commands]\n{commands}")).commit();
    let started = project.start(["-n", "12"]);
    until("all are up", || (0..12).all(|number| project.exists(format!("up{number}"))));
    for _ in 0..5 {
        started.signal(Signal::TSTP);
        until("qik has stopped", || is_in_state(started.id(), 'T'));
        std::thread::sleep(std::time::Duration::from_millis(150));
        started.signal(Signal::CONT);
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    project.file("go", "");
    let output = started.wait().ok();
    assert!(!output.stderr().contains("is stopped"), "{}", output.dump());
}

#[test]
fn a_reader_that_does_not_read_keeps_no_run_alive() {
    let exec = "exec 3> alive; echo a >&3; echo b >&3; yes";
    let (project, lifeline) = project(exec, "");
    let mut command = project.qik_command(["hold"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    lifeline.up();
    lifeline.up();
    let log = project.root.join("._qik/out/hold.out");
    let mut size = 0;
    until("all pipes are full", || {
        let before = std::mem::replace(&mut size, log.metadata().map_or(0, |meta| meta.len()));
        std::thread::sleep(std::time::Duration::from_millis(100));
        size > 0 && before == size && log.metadata().unwrap().len() == size
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    until("qik has ended", || child.try_wait().unwrap().is_some());
    lifeline.down();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

/// Whether a process is there and in a state, as `/proc` has it.
fn is_in_state(id: u32, state: char) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(state))
}

/// A program on a terminal that goes away with the program `script`.
fn on_terminal(project: &Project, args: &str) -> Started {
    let mut command = project.command("script", &project.root);
    let run = format!("exec {} {args}", env!("CARGO_BIN_EXE_qik"));
    Started::of(command.env("TERM", "xterm").args(["-qefc", &run, "/dev/null"]))
}

#[test]
fn a_terminal_that_is_closed_ends_the_run_and_its_commands() {
    for args in ["hold", "hold --watch"] {
        let exec = HOLDS.replace("alive;", "alive; echo $PPID > qik;");
        let (project, lifeline) = project(&exec, "");
        let terminal = on_terminal(&project, args);
        lifeline.up();
        lifeline.up();
        let id = project.read("qik").trim().parse().unwrap();
        terminal.signal(Signal::KILL);
        lifeline.down();
        until("qik has ended", || {
            !std::path::Path::new(&format!("/proc/{id}")).exists() || is_in_state(id, 'Z')
        });
        let stored = project.ls(["--cache-status", "warm"]);
        assert!(stored.is_empty(), "{stored:?} of an interrupted run");
    }
}

#[test]
fn a_run_whose_parent_is_killed_goes_on() {
    let (project, lifeline) = project("exec 3> alive; echo up >&3; {wait go}; echo done", "");
    let mut command = project.command("sh", &project.root);
    command.args(["-c", &format!("{} hold; true", env!("CARGO_BIN_EXE_qik"))]);
    let parent = Started::of(&mut command);
    lifeline.up();
    parent.signal(Signal::KILL);
    project.file("go", "");
    lifeline.down();
    until("its result is stored", || !project.ls(["--cache-status", "warm"]).is_empty());
    project.qik(["hold"]).ok().prints("done\n");
    assert_eq!(project.runs("hold"), 1);
}

#[test]
fn what_a_killed_qik_leaves_running_ends_before_its_command_runs_again() {
    // The first run never ends by itself, and would write the artifact; neither does its child.
    let exec = "if mkdir once 2> no; then exec 3> alive; (echo a >&3; {wait never}) | \
                (echo b >&3; {wait never}); echo old > out; else echo new > out; fi";
    let (project, lifeline) = project(exec, "artifacts = ['out']\n");
    let started = start(&project, &lifeline, &["hold"]);
    started.signal(Signal::KILL);
    drop(started);
    let output = project.qik(["hold"]).ok().says("a qik that was killed");
    lifeline.down();
    assert_eq!((project.read("out").as_str(), project.runs("hold")), ("new\n", 2));
    assert!(!output.stderr().contains("waits"), "{}", output.dump());
    project.qik(["hold"]).ok().warns_not();
    assert_eq!(project.runs("hold"), 2);
}

#[test]
fn another_program_is_not_taken_for_what_a_killed_qik_left() {
    let (project, lifeline) = project("echo done", "");
    let mut bystander = project.command("setsid", &project.root);
    bystander.args(["sh", "-c", "echo $$ > id; exec 3> alive; echo up >&3; sleep 600"]);
    let bystander = Started::of(&mut bystander);
    lifeline.up();
    let id = project.read("id");
    project.qik(["hold"]).ok();
    let claim = project.sh("echo .git/qik/claims/*/*").stdout();
    project.file(claim.trim(), id.trim());
    project.file("qik.toml", project.read("qik.toml") + "\n");
    project.qik(["hold"]).ok().warns_not();
    assert_eq!(project.runs("hold"), 2);
    assert!(std::path::Path::new(&format!("/proc/{}", id.trim())).exists());
    assert_eq!(project.read(claim.trim()), "", "it is looked at once");
    project.sh(&format!("kill -9 -{}", id.trim())).ok();
    drop(bystander);
    lifeline.down();
}

#[test]
fn a_daemon_of_its_own_session_neither_holds_up_nor_ends_with_a_run() {
    let exec = "setsid sh -c \"exec 3> alive; echo a >&3; echo b >&3; {wait go}; touch stayed\" & \
                {wait never}";
    let (project, lifeline) = project(exec, "");
    let started = start(&project, &lifeline, &["hold"]);
    started.signal(Signal::TERM);
    started.wait().exits(143);
    project.file("go", "");
    lifeline.down();
    assert!(project.exists("stayed"), "it has left the group that is ended");
}

#[test]
fn a_command_that_stops_itself_is_waited_for_and_can_be_ended() {
    let exec = "exec 3> alive; echo a >&3; echo $$ >&3; kill -STOP $$; echo on";
    let (project, lifeline) = project(exec, "");
    let started = project.start(["hold"]);
    lifeline.up();
    let id = lifeline.up();
    until("it is told", || started.stderr_so_far().contains("`hold` is stopped, and waited for"));
    let hint = format!("kill -CONT -{id}");
    assert!(started.stderr_so_far().contains(&hint), "{}", started.stderr_so_far());
    project.sh(&hint).ok();
    started.wait().ok().prints("on\n");
    lifeline.down();

    project.forget("alive");
    let lifeline = Lifeline::at(&project.root.join("alive"));
    let started = start(&project, &lifeline, &["hold", "-f"]);
    until("it is told", || started.stderr_so_far().contains("is stopped"));
    started.signal(Signal::TERM);
    started.wait().exits(143);
    lifeline.down();
}

#[test]
fn a_command_that_reads_the_terminal_is_ended_and_told() {
    for (exec, args) in [
        ("exec 3> alive; echo up >&3; read answer < /dev/tty; echo $answer", "hold"),
        ("exec 3> alive; echo up >&3; stty -echo < /dev/tty; echo on", "hold -n 1"),
        ("trap \"\" TERM; exec 3> alive; echo up >&3; cat /dev/tty", "hold"),
    ] {
        let (project, lifeline) = project(exec, "");
        let terminal = on_terminal(&project, args);
        lifeline.up();
        let output = terminal.wait();
        lifeline.down();
        let shown = output.stdout();
        assert!(shown.contains("`hold` wants to read the terminal"), "{}", output.dump());
        assert!(output.exits(if exec.starts_with("trap") { 137 } else { 143 }).stderr().is_empty());
        assert!(project.ls(["--cache-status", "warm"]).is_empty());
    }
}

#[test]
fn ctrl_z_and_fg_stop_and_continue_a_run_under_a_shell() {
    let exec =
        "exec 3> alive; echo $PPID >&3; while [ ! -e go ]; do echo x >> beats; sleep 0.02; done";
    let (project, lifeline) = project(exec, "");
    let mut shell = project.command("sh", &project.root);
    shell.args(["-im"]);
    let terminal = crate::support::Terminal::start(&shell);
    terminal.type_in(&format!("{} hold; echo code $?\n", env!("CARGO_BIN_EXE_qik")));
    let qik: u32 = lifeline.up().trim().parse().unwrap();
    until("it beats", || project.exists("beats"));
    terminal.type_in("\x1a");
    until("qik is stopped", || is_in_state(qik, 'T'));
    let mut beats = project.read("beats").len();
    until("the command is stopped", || {
        let before = std::mem::replace(&mut beats, project.read("beats").len());
        std::thread::sleep(std::time::Duration::from_millis(100));
        before == beats && beats == project.read("beats").len()
    });
    terminal.type_in("fg\n");
    until("it beats again", || project.read("beats").len() > beats);
    project.file("go", "");
    lifeline.down();
    terminal.shows("✓");
    assert!(!terminal.shown().contains("is stopped, and waited for"), "{}", terminal.shown());
}
