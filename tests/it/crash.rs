//! Faults at every single point where qik touches a file: the process is killed, the disk is full,
//! the disk fails, locks are refused. `QIK_FAULT` makes the first point fail, then the second, and
//! so on until a run has no more of them; after each the next run is as if nothing had been.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::{Bucket, Output, Project};

/// What `build` prints; it makes what it prints, and more.
const MADE: &str = "made of a.txt\n";

/// No run has as many points.
const POINT_COUNT_MAX: usize = 400;

/// A way to come to a point, from a project that is ready for it.
struct Scenario {
    project: Project,
    /// The command runs once in any case.
    is_cold: bool,
    /// What results are sent to, and come from.
    bucket: Option<Bucket>,
}

impl Scenario {
    /// A first run.
    fn cold(more: &str) -> Self {
        let project = Project::new();
        project.toml(&format!(
            "{more}\n[commands.build]\nexec = '''{{tick build}}; mkdir -p made/empty
            cp a.txt made/text; cp a.txt made/run; chmod 755 made/run; ln -sf text made/link
            cat a.txt'''\ndeps = ['a.txt']\nartifacts = ['made']\n"
        ));
        project.file("a.txt", MADE).commit();
        Self { project, is_cold: true, bucket: None }
    }

    /// A run that has artifacts to bring back.
    fn warm(more: &str) -> Self {
        let scenario = Self::cold(more);
        scenario.project.qik(["build"]).ok().prints(MADE);
        scenario.project.remove("made").remove("._qik/out");
        Self { is_cold: false, ..scenario }
    }

    /// A first run that sends its result.
    fn sending() -> Self {
        let bucket = Bucket::without_proxy();
        let scenario = Self::cold(&format!("[defaults]\ncache = 'remote'\n{}", bucket.toml("")));
        // Not to be packed, and several pieces long.
        let mut random = vec![0; 280_000];
        blake3::Hasher::new().finalize_xof().fill(&mut random);
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        scenario.project.file("large.txt", hex);
        let text = scenario.project.read("qik.toml").replace("ln -sf", "cp large.txt made; ln -sf");
        scenario.project.file("qik.toml", text).commit();
        Self { bucket: Some(bucket), ..scenario }
    }

    /// A run that another machine has made before.
    fn receiving() -> Self {
        let scenario = Self::sending();
        scenario.project.qik(["build"]).ok().prints(MADE).warns_not();
        scenario.project.remove("made").remove("._qik");
        Self { is_cold: false, ..scenario }
    }

    /// A run that has to make room.
    fn crowded() -> Self {
        let scenario = Self::cold("[defaults]\ncache-max-size = 3000");
        let fill = "head -c 2000 /dev/urandom";
        let text = scenario.project.read("qik.toml");
        scenario.project.file(
            "qik.toml",
            format!("{text}[commands.fill]\nexec = '{fill}'\ndeps = ['a.txt']\n"),
        );
        scenario.project.commit().qik(["fill"]).ok().warns_not();
        scenario
    }

    /// One run of a copy with a fault; `None` if it had not as many points.
    fn run(&self, kind: &str, number: usize, plus: &str) -> Option<Fallen> {
        let git_root = self.project.git_root.with_file_name("copy");
        drop(fs::remove_dir_all(&git_root));
        if let Some(bucket) = self.bucket.as_ref().filter(|_| self.is_cold) {
            bucket.clear();
        }
        copy(&self.project.git_root, &git_root);
        let note = self.project.world().join("note");
        drop(fs::remove_file(&note));
        let project = self.project.at(git_root);
        let faulty = project
            .env("QIK_FAULT", &format!("{kind}:{number}{plus}"))
            .env("QIK_FAULT_NOTE", note.to_str().unwrap());
        let output = faulty.qik(["build"]);
        await_unlocked(&project.git_root);
        let point = fs::read_to_string(note).ok()?;
        let what = format!("{kind} at {number}{plus}, {}", point.lines().next().unwrap());
        Some(Fallen { project, output, what })
    }

    /// The state of a project that met no fault.
    fn whole(&self) -> String {
        let git_root = self.project.git_root.with_file_name("whole");
        copy(&self.project.git_root, &git_root);
        let project = self.project.at(git_root);
        project.qik(["build"]).ok().prints(MADE).warns_not();
        project.qik(["build"]).ok().prints(MADE).warns_not();
        state(&project)
    }

    /// Fails every point in turn; gives how many there were.
    fn check(&self, kind: &str, plus: &str, check_fallen: impl Fn(&Self, &Fallen)) -> usize {
        if !cfg!(debug_assertions) {
            return usize::MAX;
        }
        let whole = self.whole();
        for number in 1..POINT_COUNT_MAX {
            let Some(fallen) = self.run(kind, number, plus) else { return number - 1 };
            let Fallen { project, output, what } = &fallen;
            check_fallen(self, &fallen);
            let next = project.qik(["build"]).no_panic();
            let context = format!("{what}\n{}\n{}", output.dump(), next.dump());
            assert_eq!(next.code, Some(0), "{context}");
            assert_eq!(next.stdout(), MADE, "{context}");
            assert_eq!(leftovers(&project.git_root), [""; 0], "{context}");
            let runs = project.runs("build");
            let last = project.qik(["build"]).ok().prints(MADE).warns_not();
            assert_eq!(project.runs("build"), runs, "never warm: {context}\n{}", last.dump());
            let state = state(project);
            let differs = state.lines().zip(whole.lines()).find(|(is, was)| is != was);
            assert_eq!(differs, None, "{context}");
            assert_eq!(state, whole, "{context}");
        }
        panic!("the points never end");
    }
}

/// A run that met a fault.
struct Fallen {
    project: Project,
    output: Output,
    what: String,
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// What is there because of the runs: names, kinds, modes and contents, and what git says.
fn state(project: &Project) -> String {
    let mut state = project.git(["status", "--porcelain"]);
    let config = project.try_git(["config", "--get-regexp", "merge.*"]);
    state += &config.stdout().replace("copy", "whole");
    for root in ["made", ".qik", ".gitattributes", "._qik/out/build.out"] {
        for path in below(&project.root.join(root)) {
            let meta = path.symlink_metadata().unwrap();
            let shown = path.strip_prefix(&project.root).unwrap().display();
            let content = match meta {
                _ if meta.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
                _ if meta.is_file() => fs::read_to_string(&path).unwrap(),
                _ => String::new(),
            };
            state += &format!("{shown} {:o} {content:?}\n", meta.permissions().mode());
        }
    }
    state
}

/// A path and all below it.
fn below(path: &Path) -> Vec<std::path::PathBuf> {
    let Ok(meta) = path.symlink_metadata() else { return Vec::new() };
    let mut found = vec![path.to_path_buf()];
    if meta.is_dir() {
        let mut inside: Vec<_> = fs::read_dir(path).unwrap().map(|it| it.unwrap().path()).collect();
        inside.sort();
        found.extend(inside.iter().flat_map(|path| below(path)));
    }
    found
}

/// Whatever a killed process has not cleared up.
fn leftovers(root: &Path) -> Vec<String> {
    let shown = |path: &std::path::PathBuf| path.strip_prefix(root).unwrap().display().to_string();
    let is_left = |path: &String| {
        let is_ours = path.contains(".tmp-") || path.contains(".qik-unfinished");
        is_ours || path.ends_with(".lock")
    };
    below(root).iter().map(shown).filter(is_left).collect()
}

/// Waits for the locks of a killed process: Linux releases them a moment after its end.
fn await_unlocked(root: &Path) {
    let is_locked = |path: &std::path::PathBuf| {
        let text = path.to_string_lossy();
        !path.is_symlink() && (text.contains(".tmp-") || text.contains("/claims/"))
    };
    for path in below(root).iter().filter(|path| is_locked(path)) {
        fs::File::open(path).unwrap().lock().unwrap();
    }
}

fn check_killed(_: &Scenario, fallen: &Fallen) {
    let Fallen { output, what, .. } = fallen;
    assert_eq!(output.signal, Some(9), "{what}\n{}", output.dump());
}

/// The server has nothing, or what another machine can replay.
fn check_killed_sending(scenario: &Scenario, fallen: &Fallen) {
    check_killed(scenario, fallen);
    let keys = scenario.bucket.as_ref().map(Bucket::keys).unwrap_or_default();
    if keys.is_empty() {
        return;
    }
    assert_eq!(keys.len(), 1, "{}: {keys:?}", fallen.what);
    let other = scenario.project.clone_to("other");
    let runs = other.runs("build");
    other.qik(["build"]).ok().prints(MADE).warns_not();
    assert_eq!(other.runs("build"), runs, "{}", fallen.what);
    fs::remove_dir_all(&other.git_root).unwrap();
}

/// The command's own result is shown, with a warning at most.
fn check_survives(scenario: &Scenario, fallen: &Fallen) {
    let Fallen { project, output, what } = fallen;
    let context = format!("{what}\n{}", output.dump());
    assert!(!output.stderr().contains("panicked"), "{context}");
    assert_eq!(output.code, Some(0), "{context}");
    assert_eq!(output.stdout(), MADE, "{context}");
    assert_eq!(project.read("made/run"), MADE, "{context}");
    assert!(output.stderr().matches("warning[").count() <= 2, "{context}");
    assert!(scenario.is_cold || !output.stderr().contains("error["), "{context}");
}

/// What cannot be read may be an error, and is never a wrong result.
fn check_honest(_: &Scenario, fallen: &Fallen) {
    let Fallen { output, what, .. } = fallen;
    let context = format!("{what}\n{}", output.dump());
    assert!(!output.stderr().contains("panicked"), "{context}");
    let is_error = output.code == Some(2) && output.stderr().contains("error[");
    let is_shown = output.stdout() == MADE;
    let is_told = output.stdout().is_empty() && output.stderr().contains("build.out`");
    assert!(is_error || (output.code == Some(0) && (is_shown || is_told)), "{context}");
}

const REPO: &str = "[defaults]\ncache = 'repo'";

#[test]
fn killed_anywhere_in_a_first_run() {
    assert!(Scenario::cold(REPO).check("kill", "", check_killed) > 20);
}

#[test]
fn killed_anywhere_in_a_replay() {
    assert!(Scenario::warm("").check("kill", "", check_killed) > 10);
}

#[test]
fn killed_anywhere_while_a_result_is_sent() {
    assert!(Scenario::sending().check("kill", "", check_killed_sending) > 25);
}

#[test]
fn killed_anywhere_while_a_result_is_received() {
    let scenario = Scenario::receiving();
    assert!(scenario.check("kill", "", check_killed) > 25);
    assert_eq!(scenario.project.runs("build"), 1, "each time what the server has is replayed");
}

#[test]
fn killed_anywhere_while_room_is_made() {
    assert!(Scenario::crowded().check("kill", "", check_killed) > 20);
}

#[test]
fn one_write_after_the_other_meets_a_full_disk() {
    assert!(Scenario::cold(REPO).check("space", "", check_survives) > 20);
}

#[test]
fn the_disk_is_full_from_some_write_on() {
    assert!(Scenario::cold("").check("space", "+", check_survives) > 1);
    assert!(Scenario::warm("").check("space", "+", check_survives) > 1);
}

#[test]
fn one_read_after_the_other_fails() {
    assert!(Scenario::warm(REPO).check("read", "", check_honest) > 5);
}

#[test]
fn where_there_are_no_locks_everything_works() {
    assert!(Scenario::cold(REPO).check("lock", "+", check_survives) > 1);
    assert!(Scenario::warm("").check("lock", "", check_survives) > 1);
}
