//! Real disks: small ones, read-only ones, caches that are too large to look at. What cannot be
//! mounted here is said and passed over.

use std::fs::File;
use std::process::Command;

use crate::support::{Bucket, Output, Project};

const LENGTH: usize = 200_000;

/// A command that prints much, makes a file and ends with a code of its own.
fn project() -> Project {
    let project = Project::new();
    project.toml(&format!(
        "[commands.big]\nexec = '''{{tick big}}; cp a.txt made; head -c {LENGTH} /dev/zero | tr '\\0' x
        exit 3'''\ndeps = ['a.txt']\nartifacts = ['made']\ncache-when = 'finished'\n"
    ));
    project.file("a.txt", "one\n").commit();
    project
}

/// Runs a script that may mount things, which are gone after it; `None` where nobody may.
fn with_mounts(project: &Project, script: &str) -> Option<Output> {
    let is_allowed = |args: &[&str]| {
        let test = "mount -t tmpfs -o size=16k none /mnt";
        let status = Command::new("unshare").args(args).args(["sh", "-c", test]).output();
        status.is_ok_and(|output| output.status.success())
    };
    let args = [["-r", "-m"], ["-m", "-m"]].into_iter().find(|args| is_allowed(args))?;
    let mut command = project.command("unshare", &project.root);
    command.args(args).args(["sh", "-c", script]);
    Some(Output::of(command.env("QIK", env!("CARGO_BIN_EXE_qik"))))
}

#[test]
fn a_disk_that_is_too_small_costs_the_cache_alone() {
    for size in ["4k", "16k", "64k", "196k", "400k"] {
        let project = project();
        let mount = format!("mkdir ._qik; mount -t tmpfs -o size={size} none ._qik");
        let script = format!("{mount}; \"$QIK\" big; echo \"code $?\"; ls -A ._qik/cache/tmp");
        let Some(output) = with_mounts(&project, &script) else {
            return println!("nothing can be mounted here");
        };
        let output = output.no_panic().ok();
        let stdout = output.stdout();
        assert!(stdout.starts_with(&"x".repeat(LENGTH)), "{size}: {}", output.stderr());
        assert!(stdout[LENGTH..].starts_with("code 3\n"), "{size}: {}", output.stderr());
        let told = output.stderr().matches("warning[").count();
        assert!((1..=2).contains(&told), "{size}: {}", output.stderr());
        assert_eq!(project.read("made"), "one\n");
    }
}

#[test]
fn a_read_only_disk_replays_and_keeps_nothing_new() {
    let project = project();
    project.qik(["big"]).exits(3).warns_not();
    project.remove("made");
    let mount = "mount --bind ._qik ._qik && mount -o remount,ro,bind ._qik && ! touch ._qik/x 2> /dev/null";
    let script = format!("{mount} && exec \"$QIK\" big");
    let Some(output) = with_mounts(&project, &script) else {
        return println!("nothing can be mounted here");
    };
    // That the manifest of the run cannot be written is said.
    assert!(output.stderr().matches("warning[").count() <= 1, "{}", output.stderr());
    assert_eq!(output.exits(3).stdout.len(), LENGTH);
    assert_eq!((project.runs("big"), project.read("made")), (1, "one\n".to_owned()));

    project.file("a.txt", "two\n");
    let output = with_mounts(&project, &script).unwrap().exits(3).says("Read-only file system");
    assert!(output.stderr().matches("warning[").count() <= 2, "{}", output.stderr());
    assert_eq!(output.stdout.len(), LENGTH);
    assert_eq!((project.runs("big"), project.read("made")), (2, "two\n".to_owned()));
}

#[test]
fn what_is_far_too_large_is_a_miss_in_little_memory() {
    let project = project();
    let qik = env!("CARGO_BIN_EXE_qik");
    let call = format!("ulimit -v 1000000; exec {qik} big");
    project.sh(&call).exits(3).warns_not();
    let found = project.sh("find ._qik .git/qik -type f ! -name .gitignore 2> /dev/null");
    for path in found.stdout().lines() {
        let file = File::options().write(true).open(project.root.join(path)).unwrap();
        file.set_len(3 << 30).unwrap();
        let output = project.sh(&call).no_panic().exits(3);
        assert_eq!(output.stdout.len(), LENGTH, "{path}");
    }
    let before = project.runs("big");
    project.sh(&call).exits(3).warns_not();
    assert_eq!(project.runs("big"), before);
}

#[test]
fn a_hundred_thousand_entries_are_no_burden() {
    let project = project();
    project.qik(["big"]).exits(3);
    let shard = project.sh("dirname ._qik/cache/v1/entries/*/big.latest").ok().stdout();
    let shard = project.root.join(shard.trim());
    for number in 0..100_000 {
        File::create(shard.join(format!("big.{number:064x}"))).unwrap();
    }
    project.qik(["big"]).exits(3).warns_not();
    assert_eq!(project.runs("big"), 1);
    // Now there is something to evict.
    let text = project.read("qik.toml");
    project.file("qik.toml", format!("[defaults]\ncache-max-size = 1000\n{text}"));
    project.file("a.txt", "two\n");
    project.qik(["big"]).exits(3).warns_not();
    project.qik(["big"]).exits(3).warns_not();
    assert_eq!(project.runs("big"), 2);
}

#[test]
fn what_a_remote_sends_does_not_fill_the_disk() {
    let bucket = Bucket::new();
    let project = Project::new();
    let exec = "{tick big}; head -c 3000000 /dev/zero > made";
    project.toml(&format!(
        "{}[commands.big]\nexec = '{exec}'\ndeps = ['a.txt']\nartifacts = ['made']\n\
         cache = 'remote'\n",
        bucket.toml("")
    ));
    project.file("a.txt", "one\n").commit();
    project.qik(["big"]).ok().warns_not();
    let replay = |size: &str| {
        let mount = format!("mkdir ._qik; mount -t tmpfs -o size={size} none ._qik");
        with_mounts(&project.clone_to(size), &format!("{mount}; exec \"$QIK\" big"))
    };
    let Some(output) = replay("5m") else { return println!("nothing can be mounted here") };
    output.ok().says("it is of 3 MiB, and 5 MiB are free");
    assert_eq!(project.runs("big"), 2);
    replay("8m").unwrap().ok().warns_not();
    assert_eq!(project.runs("big"), 2);
}
