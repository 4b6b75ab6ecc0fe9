//! The 0.1 dialect: each spelling does what its 0.2 spelling does.

use crate::support::Project;

/// No arguments: everything.
const ALL: [&str; 0] = [];

/// Two configurations list the same runnables.
#[track_caller]
fn check_same(old: &str, new: &str) {
    let ls = |toml: &str| {
        let project = Project::new();
        project.toml(toml).file("my/module/a/__init__.py", "").file("my/module/b/__init__.py", "");
        project.commit();
        project.ls(ALL)
    };
    assert_eq!(ls(old), ls(new), "{old}");
    assert!(!ls(old).is_empty());
}

#[test]
fn modules_at_the_top_are_the_default_spaces() {
    let each = "[commands]\neach = 'echo {module.name}'\n";
    let new = format!("[spaces.default]\nmodules = ['my/module/a', 'my/module/b']\n{each}");
    check_same(&format!("modules = ['my/module/a', 'my/module/b']\n{each}"), &new);
    let project = Project::new();
    project.toml(
        "modules = ['my.module.a', {name = 'b', path = 'my.module.b'}]
        [commands]\neach = 'echo {module.name} {module.path} {module.imp} {module.dir} {module.pyimport} >> log'\n",
    );
    project.file("my/module/a/x", "").file("my/module/b/x", "").commit();
    project.qik(["-n", "1"]).ok();
    let log = project.read("log");
    assert!(log.contains("my.module.a my/module/a my.module.a my/module/a my.module.a\n"), "{log}");
    assert!(log.contains("b my/module/b my.module.b my/module/b my.module.b\n"), "{log}");
    assert_eq!(project.ls(["-m", "my.module.a"]), ["each#my.module.a"]);
}

#[test]
fn commands_may_be_singular_and_keys_snake_case() {
    check_same("[command.lint]\nexec = 'true'\n", "[commands.lint]\nexec = 'true'\n");
    check_same("[command]\nlint = 'true'\n", "[commands]\nlint = 'true'\n");
    check_same(
        "[command.a]\nexec = 'true'\n[commands.b]\nexec = 'true'\n",
        "[commands]\na = 'true'\nb = 'true'\n",
    );
    check_same(
        "[defaults]\ncache_when = 'finished'\npython_path = '.'\n[commands.a]\nexec = 'true'\ncache_when = 'failed'\n",
        "[commands.a]\nexec = 'true'\n",
    );
    let twice = Project::new();
    twice.toml("[command.a]\nexec = 'true'\n[commands.a]\nexec = 'false'\n");
    twice.qik(ALL).errs("conf17").says("`a`");
}

#[test]
fn deps_at_the_top_are_base_deps() {
    let project = Project::new();
    project.toml("deps = ['version']\n[commands.hello]\nexec = '{tick hello}'\ndeps = ['a.txt']\n");
    project.file("version", "1").file("a.txt", "").commit();
    assert!(project.reruns("hello") && !project.reruns("hello"));
    project.file("version", "2");
    assert!(project.reruns("hello"));
}

#[test]
fn always_means_finished() {
    for toml in [
        "[commands.bad]\nexec = '{tick bad}; exit 3'\ndeps = ['a.txt']\ncache-when = 'always'\n",
        "defaults.cache-when = 'always'\n[commands.bad]\nexec = '{tick bad}; exit 3'\ndeps = ['a.txt']\n",
    ] {
        let project = Project::new();
        project.toml(toml).file("a.txt", "").commit();
        project.qik(["bad"]).exits(3);
        project.qik(["bad"]).exits(3);
        assert_eq!(project.runs("bad"), 1, "{toml}");
    }
    let project = Project::hello("['a.txt']");
    project.qik(["hello", "--cache-when", "always"]).ok();
}

#[test]
fn vars_are_context_variables_of_the_project() {
    let project = Project::new();
    project.toml(
        "vars = ['key', {name = 'num', type = 'int', default = 3}]
        [commands]\nsay = 'echo {ctx.project.key} {ctx.key} {ctx.project.num} > said'\n",
    );
    project.commit();
    for name in ["KEY", "PROJECT__KEY"] {
        project.env(name, "value").qik(["say"]).ok();
        assert_eq!(project.read("said"), "value value 3\n", "{name}");
    }
    project.qik(["say"]).errs("ctx2").says("key");
}

#[test]
fn profiles_hold_variables_and_settings() {
    let project = Project::new();
    project.toml(
        "vars = ['key']
        [ctx.default.project]\nkey = 'by default'
        [ctx.ci.project]\nkey = 'by ci'
        [ctx.ci.qik]\ncache_status = 'cold'\nworkers = 2
        [commands.say]\nexec = 'echo {ctx.project.key} {ctx.qik.workers} > said'\n",
    );
    project.commit();
    project.qik(["-n", "1"]).ok();
    assert_eq!(project.read("said"), "by default 1\n");
    project.env("KEY", "by env").qik(["-n", "1"]).ok();
    assert_eq!(project.read("said"), "by env 1\n");
    assert_eq!(project.ls(["-p", "ci"]), Vec::<String>::new(), "an uncached command is not cold");
    assert_eq!(project.env("QIK__PROFILE", "ci").ls(ALL), Vec::<String>::new());
}

