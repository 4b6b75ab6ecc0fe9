//! What a tracked file counts as in each of the states that it can be in.

use std::sync::Arc;

use super::sandbox::{Sandbox, all_files, bytes, lines, paths, patterns};
use crate::git::{FileMode, Patterns, Worktree};
use crate::paths::ProjectPath;

#[test]
fn clean_and_changed_files_are_what_git_would_add() {
    let sandbox = Sandbox::with_files(&[
        ("clean", "a"),
        ("edited", "b"),
        ("deleted", "c"),
        ("staged", "d"),
        ("empty", ""),
        ("dir/e", "e"),
    ]);
    sandbox.check_like_git();
    sandbox.write("edited", "bb");
    sandbox.write("empty", "not any more");
    sandbox.remove("deleted");
    sandbox.write("staged", "dd");
    sandbox.git(&["add", "staged"]);
    sandbox.write("untracked", "u");
    sandbox.check_like_git();
    sandbox.write("staged", "ddd");
    sandbox.check_like_git();
}

#[test]
fn untracked_files_do_not_count_and_intended_ones_do() {
    let sandbox = Sandbox::with_files(&[("a", "a")]);
    sandbox.write("b", "b");
    assert_eq!(paths(&all_files(&sandbox.worktree())), ["a"]);
    sandbox.git(&["add", "-N", "b"]);
    sandbox.check_like_git();
    sandbox.write("b", "bb");
    sandbox.check_like_git();
    assert_eq!(paths(&all_files(&sandbox.worktree())), ["a", "b"]);
}

#[test]
fn a_touched_file_keeps_its_id() {
    let sandbox = Sandbox::with_files(&[("a", "a"), ("b", "b")]);
    let before = sandbox.files();
    sandbox.touch("a");
    assert_eq!(sandbox.files(), before);
}

#[test]
fn a_commit_changes_nothing() {
    let sandbox = Sandbox::with_files(&[("a", "a"), ("b", "b"), ("gone", "c")]);
    sandbox.write("a", "aa");
    sandbox.remove("gone");
    let before = sandbox.files();
    sandbox.commit();
    assert_eq!(sandbox.files(), before);
}

#[test]
fn an_edit_of_the_same_size_right_after_the_commit_is_seen() {
    for round in 0..20 {
        let sandbox = Sandbox::with_files(&[("a", "1")]);
        sandbox.overwrite("a", "2");
        sandbox.check_like_git();
        assert!(sandbox.files()[0].contains("d8263ee9860594d2806b0dfd1bfd17528b0ba2a4"), "{round}");
    }
}

#[test]
fn a_second_edit_in_the_same_process_is_seen() {
    let sandbox = Sandbox::with_files(&[("a", "0")]);
    let worktree = sandbox.worktree();
    let mut seen = Vec::new();
    for text in ["1", "2", "3", "1"] {
        sandbox.overwrite("a", text);
        worktree.forget();
        seen.push(lines(&all_files(&worktree)));
    }
    assert_eq!(seen[0], seen[3]);
    assert!(seen[0] != seen[1] && seen[1] != seen[2]);
}

#[test]
fn what_was_seen_holds_until_it_is_forgotten() {
    let sandbox = Sandbox::with_files(&[("a", "1"), ("b", "1")]);
    let worktree = sandbox.worktree();
    let before = lines(&all_files(&worktree));
    sandbox.write("a", "2");
    assert_eq!(lines(&all_files(&worktree)), before);
    assert_eq!(lines(&worktree.file_set(&patterns(&["a"])).expect("a set")), before[..1]);
    worktree.forget();
    assert_ne!(lines(&all_files(&worktree)), before);
}

#[test]
fn a_changed_index_is_read_again_once_forgotten() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    let worktree = sandbox.worktree();
    assert_eq!(paths(&all_files(&worktree)), ["a"]);
    sandbox.write("b", "1");
    sandbox.git(&["add", "b"]);
    assert!(!worktree.is_tracked(&ProjectPath::from_bytes(*b"b")).expect("an index"));
    worktree.forget();
    assert_eq!(paths(&all_files(&worktree)), ["a", "b"]);
    assert!(worktree.is_tracked(&ProjectPath::from_bytes(*b"./b")).expect("an index"));
}

#[test]
fn the_executable_bit_counts_where_git_lets_it() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.chmod("a", 0o755);
    sandbox.check_like_git();
    assert!(sandbox.files()[0].starts_with(FileMode::Executable.as_str()));
    sandbox.git(&["config", "core.fileMode", "false"]);
    sandbox.check_like_git();
    assert!(sandbox.files()[0].starts_with(FileMode::Plain.as_str()));
}

