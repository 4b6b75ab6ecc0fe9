//! Environments that uv makes: locked and installed when they have to be, and only then.

use rustix::process::Signal;

use crate::support::{Project, until};

const ALL: [&str; 0] = [];

const BOTH: [&str; 3] = ["pip compile", "venv --quiet", "pip sync"];

/// One space whose requirements are in `reqs.in`, and a command that runs a program of it.
const ONE: &str = "
    [plugins]
    uv = 'qik.uv'
    [spaces.default]
    venv = 'reqs.in'
    [commands.tool]
    exec = '{tick tool}; tool'
    deps = ['a.txt']
";

fn with(toml: &str, files: &[(&str, &str)]) -> Project {
    let project = Project::new().without_env("VIRTUAL_ENV").with_uv();
    project.toml(toml).file("a.txt", "one\n");
    for (path, text) in files {
        project.file(path, text);
    }
    project.commit();
    project
}

fn one() -> Project {
    with(ONE, &[("reqs.in", "tool==1.0\n")])
}

#[test]
fn a_command_runs_in_the_environment_of_its_space() {
    let project = one();
    assert_eq!(project.ls(["tool"]), ["tool", "uv.install", "uv.lock"]);
    project.qik(["tool", "-n", "1"]).ok().shows("tool 1.0\n");
    assert_eq!(project.uv_calls(), BOTH);
    project.qik(["tool"]).ok();
    assert_eq!(project.uv_calls(), [""; 0]);
    assert_eq!(project.runs("tool"), 1);
    let lock = ".qik/artifacts/uv.lock/requirements-default-lock.txt";
    assert_eq!(project.read(lock), "#    qik uv.lock\ntool==1.0\n");
    assert_eq!(project.tracked(lock), [lock]);
    let text =
        project.read("qik.toml").replace("tool'", "echo $VIRTUAL_ENV ${PATH%%:*} $PYTHONHOME'");
    project.file("qik.toml", text);
    let venv = project.root.join("._qik/venv/default");
    let venv = venv.display();
    project
        .env("PYTHONHOME", "/x")
        .qik(["tool", "-n", "1"])
        .ok()
        .shows(&format!("{venv} {venv}/bin\n"));
}

#[test]
fn it_is_made_anew_only_when_something_of_it_has_changed() {
    let project = one();
    project.qik(ALL).ok();
    project.uv_calls();
    project.file("reqs.in", "# a comment\ntool==1.0\n").qik(ALL).ok();
    assert_eq!(project.uv_calls(), ["pip compile"], "the lock is as it was");
    assert_eq!(project.runs("tool"), 1);
    project.file("reqs.in", "tool==2.0\n").qik(["-n", "1"]).ok().shows("tool 2.0\n");
    assert_eq!(project.uv_calls(), BOTH);
    project.file("reqs.in", "tool==1.0\n").qik(ALL).ok();
    assert_eq!(project.uv_calls(), BOTH, "what is known of 1.0 is no more in the environment");
    assert_eq!(project.runs("tool"), 2);
    project.qik([":x", "tool"]).ok().prints("tool 1.0\n");
    project.remove("._qik/venv").qik(ALL).ok();
    assert_eq!(project.uv_calls(), ["venv --quiet", "pip sync"]);
    project.qik(ALL).ok();
    assert_eq!(project.uv_calls(), [""; 0]);
}

#[test]
fn included_requirements_and_local_sources_count() {
    let project = with(
        ONE,
        &[
            ("reqs.in", "-r more/base.in\n-e ./lib\n"),
            ("more/base.in", "tool==1.0\n-c limits.txt\n"),
            ("lib/pyproject.toml", "[project]\nversion = '1'\n"),
        ],
    );
    project.qik(["uv.lock"]).ok();
    for path in ["more/base.in", "more/limits.txt", "lib/pyproject.toml", "lib/setup.py"] {
        project.uv_calls();
        let text = if path == "more/base.in" { "-c limits.txt\n" } else { "# another\n" };
        project.file(path, text).qik(["uv.lock"]).ok();
        assert_eq!(project.uv_calls(), ["pip compile"], "{path}");
    }
    project.qik(["uv.lock"]).ok();
    assert_eq!(project.uv_calls(), [""; 0]);
}

