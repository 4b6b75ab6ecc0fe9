//! What the user reads when the project is declared wrongly: one golden text for each code, and a
//! list that none is forgotten.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use qik::error::Code;

use crate::support::{Output, Project};

/// What stderr says, with the machine's paths redacted.
pub(crate) fn golden(project: &Project, output: &Output) -> String {
    let text = output.stderr();
    let text = text.replace(project.root.to_str().unwrap(), "[ROOT]");
    let text = text.replace(project.world().to_str().unwrap(), "[WORLD]");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The error that a configuration is, for `--ls`.
#[track_caller]
pub(crate) fn declared(toml: &str) -> String {
    let project = Project::new();
    project.toml(toml).commit();
    let output = project.qik(["--ls"]).no_panic().exits(2).prints("");
    golden(&project, &output)
}

/// The codes that no test provokes, each with the reason.
const UNPROVOKED: &[(Code, &str)] = &[
    (Code::ArgumentMissing, "runnables take no arguments in this version"),
    (Code::LockNotFound, "qik makes the locks that it needs"),
];

#[test]
fn every_code_has_a_golden_text() {
    let goldens = [
        include_str!("errors.rs"),
        include_str!("errors_at_work.rs"),
        include_str!("errors_in_templates.rs"),
    ]
    .concat();
    let reasons: BTreeMap<Code, &str> = UNPROVOKED.iter().copied().collect();
    for code in Code::ALL {
        let heading = |severity: &str| goldens.contains(&format!("{severity}[{}]: ", code.id()));
        let has_golden = heading("error") || heading("warning");
        assert_ne!(has_golden, reasons.contains_key(code), "{}", code.id());
    }
}

#[test]
fn conf0_no_configuration() {
    let project = Project::new();
    assert_snapshot!(golden(&project, &project.qik(["lint"]).exits(2)), @r#"
    error[conf0]: there is no `qik.toml` in `[ROOT]`
    hint: write a `qik.toml` to begin with:
      [commands.hello]
      exec = "echo hello"
      deps = ["*.md"]
    more: docs/errors.md#conf0
    "#);
}

#[test]
fn conf1_no_toml() {
    assert_snapshot!(declared("[commands.lint\nexec = 'true'\n"), @r"
    error[conf1]: `qik.toml` is not valid TOML: unclosed table, expected `]`
     --> qik.toml:1:15
      |
    1 | [commands.lint
      |               ^
    more: docs/errors.md#conf1
    ");
}

#[test]
fn conf1_an_unknown_key() {
    assert_snapshot!(declared("[commands.lint]\nexec = 'true'\ndpes = ['a.txt']\n"), @r"
    error[conf1]: unknown key `dpes` in a command
     --> qik.toml:3:1
      |
    3 | dpes = ['a.txt']
      | ^^^^
    hint: did you mean `deps`?
    more: docs/errors.md#conf1
    ");
}

#[test]
fn conf1_an_unknown_table() {
    assert_snapshot!(declared("[nonesuch]\nx = 1\n"), @r"
    error[conf1]: unknown key `nonesuch` in a project
     --> qik.toml:1:2
      |
    1 | [nonesuch]
      |  ^^^^^^^^
    hint: the keys of a project are `commands`, `ctx`, `base`, `defaults`, `caches`, `spaces`, `plugins` and `pydist`
    more: docs/errors.md#conf1
    ");
}

#[test]
fn conf1_a_wrong_type() {
    assert_snapshot!(declared("[commands.lint]\nexec = 3\ndeps = 'a.txt'\n"), @r"
    error[conf1]: `exec` must be a string, not an integer
     --> qik.toml:2:8
      |
    2 | exec = 3
      |        ^
    more: docs/errors.md#conf1
    error[conf1]: `deps` must be a list, not a string
     --> qik.toml:3:8
      |
    3 | deps = 'a.txt'
      |        ^^^^^^^
    hint: write `['a.txt']`
    more: docs/errors.md#conf1
    ");
}

#[test]
fn conf1_a_bad_value() {
    assert_snapshot!(declared("[commands.lint]\nexec = 'true'\ncache-when = 'sometimes'\n"), @r"
    error[conf1]: `cache-when` cannot be `sometimes`
     --> qik.toml:3:14
      |
    3 | cache-when = 'sometimes'
      |              ^^^^^^^^^^^
    hint: its values are `success`, `failed` and `finished`
    more: docs/errors.md#conf1
    ");
}

#[test]
fn conf1_not_utf8() {
    let project = Project::new();
    project.file("qik.toml", b"[commands]\nx = 'caf\xe9'\n");
    assert_snapshot!(golden(&project, &project.qik(["--ls"]).exits(2)), @r"
    error[conf1]: `qik.toml` is not valid UTF-8
     --> qik.toml:2:9
      |
    2 | x = 'caf�'
      |         ^
    more: docs/errors.md#conf1
    ");
}

#[test]
fn all_mistakes_are_told_at_once() {
    assert_snapshot!(
        declared("[commands.a]\nexe = 'true'\n[commands.b]\nexec = 'true'\nspace = 'nowhere'\n[plugins]\nx = 'y'\n"),
        @r"
    error[conf1]: unknown key `exe` in a command
     --> qik.toml:2:1
      |
    2 | exe = 'true'
      | ^^^
    hint: did you mean `exec`?
    more: docs/errors.md#conf1
    error[conf8]: no space named `nowhere`
     --> qik.toml:5:9
      |
    5 | space = 'nowhere'
      |         ^^^^^^^^^
    hint: the spaces are `default`
    more: docs/errors.md#conf8
    error[conf6]: qik has no plugin `y`
     --> qik.toml:7:5
      |
    7 | x = 'y'
      |     ^^^
    hint: the plugins are `qik.pygraph`, `qik.uv` and `qik.s3`
    more: docs/errors.md#conf6
    "
    );
}

#[test]
fn conf2_an_unknown_module() {
    let project = Project::new();
    project.toml("spaces.default.modules = ['api']\n[commands]\neach = 'echo {module}'\n");
    assert_snapshot!(golden(&project, &project.qik(["-m", "apy"]).exits(2)), @r"
    error[conf2]: no module named `apy`
    hint: did you mean `api`?
    more: docs/errors.md#conf2
    ");
}

#[test]
fn conf3_an_unknown_plugin() {
    let project = Project::new();
    project.toml("[commands]\nlint = 'true'\n");
    assert_snapshot!(golden(&project, &project.qik(["pygraph.check"]).exits(2)), @r"
    error[conf3]: no plugin named `pygraph`
    hint: `qik --ls` lists the commands; plugins are declared in `[plugins]`
    more: docs/errors.md#conf3
    ");
}

#[test]
fn conf4_neither_a_module_nor_a_plugin() {
    assert_snapshot!(
        declared("[commands.a]\nexec = 'true'\ndeps = [{type = 'command', name = 'api.web.gen'}]\n"),
        @r"
    error[conf4]: `api.web` is neither a module nor a plugin
     --> qik.toml:3:35
      |
    3 | deps = [{type = 'command', name = 'api.web.gen'}]
      |                                   ^^^^^^^^^^^^^
    hint: `qik --ls` lists the commands
    more: docs/errors.md#conf4
    "
    );
}

#[test]
fn conf5_an_unknown_command() {
    assert_snapshot!(
        declared("[commands]\nlint = 'true'\n[commands.b]\nexec = 'true'\ndeps = [{type = 'command', name = 'lnt'}]\n"),
        @r"
    error[conf5]: no command named `lnt`
     --> qik.toml:5:35
      |
    5 | deps = [{type = 'command', name = 'lnt'}]
      |                                   ^^^^^
    hint: did you mean `lint`?
    more: docs/errors.md#conf5
    "
    );
}

#[test]
fn conf6_a_plugin_that_is_not_built_in() {
    assert_snapshot!(declared("[plugins]\nmine = 'my.plugin'\n"), @r"
    error[conf6]: qik has no plugin `my.plugin`
     --> qik.toml:2:8
      |
    2 | mine = 'my.plugin'
      |        ^^^^^^^^^^^
    hint: the plugins are `qik.pygraph`, `qik.uv` and `qik.s3`
    more: docs/errors.md#conf6
    ");
}

#[test]
fn conf7_a_cycle() {
    let dep = |name: &str| format!("exec = 'true'\ndeps = [{{type = 'command', name = '{name}'}}]");
    let (a, b) = (dep("b"), dep("a"));
    assert_snapshot!(declared(&format!("[commands.a]\n{a}\n[commands.b]\n{b}\n")), @r"
    error[conf7]: a cycle: a -> b -> a
     --> qik.toml:1:11
      |
    1 | [commands.a]
      |           ^
    because: each of these commands waits for the next one
    hint: remove one of the `command` deps
    more: docs/errors.md#conf7
    ");
}

#[test]
fn conf8_an_unknown_space() {
    assert_snapshot!(declared("[spaces.web]\n[commands.a]\nexec = 'true'\nspace = 'wep'\n"), @r"
    error[conf8]: no space named `wep`
     --> qik.toml:4:9
      |
    4 | space = 'wep'
      |         ^^^^^
    hint: did you mean `web`?
    hint: the spaces are `default` and `web`
    more: docs/errors.md#conf8
    ");
}

#[test]
fn conf9_an_unknown_cache() {
    assert_snapshot!(declared("[commands.a]\nexec = 'true'\ndeps = ['a']\ncache = 'locl'\n"), @r"
    error[conf9]: no cache named `locl`
     --> qik.toml:4:9
      |
    4 | cache = 'locl'
      |         ^^^^^^
    hint: did you mean `local`?
    hint: the caches are `local`, `repo` and `none`
    more: docs/errors.md#conf9
    ");
}

#[test]
fn conf10_an_unknown_type_of_cache() {
    assert_snapshot!(declared("[caches.remote]\ntype = 'ftp'\n"), @r"
    error[conf10]: qik has no type of cache named `ftp`
     --> qik.toml:2:8
      |
    2 | type = 'ftp'
      |        ^^^^^
    hint: the only type is `s3`
    more: docs/errors.md#conf10
    ");
}

#[test]
fn conf11_an_unknown_type_of_dep() {
    assert_snapshot!(declared("[commands.a]\nexec = 'true'\ndeps = [{type = 'cmd', name = 'x'}]\n"), @r"
    error[conf11]: qik has no type of dependency named `cmd`
     --> qik.toml:3:17
      |
    3 | deps = [{type = 'cmd', name = 'x'}]
      |                 ^^^^^
    hint: the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    more: docs/errors.md#conf11
    ");
}

#[test]
fn conf12_an_unknown_type_of_virtual_environment() {
    assert_snapshot!(declared("[spaces.default]\nvenv = {type = 'conda', reqs = 'x'}\n"), @r"
    error[conf12]: qik has no type of virtual environment named `conda`
     --> qik.toml:2:16
      |
    2 | venv = {type = 'conda', reqs = 'x'}
      |                ^^^^^^^
    hint: the types are `uv`, `active` and `space`
    more: docs/errors.md#conf12
    ");
}

#[test]
fn conf13_virtual_environments_in_a_circle() {
    let venv = |name: &str| format!("venv = {{type = 'space', name = '{name}'}}");
    let (one, two) = (venv("two"), venv("one"));
    assert_snapshot!(declared(&format!("[spaces.one]\n{one}\n[spaces.two]\n{two}\n")), @r"
    error[conf13]: spaces have each other's virtual environments: one -> two -> one
     --> qik.toml:4:32
      |
    4 | venv = {type = 'space', name = 'one'}
      |                                ^^^^^
    hint: let one of them have its own
    more: docs/errors.md#conf13
    ");
}

#[test]
fn conf14_constraints_in_a_circle() {
    let venv = |name: &str| {
        format!(
            "venv = {{type = 'uv', reqs = 'x', constraint = {{type = 'space', name = '{name}'}}}}"
        )
    };
    let spaces = format!("[spaces.one]\n{}\n[spaces.two]\n{}\n", venv("two"), venv("one"));
    assert_snapshot!(declared(&format!("plugins.uv = 'qik.uv'\n{spaces}")), @r"
    error[conf14]: spaces have each other's constraints: one -> two -> one
     --> qik.toml:5:71
      |
    5 | venv = {type = 'uv', reqs = 'x', constraint = {type = 'space', name = 'one'}}
      |                                                                       ^^^^^
    hint: let one of them have its own
    more: docs/errors.md#conf14
    ");
}

#[test]
fn conf15_fences_in_a_circle() {
    let fence = |name: &str| format!("fence = ['x', {{type = 'space', name = '{name}'}}]");
    let (one, two) = (fence("two"), fence("one"));
    assert_snapshot!(declared(&format!("[spaces.one]\n{one}\n[spaces.two]\n{two}\n")), @r"
    error[conf15]: spaces have each other's fences: one -> two -> one
     --> qik.toml:4:39
      |
    4 | fence = ['x', {type = 'space', name = 'one'}]
      |                                       ^^^^^
    hint: let one of them have its own
    more: docs/errors.md#conf15
    ");
}

#[test]
fn conf16_a_module_field_without_a_module() {
    assert_snapshot!(declared("[commands.a]\nexec = 'true'\ndeps = ['{module.dir}/**']\n"), @r"
    error[conf16]: `{module.dir}/**` names a module where there is none
     --> qik.toml:3:9
      |
    3 | deps = ['{module.dir}/**']
      |         ^^^^^^^^^^^^^^^^^
    hint: name the module in `exec` too, to run the command for each module
    more: docs/errors.md#conf16
    ");
}

#[test]
fn conf17_a_name_twice() {
    assert_snapshot!(declared("[spaces.default]\nmodules = ['api', 'web', 'api']\n"), @r"
    error[conf17]: the module `api` is declared twice
     --> qik.toml:2:26
      |
    2 | modules = ['api', 'web', 'api']
      |                          ^^^^^
    more: docs/errors.md#conf17
    ");
}

#[test]
fn conf17_a_name_that_cannot_be_one() {
    assert_snapshot!(declared("[commands]\n'a#b' = 'true'\n"), @r"
    error[conf17]: the name of the command `a#b` has a `#`
     --> qik.toml:2:1
      |
    2 | 'a#b' = 'true'
      | ^^^^^
    hint: leave the `#` out
    more: docs/errors.md#conf17
    ");
}

#[test]
fn conf18_a_pattern_that_is_none() {
    let project = Project::new();
    project.toml("[commands.a]\nexec = 'true'\ndeps = [':(nonesuch)x']\n").commit();
    assert_snapshot!(golden(&project, &project.qik(["a"]).exits(2)), @r"
    error[conf18]: `:(nonesuch)x` is not a pattern: there is no magic `nonesuch`
     --> qik.toml:3:9
      |
    3 | deps = [':(nonesuch)x']
      |         ^^^^^^^^^^^^^^
    hint: git and qik know `top`, `literal`, `glob`, `icase` and `exclude`
    more: docs/errors.md#conf18
    ");
}

#[test]
fn conf18_an_artifact_outside_of_the_root() {
    let project = Project::new();
    project.toml("[commands.a]\nexec = 'true'\ndeps = ['x']\nartifacts = ['../x']\n").commit();
    assert_snapshot!(golden(&project, &project.qik(["a"]).exits(2)), @r"
    error[conf18]: the artifact pattern `../x` leads out of its folder
     --> qik.toml:4:14
      |
    4 | artifacts = ['../x']
      |              ^^^^^^
    more: docs/errors.md#conf18
    ");
}

#[test]
fn conf19_a_dep_that_matches_nothing() {
    let project = Project::hello(r#"["a.txt", "*.tex"]"#);
    let text = golden(&project, &project.qik(["hello"]).ok());
    let told = text.lines().filter(|line| !line.contains("hello  "));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    warning[conf19]: the dep `*.tex` of hello matches no tracked file
    hint: `git add` what is meant, or mend the pattern
    ");
}
