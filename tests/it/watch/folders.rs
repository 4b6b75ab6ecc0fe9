//! Folders that come, go and move; many files at once; what is watched at all.

use std::fs;

use super::{Watching, project};
use crate::support::Project;

/// A command over `src` with some folders in it, and a watcher of it.
fn watching() -> (Project, Watching) {
    let project = project(
        "[commands.x]\nexec = '{tick x}; find src -type f | wc -l > count'\ndeps = ['src']\n",
    );
    for path in ["src/a/one", "src/a/b/two", "src/c/three"] {
        project.file(path, "0\n");
    }
    project.commit();
    let watching = Watching::start(&project, &[]);
    (project, watching)
}

/// How many folders the watcher watches.
fn watch_count(watching: &Watching) -> usize {
    let folder = format!("/proc/{}/fdinfo", watching.started.id());
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.filter_map(|path| fs::read_to_string(path).ok());
    texts.map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count()).sum()
}

#[test]
fn a_deleted_folder_is_one_run_and_so_is_its_return() {
    let (project, watching) = watching();
    watching.round(|project| fs::remove_dir_all(project.root.join("src/a")).unwrap());
    assert_eq!(watching.runs("x"), 2);
    watching.round(|project| drop(project.git(["checkout", "-q", "--", "src"])));
    assert_eq!(watching.runs("x"), 2, "a replay");
    let cause = watching.edit("src/a/b/two", "1\n");
    assert_eq!(cause, "src/a/b/two", "it is watched again");
    assert_eq!((watching.settled().len(), watching.runs("x")), (3, 3));
    assert_eq!(project.read("count"), "3\n");
}

#[test]
fn a_moved_tree_is_seen_to_go_and_to_come_back() {
    let (project, watching) = watching();
    watching
        .round(|project| fs::rename(project.root.join("src/a"), project.root.join("x")).unwrap());
    assert_eq!((watching.runs("x"), project.read("count").as_str()), (2, "1\n"));
    project.file("x/b/two", "elsewhere\n");
    assert_eq!(watching.settled().len(), 1, "what is moved away is no input");
    watching
        .round(|project| fs::rename(project.root.join("x"), project.root.join("src/a")).unwrap());
    assert_eq!(watching.runs("x"), 3);
    watching.edit("src/a/one", "1\n");
    assert_eq!(watching.runs("x"), 4);
}

#[test]
fn all_of_the_sources_may_go_and_come_back() {
    let (project, watching) = watching();
    let away = project.world().join("away");
    watching.round(|project| fs::rename(project.root.join("src"), &away).unwrap());
    fs::write(away.join("c/three"), "1\n").unwrap();
    watching.round(|project| fs::rename(&away, project.root.join("src")).unwrap());
    assert_eq!(watching.runs("x"), 3);
    assert_eq!(watching.edit("src/c/three", "2\n"), "src/c/three");
}

#[test]
fn files_that_are_written_into_a_returning_folder_at_once_are_not_lost() {
    let (project, watching) = watching();
    watching.round(|project| fs::remove_dir_all(project.root.join("src/a")).unwrap());
    for number in 1..4 {
        fs::create_dir_all(project.root.join("src/a/b")).unwrap();
        let text = format!("{number}\n");
        watching.edit("src/a/b/two", &text);
        watching.settled();
        fs::remove_dir_all(project.root.join("src/a")).unwrap();
        watching.settled();
    }
    watching.settled();
    let before = watching.runs("x");
    watching.edit("src/a/b/two", "new\n");
    watching.settled();
    assert_eq!(watching.runs("x"), before + 1);
}

#[test]
fn a_symlink_is_its_target_text() {
    let project = project("[commands.x]\nexec = '{tick x}; cat link'\ndeps = ['link']\n");
    project.file("one", "1\n").file("two", "2\n").link("link", "one").commit();
    let watching = Watching::start(&project, &[]);
    project.file("one", "3\n");
    assert_eq!(watching.settled(), Vec::<String>::new());
    assert_eq!(
        watching.round(|project| {
            project.link("link", "two");
        }),
        "link"
    );
    assert_eq!(watching.runs("x"), 2);
}

#[test]
fn a_symlink_in_place_of_a_folder_leads_nowhere() {
    let (project, watching) = watching();
    watching.round(|project| {
        fs::rename(project.root.join("src/a"), project.root.join("x")).unwrap();
        project.link("src/a", "../x");
    });
    assert_eq!(watching.runs("x"), 2);
    let runs = watching.runs("x");
    project.file("x/one", "new\n");
    watching.settled();
    assert_eq!(watching.runs("x"), runs, "what lies behind a symlink is not tracked");
}

