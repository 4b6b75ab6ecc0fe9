//! The repo cache: files that are committed, merged, reviewed, and tampered with.

use crate::support::Project;

/// A repo-cached command over two files.
fn project() -> Project {
    below(Project::new())
}

fn below(project: Project) -> Project {
    project.toml(
        "[commands.hello]\nexec = '{tick hello}; cat one.txt two.txt'\ndeps = ['*.txt']\ncache = 'repo'\n",
    );
    project.file("one.txt", "base\n").file("two.txt", "base\n").commit();
    project
}

/// The contents of all files below `.qik`.
fn entries(project: &Project) -> Vec<(String, String)> {
    let listed = project.tracked(":(top)*.qik/*");
    listed
        .into_iter()
        .map(|path| (path.clone(), project.read(project.git_root.join(path))))
        .collect()
}

#[test]
fn new_files_are_added_as_intended() {
    let project = project();
    project.qik(["hello"]).ok().warns_not();
    let files = project.tracked(".qik/cache");
    assert!(files.iter().any(|path| path.ends_with(".json")), "{files:?}");
    assert!(files.iter().any(|path| path.ends_with(".out")), "{files:?}");
    assert!(files.iter().all(|path| path.starts_with(".qik/cache/hello/")), "{files:?}");
    let status = project.git(["status", "--porcelain"]);
    assert!(status.lines().all(|line| line.starts_with(" A ")), "{status}");
    assert_eq!(project.git(["diff", "--cached", "--name-only"]), "", "nothing is staged");
}

#[test]
fn a_clone_replays_log_and_exit_code() {
    let project = project();
    let text = project.read("qik.toml").replace("two.txt'", "two.txt; exit 4'");
    project.file("qik.toml", format!("{text}cache-when = 'finished'\n"));
    project.qik(["hello"]).exits(4);
    project.commit();
    project.clone_to("clone").qik(["hello"]).exits(4).prints("base\nbase\n");
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let project = project();
    project.qik(["hello"]).ok();
    project.commit();
    project.qik(["hello", "-f"]).ok();
    assert_eq!(project.git(["status", "--porcelain"]), "");
    let clone = project.clone_to("a longer name elsewhere").env("HOME", "/").env("LANG", "C");
    clone.qik(["hello", "-f", "-n", "7"]).ok();
    assert_eq!(clone.git(["status", "--porcelain"]), "");
    assert_eq!(project.runs("hello"), 3);
    project.remove(".qik").qik(["hello"]).ok();
    assert_eq!(project.git(["status", "--porcelain"]), "");
}

#[test]
fn only_the_most_recent_result_is_kept() {
    let project = project();
    project.qik(["hello"]).ok();
    project.commit();
    let files = project.tracked(".qik");
    project.file("one.txt", "second\n").qik(["hello"]).ok();
    project.commit();
    assert_eq!(project.tracked(".qik"), files);
    project.remove("._qik");
    project.file("one.txt", "base\n").qik(["hello"]).ok();
    assert_eq!(project.runs("hello"), 3);
}

/// The text of `.gitattributes` after a run, and after one more.
#[track_caller]
fn check_attributes(before: Option<&[u8]>, expected: &str) {
    let project = project();
    if let Some(before) = before {
        project.file(".gitattributes", before).commit();
    }
    project.qik(["hello"]).ok().warns_not();
    assert_eq!(project.read(".gitattributes"), expected);
    project.file("one.txt", "two\n").qik(["hello"]).ok();
    assert_eq!(project.read(".gitattributes"), expected, "added twice");
    let attributes = project.git(["check-attr", "-a", "--", &project.tracked(".qik")[0]]);
    assert!(attributes.contains("linguist-generated: true"), "{attributes}");
    assert!(attributes.contains("merge: qik"), "{attributes}");
    assert!(project.tracked(".gitattributes").len() == 1);
}

#[test]
fn gitattributes_gets_one_line_once() {
    let line = ".qik/**/* linguist-generated=true merge=qik";
    check_attributes(None, &format!("{line}\n"));
    check_attributes(Some(b"*.png binary\n"), &format!("*.png binary\n{line}\n"));
    check_attributes(Some(b"*.png binary"), &format!("*.png binary\n{line}\n"));
    check_attributes(Some(b"*.png binary\r\n"), &format!("*.png binary\r\n{line}\r\n"));
    check_attributes(
        Some(format!("{line}\n*.c text\n").as_bytes()),
        &format!("{line}\n*.c text\n"),
    );
    check_attributes(Some(format!("{line}\r\n").as_bytes()), &format!("{line}\r\n"));
    check_attributes(Some(line.as_bytes()), line);
    check_attributes(Some(b""), &format!("{line}\n"));
}