#[test]
fn a_symlink_is_its_text() {
    let sandbox = Sandbox::with_files(&[("dir/a", "1"), ("other/a", "2"), ("file", "3")]);
    sandbox.link("link", "dir");
    sandbox.commit();
    sandbox.check_like_git();
    let mut seen = vec![sandbox.files()];
    for target in ["other", "file", "nowhere"] {
        sandbox.link("link", target);
        sandbox.check_like_git();
        seen.push(sandbox.files());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
    sandbox.write("dir/a", "changed behind it");
    sandbox.link("link", "dir");
    sandbox.check_like_git();
}

#[test]
fn a_file_may_become_a_symlink_and_the_other_way_round() {
    let sandbox = Sandbox::with_files(&[("a", "1"), ("b", "2")]);
    sandbox.link("l", "a");
    sandbox.commit();
    sandbox.link("a", "b");
    sandbox.remove("l");
    sandbox.write("l", "a");
    sandbox.check_like_git();
}

#[test]
fn without_symlinks_their_text_is_in_files() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    sandbox.link("l", "a");
    sandbox.commit();
    let before = sandbox.files();
    sandbox.git(&["config", "core.symlinks", "false"]);
    sandbox.remove("l");
    sandbox.write("l", "a");
    assert_eq!(sandbox.files(), before);
    sandbox.write("l", "b");
    assert!(sandbox.files()[1].starts_with(FileMode::Symlink.as_str()));
    assert_ne!(sandbox.files(), before);
}

#[test]
fn what_is_no_file_any_more_is_gone_and_a_fifo_is_not_opened() {
    let sandbox =
        Sandbox::with_files(&[("folder", "1"), ("fifo", "2"), ("d/x", "3"), ("d/y", "4")]);
    sandbox.remove("folder");
    sandbox.write("folder/inside", "5");
    sandbox.remove("fifo");
    let mut mkfifo = crate::sys::spawn::command("mkfifo", &sandbox.root, &sandbox.env);
    assert!(mkfifo.arg("fifo").status().expect("mkfifo starts").success());
    fs_remove_folder(&sandbox, "d");
    sandbox.write("d", "a file now");
    assert_eq!(paths(&all_files(&sandbox.worktree())), Vec::<String>::new());
}

fn fs_remove_folder(sandbox: &Sandbox, path: &str) {
    crate::sys::fs::remove_folder(&sandbox.path(path)).expect("removed");
}

#[test]
fn files_behind_a_symlinked_folder_are_gone() {
    let sandbox = Sandbox::with_files(&[("a/b/x", "1"), ("a/y", "2"), ("z", "3"), ("b/b/x", "1")]);
    fs_remove_folder(&sandbox, "a");
    sandbox.link("a", "b");
    assert_eq!(paths(&all_files(&sandbox.worktree())), ["b/b/x", "z"]);
}

#[test]
fn the_assume_unchanged_bit_is_not_believed() {
    let sandbox = Sandbox::with_files(&[("a", "1"), ("b", "1")]);
    let before = sandbox.files();
    sandbox.git(&["update-index", "--assume-unchanged", "a"]);
    sandbox.git(&["update-index", "--skip-worktree", "b"]);
    assert_eq!(sandbox.files(), before);
    sandbox.overwrite("a", "2");
    sandbox.overwrite("b", "2");
    let after = sandbox.files();
    assert!(after[0] != before[0] && after[1] != before[1]);
}

#[test]
fn a_conflicted_file_is_what_is_on_disk() {
    let sandbox = Sandbox::with_files(&[("a", "1"), ("z", "1")]);
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.write("a", "side");
    sandbox.commit();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("a", "main");
    sandbox.commit();
    assert!(!sandbox.try_git(&["merge", "side"]).status.success());
    let expected = sandbox.git(&["hash-object", "a"]);
    let files = sandbox.files();
    assert_eq!(files[0], format!("100644 {} a", expected.trim()));
    assert_eq!(files.len(), 2, "once per path");
    sandbox.write("a", "resolved");
    assert_ne!(sandbox.files(), files);
}

#[test]
fn odd_names_are_only_bytes() {
    let sandbox = Sandbox::new();
    let names: [&[u8]; 14] = [
        b"two words",
        b"new\nline",
        b"tab\there",
        b"\"quoted\"",
        b"'single'",
        b"back\\slash",
        b"[a]*?",
        b":colon",
        b"-dash",
        b"\xff\xfe",
        "\u{e9}".as_bytes(),
        b"cr\r",
        b"\"",
        b"#!x",
    ];
    // Other systems have names of text alone.
    let is_possible = |name: &&[u8]| cfg!(target_os = "linux") || std::str::from_utf8(name).is_ok();
    let names: Vec<&[u8]> = names.into_iter().filter(is_possible).collect();
    for name in &names {
        sandbox.write(bytes(name), "1");
    }
    sandbox.commit();
    for round in ["22", "333"] {
        for name in &names {
            sandbox.write(bytes(name), round);
        }
        let id = sandbox.git(&["hash-object", "two words"]);
        let set = all_files(&sandbox.worktree());
        assert_eq!(set.len(), names.len());
        assert!(set.iter().all(|(_, file)| file.id.to_string() == id.trim()));
    }
    for name in names {
        let Ok(text) = std::str::from_utf8(name) else { continue };
        let literal = format!(":(literal){text}");
        let set = sandbox.worktree().file_set(&patterns(&[&literal])).expect("a set");
        assert_eq!(set.len(), 1, "{text:?}");
    }
}

