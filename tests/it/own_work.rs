//! What a user has written is never replaced by a replay.

use crate::support::Project;

fn docs() -> Project {
    let project = Project::new();
    project
        .toml(
            r#"
            [commands.docs]
            exec = "{tick docs}; echo generated > docs/api.md"
            deps = ["src"]
            artifacts = ["docs/**"]
            "#,
        )
        .file("src/a", "one")
        .file("docs/index.md", "by hand\n")
        .commit();
    project.qik(["docs"]).ok();
    project
}

#[test]
fn uncommitted_edits_of_a_tracked_file_stay() {
    let project = docs();
    project.file("docs/index.md", "two hours of work\n");
    project.qik(["docs"]).ok().says("`docs/index.md` changed");
    assert_eq!(project.read("docs/index.md"), "two hours of work\n");
    project.qik(["docs"]).ok();
    assert_eq!(project.runs("docs"), 2, "the edited file is part of the new result");
}

#[test]
fn a_committed_version_stays() {
    let project = docs();
    project.file("docs/index.md", "next version\n").commit();
    project.qik(["docs"]).ok();
    assert_eq!(project.read("docs/index.md"), "next version\n");
    assert_eq!(project.read("docs/api.md"), "generated\n");
}

#[test]
fn what_is_gone_comes_back_and_what_is_not_tracked_is_mended() {
    let project = docs();
    project.remove("docs/index.md").file("docs/api.md", "scribble");
    project.qik(["docs"]).ok();
    assert_eq!(project.read("docs/index.md"), "by hand\n");
    assert_eq!(project.read("docs/api.md"), "generated\n");
    assert_eq!(project.runs("docs"), 1);
}
