//! Caches that are broken, unwritable, killed in the middle, or used by several at once: a rerun
//! at worst, never a wrong replay, and never a failed run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Project, Started};

/// What `build` prints and makes.
const MADE: &str = "made of a, and long enough to be cut in the middle\n";

/// A command with a log and an artifact, run once.
fn built(cache: &str) -> Project {
    let project = Project::new();
    project.toml(&format!(
        "[commands.build]\nexec = '{{tick build}}; cp a.txt out.txt; cat a.txt'
        deps = ['a.txt']\nartifacts = ['out.txt']\ncache = '{cache}'\n"
    ));
    project.file("a.txt", MADE).commit();
    check_right(&project, "cold");
    assert_eq!(project.runs("build"), 1);
    project
}

/// One call gives the right log and artifact, however it gets them.
#[track_caller]
fn check_right(project: &Project, what: &str) {
    if project.exists("out.txt") {
        project.remove("out.txt");
    }
    let output = project.qik(["build"]).no_panic();
    assert_eq!(output.code, Some(0), "{what}\n{}", output.dump());
    assert_eq!(output.stdout(), MADE, "{what}\n{}", output.dump());
    assert_eq!(project.read("out.txt"), MADE, "{what}");
}

/// And the call after that is warm.
#[track_caller]
fn check_heals(project: &Project, what: &str) {
    check_right(project, what);
    let runs = project.runs("build");
    check_right(project, what);
    assert_eq!(project.runs("build"), runs, "{what}: never warm again");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// What may happen to a file, and how.
type Damage = (&'static str, fn(&Path));

/// All that can happen to a file.
const DAMAGES: &[Damage] = &[
    ("emptied", |path| fs::write(path, "").unwrap()),
    ("cut in half", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("one bit flipped", |path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
        fs::write(path, bytes).unwrap();
    }),
    ("longer", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, [bytes.as_slice(), b"more\n"].concat()).unwrap();
    }),
    ("other JSON", |path| fs::write(path, r#"{"foo": 1}"#).unwrap()),
    ("not UTF-8", |path| fs::write(path, b"\xff\xfe\0").unwrap()),
    ("nested deeply", |path| fs::write(path, "[".repeat(100_000)).unwrap()),
    ("gone", |path| fs::remove_file(path).unwrap()),
    ("a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("a symlink", |path| {
        fs::remove_file(path).unwrap();
        symlink("/etc/passwd", path).unwrap();
    }),
    ("a fifo", |path| {
        fs::remove_file(path).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }),
];

/// Every file of a cache, damaged in every way.
fn check_damages(cache: &str, folder: &str) {
    let project = built(cache);
    let (kept, pristine) = (project.root.join(folder), project.world().join("pristine"));
    let copy = |from: &Path, to: &Path| {
        let done = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
        assert!(done.success());
    };
    copy(&kept, &pristine);
    for file in files_below(&kept) {
        for (damage, apply) in DAMAGES {
            project.remove(folder);
            copy(&pristine, &kept);
            apply(&file);
            let what = format!("{} {damage}", file.display());
            check_right(&project, &what);
            // What is no file is not ours to replace.
            if *damage != "a folder" {
                check_heals(&project, &what);
            }
        }
    }
}

#[test]
fn a_damaged_local_cache_is_a_rerun_and_heals() {
    check_damages("local", "._qik");
}

#[test]
fn a_damaged_repo_cache_is_a_rerun_and_heals() {
    check_damages("repo", ".qik");
}

#[test]
fn a_damaged_entry_is_told() {
    let project = built("repo");
    for file in files_below(&project.root.join(".qik")) {
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, [bytes.as_slice(), b"tampered\n"].concat()).unwrap();
        project.qik(["build"]).ok().says("warning[cache0]").lacks("tampered");
    }
    assert!(project.runs("build") > 1);
}

#[test]
fn a_private_folder_that_is_none_costs_the_cache_alone() {
    for (what, script) in [
        ("a file", "echo mine > ._qik"),
        ("a dangling link", "ln -s nowhere/at/all ._qik"),
        ("a file for a cache", "mkdir ._qik; echo mine > ._qik/cache"),
        ("a file for the output", "mkdir ._qik; echo mine > ._qik/out"),
        ("a fifo", "mkfifo ._qik"),
    ] {
        let project = built("local");
        project.remove("._qik");
        project.sh(script).ok();
        check_right(&project, what);
        let output = project.qik(["build"]).ok();
        assert!(output.stderr().contains("._qik"), "{what} is not named\n{}", output.dump());
        let is_kept = !project.exists("._qik/cache") || project.root.join("._qik/cache").is_file();
        assert!(what == "a file for the output" || is_kept, "{what} was replaced");
    }
}