#[test]
fn a_project_below_the_git_root_sees_its_own_paths() {
    let sandbox = Sandbox::with_files(&[("a/b/x", "1"), ("a/y", "2"), ("z", "3")]);
    let worktree =
        Worktree::open(Arc::new(sandbox.repo()), &sandbox.abs("a/b")).expect("a work tree");
    assert_eq!(worktree.prefix(), b"a/b");
    let check = |texts: &[&str], expected: &[&str]| {
        let patterns = Patterns::parse(worktree.prefix(), texts.iter().copied());
        let set = worktree.file_set(&patterns.expect("patterns")).expect("a set");
        assert_eq!(paths(&set), expected, "{texts:?}");
    };
    check(&["."], &["x"]);
    check(&["../y", "x"], &["x", "../y"]);
    check(&[":/"], &["x", "../y", "../../z"]);
    check(&[":!x"], &[]);
    let outside = Worktree::open(Arc::new(sandbox.repo()), &sandbox.abs(".."));
    assert!(outside.is_err());
}

#[test]
fn a_clone_elsewhere_has_the_same_files() {
    let sandbox = Sandbox::with_files(&[("a/x", "1"), ("y", "2")]);
    let clone = Sandbox::bare_folder();
    clone.git(&["clone", "-q", &sandbox.root.display().to_string(), "."]);
    assert_eq!(clone.files(), sandbox.files());
}

#[test]
fn many_files_are_looked_at_in_threads() {
    let sandbox = Sandbox::new();
    for number in 0..2500 {
        sandbox.write(format!("d{}/f{number}", number % 7), format!("{number}"));
    }
    sandbox.commit();
    for number in (0..2500).step_by(100) {
        sandbox.write(format!("d{}/f{number}", number % 7), "changed");
    }
    sandbox.check_like_git();
}

#[test]
fn tools_that_move_only_the_ctime_may_be_excused() {
    let sandbox = Sandbox::with_files(&[("a", "1")]);
    let before = sandbox.files();
    sandbox.chmod("a", 0o600);
    sandbox.chmod("a", 0o644);
    assert_eq!(sandbox.files(), before);
    sandbox.git(&["config", "core.trustCTime", "false"]);
    assert_eq!(sandbox.files(), before);
    sandbox.git(&["config", "core.checkStat", "minimal"]);
    assert_eq!(sandbox.files(), before);
    sandbox.write("a", "22");
    sandbox.check_like_git();
}

#[test]
fn a_file_system_monitor_is_not_believed() {
    let sandbox = Sandbox::with_files(&[("a", "1"), ("b", "1")]);
    sandbox.write(".git/monitor", "#!/bin/sh\nprintf 'token\\0'\n");
    sandbox.chmod(".git/monitor", 0o755);
    sandbox.git(&["config", "core.fsmonitor", ".git/monitor"]);
    sandbox.git(&["config", "core.fsmonitorHookVersion", "2"]);
    sandbox.git(&["update-index", "--fsmonitor"]);
    sandbox.git(&["update-index", "--fsmonitor-valid", "a", "b"]);
    let before = sandbox.files();
    sandbox.overwrite("a", "2");
    let after = sandbox.files();
    assert!(after[0] != before[0] && after[1] == before[1]);
    let commit = sandbox.repo().resolve("HEAD").expect("a commit");
    assert_eq!(sandbox.worktree().changed_since(&commit).expect("changes"), [b"a"]);
}

#[test]
fn refs_may_be_stored_in_any_way() {
    let sandbox = Sandbox::bare_folder();
    if !sandbox.try_git(&["init", "-q", "--ref-format=reftable"]).status.success() {
        return; // this git is older than that
    }
    sandbox.write("a", "1");
    sandbox.commit();
    sandbox.check_like_git();
    sandbox.write("a", "2");
    let commit = sandbox.repo().resolve("HEAD").expect("a commit");
    assert_eq!(sandbox.worktree().changed_since(&commit).expect("changes"), [b"a"]);
}

#[test]
fn many_threads_may_ask_while_another_forgets() {
    let sandbox = Sandbox::with_files(&[("a/x", "1"), ("a/y", "1"), ("b", "1")]);
    let worktree = sandbox.worktree();
    let expected = lines(&all_files(&worktree));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(lines(&all_files(&worktree)), expected);
                    let set = worktree.file_set(&patterns(&["a"])).expect("a set");
                    assert_eq!(lines(&set), expected[..2]);
                }
            });
        }
        scope.spawn(|| {
            for round in 0..50 {
                sandbox.touch("b");
                if round % 10 == 0 {
                    sandbox.git(&["add", "-u"]);
                }
                worktree.forget();
            }
        });
    });
}
