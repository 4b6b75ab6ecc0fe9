//! What the user reads when a template or a variable is wrong: golden texts, as in `errors`; and
//! that nothing in a configuration is a surprise.

use insta::assert_snapshot;

use crate::errors::{declared, golden};
use crate::support::Project;

#[test]
fn ctx0_an_unknown_profile() {
    let project = Project::new();
    project.toml("[ctx.ci.qik]\nworkers = 2\n");
    assert_snapshot!(golden(&project, &project.qik(["-p", "ic"]).exits(2)), @r"
    error[ctx0]: no profile named `ic`
    hint: did you mean `ci`?
    hint: declare it as `[ctx.ic.qik]` or `[ctx.ic.project]`
    more: docs/errors.md#ctx0
    ");
}

#[test]
fn ctx1_a_value_of_another_type() {
    let project = Project::new();
    project.toml("ctx = [{name = 'jobs', type = 'int'}]\n[commands]\na = 'make -j{ctx.jobs}'\n");
    assert_snapshot!(golden(&project, &project.env("JOBS", "many").qik(["a"]).exits(2)), @r"
    error[ctx1]: the variable `jobs` is `many`, which is not a whole number
     --> qik.toml:3:5
      |
    3 | a = 'make -j{ctx.jobs}'
      |     ^^^^^^^^^^^^^^^^^^^
    because: the environment variable `JOBS` is set to it
    more: docs/errors.md#ctx1
    ");
    assert_snapshot!(golden(&project, &project.env("QIK__WORKERS", "many").qik(["a"]).exits(2)), @r"
    error[ctx1]: `QIK__WORKERS` is `many`, which is not a whole number
    more: docs/errors.md#ctx1
    ");
}

#[test]
fn ctx2_a_value_that_is_missing() {
    let project = Project::new();
    project.toml("ctx = ['token']\n[commands]\na = 'deploy {ctx.token}'\n");
    assert_snapshot!(golden(&project, &project.qik(["a"]).exits(2)), @r"
    error[ctx2]: the variable `token` has no value
     --> qik.toml:3:5
      |
    3 | a = 'deploy {ctx.token}'
      |     ^^^^^^^^^^^^^^^^^^^^
    hint: set the environment variable `TOKEN`, or give the variable a `default`
    more: docs/errors.md#ctx2
    ");
}

#[test]
fn ctx3_an_unknown_variable() {
    assert_snapshot!(declared("ctx = ['token']\n[commands]\na = 'deploy {ctx.tokn}'\n"), @r"
    error[ctx3]: no context variable named `tokn`
     --> qik.toml:3:5
      |
    3 | a = 'deploy {ctx.tokn}'
      |     ^^^^^^^^^^^^^^^^^^^
    hint: did you mean `token`?
    more: docs/errors.md#ctx3
    ");
}

#[test]
fn ctx4_an_unknown_namespace() {
    assert_snapshot!(declared("[commands]\na = 'echo {ctx.proj.x}'\n"), @r"
    error[ctx4]: `{ctx.proj.x}` names nothing: `proj` is no namespace
     --> qik.toml:2:5
      |
    2 | a = 'echo {ctx.proj.x}'
      |     ^^^^^^^^^^^^^^^^^^^
    hint: `{ctx.NAME}` is a variable, `{ctx.qik.NAME}` a setting
    more: docs/errors.md#ctx4
    ");
}

#[test]
fn nothing_in_a_configuration_is_a_surprise() {
    for toml in [
        "commands = 3",
        "commands = []",
        "[commands]\nx = []",
        "[commands.x]",
        "commands.x.exec = ''",
        "ctx = 'x'",
        "ctx = [[]]",
        "ctx = [{}]",
        "base = []",
        "base.deps = 'x'",
        "defaults = 1",
        "defaults.cache-max-size = -1",
        "defaults.cache-max-size = '1 parsec'",
        "spaces = []",
        "spaces.x = 1",
        "spaces.x.modules = 'm'",
        "spaces.x.modules = ['']",
        "spaces.x.modules = ['../m']",
        "spaces.x.modules = ['/m']",
        "spaces.x.venv = {}",
        "spaces.x.venv = []",
        "spaces.x.fence = 1",
        "caches.x = {}",
        "caches.local.type = 's3'",
        "plugins = 1",
        "plugins.x = {}",
        "pydist = 1",
        "commands.x.exec = 'true'\ncommands.x.deps = [{}]",
        "commands.x.exec = 'true'\ncommands.x.deps = [1]",
        "commands.x.exec = 'true'\ncommands.x.deps = [{type = 'load', path = 'x', default = 1}]",
        "commands.x.exec = 'true'\ncommands.x.deps = ['']",
        "commands.'' = 'true'",
        "commands.'a\\nb' = 'true'",
        "commands.\"a\\nb\" = 'true'",
        "commands.'../x' = 'true'",
        "commands.'.' = 'true'",
        "a = 1\na = 2",
        "\u{feff}[commands]\nx = 'true'",
        "x = '''",
        "[[commands]]",
        "x = 2024-01-01",
        "x = nan",
        "=",
        "\0",
        "commands.x = '{module.nonesuch}'",
        "commands.x = '{ctx.}'",
        "commands.x = '{ctx.qik.}'",
    ] {
        let project = Project::new();
        project.file("qik.toml", toml).commit();
        for args in [["--ls"].as_slice(), &[], &["x"], &["--since", "HEAD"]] {
            let output = project.qik(args).no_panic();
            let is_told = output.stderr().contains("error[") || output.code == Some(0);
            assert!(is_told, "{toml}\n{}", output.dump());
        }
    }
}