#[test]
fn plugins_may_be_a_list() {
    for plugins in [
        "plugins = ['qik.graph']",
        "plugins = ['qik.pygraph']",
        "plugins = [{name = 'pygraph', path = 'qik.graph'}]",
        "plugins = ['qik.graph']\n[graph]\nignore-type-checking = true",
        "plugins = ['qik.uv', 'qik.s3']",
        "[plugins]\npygraph = 'qik.pygraph'\ns3 = 'qik.s3'",
        "[plugins.graph]\npyimport = 'qik.pygraph'\nignore-type-checking = true",
    ] {
        let project = Project::new();
        project.toml(&format!("{plugins}\n[commands]\nhello = 'true'\n")).commit();
        let names = project.ls(["hello"]);
        assert_eq!(names, ["hello"], "{plugins}");
    }
}

#[test]
fn dist_is_pydist() {
    let project = Project::new();
    for toml in [
        "pydist.versions.pip-tools = '7.0'\n",
        "dist-versions.pip-tools = '7.0'\n",
        "dist_versions.pip_tools = '7.0'\n",
    ] {
        for kind in ["dist", "pydist"] {
            project.toml(&format!(
                "{toml}[commands.lock]\nexec = '{{tick lock}}'\ndeps = [{{type = '{kind}', name = 'pip-tools'}}]\n"
            ));
            project.qik(["lock"]).ok();
        }
    }
    assert_eq!(project.runs("lock"), 1, "the spelling is no input");
    project.toml(&project.read("qik.toml").replace("7.0", "7.1"));
    assert!(project.reruns("lock"));
    for toml in [
        "ignore-missing-dists = true\n",
        "pydist.ignore_missing = true\n",
        "pydist.ignore-missing = true\n",
    ] {
        project.toml(&format!(
            "{toml}[commands.lock]\nexec = 'true'\ndeps = [{{type = 'pydist', name = 'no-such-dist'}}]\n"
        ));
        project.qik(["lock"]).ok();
    }
}

#[test]
fn a_venvs_lock_file_is_the_default_spaces() {
    let project = Project::new();
    project.toml(
        "[venvs.default]\nlock-file = 'reqs.lock'
        [commands.hello]\nexec = '{tick hello}'\ndeps = ['a.txt']\n",
    );
    project.file("a.txt", "").file("reqs.lock", "x==1\n").commit();
    assert!(project.reruns("hello") && !project.reruns("hello"));
    project.file("reqs.lock", "x==2\n");
    assert!(project.reruns("hello"));
}

#[test]
fn a_virtualenv_may_be_inherited_by_a_list_of_one() {
    check_same(
        "[spaces.default]\nvenv = 'r.txt'\n[spaces.x]\nvenv = [{type = 'space', name = 'default'}]\n[commands]\na = 'true'\n",
        "[spaces.default]\nvenv = 'r.txt'\n[spaces.x]\nvenv = {type = 'space', name = 'default'}\n[commands]\na = 'true'\n",
    );
}

#[test]
fn pyproject_may_hold_the_configuration() {
    let project = Project::new();
    project.toml_at(
        "pyproject.toml",
        "[project]\nname = 'x'\n[tool.other]\nx = 1\n[tool.qik]\nmodules = ['m']
        [tool.qik.commands.each]\nexec = 'echo {module.name}; pwd > where'\n",
    );
    project.file("m/x", "").file("deep/er/x", "").commit();
    assert_eq!(project.ls(ALL), ["each#m"]);
    project.qik_in("deep/er", ALL).ok();
    assert_eq!(project.read("where").trim(), project.root.to_str().unwrap());
    project.toml_at("pyproject.toml", "[tool.qik.commands.each]\nexec = 'true'\nnonesuch = 1\n");
    project.qik(ALL).errs("conf1").says("pyproject.toml:3").says("nonesuch");
    project.toml("[commands]\nwins = 'true'\n");
    assert_eq!(project.ls(ALL), ["wins"]);
    project.remove("qik.toml").file("pyproject.toml", "[project]\nname = 'x'\n");
    project.qik(ALL).errs("conf0");
}

#[test]
fn cache_type_is_cache() {
    let project = Project::hello("['a.txt']");
    assert_eq!(project.ls(["--cache-type", "local"]), ["hello"]);
    assert_eq!(project.ls(["--cache-type", "repo"]), Vec::<String>::new());
}
