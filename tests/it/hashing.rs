//! What the hash of a command sees: contents, names and modes of the files that its deps match.
//!
//! The pattern language itself is compared with `git ls-files` beside its code; here are a few
//! patterns through the binary.

use std::path::Path;

use crate::support::Project;

/// Edits of a dep, each without a commit: each reruns the command once.
#[track_caller]
pub(crate) fn check_edits(project: &Project, path: impl AsRef<Path>) {
    project.reruns("hello");
    assert!(!project.reruns("hello"), "cold without a change");
    for content in ["edited once\n", "edited more\n", "edited for the third time\n"] {
        project.file(&path, content);
        assert!(project.reruns("hello"), "{content:?} in {} was not seen", path.as_ref().display());
        assert!(!project.reruns("hello"), "cold after {content:?}");
    }
}

/// Deps, a file that they do not match, and files that they do.
#[track_caller]
fn check_pattern(deps: &str, foreign: &[&str], matched: &[&str]) {
    let project = Project::hello(deps);
    for path in foreign.iter().chain(matched) {
        project.file(path, "one\n");
    }
    project.commit();
    project.reruns("hello");
    for path in foreign {
        project.file(path, "two\n");
        assert!(!project.reruns("hello"), "{deps} holds {path}");
    }
    for path in matched {
        project.file(path, "two\n");
        assert!(project.reruns("hello"), "{deps} does not hold {path}");
    }
}

