//! Artifacts are inputs of what is downstream: as they lie on disk when it starts and when it has
//! ended, whoever has put them there.

use crate::support::Project;

const PAIR: &str = r#"
    [commands.up]
    exec = "{tick up}; mkdir -p dist; cp src.txt dist/a.txt"
    deps = ["src.txt"]
    artifacts = ["dist/a.txt"]

    [commands.down]
    exec = "{tick down}; EXEC"
    deps = [{type = "command", name = "up"}]
"#;

fn pair(exec: &str) -> Project {
    let project = Project::new();
    project.toml(&PAIR.replace("EXEC", exec)).file("src.txt", "one\n").commit();
    project
}

#[test]
fn a_downstream_that_changes_an_upstream_artifact_is_not_cached() {
    let project = pair("echo more >> dist/a.txt; cat dist/a.txt");
    project.qik(["down"]).ok().says("`dist/a.txt` of up changed");
    project.qik(["down", "-n", "1"]).ok().prints("one\nmore\n");
    assert_eq!((project.runs("up"), project.runs("down")), (1, 2));
}

#[test]
fn an_artifact_that_somebody_else_changes_meanwhile_is_noticed() {
    let project = pair("printf two > dist/a.txt.new; mv dist/a.txt.new dist/a.txt");
    project.qik(["down"]).ok().says("`down` is not cached: its inputs changed while it ran");
}

#[test]
fn an_artifact_that_was_changed_since_is_another_input() {
    let project = pair("cat dist/a.txt");
    project.qik(["down"]).ok();
    project.qik(["down"]).ok();
    assert_eq!(project.runs("down"), 1);
    project.file("dist/a.txt", "scribble\n");
    project.qik(["down", "--isolated"]).ok().prints("scribble\n");
    assert_eq!(project.runs("down"), 2);
    // The upstream's own replay mends it first.
    project.qik(["down", "-v", "2", "-n", "1"]).ok().prints("one\n");
    assert_eq!(project.runs("down"), 2);
}

#[test]
fn leftovers_in_a_folder_of_artifacts_count() {
    let project = Project::new();
    project
        .toml(
            r#"
            [commands.up]
            exec = "mkdir -p dist; cp src.txt dist/$(cat src.txt)"
            deps = ["src.txt"]
            artifacts = ["dist/*"]

            [commands.down]
            exec = "{tick down}; ls dist"
            deps = [{type = "command", name = "up"}]
            "#,
        )
        .file("src.txt", "one")
        .commit();
    project.qik(["down"]).ok();
    project.file("src.txt", "two");
    project.qik(["down"]).ok();
    project.file("src.txt", "one");
    project.qik(["down", "-n", "1"]).ok().prints("one\ntwo\n");
    assert_eq!(project.runs("down"), 2, "the same two files as in the second run");
    project.remove("dist");
    project.qik(["down", "-n", "1"]).ok().prints("one\n");
    assert_eq!(project.runs("down"), 2, "the same file as in the first run");
}

#[test]
fn a_downstream_may_add_to_a_folder_of_artifacts() {
    let project = Project::new();
    project
        .toml(
            r#"
            [commands.up]
            exec = "{tick up}; mkdir -p dist; cp src.txt dist/a.txt"
            deps = ["src.txt"]
            artifacts = ["dist/*"]

            [commands.down]
            exec = "{tick down}; cp src.txt dist/b.txt"
            deps = ["src.txt", {type = "command", name = "up"}]
            artifacts = ["dist/b.txt"]
            "#,
        )
        .file("src.txt", "one\n")
        .commit();
    for _ in 0..3 {
        project.qik(["down"]).ok().lacks("warning");
    }
    assert_eq!((project.runs("up"), project.runs("down")), (1, 1));
}

#[test]
fn a_replay_does_not_put_back_what_another_command_has_made_anew() {
    let project = Project::new();
    project
        .toml(
            r#"
            [spaces.default]
            modules = ["m1", "m2"]

            [commands.cov]
            exec = "mkdir -p cov; cat {module.dir}/src > cov/{module.name}.xml"
            deps = ["{module.dir}"]
            artifacts = ["cov/*.xml"]

            [commands.report]
            exec = "cat cov/*.xml"
            deps = [{type = "command", name = "cov"}]
            "#,
        )
        .file("m1/src", "1-old\n")
        .file("m2/src", "2-old\n")
        .commit();
    project.qik(["-v", "0", "-n", "1"]).ok();
    project.file("m1/src", "1-new\n");
    let output = project.qik(["-n", "1", "report"]).ok();
    assert!(output.stdout().contains("1-new\n2-old\n"), "{}", output.stdout());
    output.says("`cov/m1.xml` is an artifact of cov#m1 and of cov#m2");
    assert_eq!(project.read("cov/m1.xml"), "1-new\n");
}
