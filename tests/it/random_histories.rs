//! Random edits and git commands against a model: a command runs exactly if the tracked files
//! that its deps match have a state, of names, modes and contents, that it has not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Project;

/// What the command may see: path → mode and content.
type State = BTreeMap<String, (char, Vec<u8>)>;

/// Numbers that look random and are the same each time.
struct Dice(u64);

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

const PATHS: &[&str] = &["a.txt", "b.txt", "sub/a.txt", "sub/deep/b.txt", "sub/é ü.txt", "c.md"];

/// Few contents of one length, so that states come back and sizes tell nothing.
const CONTENTS: &[&str] = &["one\n", "two\n", "six\n"];

fn look(project: &Project) -> State {
    let listed = project.git(["ls-files", "-v", "--stage", "-z", "--", "*.txt"]);
    let mut state = State::new();
    for (entry, path) in listed.split('\0').filter_map(|line| line.split_once('\t')) {
        let words: Vec<&str> = entry.split(' ').collect();
        let is_skipped = words[0].eq_ignore_ascii_case("s");
        let full = project.root.join(path);
        let seen = match full.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => {
                ('l', std::fs::read_link(&full).unwrap().into_os_string().into_encoded_bytes())
            }
            Ok(meta) if meta.is_file() => {
                let is_executable = meta.permissions().mode() & 0o100 != 0;
                (if is_executable { 'x' } else { 'f' }, std::fs::read(&full).unwrap())
            }
            // What a sparse checkout leaves out is there all the same.
            Err(_) if is_skipped => {
                let mode = match words[1] {
                    "120000" => 'l',
                    "100755" => 'x',
                    _ => 'f',
                };
                (mode, project.git(["cat-file", "blob", words[2]]).into_bytes())
            }
            _ => continue,
        };
        state.insert(path.to_owned(), seen);
    }
    state
}

/// Does something; gives what, for a failing assertion.
fn act(project: &Project, dice: &mut Dice) -> String {
    let path = dice.one_of(PATHS);
    let content = dice.one_of(CONTENTS);
    let is_plain = project.root.join(path).is_file() && !project.root.join(path).is_symlink();
    let git = |args: &[&str]| {
        // What git refuses changes nothing.
        let output = project.try_git(args);
        format!("git {} [{:?}]", args.join(" "), output.code)
    };
    match dice.roll(17) {
        0..=4 => {
            project.forget(path).file(path, content);
            format!("write {path} {content:?}")
        }
        5 => {
            project.forget(path);
            format!("delete {path}")
        }
        6 if is_plain => {
            let mode = [0o644, 0o755][dice.roll(2)];
            project.chmod(path, mode);
            format!("chmod {path} {mode:o}")
        }
        7 => {
            project.forget(path).link(path, content.trim_end());
            format!("link {path} {content:?}")
        }
        8 => git(&["add", "-A"]),
        9 => git(&["add", "-N", "."]),
        10 => git(&["add", path]),
        11 => git(&["commit", "-q", "-a", "--allow-empty", "-m", "step"]),
        12 => git(&["rm", "-q", "--cached", "--ignore-unmatch", path]),
        13 => git(&["checkout", "-q", "-f", dice.one_of(&["main", "topic"])]),
        14 => git(&["reset", "-q", dice.one_of(&["--hard", "--mixed", "--soft"]), "HEAD"]),
        15 => git(dice.one_of(&[
            ["stash"].as_slice(),
            &["stash", "pop"],
            &["mv", "-f", "a.txt", "b.txt"],
        ])),
        _ => {
            let bit = [
                "--assume-unchanged",
                "--skip-worktree",
                "--no-assume-unchanged",
                "--no-skip-worktree",
            ];
            git(&["update-index", dice.one_of(&bit), path])
        }
    }
}

fn check(seed: u64) {
    let project = Project::hello(r#"["*.txt"]"#);
    for path in PATHS {
        project.file(path, "one\n");
    }
    project.commit().git(["branch", "topic"]);
    let mut dice = Dice(seed);
    let mut states = BTreeSet::new();
    let mut history = Vec::new();
    for _ in 0..60 {
        history.push(act(&project, &mut dice));
        if !project.root.join("qik.toml").exists() {
            project.git(["checkout", "-q", "HEAD", "qik.toml"]);
        }
        let is_new = states.insert(look(&project));
        let is_rerun = project.reruns("hello");
        assert_eq!(is_rerun, is_new, "seed {seed}, {:#?}\n{:#?}", history, look(&project));
    }
}

#[test]
fn a_command_runs_exactly_if_it_sees_something_new() {
    std::thread::scope(|scope| {
        for seed in 1..=6 {
            scope.spawn(move || check(seed));
        }
    });
}
