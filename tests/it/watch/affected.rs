//! Who runs when something changes, and who does not.

use std::path::Path;

use super::{Watching, project, write_toml};
use crate::support::{Project, until};

/// One command over these deps; gives whether each change is acted on.
#[track_caller]
fn check(deps: &str, changes: &[(&str, bool)]) {
    let project = project(&format!("[commands.x]\nexec = '{{tick x}}'\ndeps = {deps}\n"));
    for (path, _) in changes {
        project.file(path, "one\n");
    }
    project.commit();
    let watching = Watching::start(&project, &[]);
    let mut runs = watching.runs("x");
    for (path, is_input) in changes {
        project.file(path, "two\n");
        watching.settled();
        assert_eq!(watching.runs("x") - runs, usize::from(*is_input), "{path} for {deps}");
        runs = watching.runs("x");
    }
    watching.end().exits(0);
}

#[test]
fn patterns_mean_what_they_mean_to_the_hash() {
    check("['docs']", &[("docs/a.md", true), ("docs/b/c.md", true), ("docsx", false)]);
    check("['./a.txt']", &[("a.txt", true), ("b/a.txt", false)]);
    check("['*.py', ':!test_*.py']", &[("a/b.py", true), ("test_a.py", false)]);
    check("['src/**/*.py']", &[("src/x.py", true), ("src/a/b/x.py", true), ("x.py", false)]);
    check("[':(icase)README*']", &[("readme.md", true)]);
}

#[test]
fn dot_files_and_odd_names_count() {
    check(
        "['**', ':!probe.txt']",
        &[(".python-version", true), (".github/workflows/ci.yml", true)],
    );
    check("['my file.txt', 'é.txt']", &[("my file.txt", true), ("é.txt", true)]);
}

#[test]
fn an_untracked_file_does_not_count_until_it_is_added() {
    let project = project("[commands.x]\nexec = '{tick x}; ls src >> seen'\ndeps = ['src']\n");
    project.file("src/a.py", "").commit();
    let watching = Watching::start(&project, &[]);
    project.file("src/b.py", "new\n");
    assert_eq!(watching.settled(), Vec::<String>::new());
    let cause = watching.round(|project| drop(project.git(["add", "src/b.py"])));
    assert_eq!(cause, "src/b.py");
    project.file("src/b.py", "newer\n");
    watching.settled();
    assert_eq!(watching.runs("x"), 3);
    watching.round(|project| drop(project.git(["rm", "-qf", "--cached", "src/b.py"])));
    assert_eq!(watching.runs("x"), 3, "its inputs are those of the first run again: a replay");
}

#[test]
fn a_file_in_a_new_folder_counts_when_it_is_added() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['src']\n");
    project.file("src/a.py", "").commit();
    let watching = Watching::start(&project, &[]);
    project.file("src/deep/er/b.py", "new\n");
    watching.round(|project| drop(project.git(["add", "-N", "src"])));
    let cause = watching.edit("src/deep/er/b.py", "newer\n");
    assert_eq!(cause, "src/deep/er/b.py");
    assert_eq!(watching.runs("x"), 3);
}

#[test]
fn staging_and_committing_what_has_run_runs_nothing() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['a.txt']\ncache = 'none'\n");
    project.file("a.txt", "one\n").commit();
    let watching = Watching::start(&project, &[]);
    watching.edit("a.txt", "two\n");
    project.git(["add", "a.txt"]);
    watching.settled();
    project.commit();
    project.git(["status"]);
    assert_eq!(watching.settled(), ["a.txt"]);
    assert_eq!(watching.runs("x"), 2);
}

#[test]
fn a_touch_and_a_save_without_a_change_are_nothing() {
    let project = project("[commands.x]\nexec = '{tick x}'\ndeps = ['a.txt']\ncache = 'none'\n");
    project.file("a.txt", "one\n").commit();
    let watching = Watching::start(&project, &[]);
    project.file("a.txt", "one\n");
    drop(project.sh("touch a.txt").ok());
    assert_eq!(watching.settled(), Vec::<String>::new());
    watching.round(|project| {
        project.chmod("a.txt", 0o755);
    });
    assert_eq!(watching.runs("x"), 2, "its mode is content");
}

#[test]
fn content_that_is_back_is_replayed() {
    let project = project("[commands.x]\nexec = '{tick x}; cat a.txt'\ndeps = ['a.txt']\n");
    project.file("a.txt", "one\n").commit();
    let watching = Watching::start(&project, &["-v"]);
    watching.edit("a.txt", "two\n");
    watching.edit("a.txt", "one\n");
    assert_eq!(watching.runs("x"), 2);
    watching.end().exits(0).says("cached");
}

