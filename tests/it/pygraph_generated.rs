//! Imports of modules that commands make, and that git does not track.

use crate::support::Project;

const TOML: &str = "
    [plugins]
    pygraph = 'qik.pygraph'
    [commands.make]
    exec = '{tick make} && cp app.proto app/made.py && cp app.proto top_made.py'
    deps = ['app.proto']
    artifacts = ['app/made.py', 'top_made.py']
    [commands.check]
    exec = '{tick check}'
    deps = [{type = 'command', name = 'make'}, {type = 'pygraph', pyimport = 'app'}]
";

fn project(main: &str) -> Project {
    let project = Project::new();
    project.toml(TOML).file(".gitignore", "*made.py\n").file("app.proto", "X = 1\n");
    project.file("app/__init__.py", "").file("app/main.py", main).commit();
    project
}

#[test]
fn what_an_upstream_makes_counts_as_its_artifact() {
    let project =
        project("from app import made\nimport app.made\nimport top_made  # qik: ignore\n");
    assert!(project.reruns("check"));
    assert!(!project.reruns("check"));
    project.file("app.proto", "X = 2\n");
    assert!(project.reruns("check"));
    project.remove("app/made.py");
    assert!(!project.reruns("check"), "it is brought back");
    assert_eq!(project.read("app/made.py"), "X = 2\n");
}

#[test]
fn one_at_the_top_is_no_distributions() {
    let project = project("import top_made\n");
    project.qik(["make"]).ok();
    let output = project.qik(["check"]).exits(2).errs("pydist0");
    let output = output.says("hint: if `top_made.py` is what is meant, `git add` it");
    output.says("hint: if a command makes it, depend on that, and put `# qik: ignore` behind");
    assert_eq!(project.runs("check"), 0);
    project.git(["add", "-f", "top_made.py"]);
    assert!(project.reruns("check"));
}
