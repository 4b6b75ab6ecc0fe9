//! Several folders that Python imports start from.

use crate::support::Project;

const TOML: &str = "
    [defaults]
    python-path = ['backend', './libs/src/']
    [plugins]
    pygraph = 'qik.pygraph'
    [spaces.default]
    modules = ['backend/app', 'libs/src/lib', 'libs/src/tests']
    [commands.check]
    exec = '{tick check} {module.pyimport}'
    deps = [{type = 'pygraph', pyimport = '{module.pyimport}'}]
";

fn project(toml: &str) -> Project {
    let project = Project::new();
    project.toml(toml);
    for (path, text) in [
        ("backend/app/__init__.py", "import lib.part\n"),
        ("backend/tests/__init__.py", ""),
        ("backend/tests/one.py", ""),
        ("libs/src/lib/__init__.py", ""),
        ("libs/src/lib/part.py", ""),
        ("libs/src/tests/__init__.py", ""),
        ("libs/src/tests/two.py", "from . import one\nimport app\n"),
        ("lib/part.py", ""),
    ] {
        project.file(path, text);
    }
    project.commit();
    project
}

/// The modules whose command runs again after a change of a file.
fn affected(project: &Project, path: &str) -> Vec<String> {
    project.qik(["check"]).ok();
    project.file(path, format!("{}\nCHANGED = 1\n", project.read(path)));
    let cold = project.ls(["check", "--cache-status", "cold"]);
    cold.into_iter().filter_map(|name| Some(name.strip_prefix("check#")?.to_owned())).collect()
}

#[test]
fn imports_lead_from_one_folder_to_the_other() {
    let project = project(TOML);
    let all = ["backend/app", "libs/src/lib", "libs/src/tests"];
    assert_eq!(affected(&project, "libs/src/lib/part.py"), all);
    assert_eq!(affected(&project, "backend/app/__init__.py"), ["backend/app", "libs/src/tests"]);
    assert!(affected(&project, "lib/part.py").is_empty());
}

#[test]
fn a_module_is_named_from_the_innermost_folder() {
    let project = project(&TOML.replace("'backend',", "'.', 'backend', 'libs',"));
    project.qik(["check"]).ok();
    for name in ["app", "lib", "tests"] {
        let lock = format!("._qik/artifacts/pygraph.lock/lock.{name}.default.json");
        assert!(!project.read(&lock).is_empty());
    }
    let way = project.qik([":graph", "imports", "tests.two", "backend.app"]);
    way.exits(1).says("does not import");
    assert_eq!(affected(&project, "libs/src/lib/part.py").len(), 3);
}

#[test]
fn a_name_of_several_folders_is_all_of_its_files() {
    let project = project(TOML);
    assert_eq!(affected(&project, "backend/tests/one.py"), ["libs/src/tests"]);
    assert_eq!(affected(&project, "libs/src/tests/two.py"), ["libs/src/tests"]);
}

#[test]
fn a_fence_may_be_one_of_the_folders() {
    let project = project(TOML);
    let fenced = |fence: &str| project.toml(&format!("{TOML}[spaces.x]\nfence = ['{fence}']\n"));
    fenced("libs/src");
    project.qik(["pygraph.check"]).exits(1).shows("two.py:2: tests.two imports app");
    project.file("libs/src/tests/two.py", "import lib.part");
    project.qik(["pygraph.check"]).ok();
    fenced("backend/");
    project.qik(["pygraph.check"]).exits(1).shows("__init__.py:1: app imports lib.part");
}

#[test]
fn changes_of_either_folder_are_seen() {
    let project = project(TOML);
    let selected = || project.ls(["check", "--since", "HEAD"]).len();
    assert_eq!(selected(), 0);
    project.file("libs/src/lib/new.py", "").git(["add", "-N", "."]);
    assert!(selected() > 0);
    project.commit();
    project.remove("libs/src/lib/part.py");
    assert!(selected() > 0);
}

#[test]
fn one_folder_needs_no_list() {
    let one = TOML.replace("['backend', './libs/src/']", "'libs/src'");
    let project = project(&one.replace("'backend/app', ", ""));
    project.toml(&format!("{}[pydist]\nignore-missing-modules = true", project.read("qik.toml")));
    assert_eq!(affected(&project, "libs/src/lib/part.py"), ["libs/src/lib"]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_at_its_place() {
    let project = project(&TOML.replace("./libs/src/", "lib/src"));
    for args in [&["pygraph.build"][..], &["check"], &["check", "--since", "HEAD"]] {
        let output = project.qik(args).exits(2).errs("graph2").no_panic();
        output.says("there is no folder `lib/src`").says("qik.toml:3:");
    }
    assert_eq!(project.ls(["--since", "HEAD", "-t", "none"]).len(), 0);
    std::fs::create_dir_all(project.root.join("lib/src")).unwrap();
    project.qik(["pygraph.build"]).ok();
}
