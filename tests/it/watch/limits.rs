//! Where the system does not tell of changes, qik looks for them.

use std::process::Command;

use super::{Watching, project};
use crate::support::{Project, Started, until};

/// Whether a user namespace, which has limits of its own, can be had here.
fn has_namespaces() -> bool {
    let status = Command::new("unshare").args(["-Ur", "true"]).status();
    status.is_ok_and(|status| status.success())
}

/// Watches where the system's limit of this name is so low.
fn watching(project: &Project, limit: &str, count: usize) -> Watching {
    let qik = env!("CARGO_BIN_EXE_qik");
    let script = format!("echo {count} > /proc/sys/user/{limit} && exec {qik} --watch");
    let mut command = project.command("unshare", &project.root);
    command.args(["-Ur", "sh", "-c", &script]);
    let started = Started::of(&mut command);
    let watching = Watching { project: project.clone(), started };
    until("the first round is over", || watching.idle_count() == 1);
    watching
}

#[track_caller]
fn check(limit: &str, count: usize, hint: &str) {
    if !has_namespaces() {
        return;
    }
    let project = project("[commands.x]\nexec = '{tick x}; cp src/a seen'\ndeps = ['src']\n");
    for number in 0..10 {
        project.file(format!("src/{number}/x"), "");
    }
    project.file("src/a", "0\n").commit();
    let watching = watching(&project, limit, count);
    assert_eq!(watching.said().matches("warning[watch0]").count(), 1, "{}", watching.said());
    assert!(watching.said().contains(hint), "{}", watching.said());
    assert_eq!(watching.edit("src/a", "1\n"), "src/a");
    // Nor is the second of two quick saves lost.
    watching.round(|project| {
        project.file("src/a", "2\n").file("src/a", "3\n");
    });
    until("the last save was seen", || project.read("seen") == "3\n");
    watching.round(|project| std::fs::remove_dir_all(project.root.join("src/3")).unwrap());
    project.file("src/new/b", "new\n");
    watching.round(|project| drop(project.git(["add", "src/new"])));
    watching.edit("src/new/b", "newer\n");
    assert_eq!(watching.causes().last().unwrap(), "src/new/b");
    watching.end().exits(0);
}

#[test]
fn too_few_watches() {
    check("max_inotify_watches", 4, "fs.inotify.max_user_watches");
}

#[test]
fn too_few_watchers() {
    check("max_inotify_instances", 0, "fs.inotify.max_user_instances");
}

#[test]
fn the_limit_is_reached_later() {
    if !has_namespaces() {
        return;
    }
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['src']\n");
    project.file("src/a", "").commit();
    let watching = watching(&project, "max_inotify_watches", 6);
    assert!(!watching.said().contains("watch0"));
    for number in 0..10 {
        project.file(format!("src/{number}/x"), "");
    }
    watching.round(|project| drop(project.git(["add", "src"])));
    assert!(watching.said().contains("warning[watch0]"), "{}", watching.said());
    assert_eq!(watching.edit("src/7/x", "new\n"), "src/7/x");
}
