//! Repositories of every kind, and what git does to a file on its way to disk.

use crate::hashing::check_edits;
use crate::support::Project;

/// A result of `hello` over `*.txt`, to see whether a clone has the same hash.
fn shared(files: &[(&str, &str)], attributes: &str) -> Project {
    let project = Project::hello(r#"["*.txt"]"#);
    project.file(".gitattributes", attributes);
    for (path, content) in files {
        project.file(path, content);
    }
    project.commit();
    assert!(project.reruns("hello"));
    project
}

/// A clone that is configured in some way and has the same cache.
fn clone_with(project: &Project, config: &str) -> Project {
    let clone = project.at(project.world().join("clone"));
    project.git(["clone", "-q", "-c", config, ".", clone.git_root.to_str().unwrap()]);
    project.sh("cp -R ._qik ../clone/").ok();
    clone
}

#[test]
fn line_ends_are_the_checkouts_affair() {
    for (attributes, config) in [
        ("*.txt text=auto\n", "core.autocrlf=true"),
        ("*.txt text=auto\n", "core.eol=crlf"),
        ("*.txt text eol=crlf\n", "core.autocrlf=false"),
        ("", "core.autocrlf=true"),
    ] {
        let project = shared(&[("a.txt", "one\ntwo\n")], attributes);
        let clone = clone_with(&project, config);
        assert_eq!(clone.read("a.txt"), "one\r\ntwo\r\n", "{attributes} {config}");
        assert!(!clone.reruns("hello"), "{attributes} {config}: another hash");
        clone.file("a.txt", "one\ntwo\n");
        assert!(!clone.reruns("hello"), "{attributes} {config}: other line ends");
        clone.file("a.txt", "one\r\nthree\r\n");
        assert!(clone.reruns("hello"), "{attributes} {config}: another content");
        clone.commit();
        assert!(!clone.reruns("hello"), "{attributes} {config}: committed");
        check_edits(&clone, "a.txt");
    }
}

#[test]
fn an_encoding_of_the_work_tree_is_taken_off() {
    let project = shared(&[], "a.txt text working-tree-encoding=UTF-16LE\n");
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    project.file("a.txt", utf16("one\n"));
    project.git(["add", "a.txt"]);
    project.git(["commit", "-q", "-m", "encoded", "--allow-empty"]);
    project.reruns("hello");
    for text in ["two\n", "six\n"] {
        project.file("a.txt", utf16(text));
        assert!(project.reruns("hello"), "{text:?}");
    }
    project.commit();
    assert!(!project.reruns("hello"));
    let clone = clone_with(&project, "core.autocrlf=false");
    assert!(!clone.reruns("hello"));
    assert_eq!(std::fs::read(clone.root.join("a.txt")).unwrap(), utf16("six\n"));
}

#[test]
fn a_filter_driver_cleans_before_the_hash_is_taken() {
    let project = shared(&[("a.txt", "abc\n")], "*.txt filter=rot\n");
    let clone = clone_with(&project, "filter.rot.clean=tr bcd abc");
    clone.git(["config", "filter.rot.smudge", "tr abc bcd"]);
    clone.remove("a.txt").git(["checkout", "-q", "a.txt"]);
    assert_eq!(clone.read("a.txt"), "bcd\n");
    assert!(!clone.reruns("hello"), "smudged, but the same blob");
    clone.file("a.txt", "bcd\n");
    assert!(!clone.reruns("hello"), "written again");
    check_edits(&clone, "a.txt");
}

#[test]
fn a_filter_that_fails_fails_the_commands_that_need_it() {
    let project = Project::new();
    let command = |name: &str, deps: &str| {
        format!("[commands.{name}]\nexec = '{{tick {name}}}'\ndeps = ['{deps}']\n")
    };
    project.toml(&[command("big", "*.bin"), command("small", "*.txt")].concat());
    project.file("x.bin", "one\n").file("a.txt", "one\n").commit();
    project.file(".gitattributes", "*.bin filter=large\n");
    project.git(["config", "filter.large.clean", "exit 7"]);
    project.git(["config", "filter.large.required", "true"]);
    project.file("x.bin", "two\n");
    let output = project.qik([""; 0]).fails().exits(2);
    let output = output.says("error[git3]").says("x.bin");
    output.says("large");
    assert_eq!((project.runs("big"), project.runs("small")), (0, 1));
}

/// An edited file is seen whatever git was told of it.
#[track_caller]
fn check_index(prepare: impl FnOnce(&Project)) {
    let project = Project::hello(r#"["*.txt", "in"]"#);
    project.file("in/side.txt", "one\n").file("out/side.txt", "one\n").commit();
    prepare(&project);
    check_edits(&project, "a.txt");
    check_edits(&project, "in/side.txt");
    project.remove("a.txt");
    assert!(project.reruns("hello"), "a deleted file");
}

#[test]
fn an_index_of_any_kind_is_read() {
    for version in ["2", "3", "4"] {
        check_index(|project| drop(project.git(["update-index", "--index-version", version])));
    }
    check_index(|project| {
        project.git(["config", "core.splitIndex", "true"]);
        project.git(["update-index", "--split-index"]);
        project.file("b.txt", "one\n").git(["add", "b.txt"]);
    });
    check_index(|project| drop(project.git(["update-index", "--force-untracked-cache"])));
    check_index(|project| drop(project.git(["config", "index.threads", "4"])));
    check_index(|project| drop(project.git(["config", "index.skipHash", "true"])));
    check_index(|project| drop(project.git(["config", "feature.manyFiles", "true"])));
}

#[test]
fn a_sparse_checkout_hides_nothing_that_is_there() {
    for set in [
        ["set", "--cone", "--sparse-index", "in"].as_slice(),
        &["set", "--cone", "--no-sparse-index", "in"],
        &["set", "--no-cone", "in/", "/*.txt", "/qik.toml"],
    ] {
        check_index(|project| {
            project.git(["sparse-checkout"].iter().chain(set));
            assert!(!project.exists("out/side.txt"));
        });
    }
}

#[test]
fn a_file_outside_of_a_sparse_checkout_counts_with_its_blob() {
    let project = Project::hello(r#"["out", "a.txt"]"#);
    project.toml(&project.read("qik.toml").replace("deps", "cache = 'repo'\ndeps"));
    project.file("out/side.txt", "one\n").commit();
    project.reruns("hello");
    project.commit();
    project.git(["sparse-checkout", "set", "--cone", ".qik"]);
    assert!(!project.exists("out/side.txt"));
    // Either it counts with its blob, or it counts as gone; but the same each time.
    project.reruns("hello");
    assert!(!project.reruns("hello"));
}

#[test]
fn bits_that_hide_edits_from_git_hide_them_not_from_the_hash() {
    for bit in ["--assume-unchanged", "--skip-worktree"] {
        check_index(|project| drop(project.git(["update-index", bit, "a.txt", "in/side.txt"])));
    }
}

#[test]
fn a_monitor_that_overlooks_edits_hides_them_not_from_the_hash() {
    check_index(|project| {
        project.file(".git/monitor", "#!/bin/sh\nprintf 'token\\0'\n").chmod(".git/monitor", 0o755);
        project.git(["config", "core.fsmonitor", ".git/monitor"]);
        project.git(["update-index", "--fsmonitor"]);
        project.git(["status"]);
        project.file("a.txt", "overlooked\n");
        assert_eq!(
            project.git(["status", "--porcelain", "-uno"]),
            "",
            "the monitor does its worst"
        );
    });
}

#[test]
fn what_a_link_hides_is_gone() {
    let project = Project::hello(r#"["*.txt"]"#);
    project.file("sub/b.txt", "one\n").commit();
    assert!(project.reruns("hello"));
    project.sh("mv sub ../elsewhere; ln -s ../elsewhere sub").ok();
    assert!(project.reruns("hello"), "git looks for no file behind a link");
    project.file("../elsewhere/b.txt", "two\n");
    assert!(!project.reruns("hello"));
    project.commit();
    assert!(!project.reruns("hello"));
}

#[test]
fn a_repository_may_be_laid_out_in_any_way() {
    let toml = "[commands.hello]\nexec = '{tick hello}'\ndeps = ['*.txt']\n";
    let init = |args: &[&str]| {
        let project = Project::without_git();
        project.git(["init", "-q", "-b", "main"].iter().chain(args));
        project.toml(toml).file("a.txt", "one\n").commit();
        project
    };
    let apart = init(&["--separate-git-dir=../git"]);
    check_edits(&apart, "a.txt");
    apart.qik(["--since", "HEAD", "--ls"]).ok().prints("hello\n");

    let origin = init(&[]);
    origin.git(["clone", "-q", "--bare", ".", "../bare"]);
    let bare = origin.at(origin.world().join("bare"));
    bare.git(["worktree", "add", "-q", "../tree", "main"]);
    check_edits(&origin.at(origin.world().join("tree")), "a.txt");

    let shallow = origin.at(origin.world().join("shallow"));
    let url = format!("file://{}", origin.git_root.display());
    origin.git(["clone", "-q", "--depth=1", &url, shallow.git_root.to_str().unwrap()]);
    shallow.qik(["--since", "HEAD~1"]).errs("git1");
    shallow.file("a.txt", "in the shallow clone\n");
    shallow.qik(["--since", "HEAD", "--ls"]).ok().prints("hello\n");
    assert!(shallow.reruns("hello") && !shallow.reruns("hello"));
}

#[test]
fn a_repository_of_sha256_has_hashes() {
    let project = Project::without_git();
    project.git(["init", "-q", "-b", "main", "--object-format=sha256"]);
    project.toml("[commands.hello]\nexec = '{tick hello}'\ndeps = ['*.txt']\n");
    project.file("a.txt", "one\n").commit();
    check_edits(&project, "a.txt");
    project.file("new.txt", "one\n").git(["add", "-N", "new.txt"]);
    check_edits(&project, "new.txt");
    project.qik(["--since", "HEAD", "--ls"]).ok().prints("hello\n");
    project.commit();
    assert!(!project.reruns("hello"));
}

#[test]
fn a_repository_without_commits_has_an_index() {
    let project = Project::new();
    project.toml("[commands.hello]\nexec = '{tick hello}'\ndeps = ['*.txt']\n");
    project.file("a.txt", "one\n");
    assert!(project.reruns("hello"));
    project.git(["add", "-A"]);
    assert!(project.reruns("hello"));
    check_edits(&project, "a.txt");
    project.qik(["--since", "HEAD", "--ls"]).errs("git1");
}

#[test]
fn without_a_repository_commands_run_and_only_files_cannot_be_deps() {
    let project = Project::without_git();
    let plain = "[commands.plain]\nexec = '{tick plain}'\n";
    let cached = "[commands.cached]\nexec = '{tick cached}'\ndeps = ['*.txt']\n";
    project.toml(&format!("{plain}{cached}")).file("a.txt", "one\n");
    assert_eq!(project.ls([""; 0]), ["cached", "plain"]);
    project.qik(["plain"]).ok().warns_not();
    assert_eq!(project.runs("plain"), 1);
    let output = project.qik([""; 0]).no_panic();
    output.says("git init");
    assert_eq!(project.runs("plain"), 2, "one command's trouble is not another's");
}

#[test]
fn a_bare_repository_has_no_work_tree() {
    let project = Project::without_git();
    project.git(["init", "-q", "--bare"]);
    project.toml("[commands.hello]\nexec = '{tick hello}'\ndeps = ['*.txt']\n");
    project.qik(["hello"]).fails().says("error[git0]");
}

#[test]
fn git_that_is_not_there_is_named() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.reruns("hello");
    let tools = project.world().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let sh = project.sh("command -v sh").ok().stdout();
    std::os::unix::fs::symlink(sh.trim(), tools.join("sh")).unwrap();
    let poor = project.env("PATH", tools.to_str().unwrap());
    let output = poor.qik(["hello"]).no_panic();
    assert!(output.code == Some(0) || output.stderr().contains("git"), "{}", output.dump());
    assert_eq!(poor.runs("hello"), 1);
}
