//! Never a wrong hit: random work in a repository and a clone, and after each call of qik every
//! log, exit code and artifact is compared with what the command, run by hand, makes of a copy
//! of the same files.
//!
//! `QIK_MODEL_STEPS` makes it longer, `QIK_MODEL_SEED` plays one seed: a failure names both.

mod commands;
mod edits;
mod truth;

use std::collections::BTreeMap;

use commands::Commands;
use truth::{Truth, truths};

use crate::support::{Bucket, Output, Project};

/// Steps in a usual run of the tests, and seeds that share them.
const STEP_COUNT: usize = 520;
const SEED_COUNT: u64 = 4;

/// Of all runnables that were asked for, at least one in so many is to be replayed: states come
/// back often enough. And whatever did not change is replayed each time.
const HITS_EXPECTED_OF: usize = 5;

/// Numbers that look random and are the same each time.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.roll(all.len())]
    }
}

/// How a runnable ended.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    is_replayed: bool,
    is_skipped: bool,
    code: i32,
}

/// What happened to a seed so far.
struct History {
    seed: u64,
    lines: Vec<String>,
    asked_count: usize,
    hit_count: usize,
}

impl History {
    /// All that it takes to play it again.
    fn told(&self) -> String {
        let step = self.lines.len();
        let lines: Vec<String> = self
            .lines
            .iter()
            .enumerate()
            .map(|(number, line)| format!("{number:4} {line}"))
            .collect();
        format!(
            "replay with QIK_MODEL_SEED={} QIK_MODEL_STEPS={step}\n{}",
            self.seed,
            lines.join("\n")
        )
    }
}

/// How each runnable ended, as `--logger json` tells.
fn endings(output: &Output) -> BTreeMap<String, Ending> {
    let mut endings = BTreeMap::new();
    for line in output.stdout().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["event"] == "ended" {
            let status = event["status"].as_str().unwrap();
            let ending = Ending {
                is_replayed: status.starts_with("replayed"),
                is_skipped: status == "skipped",
                code: i32::try_from(event["code"].as_i64().unwrap()).unwrap(),
            };
            endings.insert(event["runnable"].as_str().unwrap().to_owned(), ending);
        }
    }
    endings
}

/// Runs some commands and compares all that came of it.
fn check_run(project: &Project, commands: &Commands, args: &[&str], history: &mut History) {
    let truths = truths(project, commands);
    let output = project.qik(args.iter().chain(&["--logger", "json"]));
    let context = |what: &str| {
        let config = project.read("qik.toml");
        format!("{what}\n{}\n{}\n{config}", history.told(), output.dump())
    };
    assert!(!output.stderr().contains("panicked"), "{}", context("it panicked"));
    let endings = endings(&output);
    assert!(!endings.is_empty(), "{}", context("nothing ended"));
    let code = endings.values().map(|it| it.code).max();
    assert_eq!(output.code, code, "{}", context("the exit code"));
    for (name, ending) in &endings {
        let truth = &truths[name];
        let Truth::Ran { code, log, artifacts } = truth else {
            assert!(ending.is_skipped, "{}", context(&format!("{name} is not skipped")));
            continue;
        };
        assert!(!ending.is_skipped, "{}", context(&format!("{name} is skipped")));
        assert_eq!(ending.code, *code, "{}", context(&format!("the code of {name}")));
        let shown = project.read(format!("._qik/out/{name}.out"));
        assert_eq!(&shown, log, "{}", context(&format!("the log of {name}")));
        for (path, made) in artifacts {
            let there = truth::look(&project.root.join(path));
            assert_eq!(there.as_ref(), Some(made), "{}", context(&format!("{path} of {name}")));
        }
    }
    history.asked_count += endings.len();
    history.hit_count += endings.values().filter(|it| it.is_replayed).count();
}

/// Nothing has changed since the last call, so nothing that is kept runs.
fn check_warm(project: &Project, commands: &Commands, history: &History) {
    project.qik(["-n", "1"]).no_panic();
    let output = project.qik(["--logger", "json"]);
    for (name, ending) in endings(&output) {
        if !ending.is_skipped && commands.is_kept(&name, ending.code) {
            let what = format!("{name} runs again\n{}\n{}", history.told(), output.dump());
            assert!(ending.is_replayed, "{what}\n{}", project.read("qik.toml"));
        }
    }
}

/// Plays one seed.
fn play(seed: u64, step_count: usize) {
    let bucket = Bucket::new();
    let mut dice = Dice(seed);
    let project = edits::begin(&bucket);
    let mut commands = Commands::new(&mut dice);
    commands.write(&project, &bucket);
    project.commit().git(["branch", "topic"]);
    let clone = project.clone_to("elsewhere/clone");
    let mut history = History { seed, lines: Vec::new(), asked_count: 0, hit_count: 0 };
    for _ in 0..step_count {
        let (place, name) = if dice.roll(5) == 0 { (&clone, "clone: ") } else { (&project, "") };
        let told = if dice.roll(12) == 0 {
            commands = Commands::new(&mut dice);
            "another configuration".to_owned()
        } else {
            edits::act(place, &mut dice)
        };
        commands.write(place, &bucket);
        let args = commands.choose_args(&mut dice);
        history.lines.push(format!("{name}{told}; qik {}", args.join(" ")));
        check_run(place, &commands, &args, &mut history);
        if dice.roll(8) == 0 {
            check_warm(place, &commands, &history);
        }
    }
    let History { asked_count, hit_count, .. } = history;
    let is_enough = step_count < 50 || hit_count * HITS_EXPECTED_OF > asked_count;
    assert!(is_enough, "seed {seed}: {hit_count} of {asked_count} replayed\n{}", history.told());
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_is_replayed_is_what_the_command_would_do() {
    let step_count = setting("QIK_MODEL_STEPS").and_then(|count| usize::try_from(count).ok());
    if let Some(seed) = setting("QIK_MODEL_SEED") {
        return play(seed, step_count.unwrap_or(STEP_COUNT));
    }
    let step_count = step_count.unwrap_or(STEP_COUNT);
    // Few at once, however many seeds: each has processes of its own.
    let seeds = std::sync::Mutex::new(1..=SEED_COUNT);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = { seeds.lock().unwrap().next() } {
                    let count = step_count.div_ceil(usize::try_from(SEED_COUNT).unwrap());
                    play(seed, count);
                }
            });
        }
    });
}