#[test]
fn an_installation_that_was_cut_off_is_none() {
    let project = one();
    let output = project.env("UV_DIES", "sync").qik(["uv.install"]);
    output.fails();
    assert!(project.exists("._qik/venv/default/bin/python"));
    project.qik([":x", "tool"]).errs("space1").says("qik :x --install");
    project.uv_calls();
    project.qik(["-n", "1"]).ok().shows("tool 1.0\n");
    assert_eq!(project.uv_calls(), ["venv --quiet", "pip sync"]);

    project.file("reqs.in", "tool==2.0\n");
    project.env("UV_DIES", "sync").qik(["uv.install"]).fails();
    project.file("reqs.in", "tool==1.0\n").qik([":x", "--install"]).ok();
    project.qik([":x", "tool"]).ok().prints("tool 1.0\n");
}

#[test]
fn without_uv_it_says_how_to_get_it() {
    let project = one();
    let path = project.variable("PATH");
    let path: Vec<&str> = path.split(':').filter(|folder| !has_uv(folder)).collect();
    project.toml(&format!(
        "{ONE}[spaces.other]\n[commands.other]\nexec = '{{tick other}}'\nspace = 'other'\n"
    ));
    let without = project.env("PATH", &path.join(":"));
    without.qik(ALL).exits(127).says("error[uv0]").says("pip install uv");
    assert_eq!((project.runs("tool"), project.runs("other")), (0, 1));
    without.qik([":x", "tool"]).errs("space1");
}

fn has_uv(folder: &str) -> bool {
    std::path::Path::new(folder).join("uv").exists()
}

#[test]
fn requirements_that_cannot_be_met_fail_the_commands_of_the_space_alone() {
    let project = with(
        &format!(
            "{ONE}[spaces.other]\n[commands.other]\nexec = '{{tick other}}'\nspace = 'other'\n"
        ),
        &[("reqs.in", "impossible\n")],
    );
    project.qik(ALL).exits(1).shows("impossible");
    assert_eq!((project.runs("tool"), project.runs("other")), (0, 1));
}

#[test]
fn each_space_has_its_own_and_some_have_anothers() {
    let project = with(
        "
        [plugins]
        env = 'qik.uv'
        [defaults]
        venv = 'reqs.in'
        [spaces.'a/b']
        venv = {type = 'uv', reqs = ['reqs.in', 'more.in'], lock = 'locks/a b.txt'}
        [spaces.none]
        venv = {type = 'active'}
        [spaces.heir]
        venv = {type = 'space', name = 'a/b'}
        [commands.tool]
        exec = 'tool > default.out; command -v more || :'
        [commands.more]
        exec = 'tool > heir.out && more >> heir.out'
        space = 'heir'
        ",
        &[("reqs.in", "tool==1.0\n"), ("more.in", "more==3.0\n")],
    );
    assert_eq!(project.ls(["more"]), ["env.install@a/b", "env.lock@a/b", "more@heir"]);
    assert_eq!(
        project.ls(["env.install"]),
        ["env.install@a/b", "env.install@default", "env.lock@a/b", "env.lock@default",]
    );
    assert_eq!(project.ls(["env.install@default", "--isolated"]), ["env.install@default"]);
    project.qik(ALL).ok();
    assert_eq!(project.read("default.out"), "tool 1.0\n");
    assert_eq!(project.read("heir.out"), "tool 1.0\nmore 3.0\n");
    assert!(project.exists("._qik/venv/a%2Fb/bin/more"));
    assert_eq!(project.read("locks/a b.txt"), "#    qik env.lock\ntool==1.0\nmore==3.0\n");
    project.qik(["uv.lock"]).errs("conf5");
}

#[test]
fn a_constraint_is_a_file_or_another_spaces_lock() {
    let project = with(
        "
        [plugins]
        uv = {pyimport = 'qik.uv', constraint = {type = 'space', name = 'base'}}
        [spaces.base]
        venv = 'base.in'
        [spaces.bound]
        venv = {type = 'uv', reqs = 'bound.in'}
        [spaces.other]
        venv = {type = 'uv', reqs = 'bound.in', constraint = 'limit.txt'}
        ",
        &[("base.in", "tool==1.0\n"), ("bound.in", "more==1.0\n"), ("limit.txt", "tool<2\n")],
    );
    assert_eq!(project.ls(["uv.lock@bound"]), ["uv.lock@base", "uv.lock@bound"]);
    project.qik(["uv.lock", "-n", "1"]).ok();
    let constraints = |calls: Vec<String>| {
        let words = |call: String| call.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let value = |words: Vec<String>| {
            let at = words.iter().position(|word| word == "--constraint")?;
            Some(words[at + 1].clone())
        };
        calls.into_iter().map(words).map(value).collect::<Vec<_>>()
    };
    let mut found = constraints(project.uv_calls_in_full());
    found.sort();
    let lock = ".qik/artifacts/uv.lock/requirements-base-lock.txt".to_owned();
    assert_eq!(found, [None, Some(lock), Some("limit.txt".to_owned())]);
    project.file("base.in", "tool==1.5\n").qik(["uv.lock"]).ok();
    assert_eq!(project.uv_calls().len(), 2, "base, and who it bounds");
    project.file("limit.txt", "tool<3\n").qik(["uv.lock"]).ok();
    assert_eq!(project.uv_calls().len(), 1);
}

