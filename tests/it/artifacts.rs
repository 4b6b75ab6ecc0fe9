//! What commands make: collected, stored, restored, and never anywhere but below the root.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use crate::support::Project;

/// A command `build` with this script (in single quotes) and these artifact patterns.
fn building(exec: &str, artifacts: &str) -> Project {
    let project = Project::new();
    project.toml(&format!(
        "[commands.build]\nexec = '''{{tick build}}; {exec}'''\ndeps = ['a.txt']
        artifacts = {artifacts}\n"
    ));
    project.file("a.txt", "made of a\n").commit();
    project
}

#[test]
fn what_is_gone_or_changed_comes_back() {
    let project = building("mkdir -p out/deep; cp a.txt out/deep/x", "['out/deep/x']");
    project.reruns("build");
    project.remove("out");
    assert!(!project.reruns("build"));
    assert_eq!(project.read("out/deep/x"), "made of a\n");
    project.file("out/deep/x", "scribble");
    assert!(!project.reruns("build"));
    assert_eq!(project.read("out/deep/x"), "made of a\n");
    project.remove("out/deep/x").file("out/deep/x/in the way", "");
    project.qik(["build"]).no_panic();
    project.remove("out").file("out", "a file in the way");
    project.qik(["build"]).no_panic();
}

#[test]
fn what_is_there_already_is_left_alone() {
    let exec = "mkdir -p out; cp a.txt out/x; ln -sf x out/link; chmod 755 out/x";
    let project = building(exec, "['out']");
    project.reruns("build");
    let look = |path: &str| {
        let meta = project.root.join(path).symlink_metadata().unwrap();
        (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime_nsec())
    };
    let before = (look("out/x"), look("out/link"));
    for _ in 0..2 {
        assert!(!project.reruns("build"));
        assert_eq!((look("out/x"), look("out/link")), before);
    }
    project.file("out/foreign", "not of the command");
    assert!(!project.reruns("build"));
    assert_eq!(project.read("out/foreign"), "not of the command");
}

#[test]
fn artifacts_are_globs() {
    let exec =
        "mkdir -p out/x/y; for n in 1 x/2 x/y/3; do cp a.txt out/$n.bin; done; touch out/l.log";
    for (artifacts, expected) in [
        ("['out/**/*.bin']", [true, true, true, false]),
        ("['out/*.bin']", [true, false, false, false]),
        ("['out/**']", [true, true, true, true]),
        ("['out/']", [true, true, true, true]),
        ("['out']", [true, true, true, true]),
        ("['./out/x']", [false, true, true, false]),
        ("['out/[0-9].bin', 'out/?.log']", [true, false, false, true]),
        ("['**/3.bin', '**/*.log']", [false, false, true, true]),
    ] {
        let project = building(exec, artifacts);
        project.qik(["build"]).ok().warns_not();
        project.remove("out");
        assert!(!project.reruns("build"), "{artifacts}");
        let names = ["out/1.bin", "out/x/2.bin", "out/x/y/3.bin", "out/l.log"];
        assert_eq!(names.map(|name| project.exists(name)), expected, "{artifacts}");
    }
}

#[test]
fn modes_links_and_empty_folders_come_back() {
    let exec = "mkdir -p out/empty out/some; printf x > out/run; chmod 750 out/run; printf y > out/ro; \
                chmod 444 out/ro; ln -s run out/link; ln -s some out/dirlink; ln -s nowhere out/dangling";
    let project = building(exec, "['out/**']");
    project.qik(["build"]).ok().warns_not();
    project.remove("out");
    project.qik(["build"]).ok().warns_not();
    assert_eq!(project.runs("build"), 1);
    let mode =
        |path: &str| project.root.join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("out/run"), mode("out/ro")), (0o750, 0o444));
    for (link, target) in [("link", "run"), ("dirlink", "some"), ("dangling", "nowhere")] {
        let text = std::fs::read_link(project.root.join("out").join(link)).unwrap();
        assert_eq!(text.to_str(), Some(target));
    }
    assert!(project.root.join("out/empty").is_dir());
    project.chmod("out/run", 0o600);
    assert!(!project.reruns("build"));
    assert_eq!(mode("out/run"), 0o750);
}