#[test]
fn environments_and_lists_of_deps_are_inputs() {
    let project = project(
        "[defaults]\ndotenv = ['.env']\nvenv = 'requirements.txt'\n
        [commands.x]\nexec = '{tick x}; echo $WHO > who'\ndeps = ['a.txt']\ncache = 'none'
        [commands.y]\nexec = '{tick y}'\ndeps = [{type = 'load', path = 'deps.json', default = []}]\n",
    );
    project.file(".gitignore", ".env\ndeps.json\n").file(".env", "WHO=one\n");
    project.file("requirements.txt", "a==1\n").file("a.txt", "").file("b.txt", "").commit();
    let watching = Watching::start(&project, &["x", "y", "probe"]);
    assert_eq!(watching.edit(".env", "WHO=two\n"), ".env");
    assert_eq!(project.read("who"), "two\n");
    let cause = watching.edit("requirements.txt", "a==2\n");
    assert_eq!(cause, "requirements.txt");
    assert_eq!((watching.runs("x"), watching.runs("y")), (3, 3));
    let cause = watching.edit("deps.json", r#"{"globs": ["b.txt"]}"#);
    assert_eq!(cause, "deps.json");
    assert_eq!(watching.edit("b.txt", "new\n"), "b.txt");
    assert_eq!((watching.runs("x"), watching.runs("y")), (3, 5));
}

fn install(site: &Path, version: &str) {
    let folder = site.join(format!("my_linter-{version}.dist-info"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("METADATA"), "").unwrap();
}

#[test]
fn a_distribution_counts_when_its_record_is_there() {
    let project = project(
        "[commands.x]\nexec = '{tick x}'\ndeps = [{type = 'pydist', name = 'my-linter'}]\n",
    );
    project.commit();
    let site = project.world().join("venv/lib/python3.12/site-packages");
    std::fs::create_dir_all(&site).unwrap();
    install(&site, "1.0");
    std::fs::write(site.join("my_linter-1.0.dist-info/RECORD"), "").unwrap();
    let project = project.env("VIRTUAL_ENV", site.ancestors().nth(3).unwrap().to_str().unwrap());
    let watching = Watching::start(&project, &[]);
    std::fs::remove_dir_all(site.join("my_linter-1.0.dist-info")).unwrap();
    install(&site, "1.1");
    assert_eq!(watching.settled(), Vec::<String>::new());
    let record = site.join("my_linter-1.1.dist-info/RECORD");
    let cause = watching.round(|_| std::fs::write(record, "").unwrap());
    assert_eq!(cause, "distributions");
    assert_eq!(watching.runs("x"), 2);
    std::fs::write(site.join("other.py"), "").unwrap();
    assert_eq!(watching.settled(), ["distributions"]);
}

#[test]
fn an_environment_may_be_made_anew() {
    let project = project(
        "[commands.x]\nexec = '{tick x}'\ndeps = [{type = 'pydist', name = 'my-linter'}]\n",
    );
    project.commit();
    let venv = project.world().join("venv");
    let site = venv.join("lib/python3.12/site-packages");
    let make = |version: &str| {
        std::fs::create_dir_all(&site).unwrap();
        install(&site, version);
        let folder = format!("my_linter-{version}.dist-info");
        std::fs::write(site.join(folder).join("RECORD"), "").unwrap();
    };
    make("1.0");
    let project = project.env("VIRTUAL_ENV", venv.to_str().unwrap());
    let watching = Watching::start(&project, &[]);
    for number in 1..4 {
        watching.round(|_| std::fs::remove_dir_all(&venv).unwrap());
        make(&format!("1.{number}"));
        let runs = usize::try_from(number).unwrap() + 1;
        until(&format!("it has run:\n{}", watching.said()), || watching.runs("x") == runs);
        watching.settled();
    }
}

/// up ← lax, up ← strict ← lower (lax).
const STREAMS: &str = "
    [commands.up]\nexec = '{tick up}'\ndeps = ['up.txt']\ncache = 'none'
    [commands.lax]\nexec = '{tick lax}'\ndeps = ['lax.txt', {type = 'command', name = 'up'}]\ncache = 'none'
    [commands.strict]\nexec = '{tick strict}'\ndeps = [{type = 'command', name = 'up', strict = true}]\ncache = 'none'
    [commands.lower]\nexec = '{tick lower}'\ndeps = [{type = 'command', name = 'strict'}]\ncache = 'none'\n";

fn counts(watching: &Watching) -> [usize; 4] {
    ["up", "lax", "strict", "lower"].map(|name| watching.runs(name))
}

#[test]
fn strict_downstreams_and_upstreams_run_and_nobody_else() {
    let project = project(STREAMS);
    project.file("up.txt", "").file("lax.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    assert_eq!(counts(&watching), [1, 1, 1, 1]);
    watching.edit("up.txt", "new\n");
    assert_eq!(counts(&watching), [2, 1, 2, 1]);
    watching.edit("lax.txt", "new\n");
    assert_eq!(counts(&watching), [3, 2, 2, 1]);
}

#[test]
fn the_selection_bounds_what_runs() {
    let project = project(STREAMS);
    project.file("up.txt", "").file("lax.txt", "").commit();
    let watching = Watching::start(&project, &["lax", "probe", "--isolated"]);
    project.file("up.txt", "new\n");
    watching.settled();
    watching.edit("lax.txt", "new\n");
    assert_eq!(counts(&watching), [0, 2, 0, 0]);
}

#[test]
fn modules_and_several_commands_are_selected_as_in_a_plain_run() {
    let project = project(
        "[spaces.default]\nmodules = ['m', 'n']
        [commands.lint]\nexec = '{tick lint}; echo {module.name}'\ndeps = ['{module.dir}']
        [commands.test]\nexec = '{tick test}; echo {module.name}'\ndeps = ['{module.dir}/t']
        [commands.other]\nexec = '{tick other}; echo {module.name}'\ndeps = ['{module.dir}']\n",
    );
    for path in ["m/a", "m/t/a", "n/a", "n/t/a"] {
        project.file(path, "");
    }
    project.commit();
    let watching = Watching::start(&project, &["lint", "test", "-m", "m"]);
    let counts = || ["lint", "test", "other"].map(|name| watching.runs(name));
    assert_eq!(counts(), [1, 1, 0]);
    project.file("n/t/a", "new\n");
    watching.edit("m/a", "new\n");
    assert_eq!(counts(), [2, 1, 0]);
    watching.edit("m/t/a", "new\n");
    assert_eq!(counts(), [3, 2, 0]);
}

#[test]
fn what_a_failure_skipped_runs_when_the_failure_is_repaired() {
    let project = project(
        "[commands.build]\nexec = '{tick build}; grep good a.txt'\ndeps = ['a.txt']
        [commands.test]\nexec = '{tick test}'\ndeps = [{type = 'command', name = 'build'}]\ncache = 'none'\n",
    );
    project.file("a.txt", "bad\n").commit();
    let watching = Watching::start(&project, &[]);
    assert_eq!((watching.runs("build"), watching.runs("test")), (1, 0));
    watching.edit("a.txt", "good\n");
    assert_eq!((watching.runs("build"), watching.runs("test")), (2, 1));
    watching.edit("a.txt", "very good\n");
    assert_eq!((watching.runs("build"), watching.runs("test")), (3, 1), "a lax downstream");
}

#[test]
fn it_works_from_a_folder_and_below_the_git_root() {
    let project = Project::new().below("backend");
    write_toml(&project, "[commands.x]\nexec = '{tick x}'\ndeps = ['src', '../shared']\n");
    project.file("probe.txt", "0\n").file("src/a", "").file("../shared/b", "").commit();
    let mut command = project.qik_command(["--watch"]);
    command.current_dir(project.root.join("src"));
    let watching =
        Watching { project: project.clone(), started: crate::support::Started::of(&mut command) };
    until("the first round is over", || watching.idle_count() == 1);
    assert_eq!(watching.edit("src/a", "new\n"), "src/a");
    assert_eq!(watching.edit("../shared/b", "n\n"), "../shared/b");
    assert_eq!(watching.runs("x"), 3);
}

#[test]
fn commands_can_tell_that_they_are_watched() {
    let project = project("[commands.x]\nexec = 'echo {ctx.qik.watch} > watched'\n");
    project.commit();
    Watching::start(&project, &["x"]).end().exits(0);
    assert_eq!(project.read("watched"), "True\n");
    let watching = Watching {
        project: project.clone(),
        started: project.env("QIK__WATCH", "1").start(["probe"]),
    };
    until("the first round is over", || watching.idle_count() == 1);
}

#[test]
fn there_is_nothing_to_watch_without_git() {
    let project = Project::without_git();
    project.toml("[commands]\nx = 'true'\n");
    project.qik(["--watch"]).errs("git0");
}

#[test]
fn imports_are_followed() {
    let project = project(
        "plugins.pygraph = 'qik.pygraph'
        [commands.x]
        exec = '{tick x}'
        deps = [{type = 'pygraph', pyimport = 'app'}]
        ",
    );
    for (path, text) in [
        ("app/__init__.py", ""),
        ("app/main.py", "import lib.used\n"),
        ("lib/__init__.py", ""),
        ("lib/used.py", ""),
        ("lib/unused.py", ""),
    ] {
        project.file(path, text);
    }
    project.commit();
    let watching = Watching::start(&project, &[]);
    for (path, text, count) in [
        ("lib/unused.py", "X = 1\n", 1),
        ("lib/used.py", "X = 1\n", 2),
        ("app/main.py", "import lib.unused\n", 3),
        ("lib/used.py", "X = 2\n", 3),
        ("lib/unused.py", "X = 2\n", 4),
    ] {
        project.file(path, text);
        watching.settled();
        assert_eq!(watching.runs("x"), count, "{path}");
    }
    watching.end().exits(0);
}