#[test]
fn a_private_folder_elsewhere_or_read_only_is_no_reason_to_fail() {
    let project = built("local");
    let elsewhere = project.world().join("elsewhere");
    fs::rename(project.root.join("._qik"), &elsewhere).unwrap();
    project.link("._qik", elsewhere.to_str().unwrap());
    check_right(&project, "a link to a folder");
    project.remove("._qik");
    fs::rename(&elsewhere, project.root.join("._qik")).unwrap();
    // For whoever runs the tests as root this is one more warm run.
    project.sh("chmod -R a-w ._qik").ok();
    check_right(&project, "read-only, warm");
    let cold = MADE.replace("made", "Made");
    project.file("a.txt", &cold).qik(["build"]).ok().prints(&cold);
    project.sh("chmod -R u+w ._qik").ok();
}

#[test]
fn a_file_that_cannot_grow_costs_the_cache_alone() {
    let project = Project::new();
    let exec = "{tick big}; head -c 300000 /dev/zero | tr '\\\\0' x; exit 0";
    project.toml(&format!("[commands.big]\nexec = \"{exec}\"\ndeps = ['a.txt']\n"));
    project.file("a.txt", "").commit();
    let qik = env!("CARGO_BIN_EXE_qik");
    let output = project.sh(&format!("trap '' XFSZ; ulimit -f 64; exec {qik} big"));
    let output = output.no_panic().exits(0).says("warning");
    assert_eq!(output.stdout.len(), 300_000, "all output is shown");
    assert!(project.reruns("big"), "half a log was stored");
    assert!(!project.reruns("big"));
    assert_eq!(project.qik(["big"]).ok().stdout.len(), 300_000);
}

#[test]
fn a_cache_deleted_while_a_command_runs_is_made_again() {
    // qik may be writing in it just then.
    const DELETE: &str = "until rm -rf ._qik; do :; done 2> /dev/null";
    let project = built("local");
    let text = project.read("qik.toml").replace("cp a.txt", &format!("{DELETE}; cp a.txt"));
    project.file("qik.toml", text);
    check_right(&project, "deleted by the command");
    check_right(&project, "after that");
}

#[test]
fn eight_at_once_agree() {
    for cache in ["local", "repo"] {
        let project = built(cache);
        for round in 0..4 {
            let made = format!("{MADE}round {round}\n");
            project.file("a.txt", &made);
            let all: Vec<Started> = (0..8).map(|_| project.start(["build"])).collect();
            for started in all {
                let output = started.wait().no_panic();
                assert_eq!(output.code, Some(0), "{cache}\n{}", output.dump());
                assert_eq!(output.stdout(), made, "{cache}\n{}", output.dump());
            }
            assert_eq!(project.read("out.txt"), made);
            let runs = project.runs("build");
            project.qik(["build"]).ok().prints(&made);
            assert_eq!(project.runs("build"), runs, "{cache}: cold after all");
        }
        project.git(["fsck", "--strict"]);
    }
}

#[test]
fn two_at_once_of_different_commands_keep_both_results() {
    let project = Project::new();
    let command = |name: &str, other: &str| {
        let wait = format!("touch {name}.here; {{wait {other}.here}}");
        format!(
            "[commands.{name}]\nexec = '{wait}; {{tick {name}}}'\ndeps = ['a.txt']\ncache = 'repo'\n"
        )
    };
    project.toml(&[command("one", "two"), command("two", "one")].concat());
    project.file("a.txt", "").commit();
    let started = [project.start(["one"]), project.start(["two"])];
    for one in started {
        one.wait().ok().warns_not();
    }
    project.qik(["one"]).ok();
    project.qik(["two"]).ok();
    assert_eq!((project.runs("one"), project.runs("two")), (1, 1));
    assert_eq!(project.read(".gitattributes").lines().count(), 1);
    assert_eq!(project.tracked(".qik").len(), 4);
}

/// Whether processes can be killed at a certain system call here: it takes strace, and the right
/// to trace.
fn can_trace(project: &Project) -> bool {
    let inject = "-e trace=write -e inject=write:error=EIO:when=99";
    project.sh(&format!("strace -qq -o /dev/null {inject} true")).code == Some(0)
}

#[test]
fn a_qik_killed_at_any_step_leaves_nothing_wrong_behind() {
    let project = built("local");
    if !can_trace(&project) {
        return;
    }
    let qik = env!("CARGO_BIN_EXE_qik");
    let calls = "write,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,fchmod";
    let mut was_whole = false;
    for step in 1..40 {
        let made = format!("{MADE}step {step}\n");
        project.file("a.txt", &made);
        let inject = format!("-e trace={calls} -e inject={calls}:signal=KILL:when={step}");
        let _killed = project.sh(&format!("strace -f -qq -o /dev/null {inject} {qik} build"));
        for _ in 0..2 {
            project.qik(["build"]).ok().prints(&made);
            assert_eq!(project.read("out.txt"), made, "step {step}");
            project.remove("out.txt");
        }
        let runs = project.runs("build");
        project.qik(["build"]).ok().prints(&made);
        assert_eq!(project.runs("build"), runs, "step {step}: cold after all");
        was_whole = step > 12;
        if was_whole {
            break;
        }
    }
    assert!(was_whole);
}