#[test]
fn a_project_below_the_git_root_has_a_line_of_its_own() {
    let project = below(Project::new().below("services/the api"));
    project.qik(["hello"]).ok().warns_not();
    project.commit();
    let files = project.tracked("services/the api/.qik");
    assert!(!files.is_empty() && !project.exists(".gitattributes"));
    let attributes = project.git(["check-attr", "-a", "--", &files[0]]);
    assert!(attributes.contains("linguist-generated: true"), "{attributes}");
    assert!(attributes.contains("merge: qik"), "{attributes}");
    project.clone_to("clone").qik(["hello"]).ok();
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn gitattributes_that_cannot_be_written_is_a_warning() {
    let project = project();
    project.file(".gitattributes/in the way", "");
    project.qik(["hello"]).ok().says("warning").says(".gitattributes");
    assert_eq!(project.runs("hello"), 1);
}

/// Branches `main` and `topic` with different results of `hello`; what each has cached.
fn diverge(project: &Project) -> [Vec<(String, String)>; 2] {
    project.qik(["hello"]).ok();
    project.commit();
    project.git(["branch", "topic"]);
    ["main", "topic"].map(|branch| {
        project.git(["checkout", "-q", branch]);
        let path = if branch == "main" { "one.txt" } else { "two.txt" };
        project.file(path, format!("by {branch}\n")).qik(["hello"]).ok();
        project.commit();
        entries(project)
    })
}

#[test]
fn ones_own_side_wins_in_a_merge() {
    let project = project();
    let [main, topic] = diverge(&project);
    assert_ne!(main, topic);
    project.git(["merge", "-q", "--no-edit", "main"]);
    assert_eq!(entries(&project), topic);
    assert!(project.reruns("hello"), "neither side knew both changes");
}

#[test]
fn ones_own_side_wins_in_a_rebase() {
    for (merge, base) in [("--apply", "apply"), ("--merge", "merge")] {
        let project = project();
        let [_, topic] = diverge(&project);
        project.git(["rebase", "-q", merge, "main"]);
        assert_eq!(entries(&project), topic, "{base}");
        assert_eq!(project.read("one.txt"), "by main\n");
    }
}

#[test]
fn ones_own_side_wins_in_a_rebase_that_stops_at_a_conflict() {
    let project = project();
    project.qik(["hello"]).ok();
    project.commit();
    project.git(["branch", "topic"]);
    project.file("one.txt", "by main\n").qik(["hello"]).ok();
    project.commit();
    project.git(["checkout", "-q", "topic"]);
    project.file("one.txt", "by topic\n").qik(["hello"]).ok();
    project.commit();
    let topic = entries(&project);
    project.try_git(["rebase", "main"]).fails();
    let conflicted = project.git(["diff", "--name-only", "--diff-filter=U"]);
    assert_eq!(conflicted, "one.txt\n", "the cache is no conflict");
    assert_eq!(entries(&project), topic);
    project.file("one.txt", "by both\n").git(["add", "one.txt"]);
    project.git(["-c", "core.editor=true", "rebase", "--continue"]);
    assert!(project.reruns("hello"));
    assert!(!project.reruns("hello"));
}

#[test]
fn a_cherry_pick_keeps_the_branch_that_is_picked_onto() {
    let project = project();
    let [main, _] = diverge(&project);
    project.git(["checkout", "-q", "main"]);
    project.git(["cherry-pick", "topic"]);
    assert_eq!(entries(&project), main);
    assert_eq!(project.read("two.txt"), "by topic\n");
}

#[test]
fn a_linked_work_tree_rebases_and_merges_as_well() {
    let project = project();
    let [main, topic] = diverge(&project);
    project.git(["checkout", "-q", "main"]);
    let path = project.world().join("linked tree");
    project.git(["worktree", "add", "-q", path.to_str().unwrap(), "topic"]);
    let tree = project.at(path);
    tree.git(["rebase", "-q", "main"]);
    assert_eq!(entries(&tree), topic);
    tree.git(["reset", "-q", "--hard", "ORIG_HEAD"]);
    tree.git(["merge", "-q", "--no-edit", "main"]);
    assert_eq!(entries(&tree), topic);
    assert_eq!(entries(&project), main);
    tree.file("one.txt", "more\n").qik(["hello"]).ok().warns_not();
}

#[test]
fn the_merge_driver_is_the_binary_and_leaves_no_script() {
    let project = project();
    project.qik(["hello"]).ok();
    let driver = project.git(["config", "--local", "merge.qik.driver"]);
    assert!(driver.contains(env!("CARGO_BIN_EXE_qik")), "{driver}");
    let config = project.read(".git/config");
    project.file("one.txt", "two\n").qik(["hello"]).ok();
    assert_eq!(project.read(".git/config"), config, "written again without need");
    project.git(["config", "merge.qik.driver", "/gone/with/the/old/qik %A %B"]);
    project.file("one.txt", "three\n").qik(["hello"]).ok();
    assert_eq!(project.git(["config", "merge.qik.driver"]), driver, "an old path is replaced");
    let scripts = project.sh("find . -name '*.sh' -not -path './.git/hooks/*'").ok();
    scripts.prints("");
}

#[test]
fn an_edited_entry_is_a_rerun() {
    let project = project();
    project.qik(["hello"]).ok();
    project.commit();
    for path in project.tracked(".qik") {
        let text = project.read(&path);
        for edited in [
            text.replace("base", "TAMPERED"),
            text.replace("base", "b4se"),
            format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"),
        ] {
            if edited == text {
                continue;
            }
            project.remove("._qik").file(&path, &edited);
            let runs = project.runs("hello");
            project.qik(["hello"]).ok().prints("base\nbase\n");
            assert_eq!(project.runs("hello"), runs + 1, "{path}: {edited}");
            assert_eq!(project.git(["status", "--porcelain"]), "", "{path} was not repaired");
        }
    }
}

#[test]
fn committed_artifacts_are_part_of_the_result() {
    let project = Project::new();
    project.toml(
        r"
        [commands.lock]
        exec = '{tick lock}; mkdir -p locks; cp a.in locks/a.lock; cp b.in locks/b.lock'
        deps = ['*.in']
        artifacts = ['locks/*.lock']
        cache = 'repo'
        ",
    );
    project.file("a.in", "a\n").file("b.in", "b\n").commit();
    project.qik(["lock"]).ok().warns_not();
    assert_eq!(project.tracked("locks"), ["locks/a.lock", "locks/b.lock"]);
    project.commit();
    let clone = project.clone_to("clone");
    assert!(!clone.reruns("lock"));
    assert_eq!(clone.read("locks/a.lock"), "a\n");
    for spoil in ["rm locks/a.lock", "echo edited > locks/a.lock"] {
        clone.remove("._qik").sh(spoil).ok();
        assert!(clone.reruns("lock"), "{spoil}: the cache holds no artifacts, git does");
        assert_eq!(clone.read("locks/a.lock"), "a\n");
    }
    clone.remove("locks/a.lock");
    assert!(!clone.reruns("lock"), "but the local cache holds them as well");
    assert_eq!(clone.read("locks/a.lock"), "a\n");
    clone.file("locks/c.lock", "c\n");
    clone.reruns("lock");
    assert!(!clone.reruns("lock"));
}

#[test]
fn a_held_index_lock_is_a_warning() {
    let project = project();
    project.file(".git/index.lock", "");
    project.qik(["hello"]).ok().says("warning").says("index.lock");
    assert_eq!(project.runs("hello"), 1);
    assert!(project.exists(".git/index.lock"), "it is not ours to remove");
    assert_eq!(project.tracked(".qik"), Vec::<String>::new());
    project.remove(".git/index.lock");
    project.qik(["hello"]).ok();
    project.file("one.txt", "two\n").qik(["hello"]).ok().warns_not();
    assert!(!project.tracked(".qik").is_empty(), "added by a later run");
}

#[test]
fn an_ignored_repo_cache_still_caches() {
    let project = project();
    project.file(".gitignore", ".qik\n").commit();
    project.qik(["hello"]).ok();
    project.qik(["hello"]).ok();
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn each_command_and_module_has_files_of_its_own() {
    let project = Project::new();
    project.toml(
        r"
        [defaults]
        cache = 'repo'
        [spaces.default]
        modules = ['m', 'n/o']
        [commands.each]
        exec = 'echo {module.name}'
        deps = ['*.txt']
        ",
    );
    project.toml_at("n/o/qik.toml", "[commands.own]\nexec = 'echo own'\ndeps = ['*.txt']\n");
    project.file("a.txt", "").file("m/x", "").commit();
    project.qik([""; 0]).ok().warns_not();
    let files = project.tracked(".qik");
    assert_eq!(files.len(), 6, "{files:?}");
    let sizes = files.iter().map(|path| project.read(path).len());
    assert!(sizes.max().unwrap() < 4000);
    project.commit();
    let clone = project.clone_to("clone");
    let warm = ["each#m", "each#n/o", "n/o/own"];
    assert_eq!(clone.ls(["--cache", "repo", "--cache-status", "warm"]), warm);
}

#[test]
fn a_check_for_ci() {
    let project = project();
    let check = ["--cache", "repo", "--cache-status", "cold", "--fail", "--ls"];
    project.qik(check).exits(1).prints("hello\n");
    project.qik(["hello"]).ok();
    project.commit();
    let clone = project.clone_to("clone");
    clone.qik(check).ok().prints("");
    assert_eq!(clone.git(["status", "--porcelain"]), "");
    clone.file("one.txt", "two\n").qik(check).exits(1).prints("hello\n");
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn its_own_files_are_no_inputs() {
    for deps in [".", "**", "**.json", ":!docs"] {
        let project = Project::new();
        project
            .toml(&format!(
                "[commands.all]\nexec = '{{tick all}}; cat a.txt'\ndeps = ['{deps}']\ncache = 'repo'\n"
            ))
            .file("a.txt", "one\n")
            .file("b.json", "{}")
            .commit();
        project.qik(["all"]).ok();
        // `.gitattributes` is made by the first run, and is a file like any other.
        project.commit();
        project.qik(["all"]).ok();
        let runs = project.runs("all");
        for _ in 0..3 {
            project.commit();
            project.qik(["all"]).ok();
        }
        assert_eq!(project.runs("all"), runs, "{deps}");
    }
}

#[test]
fn a_clone_with_other_line_ends_replays() {
    let project = Project::new();
    project
        .toml("[commands.all]\nexec = '''\n{tick all}\ncat a.txt\n'''\ndeps = ['a.txt']\ncache = 'repo'\n")
        .file("a.txt", "one\n")
        .commit();
    project.qik(["all"]).ok();
    project.commit();
    let clone = project.git_root.with_file_name("crlf");
    project.git(["clone", "-q", "-c", "core.autocrlf=true", ".", clone.to_str().unwrap()]);
    let clone = project.at(clone);
    assert!(clone.read("qik.toml").contains("\r\n"), "the clone has other line ends");
    clone.qik(["all"]).ok().prints("one\n").lacks("warning");
    assert_eq!(project.runs("all"), 1);
}

#[test]
fn what_was_not_published_is_published_by_a_replay() {
    let project = Project::new();
    project
        .toml("[commands.all]\nexec = 'cat a.txt'\ndeps = ['a.txt']\ncache = 'repo'\n")
        .file("a.txt", "one\n")
        .commit();
    project.qik(["all"]).ok();
    project.git(["reset", "-q"]);
    assert!(project.git(["status", "--porcelain"]).contains("?? .qik/"));
    project.qik(["all"]).ok();
    let status = project.git(["status", "--porcelain"]);
    assert!(!status.contains("??"), "{status}");
    project.commit();
    let clone = project.clone_to("clone");
    clone.qik(["all"]).ok();
    assert!(!clone.git(["config", "merge.qik.driver"]).is_empty());
}

#[test]
fn names_are_never_shell_scripts() {
    let project = Project::new();
    let name = "$(touch PWNED) `touch PWNED`; touch PWNED";
    project.toml(&format!(
        "[commands.'{name}']\nexec = \"cp a.txt '{name}.out'\"\ndeps = ['a.txt']
        artifacts = ['{name}.out']\ncache = 'repo'\n"
    ));
    project.file("a.txt", "one\n").commit();
    for _ in 0..2 {
        project.qik([name]).ok().warns_not();
        assert_eq!(project.read(format!("{name}.out")), "one\n");
        assert!(!project.exists("PWNED"));
    }
    assert_eq!(project.tracked(".qik").len(), 2);
}
