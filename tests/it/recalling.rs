//! Results that are known from the last replay, without reading them again: as long as nobody has
//! touched anything of them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Bucket, KEY, Project, SECRET};

/// Enough to be worth remembering.
const COUNT: usize = 40;

/// What was written this long ago can be told from what is written now.
const SETTLING: Duration = Duration::from_millis(300);

/// A project whose last run was warm, and has learned what it saw.
fn learned() -> Project {
    learned_in(Project::new(), "")
}

/// The same of a project with more in its configuration.
fn learned_in(project: Project, toml: &str) -> Project {
    let command = |number| {
        format!(
            "[commands.c{number}]\nexec = '{{tick c{number}}}; cat f{number}'\ndeps = ['f{number}']\n"
        )
    };
    project.toml(&(toml.to_owned() + &(0..COUNT).map(command).collect::<String>()));
    for number in 0..COUNT {
        project.file(format!("f{number}"), format!("{number} as it was\n"));
    }
    project.commit();
    project.qik([""; 0]).ok();
    std::thread::sleep(SETTLING);
    project.qik([""; 0]).ok();
    project
}

/// The number behind a count of a warm run; 0 if it is not there.
fn count(project: &Project, name: &str) -> usize {
    let text = project.qik(["--timings"]).ok().stderr();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |rest| rest.trim().parse().expect("a number"))
}

#[track_caller]
fn check_runs(project: &Project, expected: usize) {
    let runs: usize = (0..COUNT).map(|number| project.runs(&format!("c{number}"))).sum();
    assert_eq!(runs, expected);
}

/// The file of an entry.
fn entry(project: &Project, number: usize) -> PathBuf {
    let shards = fs::read_dir(project.root.join("._qik/cache/v1/entries")).unwrap();
    let files = shards.flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap());
    let prefix = format!("c{number}.");
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&prefix) && !name.ends_with(".latest")
    };
    files.map(|file| file.unwrap().path()).find(is_it).expect("an entry")
}

#[test]
fn what_nobody_has_touched_is_not_read() {
    let project = learned();
    assert_eq!(count(&project, "entries recalled"), COUNT);
    assert_eq!(count(&project, "entries read"), 0);
    let warm = project.qik(["--cache-status", "warm", "--ls"]).ok().stdout();
    assert_eq!(warm.lines().count(), COUNT);
    assert_eq!(project.qik(["c7", "-v", "2"]).ok().stdout(), "7 as it was\n");
    check_runs(&project, COUNT);
}

#[test]
fn what_is_in_front_of_a_remote_cache_is_recalled_too() {
    let bucket = Bucket::new();
    let toml = format!("{}[defaults]\ncache = 'remote'\n", bucket.toml(""));
    // Where qik has read credentials, it looks for them in all output.
    let of_toml = |line: &&str| !line.starts_with("aws-");
    let toml: String = toml.split_inclusive('\n').filter(of_toml).collect();
    let project = Project::new();
    let home = project.world().join("home/.aws");
    fs::create_dir(&home).unwrap();
    let keys = format!("[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    fs::write(home.join("credentials"), keys).unwrap();
    let project = learned_in(project, &toml);
    bucket.requests();
    assert_eq!(count(&project, "entries recalled"), COUNT);
    assert_eq!(count(&project, "entries read"), 0);
    assert!(bucket.requests().is_empty());
    check_runs(&project, COUNT);
}

#[test]
fn a_changed_file_runs_its_command() {
    let project = learned();
    project.file("f1", "1 as it is\n");
    let cold = project.qik(["--cache-status", "cold", "--ls"]).ok().stdout();
    assert_eq!(cold, "c1\n");
    project.qik([""; 0]).ok();
    assert_eq!(project.read("._qik/out/c1.out"), "1 as it is\n");
    project.file("f1", "1 as it was\n");
    project.qik([""; 0]).ok();
    assert_eq!(project.read("._qik/out/c1.out"), "1 as it was\n", "the entry is still there");
    check_runs(&project, COUNT + 1);
}

#[test]
fn an_output_that_somebody_wrote_or_removed_is_brought_back() {
    let project = learned();
    fs::write(project.root.join("._qik/out/c2.out"), "2 AS IT WAS\n").unwrap();
    fs::remove_file(project.root.join("._qik/out/c3.out")).unwrap();
    assert_eq!(count(&project, "entries recalled"), COUNT - 2);
    for number in [2, 3] {
        let output = project.read(format!("._qik/out/c{number}.out"));
        assert_eq!(output, format!("{number} as it was\n"));
    }
    check_runs(&project, COUNT);
}

#[test]
fn a_damaged_entry_is_told_and_replaced() {
    let project = learned();
    let path = entry(&project, 4);
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, bytes).unwrap();
    project.qik([""; 0]).ok().says("damaged");
    check_runs(&project, COUNT + 1);
    project.qik([""; 0]).ok();
    check_runs(&project, COUNT + 1);
}

#[test]
fn without_its_entry_a_command_runs() {
    let project = learned();
    fs::remove_file(entry(&project, 5)).unwrap();
    project.qik([""; 0]).ok();
    check_runs(&project, COUNT + 1);
    fs::remove_dir_all(project.root.join("._qik/cache")).unwrap();
    project.qik([""; 0]).ok();
    check_runs(&project, 2 * COUNT + 1);
}

#[test]
fn a_memory_that_is_damaged_is_none() {
    let project = learned();
    let path = project.root.join("._qik/cache/v1/replays");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(count(&project, "entries read"), COUNT);
    assert_eq!(count(&project, "entries recalled"), COUNT, "it was made anew");
    check_runs(&project, COUNT);
}

#[test]
fn another_cache_when_holds_at_once() {
    let project = learned();
    let output = project.qik(["--cache-when", "failed", "c6"]).ok();
    output.says("c6");
    check_runs(&project, COUNT + 1);
}

#[test]
fn an_entry_that_was_not_used_for_a_day_is_noted_as_used() {
    let project = learned();
    let path = entry(&project, 8);
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(48);
    fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
    project.qik([""; 0]).ok();
    assert!(fs::metadata(&path).unwrap().modified().unwrap() > long_ago + Duration::from_hours(24));
    check_runs(&project, COUNT);
}
