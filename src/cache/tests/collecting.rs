//! Which files patterns match.

use super::*;

fn tree() -> Project {
    let project = Project::new();
    for path in [
        "top.txt",
        ".hidden",
        "out/1.bin",
        "out/x/2.bin",
        "out/x/y/3.bin",
        "out/x/no.log",
        "out/.dot/4.bin",
        "out/.5.bin",
        "other/1.bin",
    ] {
        project.write(path, path);
    }
    fs::create_folder(&project.path("out/void/deeper")).unwrap();
    project
}

#[test]
fn patterns_are_globs_relative_to_the_root() {
    let project = tree();
    project.check_collected(&["top.txt"], &["top.txt"]);
    project.check_collected(&["./top.txt"], &["top.txt"]);
    project.check_collected(&["*.txt"], &["top.txt"]);
    project.check_collected(&["out/*.bin"], &["out/1.bin"]);
    project.check_collected(&["out/?.[a-c]in"], &["out/1.bin"]);
    project.check_collected(&["*/1.bin"], &["other/1.bin", "out/1.bin"]);
    let all = ["out/1.bin", "out/x/2.bin", "out/x/y/3.bin"];
    project.check_collected(&["out/**/*.bin"], &all);
    project.check_collected(&["out/**.bin"], &all);
    project.check_collected(&["**/x/**/*.bin"], &all[1..]);
    project.check_collected(&["out/**/y"], &["out/x/y/3.bin"]);
    project.check_collected(
        &["out/x/*", "top.txt", "out/x/2.bin"],
        &["out/x/2.bin", "out/x/no.log", "out/x/y/3.bin", "top.txt"],
    );
}

#[test]
fn a_folder_means_all_below_it() {
    let project = tree();
    let all = [
        "out/.5.bin",
        "out/.dot/4.bin",
        "out/1.bin",
        "out/void/deeper",
        "out/x/2.bin",
        "out/x/no.log",
        "out/x/y/3.bin",
    ];
    for pattern in ["out", "out/", "out/**", "out//", "ou?", "o[u]t/**"] {
        project.check_collected(&[pattern], &all);
    }
    project.check_collected(&["out/void"], &["out/void/deeper"]);
    project.check_collected(&["top.txt/", "top.txt/**"], &[]);
}

#[test]
fn hidden_files_are_matched_if_the_pattern_says_so() {
    let project = tree();
    project.check_collected(&[".hidden", "*hidden"], &[".hidden"]);
    project.check_collected(&[".h*"], &[".hidden"]);
    project.check_collected(&["out/.*"], &["out/.5.bin", "out/.dot/4.bin"]);
    project.check_collected(&["out/.dot/*"], &["out/.dot/4.bin"]);
}

#[test]
fn what_matches_nothing_is_told() {
    let project = tree();
    let manifest = project.collect(&["out/*.bin", "nothing", "no/*/x", "out/*.exe"]).unwrap();
    assert_eq!(manifest.unmatched, ["nothing", "no/*/x", "out/*.exe"]);
    fs::create_folder(&project.path("void")).unwrap();
    assert_eq!(project.collect(&["void"]).unwrap().unmatched, [""; 0]);
}

#[test]
fn symlinks_are_artifacts_and_are_not_followed() {
    let project = tree();
    project.link("out/link", "x");
    project.link("out/dangling", "nowhere");
    project.link("linked", "out");
    project.check_collected(&["out/l*", "out/dang*"], &["out/dangling", "out/link"]);
    project.check_collected(&["linked"], &["linked"]);
    project.check_collected(&["out/*/2.bin"], &["out/x/2.bin"]);
    project.check_collected(&["**/2.bin"], &["out/x/2.bin"]);
    for pattern in ["linked/1.bin", "linked/**", "linked/*", "out/link/y/3.bin"] {
        let diagnostic = project.collect(&[pattern]).unwrap_err();
        assert!(diagnostic.message.contains("behind the symlink"), "{diagnostic:?}");
    }
    let manifest = project.collect(&["out/link"]).unwrap();
    assert_eq!(manifest.artifacts[0].kind, ArtifactKind::Symlink { target: b"x".to_vec() });
}