#[test]
fn thousands_of_files_are_one_run() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['src']\ncache = 'none'\n");
    for number in 0..2000 {
        project.file(format!("src/{}/f{number}", number % 20), "0\n");
    }
    project.commit();
    let watching = Watching::start(&project, &[]);
    let cause = watching.round(|project| {
        for number in 0..2000 {
            project.file(format!("src/{}/f{number}", number % 20), "1\n");
        }
    });
    watching.settled();
    assert!(watching.runs("x") <= 3, "{} runs", watching.runs("x"));
    assert!(cause.starts_with("src/"), "{cause}");
    assert!(cause.contains(" +"), "{cause}");
}

#[test]
fn a_branch_switch_is_one_run() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['src']\ncache = 'none'\n");
    for number in 0..500 {
        project.file(format!("src/{}/f{number}", number % 50), "0\n");
    }
    project.commit();
    project.git(["checkout", "-q", "-b", "other"]);
    for number in 0..500 {
        project.file(format!("src/{}/f{number}", number % 50), "1\n");
    }
    project.remove("src/7").file("src/new/file", "").commit();
    project.git(["checkout", "-q", "main"]);
    let watching = Watching::start(&project, &[]);
    watching.round(|project| drop(project.git(["checkout", "-q", "other"])));
    watching.settled();
    assert_eq!(watching.runs("x"), 2);
    watching.edit("src/new/file", "seen\n");
    drop(project.git(["checkout", "-q", "--", "src"]));
    watching.settled();
    watching.round(|project| drop(project.git(["checkout", "-q", "main"])));
    watching.settled();
    assert_eq!(watching.runs("x"), 5);
}

#[test]
fn a_stash_and_its_return_are_a_run_each() {
    let (project, watching) = watching();
    watching.edit("src/a/one", "1\n");
    watching.round(|project| drop(project.git(["stash", "-q"])));
    watching.round(|project| drop(project.git(["stash", "pop", "-q"])));
    watching.settled();
    assert_eq!(watching.causes().iter().filter(|cause| *cause == "src/a/one").count(), 3);
    assert_eq!(watching.runs("x"), 2, "both contents were known");
    assert!(project.exists("count"));
}

#[test]
fn ignored_folders_cost_no_watches() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['**']\n");
    project.file(".gitignore", "node_modules\ntarget\n");
    for number in 0..100 {
        project.file(format!("node_modules/p{number}/lib/index.js"), "");
        project.file(format!("target/debug/{number}/x"), "");
        project.file(format!("untracked/{number}/x"), "");
    }
    project.file("src/deep/er/a", "").file("src/b", "");
    project.git(["add", ".gitignore", "src", "qik.toml", "probe.txt"]);
    let watching = Watching::start(&project, &[]);
    // The root and what it is in, `.git`, and the three folders of the sources.
    assert_eq!(watch_count(&watching), 6);
    project.file("node_modules/p1/lib/index.js", "new\n");
    assert_eq!(watching.settled(), Vec::<String>::new());
    project.git(["add", "untracked"]);
    watching.settled();
    assert_eq!(watch_count(&watching), 6 + 101);
}

#[test]
fn only_the_folders_of_the_selection_are_watched() {
    let project = project(
        "[spaces.default]\nmodules = ['m', 'n']\n
        [commands.x]\nexec = 'echo {module.name}'\ndeps = ['{module.dir}']\n",
    );
    for number in 0..50 {
        project.file(format!("m/{number}/x"), "").file(format!("n/{number}/x"), "");
    }
    project.commit();
    let watching = Watching::start(&project, &["x", "-m", "m"]);
    // The root and what it is in, `.git`, `m` and all in it, and `n`, which may get a `qik.toml`.
    assert_eq!(watch_count(&watching), 3 + 51 + 1);
}

#[test]
fn submodules_are_watched() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['sub']\ncache = 'none'\n");
    let other = Project::new();
    other.file("deep/a", "0\n").commit();
    let url = other.git_root.to_str().unwrap();
    project.git(["-c", "protocol.file.allow=always", "submodule", "-q", "add", url, "sub"]);
    project.commit();
    let watching = Watching::start(&project, &[]);
    assert_eq!(watching.edit("sub/deep/a", "1\n"), "sub");
    watching.settled();
    assert_eq!(watching.runs("x"), 2);
    let sub = project.at(project.git_root.join("sub"));
    watching.round(|_| drop(sub.git(["commit", "-q", "--allow-empty", "-m", "empty"])));
    watching.round(|_| drop(sub.git(["reset", "-q", "--soft", "HEAD~1"])));
    watching.settled();
    assert_eq!(watching.runs("x"), 4, "another commit of it, with the same files");
}

#[test]
fn worktrees_have_an_index_of_their_own() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['src']\n");
    project.file("src/a", "").commit();
    let tree = project.git_root.with_file_name("tree");
    project.git(["worktree", "add", "-q", tree.to_str().unwrap(), "-b", "other"]);
    let tree = project.at(tree);
    let watching = Watching::start(&tree, &[]);
    tree.file("src/b", "new\n");
    assert_eq!(watching.round(|tree| drop(tree.git(["add", "src/b"]))), "src/b");
    assert_eq!(watching.runs("x"), 2);
}