#[test]
fn patterns_are_gits() {
    check_pattern(r#"["src"]"#, &["srcs/x", "other/src/x"], &["src/x", "src/a/b/y"]);
    check_pattern(r#"["src/"]"#, &["srcs/x"], &["src/x"]);
    check_pattern(r#"["src/*.c"]"#, &["src/x.h"], &["src/x.c", "src/a/b/y.c"]);
    check_pattern(r#"["**.py"]"#, &["a/no.txt"], &["top.py", "a/b/c/deep.py"]);
    check_pattern(r#"["src/**/*.py"]"#, &["x.py"], &["src/x.py", "src/a/x.py", "src/a/b/x.py"]);
    check_pattern(r#"["v?.cfg", "x[ab].cfg"]"#, &["v12.cfg", "xc.cfg"], &["v1.cfg", "xa.cfg"]);
    check_pattern(r#"["./a.txt", "./sub"]"#, &["b.txt"], &["a.txt", "sub/x"]);
    check_pattern(r#"["."]"#, &[], &["a.txt", "deep/er/x", ".hidden", ".hid/den"]);
}

#[test]
fn patterns_have_magic() {
    check_pattern(r#"["src", ":(exclude)src/gen"]"#, &["src/gen/x"], &["src/x"]);
    check_pattern(r#"["*.md", ":!drafts/*"]"#, &["drafts/x.md"], &["x.md", "docs/x.md"]);
    check_pattern(r#"[":(icase)readme.TXT"]"#, &["readme.md"], &["README.txt"]);
    check_pattern(r#"[":(glob)src/*.c"]"#, &["src/a/y.c"], &["src/x.c"]);
    check_pattern(r#"[":(glob)src/**/y.c"]"#, &["y.c"], &["src/y.c", "src/a/b/y.c"]);
    check_pattern(r#"[":(literal)*.txt"]"#, &["a.txt"], &["*.txt"]);
}

#[test]
fn an_exclude_applies_within_one_command_alone() {
    let project = Project::new();
    let all = "[commands.all]\nexec = '{tick all}'\ndeps = ['*.txt']\n";
    let some = "[commands.some]\nexec = '{tick some}'\ndeps = ['*.txt', ':!b.txt']\n";
    project.toml(&format!("{all}{some}")).file("a.txt", "").file("b.txt", "").commit();
    project.qik(["all", "some"]).ok();
    project.file("b.txt", "two");
    project.qik(["all", "some"]).ok();
    assert_eq!((project.runs("all"), project.runs("some")), (2, 1));
}

#[test]
fn the_content_counts_wherever_it_is() {
    let project = Project::hello(r#"["*.txt"]"#);
    check_edits(&project, "a.txt");
    project.git(["add", "a.txt"]);
    assert!(!project.reruns("hello"), "staging is no change");
    project.commit();
    assert!(!project.reruns("hello"), "a commit is no change");
    project.file("a.txt", "staged\n").git(["add", "a.txt"]);
    assert!(project.reruns("hello"), "a staged change is one");
    project.file("a.txt", "in the work tree\n");
    assert!(project.reruns("hello"), "the work tree wins over the index");
}

#[test]
fn time_stamps_stashes_and_branches_keep_the_hash() {
    let project = Project::hello(r#"["*.txt"]"#);
    project.reruns("hello");
    let past = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    let file = std::fs::File::options().write(true).open(project.root.join("a.txt")).unwrap();
    file.set_modified(past).unwrap();
    assert!(!project.reruns("hello"), "a touch");
    project.file("a.txt", "one\n");
    assert!(!project.reruns("hello"), "the same content written again");
    project.file("a.txt", "two\n");
    assert!(project.reruns("hello"));
    project.git(["stash", "-q"]);
    assert!(!project.reruns("hello"), "the state of the commit is known");
    project.git(["stash", "pop", "-q"]);
    assert!(!project.reruns("hello"), "so is what was stashed");
    project.git(["checkout", "-q", "-b", "topic"]);
    project.commit();
    assert!(!project.reruns("hello"), "the same on another branch");
    project.git(["checkout", "-q", "main"]);
    project.git(["checkout", "-q", "--detach"]);
    assert!(!project.reruns("hello"), "the same on no branch");
}

#[test]
fn a_clone_elsewhere_has_the_same_hash() {
    let project = Project::hello(r#"["*.txt", {type = "const", val = "v1"}]"#);
    project.toml(&project.read("qik.toml").replace("deps", "cache = 'repo'\ndeps")).commit();
    project.reruns("hello");
    project.commit();
    let clone = project.clone_to("somewhere else, in another folder");
    assert!(!clone.reruns("hello"));
    clone.file("a.txt", "two\n");
    assert!(clone.reruns("hello"));
}

#[test]
fn an_untracked_file_counts_once_it_is_added() {
    let project = Project::hello(r#"["*.txt"]"#);
    project.reruns("hello");
    for content in ["one\n", "two\n"] {
        project.file("new.txt", content);
        assert!(!project.reruns("hello"), "untracked");
    }
    project.git(["add", "-N", "new.txt"]);
    assert!(project.reruns("hello"), "intended to be added");
    check_edits(&project, "new.txt");
    project.git(["add", "new.txt"]);
    assert!(!project.reruns("hello"), "added as it was");
    project.file("new.txt", "edited after that\n");
    assert!(project.reruns("hello"));
}

#[test]
fn a_deleted_file_counts_as_gone_and_committing_that_is_no_change() {
    let project = Project::hello(r#"["*.txt"]"#);
    project.file("b.txt", "one\n").file("c.txt", "one\n").commit();
    project.reruns("hello");
    project.remove("b.txt");
    assert!(project.reruns("hello"));
    project.commit();
    assert!(!project.reruns("hello"), "committed");
    project.git(["rm", "-q", "c.txt"]);
    assert!(project.reruns("hello"), "removed from the index");
    project.commit();
    assert!(!project.reruns("hello"), "committed");
    project.file("new.txt", "one\n").git(["add", "-N", "new.txt"]);
    project.remove("new.txt");
    assert!(!project.reruns("hello"), "intended to be added, but gone");
}

#[test]
fn a_renamed_file_is_another_one() {
    let project = Project::hello(r#"["*.txt"]"#);
    project.reruns("hello");
    project.git(["mv", "a.txt", "z.txt"]);
    assert!(project.reruns("hello"));
    project.git(["mv", "z.txt", "a.txt"]);
    assert!(!project.reruns("hello"), "and back");
}

#[test]
fn a_conflicted_file_counts_as_it_lies_in_the_work_tree() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.git(["checkout", "-q", "-b", "topic"]);
    project.file("a.txt", "of topic\n").commit();
    project.git(["checkout", "-q", "main"]);
    project.file("a.txt", "of main\n").commit();
    project.reruns("hello");
    project.try_git(["merge", "-q", "topic"]).exits(1);
    assert!(project.git(["ls-files", "-u"]).lines().count() == 3);
    assert!(project.reruns("hello"), "conflict markers are a content");
    check_edits(&project, "a.txt");
    project.file("a.txt", "of main\n");
    assert!(!project.reruns("hello"), "solved, but not yet added");
    project.commit();
    assert!(!project.reruns("hello"), "committed");
}

#[test]
fn the_executable_bit_counts() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.reruns("hello");
    project.chmod("a.txt", 0o755);
    assert!(project.reruns("hello"));
    project.commit();
    assert!(!project.reruns("hello"), "committed");
    project.chmod("a.txt", 0o711);
    assert!(!project.reruns("hello"), "git keeps one bit");
    project.git(["config", "core.fileMode", "false"]);
    project.chmod("a.txt", 0o644);
    assert!(!project.reruns("hello"), "the repository says that modes mean nothing");
}

#[test]
fn a_symlink_counts_by_its_text() {
    let project = Project::hello(r#"["link"]"#);
    project.file("folder/x", "").link("link", "a.txt").commit();
    project.reruns("hello");
    for target in ["b.txt", "c.txt", "folder", "nowhere/at all", "a.txt/b"] {
        project.link("link", target);
        assert!(project.reruns("hello"), "{target}");
        assert!(!project.reruns("hello"), "{target}");
    }
    project.link("link", "a.txt").file("a.txt", "two\n");
    assert!(!project.reruns("hello"), "the file that it leads to is a dep of its own");
    project.remove("link").file("link", "a.txt");
    assert!(project.reruns("hello"), "a file with the same bytes");
}

#[test]
fn whatever_takes_a_files_place_is_seen() {
    let project = Project::hello(r#"["*.txt"]"#);
    project.file("b.txt", "one\n").commit();
    project.reruns("hello");
    project.remove("b.txt").file("b.txt/inside", "");
    assert!(project.reruns("hello"), "a folder");
    project.remove("b.txt");
    project.sh("mkfifo b.txt").ok();
    project.reruns("hello");
    assert!(!project.reruns("hello"), "a fifo, which is never waited for");
}

#[test]
fn a_racily_clean_file_is_read() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.git(["config", "core.trustctime", "false"]);
    project.git(["config", "core.checkStat", "minimal"]);
    // Newer than the index for ever, so that git may never trust its stat data.
    let future = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
    let write = |content: &str| {
        project.file("a.txt", content);
        let file = std::fs::File::options().write(true).open(project.root.join("a.txt")).unwrap();
        file.set_modified(future).unwrap();
    };
    write("one\n");
    project.git(["add", "a.txt"]);
    project.reruns("hello");
    for content in ["two\n", "six\n"] {
        write(content);
        assert!(project.reruns("hello"), "{content:?}, same size and time stamp");
    }
}

#[test]
fn edits_within_a_second_are_seen() {
    let project = Project::hello(r#"["a.txt"]"#);
    for number in 10..20 {
        project.file("a.txt", format!("{number}\n")).git(["add", "a.txt"]);
        project.file("a.txt", format!("{}\n", number + 10));
        assert!(project.reruns("hello"), "{number}");
        project.git(["checkout", "-q", "a.txt"]);
        assert!(project.reruns("hello"), "{number} checked out");
    }
}

#[test]
fn many_changed_files_at_once() {
    let project = Project::hello(r#"["data"]"#);
    for number in 0..200 {
        project.file(format!("data/{number}.txt"), number.to_string());
    }
    project.commit();
    project.reruns("hello");
    for number in (0..200).step_by(2) {
        project.file(format!("data/{number}.txt"), format!("changed {number}"));
    }
    assert!(project.reruns("hello"));
    project.file("data/8.txt", "changed again");
    assert!(project.reruns("hello"));
    project.remove("data/7.txt");
    assert!(project.reruns("hello"));
    assert!(!project.reruns("hello"));
}

#[test]
fn the_definition_counts_as_far_as_it_makes_the_result() {
    let project = Project::hello(r#"["a.txt", {type = "const", val = "v1"}]"#);
    project.reruns("hello");
    let text = project.read("qik.toml");
    let check = |text: &str, is_rerun: bool| {
        project.file("qik.toml", text);
        assert_eq!(project.reruns("hello"), is_rerun, "{text}");
        assert!(!project.reruns("hello"), "{text}");
    };
    check(&text.replace("exec = \"", "exec = \"true && "), true);
    check(&text.replace("\"v1\"", "\"v2\""), true);
    check(&text.replace("\"a.txt\"", "\"a.txt\", \"b.txt\""), true);
    check(&text.replace("deps", "artifacts = [\"a.txt\"]\ndeps"), true);
    check(&text, false);
    check(&text.replace("deps", "tags = [\"t\"]\ncache-when = \"finished\"\ndeps"), false);
    check(&format!("{text}\n[commands.other]\nexec = \"true\"\n"), false);
}

#[test]
fn consts_are_not_run_together() {
    let with = |consts: [&str; 2]| {
        let deps = consts.map(|val| format!("{{type = \"const\", val = \"{val}\"}}")).join(", ");
        format!("[commands.hello]\nexec = \"{{tick hello}}\"\ndeps = [{deps}]\n")
    };
    let project = Project::new();
    for consts in [["ab", "c"], ["a", "bc"], ["c", "ab"], ["", "abc"]] {
        project.toml(&with(consts));
        assert!(project.reruns("hello"), "{consts:?}");
    }
    project.toml(&with(["ab", "c"]));
    assert!(!project.reruns("hello"), "a const alone makes a command cached");
}

#[test]
fn base_deps_are_deps_of_every_command_that_has_deps() {
    let project = Project::new();
    let base = "[base]\ndeps = ['version', {type = 'const', val = 'v1'}]\n";
    let hello = "[commands.hello]\nexec = '{tick hello}'\ndeps = ['a.txt']\n";
    let uncached = "[commands.bare]\nexec = '{tick bare}'\n";
    project.toml(&format!("{base}{hello}{uncached}"));
    project.file("version", "1").file("a.txt", "").commit();
    for runs in 1..3 {
        project.qik(["hello", "bare"]).ok();
        assert_eq!((project.runs("hello"), project.runs("bare")), (1, runs));
    }
    project.file("version", "2");
    assert!(project.reruns("hello"));
    project.toml(&project.read("qik.toml").replace("'v1'", "'v2'"));
    assert!(project.reruns("hello"));
}

#[test]
fn of_the_environment_only_what_is_declared_counts() {
    let project = Project::new();
    project.toml(
        "[[ctx]]\nname = 'level'\ndefault = 'low'\n
        [commands.hello]\nexec = '{tick hello}; echo $FREE'
        deps = ['a.txt', {type = 'const', val = '{ctx.level}'}]\n",
    );
    project.file("a.txt", "one\n").commit();
    assert!(project.reruns("hello"));
    assert!(!project.env("FREE", "1").env("LANG", "C").reruns("hello"));
    assert!(project.env("LEVEL", "high").env("QIK__LEVEL", "high").reruns("hello"));
}

#[test]
fn of_many_files_each_counts() {
    let project = Project::hello(r#"["many"]"#);
    let path = |number: usize| format!("many/{:02}/{number:05}", number % 40);
    for number in 0..9000 {
        project.file(path(number), "one\n");
    }
    project.commit();
    project.reruns("hello");
    assert!(!project.reruns("hello"));
    for number in [0, 39, 4095, 4096, 4097, 8191, 8192, 8999] {
        project.file(path(number), "two\n");
        assert!(project.reruns("hello"), "{number}");
        assert!(!project.reruns("hello"), "{number}");
    }
    project.remove(path(17));
    assert!(project.reruns("hello"));
}