#[test]
fn another_python_makes_another_environment() {
    let project = one();
    project.qik(ALL).ok();
    project.uv_calls();
    project.file(".python-version", "3.12\n").qik(ALL).ok();
    assert_eq!(project.uv_calls(), BOTH);
    let text = project.read("qik.toml");
    project.file("qik.toml", text.replace("'qik.uv'", "{pyimport = 'qik.uv', python = '3.11'}"));
    project.qik(ALL).ok();
    let calls = project.uv_calls_in_full();
    assert!(calls[..2].iter().all(|call| call.contains(" --python 3.11 ")), "{calls:?}");
    assert_eq!(project.runs("tool"), 2, "it is an input of the space's commands");
    project.file(".python-version", "3.10\n").qik(ALL).ok();
    assert_eq!(project.uv_calls(), [""; 0]);
    project.file("qik.toml", text).file(".python-version", "3.12\n").qik(ALL).ok();
    assert_eq!(project.uv_calls(), BOTH);
}

#[test]
fn what_is_secret_in_an_index_stays_secret() {
    let project = with(
        &ONE.replace(
            "[plugins]\n    uv = 'qik.uv'",
            "ctx = ['index']\n    [plugins]\n    uv = {pyimport = 'qik.uv', index-url = '{ctx.index}'}",
        ),
        &[("reqs.in", "tool==1.0\n")],
    );
    let url = "https://me:swordfish@host/simple";
    let output = project.env("INDEX", url).qik(["-v", "2"]).ok().lacks("swordfish");
    drop(output);
    let calls = project.uv_calls_in_full();
    assert!(calls.iter().all(|call| call.ends_with(&format!("[UV_INDEX_URL={url}]"))), "{calls:?}");
    let grep = "grep -r swordfish . && exit 1 || exit 0";
    project.sh(grep).ok();
    project.env("INDEX", "https://another").qik(ALL).ok();
    assert_eq!(project.uv_calls(), [""; 0], "everybody may have an index of their own");
}

