//! What signals do to a run.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::project::{Done, PATIENCE, Project};
use crate::config::CacheWhen;
use crate::exec::groups::{Groups, is_alive};
use crate::exec::job::Run;
use crate::exec::run::State;
use crate::exec::turns::{Turn, Turns};
use crate::exec::worker::Message;
use crate::exec::{Event, Log, Outcome, Request, Signals, Status, event_channel};
use crate::sys::clock;

/// Runs a project and asks for something whenever a unit says a word.
fn run_and_ask(project: &Project, asks: &[(&str, Request)]) -> Done {
    let (sender, receiver) = unbounded_channel();
    let mut heard = String::new();
    let mut asks = asks.iter();
    let mut next = asks.next();
    project.run_with(Signals::Sent(receiver), move |event| {
        let Event::Output { bytes, .. } = event else { return };
        heard.push_str(&String::from_utf8_lossy(bytes));
        while let Some((word, request)) = next
            && let Some(position) = heard.find(word)
        {
            heard.drain(..position + word.len());
            send(&sender, *request);
            next = asks.next();
        }
    })
}

fn send(sender: &UnboundedSender<Request>, request: Request) {
    sender.send(request).unwrap();
}

/// A stop that comes when a thread has ended its turn and not taken the next one yet.
#[test]
fn whoever_waits_for_a_turn_hears_that_there_is_none_any_more() {
    let mut project = Project::new();
    project.command("first", "true", &[]);
    project.command("second", "true", &["first"]);
    let (events, _receiver) = event_channel(false);
    let turns = Turns::new(State::begin(Arc::new(Run::new(project.job(), events))));
    let patience = || Some(PATIENCE);
    let Some(Turn::LookUp(assignment)) = turns.next(patience) else { panic!("nothing is ready") };
    assert_eq!(assignment.units[0], 0);
    turns.hear(Message::GaveBack(assignment.units[1..].to_vec()));
    let (teller, told) = std::sync::mpsc::channel();
    let waiter = Arc::clone(&turns);
    let thread = std::thread::spawn(move || {
        let is_over = waiter.next(|| Some(Duration::MAX)).is_none();
        teller.send(is_over).unwrap();
    });
    while !turns.has_idle() {
        std::thread::yield_now();
    }
    let outcome = Outcome {
        status: Status::Succeeded,
        code: 0,
        duration: None,
        log: Log::default(),
        error: None,
    };
    turns.end(Some(assignment.worker), Some(Message::Ended(vec![(0, outcome)])));
    turns.lock().state.obey(Request::Stop(Signal::INT));
    assert!(turns.next(patience).is_none());
    assert_eq!(told.recv_timeout(PATIENCE / 10), Ok(true));
    thread.join().unwrap();
}

/// A command that waits, not for ever.
fn waiting(trap: &str) -> String {
    format!("{trap}; list=$(seq 600); echo ready; for i in $list; do sleep 0.05; done")
}

#[test]
fn a_signal_is_passed_on_and_ends_the_run() {
    for (signal, code) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)]
    {
        let mut project = Project::new();
        project.worker_count = 1;
        project.command("it", &waiting("true"), &[]);
        project.command("after", "true", &["it"]);
        project.command("other", "true", &[]);
        let done = run_and_ask(&project, &[("ready", Request::Stop(signal))]);
        assert_eq!(done.summary.code, code);
        assert_eq!(done.statuses(), [Status::Interrupted, Status::Skipped, Status::Skipped]);
        assert!(done.summary.duration < Duration::from_secs(8), "it was killed only after a while");
    }
}

#[test]
fn nothing_is_stored_of_a_command_that_obeys_a_signal_with_success() {
    let mut project = Project::new();
    project.write("a.txt", "one");
    let exec = waiting("trap 'echo bye; exit 0' INT");
    project.cached("it", &exec, &["a.txt"]).cache_when = CacheWhen::Finished;
    let done = run_and_ask(&project, &[("ready", Request::Stop(Signal::INT))]);
    assert_eq!((done.summary.code, done.statuses()), (130, vec![Status::Interrupted]));
    assert!(done.output(0).ends_with(b"bye\n"));
    assert_eq!(project.entry_count(), 0);
}

