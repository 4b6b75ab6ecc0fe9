//! `pygraph` deps: a command runs again exactly when what its module imports has changed.

use std::path::Path;

use crate::support::Project;

const TOML: &str = "
    [plugins]
    pygraph = 'qik.pygraph'
    [commands.check]
    exec = '{tick check}'
    deps = [{type = 'pygraph', pyimport = 'app'}]
";

/// The packages app, lib (which app uses) and other (which nobody uses).
const FILES: &[(&str, &str)] = &[
    ("app/__init__.py", ""),
    ("app/main.py", "from lib.part import util\n"),
    ("app/sub/__init__.py", ""),
    ("app/sub/deep.py", "X = 1\n"),
    ("lib/__init__.py", ""),
    ("lib/part/__init__.py", ""),
    ("lib/part/util.py", "import json\nfrom . import more\n"),
    ("lib/part/more.py", ""),
    ("lib/part/unused.py", ""),
    ("lib/side.py", ""),
    ("other/__init__.py", ""),
    ("other/thing.py", "import app.main\n"),
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

/// Whether a change of each file has the command run again.
#[track_caller]
fn check(project: &Project, changes: &[(&str, bool)]) {
    project.reruns("check");
    for (path, is_input) in changes {
        let text = project.read(path);
        project.file(path, format!("{text}\nCHANGED = 1\n"));
        assert_eq!(project.reruns("check"), *is_input, "{path}");
        assert!(!project.reruns("check"), "{path}");
    }
}

#[test]
fn a_module_is_what_is_below_it_and_what_these_import() {
    let project = project(TOML, &[]);
    check(
        &project,
        &[
            ("app/main.py", true),
            ("app/sub/deep.py", true),
            ("lib/part/util.py", true),
            ("lib/part/more.py", true),
            // They run before the modules in them.
            ("lib/__init__.py", true),
            ("lib/part/__init__.py", true),
            ("lib/part/unused.py", false),
            ("lib/side.py", false),
            ("other/thing.py", false),
        ],
    );
}

#[test]
fn a_new_module_that_resolves_an_import_counts() {
    let project = project(TOML, &[("app/main.py", "import lib.later, script\n")]);
    project.toml(&format!("{TOML}[pydist]\nignore-missing-modules = true\n")).commit();
    project.reruns("check");
    project.file("lib/later.py", "").git(["add", "-N", "."]);
    assert!(project.reruns("check"), "a module that was imported all along");
    project.file("script.py", "").git(["add", "-N", "."]);
    assert!(project.reruns("check"), "a file at the top");
    project.file("lib/later/__init__.py", "").git(["add", "-N", "."]);
    assert!(project.reruns("check"), "a package hides a module");
    project.file("json/__init__.py", "").git(["add", "-N", "."]);
    assert!(!project.reruns("check"), "nobody imports it");
    project.file("lib/later/__init__.py", "import json");
    assert!(project.reruns("check"));
    check(&project, &[("json/__init__.py", true), ("script.py", true)]);
    project.remove("script.py");
    assert!(project.reruns("check"), "what is gone was imported");
    assert!(!project.reruns("check"));
}

#[test]
fn a_switch_back_is_warm() {
    let project = project(TOML, &[]);
    project.reruns("check");
    project.file("app/main.py", "import other.thing\n");
    assert!(project.reruns("check"));
    project.git(["checkout", "-q", "."]);
    assert!(!project.reruns("check"));
    project.file("other/thing.py", "Y = 1\n");
    assert!(!project.reruns("check"));
}

#[test]
fn stubs_namespaces_and_files_at_the_top_are_modules() {
    let project = project(
        TOML,
        &[
            ("app/main.py", "import spaced.inner.mod, script\nfrom typed import T\n"),
            ("app/data/free.py", ""),
            ("spaced/inner/mod.py", "from . import near\n"),
            ("spaced/inner/near.py", ""),
            ("spaced/inner/far.py", ""),
            ("script.py", ""),
            ("typed.pyi", "import lib.side\n"),
        ],
    );
    check(
        &project,
        &[
            ("spaced/inner/mod.py", true),
            ("spaced/inner/near.py", true),
            ("spaced/inner/far.py", false),
            ("script.py", true),
            ("typed.pyi", true),
            ("lib/side.py", true),
            ("app/data/free.py", true),
        ],
    );
}

#[test]
fn the_python_path_is_where_imports_start() {
    let toml = TOML.replace("[plugins]", "[defaults]\npython-path = 'src'\n[plugins]");
    let project = Project::new();
    project.toml(&toml);
    for (path, text) in FILES {
        project.file(format!("src/{path}"), text);
    }
    project.file("lib/part/util.py", "").commit();
    check(
        &project,
        &[
            ("src/app/main.py", true),
            ("src/lib/part/util.py", true),
            ("src/lib/side.py", false),
            ("lib/part/util.py", false),
        ],
    );
    let lock = project.read("._qik/artifacts/pygraph.lock/lock.app.default.json");
    assert!(
        lock.contains("\"src/app/**.py\"") && lock.contains("\"src/lib/part/util.py\""),
        "{lock}"
    );
}

#[test]
fn comments_add_and_remove_imports() {
    let project = project(
        TOML,
        &[("app/main.py", "import lib.side  # qik: ignore\n# qik: import other.thing\n")],
    );
    check(&project, &[("lib/side.py", false), ("other/thing.py", true)]);
}

#[test]
fn a_symlinked_module_is_what_it_leads_to() {
    let project = project(TOML, &[("outside/real.txt", "import other.thing\n")]);
    project.link("app/linked.py", "../outside/real.txt").commit();
    check(&project, &[("other/thing.py", true), ("outside/real.txt", true)]);
}

#[test]
fn line_ends_and_encodings_are_no_obstacle() {
    let project = project(TOML, &[(".gitattributes", "*.py text eol=crlf\n")]);
    project.file("app/main.py", b"# coding: latin-1\r\nNAME = '\xe4'\r\nimport other.thing\r\n");
    project.commit();
    check(&project, &[("other/thing.py", true)]);
}

/// Puts a distribution into the folder that `VIRTUAL_ENV` names.
fn install(project: &Project, name: &str, version: &str, module: &str) {
    let site = Path::new("venv/lib/python3.12/site-packages");
    let old = project.world().join(site);
    if let Ok(entries) = std::fs::read_dir(&old) {
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&format!("{name}-")) {
                std::fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
    let info = old.join(format!("{name}-{version}.dist-info"));
    std::fs::create_dir_all(&info).unwrap();
    std::fs::write(info.join("METADATA"), format!("Name: {name}\nVersion: {version}\n")).unwrap();
    std::fs::write(info.join("top_level.txt"), format!("{module}\n")).unwrap();
    std::fs::write(info.join("RECORD"), "").unwrap();
}

fn with_venv(toml: &str, files: &[(&str, &str)]) -> Project {
    let project = project(toml, files);
    std::fs::create_dir_all(project.world().join("venv/lib/python3.12/site-packages")).unwrap();
    let venv = project.world().join("venv").display().to_string();
    project.env("VIRTUAL_ENV", &venv)
}

#[test]
fn versions_of_what_is_imported_count() {
    let project = with_venv(TOML, &[("lib/part/more.py", "import wonder.land\n")]);
    install(&project, "wonder_dist", "1.0", "wonder");
    install(&project, "another", "1.0", "another");
    assert!(project.reruns("check"));
    install(&project, "another", "2.0", "another");
    assert!(!project.reruns("check"));
    install(&project, "wonder_dist", "1.1", "wonder");
    assert!(project.reruns("check"));
    let lock = project.read("._qik/artifacts/pygraph.lock/lock.app.default.json");
    assert!(lock.contains("\"wonder-dist\""), "{lock}");
}

#[test]
fn what_a_file_can_do_without_need_not_be_installed() {
    let optional = "try:\n    import wonder\nexcept ImportError:\n    wonder = None\n";
    let project = with_venv(TOML, &[("lib/part/more.py", optional)]);
    assert!(project.reruns("check"));
    install(&project, "wonder", "1.0", "wonder");
    assert!(project.reruns("check"));
    project.file("lib/part/more.py", "import mystery\n");
    let output = project.qik(["check"]).exits(2).errs("pydist0");
    output.says("`lib/part/more.py:1:1`").no_panic();
    assert_eq!(project.runs("check"), 2);
}

#[test]
fn a_syntax_error_names_its_place() {
    let project = project(TOML, &[("lib/side.py", "import json\ndef broken(:\n")]);
    let output = project.qik(["check"]).exits(1).no_panic();
    output.shows("error[graph1]: `lib/side.py:2:12` cannot be read as Python");
    assert_eq!(project.runs("check"), 0);
    project.file("lib/side.py", "");
    assert!(project.reruns("check"));
}

#[test]
fn what_nobody_imports_may_be_broken() {
    let project =
        project(TOML, &[("templates/page.py", "{% for %}\n"), ("app/data/{{x}}.py", "{{x}}=\n")]);
    check(&project, &[("templates/page.py", false), ("app/data/{{x}}.py", true)]);
    project.file("app/main.py", "from templates import page\n");
    project.qik(["check"]).exits(2).errs("graph1");
}

#[test]
fn a_module_that_is_not_there_is_an_error_at_its_place() {
    let project = project(&TOML.replace("'app'", "'appp'"), &[]);
    let output = project.qik(["check"]).exits(2).errs("graph0");
    output.says("qik.toml:6:").says("did you mean `app`?");
    project.toml(&TOML.replace("'app'", "'app.nothing'"));
    project.qik(["check"]).exits(2).errs("graph0");
}

#[test]
fn damage_and_deletion_of_what_is_kept_are_harmless() {
    let project = project(TOML, &[]);
    assert!(project.reruns("check"));
    for path in ["._qik/imports/graph", "._qik/imports/contents"] {
        let whole = std::fs::read(project.root.join(path)).unwrap();
        for damaged in
            [&b""[..], b"garbage", &whole[..whole.len() / 2], &[whole.as_slice(), b"x"].concat()]
        {
            project.file(path, damaged);
            assert!(!project.reruns("check"));
            check(&project, &[("lib/part/more.py", true), ("lib/side.py", false)]);
            project.file("new.py", "").git(["add", "-N", "new.py"]);
            assert!(!project.reruns("check"));
            project.git(["rm", "-qf", "new.py"]);
        }
        let mut flipped = std::fs::read(project.root.join(path)).unwrap();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        project.file(path, flipped);
        assert!(!project.reruns("check"));
        project.remove(path);
        assert!(!project.reruns("check"));
    }
}

#[test]
fn since_follows_imports() {
    let project =
        project(TOML, &[("lib/part/gone.py", ""), ("lib/part/more.py", "import lib.part.gone\n")]);
    let selected = |expected: bool| {
        let ls = project.ls(["check", "--since", "HEAD"]);
        assert_eq!(ls.contains(&"check".to_owned()), expected, "{ls:?}");
    };
    selected(false);
    project.file("other/thing.py", "Y = 2\n");
    selected(false);
    project.file("lib/part/more.py", "import lib.part.gone\nY = 2\n");
    selected(true);
    project.commit();
    selected(false);
    project.remove("lib/part/gone.py");
    selected(true);
    project.git(["checkout", "-q", "."]);
    project.remove("lib/part/unused.py");
    selected(false);
    project.file("lib/part/gone/__init__.py", "").git(["add", "lib"]);
    selected(true);
}

#[test]
fn the_cache_status_needs_no_run() {
    let project = project(TOML, &[]);
    let cold = || project.ls(["check", "--cache-status", "cold"]);
    assert!(cold().contains(&"check".to_owned()));
    project.qik(["check"]).ok();
    assert!(!cold().contains(&"check".to_owned()));
    project.file("other/thing.py", "Y = 2\n");
    assert!(!cold().contains(&"check".to_owned()));
    project.file("lib/part/more.py", "Y = 2\n");
    assert!(cold().contains(&"check".to_owned()));
}

#[test]
fn a_graph_is_kept_by_whoever_only_asks_for_it() {
    let project = project(TOML, &[]);
    for number in 0..300 {
        project.file(format!("many/part{number}.py"), "import json, app.main\n");
    }
    project.commit();
    project.qik(["check"]).ok();
    let kept = || std::fs::read(project.root.join("._qik/imports/graph")).unwrap();
    let before = kept();
    project.file("many/added.py", "import lib.side\n");
    project.commit();
    project.ls(["--cache-status", "cold"]);
    assert!(kept() != before, "it is still that of the run");
}

#[test]
fn the_plugins_commands_have_the_names_that_they_always_had() {
    let spaces = "[spaces.lib]\nfence = ['lib']\n";
    let project = project(TOML, &[]);
    let build_and_lock = ["check", "pygraph.build", "pygraph.lock?pyimport=app"];
    assert_eq!(project.ls::<&str>([]), build_and_lock);
    assert_eq!(project.ls(["pygraph.lock"]), &build_and_lock[1..]);
    assert_eq!(project.ls(["pygraph.lock?pyimport=app"]), &build_and_lock[1..]);
    assert_eq!(project.ls(["check", "--isolated"]), ["check"]);
    project.toml(&format!("{TOML}{spaces}"));
    assert_eq!(
        project.ls::<&str>([]),
        [
            "check@default",
            "pygraph.build@default",
            "pygraph.check@lib",
            "pygraph.lock@default?pyimport=app"
        ]
    );
}

#[test]
fn the_plugins_results_are_cached_and_replayed() {
    let project = project(TOML, &[]);
    project.qik(["check"]).ok();
    let graph = project.read("._qik/artifacts/pygraph.build/graph.json");
    project.remove("._qik/artifacts/pygraph.build/graph.json");
    project.qik(["check"]).ok().says("3 commands: 3 cached");
    assert_eq!(project.read("._qik/artifacts/pygraph.build/graph.json"), graph);
    project.file("other/thing.py", "Y = 2\n");
    project.qik(["check"]).ok().says("2 cached, 1 ran");
}

#[test]
fn isolated_commands_know_their_imports_all_the_same() {
    let project = project(TOML, &[]);
    project.qik(["check", "--isolated"]).ok();
    project.qik(["check", "--isolated"]).ok();
    project.file("lib/part/more.py", "Y = 2\n");
    project.qik(["check", "--isolated"]).ok();
    assert_eq!(project.runs("check"), 2);
}

#[test]
fn the_repo_cache_shares_locks() {
    let toml = TOML
        .replace("pygraph = 'qik.pygraph'", "pygraph = {pyimport = 'qik.pygraph', cache = 'repo'}")
        .replace("'app'}]", "'app'}]\ncache = 'repo'");
    let project = project(&toml, &[]);
    project.qik(["check"]).ok();
    project.commit();
    assert!(
        project.tracked(".qik").contains(&".qik/artifacts/pygraph.build/graph.json".to_owned())
    );
    assert!(
        project
            .tracked(".qik")
            .contains(&".qik/artifacts/pygraph.lock/lock.app.default.json".to_owned())
    );
    let clone = project.clone_to("clone");
    clone.qik(["check"]).ok().says("3 cached");
    assert_eq!(clone.git(["status", "--short"]), "");
    assert_eq!(project.runs("check"), 1);
    clone.file("lib/part/more.py", "Y = 2\n");
    clone.qik(["check"]).ok();
    assert_eq!(project.runs("check"), 2);
}

#[test]
fn a_load_dep_can_read_a_lock() {
    let project = project(
        &format!(
            "{TOML}[commands.loads]\nexec = '{{tick loads}}'\ndeps = [\
             {{type = 'load', path = '._qik/artifacts/pygraph.lock/lock.app.default.json', default = ['**.py']}}]\n"
        ),
        &[],
    );
    project.qik(["check"]).ok();
    assert!(project.reruns("loads"));
    project.file("lib/part/more.py", "Y = 2\n");
    assert!(project.reruns("loads"));
    project.file("lib/side.py", "Y = 2\n");
    assert!(!project.reruns("loads"));
}

#[test]
fn the_first_dialect_maps_onto_it() {
    let project = project(
        "plugins = ['qik.graph']
        modules = ['app', 'lib']
        [commands.check]
        exec = '{tick check}'
        deps = [{type = 'module', name = 'app'}]
        ",
        &[],
    );
    check(&project, &[("lib/part/more.py", true), ("lib/side.py", false)]);
}

#[test]
fn the_way_from_one_module_to_another_is_told() {
    let project = project(TOML, &[]);
    let way = project.qik([":graph", "imports", "other", "lib.part.more"]).ok();
    assert_eq!(
        way.stdout(),
        "other/thing.py:1: other.thing imports app.main\n\
         app/main.py:1: app.main imports lib.part.util\n\
         lib/part/util.py:2: lib.part.util imports lib.part.more\n"
    );
    let around = project.qik([":graph", "imports", "app.main"]).ok();
    assert_eq!(
        around.stdout(),
        "app/main.py:1: app.main imports lib.part.util\n\
         other/thing.py:1: other.thing imports app.main\n"
    );
    project.qik([":graph", "imports", "lib", "app"]).exits(1).says("does not import");
    project.qik([":graph", "imports", "libb"]).exits(2).errs("graph0");
    project.qik([":graph", "imports"]).exits(2).errs("args1");
}
