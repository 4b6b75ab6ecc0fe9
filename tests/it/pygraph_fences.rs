//! Fences: what the Python modules of a space may import.

use crate::support::Project;

const TOML: &str = "
    [plugins]
    pygraph = 'qik.pygraph'
    [spaces.app]
    fence = ['app', 'shared']
    [spaces.lib]
    fence = ['lib']
    [spaces.free]
";

const FILES: &[(&str, &str)] = &[
    ("app/__init__.py", ""),
    ("app/main.py", "import shared.things\nimport os.path\n"),
    ("shared/__init__.py", ""),
    ("shared/things.py", ""),
    ("lib/__init__.py", ""),
    ("lib/util.py", "from . import more\n"),
    ("lib/more.py", ""),
];

fn project(toml: &str, files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.toml(toml);
    for (path, text) in FILES.iter().chain(files) {
        project.file(path, text);
    }
    project.commit();
    project
}

/// The lines of the check of a space that name an import.
fn crossings(project: &Project, space: &str) -> Vec<String> {
    let output = project.qik(["pygraph.check", "-s", space, "-v", "2"]).no_panic();
    let all = format!("{}{}", output.stdout(), output.stderr());
    let lines = all.lines().filter(|line| line.contains(" imports ") && line.contains(".py:"));
    let mut lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.dedup();
    lines
}

#[test]
fn imports_within_a_fence_pass() {
    let project = project(TOML, &[]);
    assert_eq!(
        project.ls(["pygraph.check"]),
        ["pygraph.build@default", "pygraph.check@app", "pygraph.check@lib"]
    );
    project.qik(["pygraph.check"]).ok();
    project.qik(["pygraph.check"]).ok().says("3 cached");
}

#[test]
fn each_import_that_leaves_is_named_with_its_place() {
    let project = project(
        TOML,
        &[(
            "lib/more.py",
            "import json\nfrom app import main\nimport wonder.land\n\ndef f():\n    import shared\n",
        )],
    );
    assert_eq!(
        crossings(&project, "lib"),
        [
            "lib/more.py:2: lib.more imports app.main",
            "lib/more.py:6: lib.more imports shared",
            "lib/more.py:3: lib.more imports wonder",
        ]
    );
    project.qik(["pygraph.check"]).exits(1);
    project.qik(["pygraph.check", "-s", "app"]).ok();
    project.file("lib/more.py", "");
    project.qik(["pygraph.check"]).ok();
}

#[test]
fn what_lies_outside_decides_as_well() {
    let project = project(TOML, &[("lib/more.py", "import later.module\n")]);
    assert_eq!(crossings(&project, "lib"), ["lib/more.py:1: lib.more imports later"]);
    project.file("later/__init__.py", "").file("later/module.py", "").git(["add", "."]);
    assert_eq!(crossings(&project, "lib"), ["lib/more.py:1: lib.more imports later.module"]);
}

#[test]
fn true_holds_the_modules_of_the_space() {
    let project = project(
        "[plugins]\npygraph = 'qik.pygraph'\n[spaces.one]\nmodules = ['app', 'shared', 'docs']\nfence = true\n",
        &[],
    );
    project.qik(["pygraph.check"]).ok();
    project.file("app/main.py", "import lib.util\n");
    assert_eq!(crossings(&project, "one"), ["app/main.py:1: app.main imports lib.util"]);
}

#[test]
fn a_fence_may_hold_those_of_others_and_its_own() {
    let toml = TOML.replace(
        "['lib']",
        "['lib', {type = 'space', name = 'app'}, {type = 'space', name = 'lib'}]",
    );
    let project =
        project(&toml, &[("lib/more.py", "from app import main\nimport shared.things\n")]);
    project.qik(["pygraph.check"]).ok();
    project.file("app/main.py", "import lib.util\n");
    project.qik(["pygraph.check", "-s", "app"]).exits(1);
    project.qik(["pygraph.check", "-s", "lib"]).ok();
}

#[test]
fn a_fence_around_nothing_is_an_error_at_its_place() {
    let project = project(&TOML.replace("['lib']", "['lib', 'no/such']"), &[]);
    project.qik(["pygraph.check", "-s", "lib"]).exits(2).errs("graph0").says("qik.toml:7");
}

#[test]
fn since_selects_the_fences_that_hold_a_change() {
    let project = project(TOML, &[]);
    project.file("lib/more.py", "X = 1\n");
    let ls = project.ls(["pygraph.check", "--since", "HEAD"]);
    assert!(ls.contains(&"pygraph.check@lib".to_owned()), "{ls:?}");
    assert!(!ls.contains(&"pygraph.check@app".to_owned()), "{ls:?}");
}