#[test]
fn a_second_signal_kills() {
    let mut project = Project::new();
    project.command("it", &waiting("trap 'echo no' INT TERM"), &[]);
    let asks = [("ready", Request::Stop(Signal::INT)), ("no", Request::Stop(Signal::TERM))];
    let done = run_and_ask(&project, &asks);
    assert_eq!((done.summary.code, done.outcome(0).code), (130, 137));
    assert!(done.summary.duration < Duration::from_secs(8));
}

#[test]
fn what_a_command_left_in_its_group_is_gone_too() {
    let mut project = Project::new();
    // The shell obeys; the one that it started must be killed, and prints nothing.
    let exec = "(trap '' INT; for i in $(seq 600); do sleep 0.05; done) > /dev/null 2>&1 & \
                echo $$; echo ready; wait";
    project.command("it", exec, &[]);
    let asks = [("ready", Request::Stop(Signal::INT))];
    let (sender, receiver) = unbounded_channel();
    let mut is_asked = false;
    let done = project.run_with(Signals::Sent(receiver), move |event| match event {
        Event::Output { bytes, .. } if bytes.ends_with(b"ready\n") && !is_asked => {
            is_asked = true;
            send(&sender, asks[0].1);
            // The shell has ended by then, or will have.
            send(&sender, asks[0].1);
        }
        _ => {}
    });
    let output = String::from_utf8(done.output(0)).unwrap();
    let leader = output.lines().next().unwrap().parse().unwrap();
    assert!(!is_alive(Pid::from_raw(leader).unwrap()), "it lives on");
}

#[test]
fn a_paused_run_goes_on() {
    let mut project = Project::new();
    project.command("it", &waiting("trap 'exit 7' TERM"), &[]);
    let asks = [("ready", Request::Resume), ("", Request::Stop(Signal::TERM))];
    assert_eq!(run_and_ask(&project, &asks).outcome(0).code, 7);
}

#[test]
fn a_lookup_that_hangs_does_not_outlive_a_second_signal() {
    let mut project = Project::new();
    project.cached("it", "true", &[]).space = "hanging".to_owned();
    let (sender, receiver) = unbounded_channel();
    send(&sender, Request::Stop(Signal::INT));
    send(&sender, Request::Stop(Signal::INT));
    // Units begin before signals are heard, so this one hangs or is skipped.
    let done = project.run_with(Signals::Sent(receiver), |_| {});
    assert_eq!(done.summary.code, 130);
    assert!(matches!(done.outcome(0).status, Status::Interrupted | Status::Skipped));
}

#[test]
fn whoever_leaves_a_run_kills_the_groups_that_are_left() {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    let env = crate::sys::Env::from([("PATH".into(), "/usr/bin:/bin".into())]);
    let mut command = crate::sys::spawn::command("sh", std::path::Path::new("/"), &env);
    let mut child = command.arg("-c").arg("sleep 30").process_group(0).spawn().unwrap();
    let groups = Groups::default();
    groups.add(Pid::from_child(&child));
    let begin = clock::instant();
    drop(groups.last_rites());
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert!(begin.elapsed() < PATIENCE);
}

#[test]
fn a_group_that_starts_late_is_sent_what_the_others_were() {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    let env = crate::sys::Env::from([("PATH".into(), "/usr/bin:/bin".into())]);
    let groups = Groups::default();
    groups.signal(Signal::STOP);
    groups.signal(Signal::TERM);
    groups.signal(Signal::CONT);
    let mut command = crate::sys::spawn::command("sh", std::path::Path::new("/"), &env);
    let mut child = command.arg("-c").arg("sleep 30").process_group(0).spawn().unwrap();
    groups.add(Pid::from_child(&child));
    assert_eq!(child.wait().unwrap().signal(), Some(15), "and it is not paused");
}
