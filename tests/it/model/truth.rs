//! What is right: the commands, run by hand in a copy of the tracked files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::commands::Commands;
use crate::support::Project;

/// What a runnable does with the files as they are.
#[derive(Debug)]
pub(super) enum Truth {
    Ran {
        code: i32,
        log: String,
        artifacts: BTreeMap<String, Made>,
    },
    /// Its upstream fails.
    Skipped,
}

/// What a path is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Made {
    File(u32, Vec<u8>),
    Link(Vec<u8>),
    Folder,
}

/// What a path is, if it is anything.
pub(super) fn look(path: &Path) -> Option<Made> {
    let meta = path.symlink_metadata().ok()?;
    Some(if meta.is_symlink() {
        Made::Link(fs::read_link(path).unwrap().into_os_string().into_encoded_bytes())
    } else if meta.is_dir() {
        Made::Folder
    } else {
        Made::File(meta.permissions().mode() & 0o777, fs::read(path).unwrap())
    })
}

/// Runs all of the commands in a copy that has nothing of qik's.
pub(super) fn truths(project: &Project, commands: &Commands) -> BTreeMap<String, Truth> {
    let root = project.world().join("truth");
    drop(fs::remove_dir_all(&root));
    copy(&project.root, &root, &|name| !matches!(name, ".git" | "._qik" | ".qik" | "out"));
    let index = project.world().join("truth-index");
    fs::copy(project.root.join(".git/index"), &index).unwrap();
    let mut truths = BTreeMap::new();
    for runnable in commands.runnables() {
        let is_stuck = runnable.upstream.is_some_and(|upstream| {
            !matches!(truths.get(upstream), Some(Truth::Ran { code: 0, .. }))
        });
        if is_stuck {
            truths.insert(runnable.name, Truth::Skipped);
            continue;
        }
        let output = project
            .command("sh", &root)
            .args(["-c", &runnable.exec])
            .env("GIT_DIR", project.root.join(".git"))
            .env("GIT_WORK_TREE", &root)
            .env("GIT_INDEX_FILE", &index)
            .output()
            .unwrap();
        let mut artifacts = BTreeMap::new();
        if let Some(folder) = runnable.makes {
            for name in ["", "/empty", "/text", "/run", "/link"] {
                let path = format!("{folder}{name}");
                let made = look(&root.join(&path)).expect("an artifact");
                artifacts.insert(path, made);
            }
        }
        let log = String::from_utf8(output.stdout).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", runnable.exec);
        let code = output.status.code().unwrap();
        truths.insert(runnable.name, Truth::Ran { code, log, artifacts });
    }
    truths
}

/// Copies a tree with its modes, but for what is of no interest at its top.
fn copy(from: &Path, to: &Path, is_wanted: &dyn Fn(&str) -> bool) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if !is_wanted(name.to_str().unwrap()) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        let meta = source.symlink_metadata().unwrap();
        if meta.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else if meta.is_dir() {
            copy(&source, &target, &|_| true);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}
