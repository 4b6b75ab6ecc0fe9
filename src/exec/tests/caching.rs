//! When a result is replayed, when it is stored, and what a run says about it.

use std::path::Path;

use super::project::{Done, Project};
use crate::config::CacheWhen;
use crate::exec::{Event, ReadCaches, RunReason, Status};
use crate::hash::Change;
use crate::sys::fs;

/// A project with a cached command that counts its runs.
fn project(exec: &str) -> Project {
    let mut project = Project::new();
    project.write("a.txt", "one");
    project.cached("it", &format!("echo x >> ticks; {exec}"), &["a.txt"]);
    project
}

fn ticks(project: &Project) -> usize {
    project.read("ticks").lines().count()
}

fn reason(done: &Done) -> &RunReason {
    let mut reasons = done.events.iter().filter_map(|event| match event {
        Event::Started { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.next().expect("it has run")
}

#[test]
fn the_second_run_is_replayed_with_its_log() {
    let project = project("printf 'said\\377'");
    assert!(matches!(reason(&project.run()), RunReason::FirstRun));
    let modified =
        |project: &Project| fs::stat(&project.path("._qik/out/it.out")).unwrap().modified();
    let before = modified(&project).unwrap();
    let done = project.run();
    assert_eq!(done.statuses(), [Status::Replayed]);
    assert_eq!((done.log(0), ticks(&project)), (b"said\xff".to_vec(), 1));
    assert_eq!(modified(&project).unwrap(), before, "an equal log is left alone");
    project.write("._qik/out/it.out", "other");
    assert_eq!(project.run().log(0), b"said\xff");
    fs::remove_folder(&project.path("._qik/out")).unwrap();
    assert_eq!(project.run().log(0), b"said\xff");
    assert_eq!(ticks(&project), 1);
}

#[test]
fn a_changed_dep_runs_again_and_is_named() {
    let project = project("true");
    project.run();
    project.write("a.txt", "two");
    let done = project.run();
    let RunReason::Changed(changes) = reason(&done) else { panic!("{:?}", reason(&done)) };
    assert_eq!(changes, &[Change::Setting { path: "a.txt".to_owned() }]);
    assert_eq!(ticks(&project), 2);
}

#[test]
fn force_runs_and_stores() {
    let mut project = project("cat untracked");
    for text in ["first", "second"] {
        project.write("untracked", text);
        project.read_caches = ReadCaches::No;
        assert!(matches!(reason(&project.run()), RunReason::Forced));
        project.read_caches = ReadCaches::Yes;
        assert_eq!(project.run().log(0), text.as_bytes());
    }
    assert_eq!(ticks(&project), 2);
}

#[test]
fn a_dep_that_changes_meanwhile_keeps_the_result_from_being_stored() {
    let project = project("echo changed > a.txt");
    let done = project.run();
    assert_eq!(done.summary.code, 0);
    assert_eq!(done.warnings(), ["`it` is not cached: its inputs changed while it ran"]);
    assert_eq!(project.entry_count(), 0);
    assert_eq!(project.run().warnings().len(), 0, "now it leaves its dep alone");
    assert_eq!(project.run().statuses(), [Status::Replayed]);
}

#[test]
fn a_command_that_declares_to_rewrite_its_deps_is_stored_under_the_later_inputs() {
    let mut project = project("echo changed > a.txt");
    project.runnables[0].rewrites = true;
    assert!(project.run().warnings().is_empty());
    assert_eq!(project.run().statuses(), [Status::Replayed]);
    project.write("a.txt", "one");
    assert_eq!(project.run().statuses(), [Status::Succeeded]);
}

#[test]
fn a_dep_that_is_gone_meanwhile_is_a_warning() {
    let project = project("rm a.txt");
    let done = project.run();
    assert_eq!((done.summary.code, done.warnings().len()), (0, 1));
    assert_eq!(project.run().outcome(0).code, 2, "a broken dep fails it");
}

#[test]
fn failures_are_kept_only_if_wanted() {
    let mut project = project("exit 3");
    assert_eq!(project.run().statuses(), [Status::Failed]);
    assert_eq!(project.run().statuses(), [Status::Failed]);
    project.runnables[0].cache_when = CacheWhen::Finished;
    assert_eq!(project.run().statuses(), [Status::Failed]);
    let done = project.run();
    assert_eq!((done.statuses(), done.summary.code), (vec![Status::ReplayedFailure], 3));
    project.runnables[0].cache_when = CacheWhen::Success;
    let done = project.run();
    assert_eq!(done.statuses(), [Status::Failed], "what would not be kept now is no hit");
    assert!(matches!(reason(&done), RunReason::NotKept));
}

#[test]
fn what_a_signal_ended_is_never_kept() {
    for exec in ["kill -9 $$", "sh -c 'kill -9 $$'; exit $?"] {
        let mut project = project(exec);
        project.runnables[0].cache_when = CacheWhen::Finished;
        assert_eq!(project.run().summary.code, 137);
        assert_eq!(project.entry_count(), 0);
    }
}

#[test]
fn artifacts_come_back_and_are_inputs_of_downstreams() {
    let mut project = project("cat a.txt > made");
    project.runnables[0].artifacts = vec!["made".to_owned()];
    let upstream = project.command("use", "cat made", &["it"]).upstreams.clone();
    let downstream = project.cached("use2", "echo y >> ticks2; cat made", &[]);
    downstream.upstreams = upstream;
    project.run();
    fs::remove_file(&project.path("made")).unwrap();
    let done = project.run();
    assert_eq!(done.statuses(), [Status::Replayed, Status::Succeeded, Status::Replayed]);
    assert_eq!(project.read("made"), "one");
    project.write("a.txt", "two");
    let done = project.run();
    assert_eq!(done.log(2), b"two");
    assert_eq!(project.read("ticks2").lines().count(), 2);
    // As if `it` took no part: its artifacts are taken from disk, with the same result.
    project.runnables.drain(..2);
    project.runnables[0].upstreams[0].id = None;
    assert_eq!(project.run().statuses(), [Status::Replayed]);
    project.write("made", "other");
    assert_eq!(project.run().statuses(), [Status::Succeeded]);
}

#[test]
fn an_artifact_that_is_not_made_is_a_warning_once() {
    let mut project = project("true");
    project.runnables[0].artifacts = vec!["made".to_owned()];
    let done = project.run();
    assert_eq!(done.warnings(), ["`it` succeeded, but nothing matches its artifacts `made`"]);
    let done = project.run();
    assert_eq!((done.statuses(), done.warnings().len()), (vec![Status::Replayed], 0));
}

#[test]
fn artifacts_that_cannot_be_collected_keep_downstreams_from_being_cached() {
    let mut project = project("true");
    project.runnables[0].artifacts = vec!["../made".to_owned()];
    let upstreams = project.command("use", "true", &["it"]).upstreams.clone();
    project.runnables.pop();
    project.cached("use", "true", &[]).upstreams = upstreams;
    for _ in 0..2 {
        let done = project.run();
        assert_eq!(done.statuses(), [Status::Succeeded, Status::Succeeded]);
        assert!(done.warnings()[0].contains("leads out"), "{:?}", done.warnings());
    }
    assert_eq!(project.entry_count(), 0);
}

#[test]
fn a_hit_that_cannot_be_read_runs_with_a_warning() {
    let project = project("echo said");
    project.run();
    fs::remove_folder(&project.path("._qik/out")).unwrap();
    damage_files(&project.path("._qik/cache/v1/entries"));
    let done = project.run();
    assert_eq!((done.statuses(), done.log(0)), (vec![Status::Succeeded], b"said\n".to_vec()));
    assert_eq!(done.warnings().len(), 1, "{:?}", done.warnings());
    assert_eq!(project.run().statuses(), [Status::Replayed]);
}

fn damage_files(folder: &Path) {
    for path in fs::list(folder).unwrap() {
        if path.is_dir() {
            damage_files(&path);
        } else {
            fs::write_atomic(&path, b"other").unwrap();
        }
    }
}

#[test]
fn a_cache_that_takes_nothing_is_one_warning() {
    let mut project = project("true");
    project.cached("other", "true", &["a.txt"]);
    for runnable in &mut project.runnables {
        runnable.cache = Some("full".to_owned());
    }
    let done = project.run();
    assert_eq!((done.summary.code, done.warnings()), (0, vec!["the cache is full".to_owned()]));
}

#[test]
fn a_wide_and_deep_warm_run_starts_nothing() {
    let mut project = Project::new();
    project.write("a.txt", "one");
    for unit in 0..300 {
        let upstreams: Vec<_> =
            (unit % 3 == 2).then(|| format!("c{}", unit - 1)).into_iter().collect();
        let upstreams: Vec<&str> = upstreams.iter().map(String::as_str).collect();
        let runnable = project.command(&format!("c{unit}"), "true", &upstreams);
        runnable.cache = Some("local".to_owned());
    }
    assert_eq!(project.run().summary.code, 0);
    let done = project.run();
    assert!(done.statuses().iter().all(|status| *status == Status::Replayed));
    assert!(!done.events.iter().any(|event| matches!(event, Event::Started { .. })));
}

#[test]
fn what_is_brought_back_is_replayed_once() {
    let mut project = project("echo x > made; echo said");
    project.runnables[0].artifacts = vec!["made".to_owned()];
    project.run();
    for made in ["x\n", "other"] {
        project.write("made", made);
        let done = project.run();
        let is_replaying = |event: &&Event| matches!(event, Event::Replaying { .. });
        assert_eq!(done.events.iter().filter(is_replaying).count(), 1, "{:?}", done.events);
        assert_eq!((done.statuses(), project.read("made")), (vec![Status::Replayed], "x\n".into()));
    }
}

#[test]
fn whatever_is_cold_among_many_that_are_warm_runs_and_nothing_else() {
    let mut project = Project::new();
    for number in 0..200 {
        let upstream = format!("c{}", number - 1);
        // Each tenth begins a chain.
        let upstreams = if number % 10 == 0 { vec![] } else { vec![upstream.as_str()] };
        let name = format!("c{number}");
        project.command(&name, &format!("echo {number}"), &upstreams).cache = Some("local".into());
    }
    project.run();
    assert_eq!(project.run().statuses(), [Status::Replayed; 200]);
    for cold in [0, 7, 150, 199] {
        project.runnables[cold].exec = format!("echo again {cold}");
    }
    let done = project.run();
    let ran = |status: &Status| *status == Status::Succeeded;
    let ran: Vec<_> = done.statuses().iter().map(ran).enumerate().collect();
    assert!(ran.iter().all(|(unit, ran)| *ran == [0, 7, 150, 199].contains(unit)), "{ran:?}");
    assert_eq!(done.log(150), b"again 150\n");
}