#[test]
fn folders_are_as_open_as_they_were() {
    let exec = "mkdir -p out/own out/read/x; chmod 700 out/own; cp a.txt out/own; cp a.txt out/read/x; \
                chmod 555 out/read";
    let project = building(exec, "['out']");
    project.qik(["build"]).ok().warns_not();
    project.chmod("out/read", 0o755).remove("out").qik(["build"]).ok().warns_not();
    let mode =
        |path: &str| project.root.join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("out/own"), mode("out/read")), (0o700, 0o555));
    project.chmod("out/own", 0o755).qik(["build"]).ok().warns_not();
    assert_eq!(mode("out/own"), 0o700);
    assert_eq!(project.runs("build"), 1);
    project.chmod("out/read", 0o755);
}

#[test]
fn binary_and_large_artifacts_come_back_as_they_were() {
    let exec = r"printf '\000\377\r\n' > raw; head -c 3000000 /dev/urandom > large; : > empty";
    let project = building(&exec.replace('\'', "\""), "['raw', 'large', 'empty']");
    project.reruns("build");
    let read = |name: &str| std::fs::read(project.root.join(name)).unwrap();
    let before = [read("raw"), read("large"), read("empty")];
    assert_eq!(before[0], b"\0\xff\r\n");
    project.remove("raw").remove("large").remove("empty");
    assert!(!project.reruns("build"));
    assert_eq!([read("raw"), read("large"), read("empty")], before);
}

#[test]
fn a_restored_artifact_is_as_new_as_its_restoring() {
    let project = building("cp a.txt x; touch -t 200001010000 x", "['x']");
    project.reruns("build");
    project.remove("x");
    project.reruns("build");
    let age = project.root.join("x").metadata().unwrap().modified().unwrap().elapsed();
    assert!(age.is_ok_and(|age| age.as_secs() < 3600), "git would take it for unchanged");
}

#[test]
fn a_pattern_without_artifacts_is_a_warning() {
    let project = building("cp a.txt there", "['there', 'absent/*.xml']");
    project.qik(["build"]).ok().says("warning[cache0]").says("absent/*.xml").lacks("`there`");
    assert!(!project.reruns("build"));
    let project = building("exit 3", "['absent']");
    project.qik(["build"]).exits(3).warns_not();
}

#[test]
fn artifacts_of_modules_are_named_by_them() {
    let project = Project::new();
    project.toml(
        r"
        [spaces.default]
        modules = ['a', 'nested/b']

        [commands.cover]
        exec = '{tick cover}; mkdir -p out/{module.dir}; cp {module.dir}/f out/{module.name}-cov.xml'
        deps = ['{module.dir}/f']
        artifacts = ['out/{module.name}-cov.xml']
        ",
    );
    project.file("a/f", "A").file("nested/b/f", "B").commit();
    for _ in 0..2 {
        project.qik(["cover"]).ok().warns_not();
        assert_eq!(
            (project.read("out/a-cov.xml"), project.read("out/nested/b-cov.xml")),
            ("A".into(), "B".into())
        );
        project.remove("out");
    }
    assert_eq!(project.runs("cover"), 2);
}

#[test]
fn patterns_that_leave_the_root_are_refused() {
    for pattern in ["../x", "/etc/hostname", "a/../../x", "out/../../../x"] {
        let project = building("true", &format!("['{pattern}']"));
        project.qik(["build"]).fails().says("error[conf18]").says(pattern);
        assert_eq!(project.runs("build"), 0, "{pattern}");
    }
    for pattern in ["a//b", "./a", "a/./b", "a/b/"] {
        let project = building("mkdir -p a/b; cp a.txt a/b/x", &format!("['{pattern}', 'a']"));
        project.qik(["build"]).no_panic();
    }
}