#[test]
fn odd_names_are_kept_by_their_bytes() {
    let project = Project::new();
    fs::create_folder(&project.path("out")).unwrap();
    let names: [&[u8]; 6] =
        [b"\xff.bin", b"a\nb.bin", b"[x].bin", b"*.bin", "é.bin".as_bytes(), b"\\.bin"];
    for name in names {
        let path = project.path("out").join(std::ffi::OsStr::from_bytes(name));
        fs::write_atomic(&path, name).unwrap();
    }
    for pattern in ["out", "out/*.bin", "**/*.bin"] {
        let manifest = project.collect(&[pattern]).unwrap();
        let mut expected: Vec<Vec<u8>> =
            names.iter().map(|name| [b"out/", *name].concat()).collect();
        expected.sort();
        let paths: Vec<&[u8]> =
            manifest.artifacts.iter().map(|artifact| artifact.path.as_bytes()).collect();
        assert_eq!(paths, expected);
    }
    project.check_collected(
        &["out/?.bin"],
        &["out/*.bin", "out/\\x5c.bin", "out/é.bin", "out/\\xff.bin"],
    );

    let local = project.local();
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    run.store(&local).unwrap();
    project.remove("out");
    project.restore(&run.hit(&local)).unwrap();
    assert_eq!(project.collect(&["out"]).unwrap(), run.artifacts);
}

use std::os::unix::ffi::OsStrExt as _;

#[test]
fn what_is_no_file_is_named() {
    let project = Project::new();
    fs::create_folder(&project.path("out/deep")).unwrap();
    project.fifo("out/deep/pipe");
    for pattern in ["out", "out/deep/pipe", "out/**/p*"] {
        let diagnostic = project.collect(&[pattern]).unwrap_err();
        assert!(
            diagnostic.message.contains("the artifact `out/deep/pipe` is a fifo"),
            "{diagnostic:?}"
        );
    }
    project.check_collected(&["out/*.txt"], &[]);
}

#[test]
fn what_belongs_to_git_and_qik_is_passed_over() {
    let project = Project::new();
    for path in [".git/config", "._qik/out/x", ".qik/cache/x/y.out", ".qik/artifacts/lock"] {
        project.write(path, "");
    }
    project.check_collected(&[".*"], &[".qik/artifacts/lock"]);
    project.check_collected(&[".qik", ".qik/**"], &[".qik/artifacts/lock"]);
    for pattern in [".git/config", "._qik", ".qik/cache/**", "../x", "/etc/x"] {
        project.collect(&[pattern]).unwrap_err();
    }
}

#[test]
fn content_and_mode_are_seen() {
    let project = Project::new();
    project.write("x", "content");
    project.chmod("x", 0o4755);
    let manifest = project.collect(&["x"]).unwrap();
    let kind = ArtifactKind::File { mode: 0o755, content: Content::of(b"content") };
    assert_eq!(manifest.artifacts[0].kind, kind);
    let list = manifest.to_list();
    assert_eq!(list["x"], format!("file 0755 {}", Digest::of(b"content")));
}

#[test]
fn a_memo_does_not_hide_a_change() {
    let project = Project::new();
    prepare_private(&project.dirs).unwrap();
    let memo = Memo::new(&project.dirs, &RunnableName::from("build".to_owned()));
    let collected = || collect(&project.dirs.root, &["big".to_owned()], &memo).unwrap();
    for round in 0..20_u8 {
        // The same size each time, and often the same tick of the clock.
        let bytes = vec![round; 70_000];
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(project.path("big"))
            .unwrap()
            .write_all(&bytes)
            .unwrap();
        let list = collected().to_list();
        assert_eq!(list["big"], format!("file 0644 {}", Digest::of(&bytes)));
    }
    // Nothing is kept of what was just written: its next change might not show.
    assert!(!project.exists("._qik/cache/v1/memo/build"));
}