#[test]
fn two_processes_do_not_install_at_once() {
    let project = with(
        &ONE.replace("[commands.tool]", "[commands.slow]\nexec = 'true'\n[commands.tool]"),
        &[("reqs.in", "tool==1.0\n")],
    );
    let gate = project.world().join("gate");
    let slow = project.world().join("slow");
    std::fs::create_dir(&slow).unwrap();
    let uv = project.world().join("uv/uv");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" != venv ] || while [ ! -e {} ]; do sleep 0.01; done\nexec {} \"$@\"\n",
        gate.display(),
        uv.display(),
    );
    std::fs::write(slow.join("uv"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(slow.join("uv"), mode).unwrap();
    let path = format!("{}:{}", slow.display(), project.variable("PATH"));
    let slowly = project.env("PATH", &path);
    let first = slowly.start(["tool"]);
    until("the lock is there", || project.exists(".qik/artifacts/uv.lock"));
    let second = slowly.start(["tool"]);
    until("it waits", || second.stderr_so_far().contains("uv.install"));
    std::fs::write(gate, "").unwrap();
    first.wait().ok();
    second.wait().ok();
    assert_eq!(project.uv_calls(), BOTH);
    assert_eq!(project.runs("tool"), 1);
}

#[test]
fn a_stopped_installation_is_repeated() {
    let project = one();
    let hang = project.world().join("hang");
    std::fs::create_dir(&hang).unwrap();
    let script =
        "#!/bin/sh\n[ \"$2\" != sync ] || { : > syncing; exec sleep 60; }\nexec ../uv/uv \"$@\"\n";
    std::fs::write(hang.join("uv"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hang.join("uv"), mode).unwrap();
    let path = format!("{}:{}", hang.display(), project.variable("PATH"));
    let started = project.env("PATH", &path).start(["tool"]);
    until("it installs", || project.exists("syncing"));
    started.signal(Signal::INT);
    started.wait().exits(130);
    project.qik(["tool", "-n", "1"]).ok().shows("tool 1.0\n");
}

#[test]
fn a_changed_requirement_or_lock_selects_the_commands_of_the_space() {
    let project = with(
        &format!(
            "{ONE}[spaces.other]\n[commands.other]\nexec = 'true'\ndeps = ['a.txt']\nspace = 'other'\n"
        ),
        &[("reqs.in", "-r base.in\ntool==1.0\n"), ("base.in", "# more\n")],
    );
    project.qik(ALL).ok();
    project.commit();
    assert_eq!(project.ls(["--since", "HEAD"]), [""; 0]);
    let lock = ".qik/artifacts/uv.lock/requirements-default-lock.txt";
    for path in ["reqs.in", "base.in", lock] {
        project.file(path, format!("{}# more\n", project.read(path)));
        let selected = project.ls(["--since", "HEAD"]);
        assert!(selected.contains(&"tool@default".to_owned()), "{path}: {selected:?}");
        assert!(!selected.contains(&"other@other".to_owned()), "{path}: {selected:?}");
        project.git(["checkout", "-q", "."]);
    }
}

#[test]
fn pydist_deps_look_into_the_environment_of_the_space() {
    let project = with(
        "
        [plugins]
        uv = 'qik.uv'
        [spaces.default]
        venv = 'reqs.in'
        [spaces.other]
        [commands.inside]
        exec = '{tick inside}'
        deps = [{type = 'pydist', name = 'Tool'}]
        [commands.outside]
        exec = '{tick outside}'
        deps = [{type = 'pydist', name = 'tool'}]
        space = 'other'
        ",
        &[("reqs.in", "tool==1.0\n")],
    );
    let project = project.env("VIRTUAL_ENV", project.world().to_str().unwrap());
    project.qik(["inside"]).ok();
    project.qik(["inside"]).ok();
    project.qik(["outside"]).errs("pydist1").says("`tool`");
    assert_eq!((project.runs("inside"), project.runs("outside")), (1, 0));
}

#[test]
fn a_lock_that_everybody_has_warms_a_clone() {
    let project = with(
        &ONE.replace(
            "deps = ['a.txt']",
            "deps = [{type = 'pydist', name = 'tool'}]\ncache = 'repo'",
        ),
        &[("reqs.in", "tool==1.0\n")],
    );
    project.qik(ALL).ok();
    project.commit();
    project.uv_calls();
    let clone = project.clone_to("clone");
    assert_eq!(clone.ls(["--cache-status", "cold"]), ["uv.install"], "the lock says the version");
    clone.qik(ALL).ok();
    assert_eq!(project.uv_calls(), ["venv --quiet", "pip sync"]);
    assert_eq!(project.runs("tool"), 1);
}

#[test]
fn a_lock_lies_below_the_project() {
    for lock in ["../x.lock", "/tmp/x.lock", "locks/", "a/../../x.lock"] {
        let project = with(
            &ONE.replace(
                "'reqs.in'",
                &format!("{{type = 'uv', reqs = 'reqs.in', lock = '{lock}'}}"),
            ),
            &[("reqs.in", "tool==1.0\n")],
        );
        project.qik(["--ls"]).errs("conf1").says(lock).says("qik.toml:5");
    }
}

#[test]
fn paths_may_hold_anything() {
    let project = with(
        &ONE.replace("'reqs.in'", "['my reqs.in', \"it's $HOME.in\"]"),
        &[("my reqs.in", "tool==1.0\n"), ("it's $HOME.in", "other==1.0\n")],
    );
    project.qik(["tool", "-n", "1"]).ok().shows("tool 1.0\n");
}

#[test]
fn without_its_environment_an_isolated_command_says_so() {
    one().qik(["tool", "--isolated"]).errs("space1").says("qik :x --install");
}

#[test]
fn the_real_uv_understands_what_it_is_told() {
    let project = Project::new().without_env("VIRTUAL_ENV");
    let path = project.variable("PATH");
    if !path.split(':').any(has_uv) {
        return;
    }
    project.toml(&ONE.replace("; tool'", "; command -v python'")).file("a.txt", "");
    project.file("reqs.in", "# nothing is needed\n").commit();
    let project = project.env("UV_OFFLINE", "1").env("UV_PYTHON_DOWNLOADS", "never");
    let python = project.root.join("._qik/venv/default/bin/python");
    project.qik(["tool", "-n", "1"]).ok().shows(&format!("{}\n", python.display()));
    project.file("reqs.in", "# nothing is needed, still\n").qik(ALL).ok();
    assert_eq!(project.runs("tool"), 1);
}