#[test]
fn the_cache_is_no_artifact_of_itself() {
    for pattern in ["**", ".", "._qik/**", "*"] {
        let project = building("cp a.txt x", &format!("['{pattern}']"));
        for _ in 0..3 {
            project.qik(["build"]).no_panic();
        }
        let count = project.sh("find ._qik | wc -l").ok().stdout();
        assert!(count.trim().parse::<usize>().unwrap() < 200, "{pattern}: {count} files");
    }
}

#[test]
fn nothing_is_restored_through_a_symlink() {
    let project = building("mkdir -p out/in; cp a.txt out/in/x", "['out/in/x']");
    project.reruns("build");
    let outside = project.world().join("outside");
    std::fs::create_dir(&outside).unwrap();
    project.remove("out").link("out", outside.to_str().unwrap());
    project.qik(["build"]).no_panic();
    std::fs::create_dir_all(outside.join("in")).unwrap();
    std::fs::write(outside.join("in/x"), "precious").unwrap();
    project.remove("out").file("out/keep", "").remove("out").link("out", outside.to_str().unwrap());
    let before = project.runs("build");
    project.qik(["build"]).no_panic();
    let is_kept = std::fs::read(outside.join("in/x")).unwrap() == b"precious";
    assert!(is_kept || project.runs("build") > before, "a restore wrote outside of the root");
}

#[test]
fn a_link_in_an_artifacts_place_is_replaced_not_followed() {
    let project = building("rm -f x; cp a.txt x", "['x']");
    project.reruns("build");
    let outside = project.world().join("precious");
    std::fs::write(&outside, "precious").unwrap();
    project.remove("x").link("x", outside.to_str().unwrap());
    assert!(!project.reruns("build"));
    assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
    assert!(!project.root.join("x").is_symlink());
    assert_eq!(project.read("x"), "made of a\n");
}

#[test]
fn a_fifo_among_the_artifacts_is_named_and_not_waited_for() {
    let project = building("mkdir -p out; rm -f out/fifo; mkfifo out/fifo", "['out/**']");
    project.qik(["build"]).ok().says("out/fifo").says("fifo");
    assert!(project.reruns("build"));
}

#[test]
fn an_artifact_path_may_be_long() {
    let folder = ["a-long-name-of-a-folder"; 8].join("/");
    let name = "n".repeat(200);
    let project = building(
        &format!("mkdir -p {folder}; cp a.txt {folder}/{name}"),
        &format!("['{folder}/*']"),
    );
    project.qik(["build"]).ok().warns_not();
    project.remove("a-long-name-of-a-folder");
    assert!(!project.reruns("build"));
    assert_eq!(project.read(format!("{folder}/{name}")), "made of a\n");
}

#[test]
fn status_restores_nothing() {
    let project = building("cp a.txt x", "['x']");
    project.reruns("build");
    project.remove("x");
    assert_eq!(project.ls(["--cache-status", "warm"]), ["build"]);
    assert!(!project.exists("x"));
}

#[test]
fn a_command_whose_artifact_is_its_dep_is_warm() {
    let project = building("cp a.txt lock; echo locked >> lock", "['lock']");
    let text = project.read("qik.toml").replace("['a.txt']", "['a.txt', 'lock']");
    project.file("qik.toml", text).file("lock", "").commit();
    project.qik(["build"]).ok().warns_not();
    assert!(!project.reruns("build"));
    project.file("lock", "edited by hand\n");
    assert!(project.reruns("build"));
    assert!(!project.reruns("build"));
}

#[test]
fn folders_that_lie_too_deep_are_named() {
    let project = building("mkdir -p made/$(printf 'd/%.0s' $(seq 1500)); echo dug", "['made']");
    project.qik(["build"]).no_panic().ok().says("lies too deep").says("`build` is not cached");
}
