//! What people do to a repository, at random.

use std::fs;

use super::Dice;
use super::commands::SHOW;
use crate::support::{Bucket, Project};

/// Files that commands may read; `d` may be a file, a folder or a symlink.
const PATHS: &[&str] = &[
    "a.txt",
    "b.txt",
    "sub/a.txt",
    "sub/deep/b.txt",
    "sub/é.txt",
    "with space.txt",
    "c.md",
    "d",
    "d/x.txt",
];

/// Few contents of one length, so that states come back and sizes tell nothing.
const CONTENTS: &[&str] = &["one\n", "two\n", "six\n"];

/// A repository with some files.
pub(super) fn begin(_: &Bucket) -> Project {
    let project = Project::new();
    let show = project.world().join("show.sh");
    fs::write(&show, SHOW).unwrap();
    for path in PATHS.iter().filter(|path| **path != "d") {
        project.file(path, "one\n");
    }
    project.file(".gitignore", "/out\n");
    project.env("SHOW", show.to_str().unwrap())
}

/// Makes room for a path: nothing is there, and nothing in the way of its folder.
fn clear(project: &Project, path: &str) {
    let full = project.root.join(path);
    let is_folder = full.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    if is_folder {
        fs::remove_dir_all(&full).unwrap();
    } else {
        drop(fs::remove_file(&full));
    }
    let folder = full.parent().unwrap();
    if folder.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        fs::remove_file(folder).unwrap();
    }
}

/// Does something; gives what.
pub(super) fn act(project: &Project, dice: &mut Dice) -> String {
    let path = dice.one_of(PATHS);
    match dice.roll(20) {
        0..=4 => {
            let content = dice.one_of(CONTENTS);
            clear(project, path);
            project.file(path, content);
            format!("write {path} {content:?}")
        }
        5 => {
            clear(project, path);
            format!("delete {path}")
        }
        6 => {
            let is_plain = project.root.join(path).symlink_metadata().is_ok_and(|it| it.is_file());
            let mode = [0o644, 0o755][dice.roll(2)];
            if is_plain {
                project.chmod(path, mode);
            }
            format!("chmod {path} {mode:o} ({is_plain})")
        }
        7 => {
            let content = dice.one_of(CONTENTS);
            clear(project, path);
            project.link(path, content.trim_end());
            format!("link {path} {content:?}")
        }
        8 | 9 => {
            let to = dice.one_of(PATHS);
            let from = project.root.join(path);
            let is_plain = from.symlink_metadata().is_ok_and(|it| it.is_file());
            if is_plain && !to.starts_with(path) && !path.starts_with(to) {
                clear(project, to);
                fs::create_dir_all(project.root.join(to).parent().unwrap()).unwrap();
                fs::rename(from, project.root.join(to)).unwrap();
            }
            project.git(["add", "-A"]);
            format!("rename {path} {to} and add all")
        }
        10 => mistreat(project, dice),
        _ => git(project, path, dice),
    }
}

/// What happens to what qik keeps and to what commands have made.
fn mistreat(project: &Project, dice: &mut Dice) -> String {
    let (what, script) = [
        ("touch all", "find . -path ./.git -prune -o -type f -exec touch -h {} +"),
        ("delete the cache", "rm -rf ._qik"),
        ("delete artifacts", "rm -rf out gen"),
        ("edit an artifact", "mkdir -p out/made; rm -rf out/made/text; echo mine > out/made/text"),
        ("lose an artifact", "rm -f out/made/run gen/kept/link"),
        (
            "damage the cache",
            "for it in ._qik/cache/blobs/*/* ._qik/cache/v1/entries/*/*; do echo x > \"$it\"; done",
        ),
    ][dice.roll(6)];
    project.sh(script).no_panic();
    what.to_owned()
}

fn git(project: &Project, path: &str, dice: &mut Dice) -> String {
    let branch = dice.one_of(&["main", "topic"]);
    let remotes: &[&[&str]] = &[&["pull", "-q", "--no-edit", "--no-rebase", "origin", branch]];
    let all: &[&[&str]] = &[
        &["add", "-A"],
        &["add", "-A"],
        &["add", "-N", "."],
        &["add", path],
        &["commit", "-q", "-a", "--allow-empty", "-m", "step"],
        &["commit", "-q", "-a", "--allow-empty", "-m", "step"],
        &["rm", "-q", "--cached", "-r", "--ignore-unmatch", path],
        &["checkout", "-q", "-f", branch],
        &["checkout", "-q", branch],
        &["merge", "-q", "--no-edit", branch],
        &["merge", "--abort"],
        &["rebase", "-q", branch],
        &["rebase", "--abort"],
        &["reset", "-q", "--hard", "HEAD"],
        &["reset", "-q", "--mixed", "HEAD"],
        &["stash", "-q"],
        &["stash", "pop", "-q"],
        &["clean", "-q", "-f", "-d", "-e", "qik.toml"],
        &["gc", "-q", "--auto"],
    ];
    let is_clone = project.try_git(["remote"]).stdout().contains("origin");
    let args = if is_clone && dice.roll(3) == 0 { remotes[0] } else { all[dice.roll(all.len())] };
    // What git refuses changes nothing, or leaves what has to be lived with.
    let output = project.try_git(args);
    format!("git {} [{:?}]", args.join(" "), output.code)
}
