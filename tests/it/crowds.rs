//! Many qik processes of all kinds at once: in one checkout, in two work trees, while some are
//! killed and while somebody deletes the cache. Nothing is mixed up, and nothing runs twice.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Project, Started};

/// What processes are called with.
const CALLS: &[&[&str]] = &[
    &[],
    &["made"],
    &["reader", "-n", "1"],
    &["shared"],
    &["--ls"],
    &["-n", "1"],
    &["reader", "shared", "-n", "2"],
    &["--ls", "--cache-status", "warm"],
    &["made", "-v", "0"],
];

/// A command with artifacts, one that reads them, one whose result is committed.
fn project() -> Project {
    let project = Project::new();
    project.toml(
        "[commands.made]\nexec = '{tick made}; mkdir -p out; cp a.txt out/made; cat a.txt'
        deps = ['a.txt']\nartifacts = ['out/made']
        [commands.reader]\nexec = '{tick reader}; cat a.txt out/made'
        deps = ['a.txt', {type = 'command', name = 'made'}]
        [commands.shared]\nexec = '{tick shared}; cat a.txt'\ndeps = ['a.txt']\ncache = 'repo'\n",
    );
    project.file("a.txt", "one\n").commit();
    project
}

fn start_all(project: &Project) -> Vec<(&'static [&'static str], Started)> {
    CALLS.iter().map(|args| (*args, project.start(*args))).collect()
}

/// A process has shown what it was asked for.
#[track_caller]
fn check_shown(args: &[&str], started: Started, text: &str) {
    let output = started.wait().no_panic();
    assert_eq!(output.code, Some(0), "{}", output.dump());
    let expected = match args {
        ["made" | "shared"] => text.to_owned(),
        // Both, in this order: with one worker, and as upstream and downstream.
        ["reader", ..] if args.contains(&"1") => [text; 3].concat(),
        _ => return,
    };
    assert_eq!(output.stdout(), expected, "{}", output.dump());
}

/// Tells a thread to end, also when a check has failed.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn runs(project: &Project) -> [usize; 3] {
    ["made", "reader", "shared"].map(|name| project.runs(name))
}

#[test]
fn in_one_checkout_each_cold_runnable_runs_once() {
    let project = project();
    for round in 1..=6 {
        let text = format!("round {round}\n");
        project.file("a.txt", &text);
        for (args, started) in start_all(&project) {
            check_shown(args, started, &text);
        }
        assert_eq!(runs(&project), [round; 3]);
        project.qik([""; 0]).ok().warns_not();
        assert_eq!((runs(&project), project.read("out/made")), ([round; 3], text));
    }
    project.git(["fsck", "--strict"]);
}

#[test]
fn two_work_trees_at_once_share_the_repository_alone() {
    for _ in 0..3 {
        let project = project();
        let linked = project.git_root.with_file_name("linked");
        project.git(["worktree", "add", "-q", linked.to_str().unwrap(), "HEAD"]);
        let places = [project.clone(), project.at(linked)];
        places[0].file("a.txt", "main\n");
        places[1].file("a.txt", "linked\n");
        let all = places.iter().zip(["main\n", "linked\n"]);
        let all =
            all.flat_map(|(place, text)| start_all(place).into_iter().map(move |it| (it, text)));
        let all: Vec<_> = all.collect();
        for ((args, started), text) in all {
            let output = started.wait().no_panic().ok().warns_not();
            if args == ["shared"] {
                assert_eq!(output.stdout(), text);
            }
        }
        assert_eq!(runs(&project), [2; 3]);
        for place in &places {
            place.qik([""; 0]).ok().warns_not();
            assert_eq!(place.read(".gitattributes").lines().count(), 1);
            assert_eq!(place.tracked(".qik").len(), 2);
        }
        assert_eq!(runs(&project), [2; 3]);
        assert_eq!(project.git(["config", "--get-all", "merge.qik.driver"]).lines().count(), 1);
    }
}

#[test]
fn who_is_killed_disturbs_nobody() {
    let project = project();
    for round in 1..=12 {
        let text = format!("round {round}\n");
        project.file("a.txt", &text);
        // Some end at one of their first writes, wherever that is.
        let points = [3 * round - 2, 3 * round - 1, 3 * round];
        let killed: Vec<Started> = points
            .map(|point| project.env("QIK_FAULT", &format!("kill:{point}")).start([""; 0]))
            .into();
        let started = start_all(&project);
        for one in killed {
            let output = one.wait();
            assert!(output.signal == Some(9) || output.code == Some(0), "{}", output.dump());
        }
        for (args, started) in started {
            check_shown(args, started, &text);
        }
        project.qik([""; 0]).ok();
        let before = runs(&project);
        project.qik([""; 0]).ok().warns_not();
        assert_eq!((runs(&project), project.read("out/made")), (before, text));
        let left = project.root.join("._qik/cache/tmp").read_dir().unwrap().count();
        assert_eq!(left, 0, "in round {round}");
    }
}

#[test]
fn who_deletes_the_cache_meanwhile_fails_nobody() {
    let project = project();
    // What is not here alone says so.
    let alone = "mkdir busy || touch beside; cp a.txt out/made; rmdir busy; cat a.txt";
    let text = project.read("qik.toml").replace("cp a.txt out/made; cat a.txt", alone);
    project.file("qik.toml", text).commit();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                drop(std::fs::remove_dir_all(project.root.join("._qik")));
            }
        });
        let _end = End(&is_over);
        for round in 1..=4 {
            let text = format!("round {round}\n");
            project.file("a.txt", &text);
            for (_, started) in start_all(&project) {
                let output = started.wait().no_panic();
                assert_eq!(output.code, Some(0), "{}", output.dump());
            }
        }
    });
    assert!(!project.exists("beside"), "a command ran beside itself");
    project.file("a.txt", "after\n").qik([""; 0]).ok();
    let before = runs(&project);
    project.qik([""; 0]).ok().warns_not();
    assert_eq!((runs(&project), project.read("out/made")), (before, "after\n".to_owned()));
}
