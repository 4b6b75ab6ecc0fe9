//! Names that nothing has, that two things have, or that go in circles.

use super::*;

#[test]
fn caches_and_spaces_are_declared_somewhere() {
    insta::assert_snapshot!(errors(r#"
[spaces.web]

[commands.lint]
exec = "true"
cache = "remot"
space = "wep"

[caches.remote]
type = "s3"
bucket = "b"

[defaults]
cache = "x"
"#), @r#"
    error[conf9]: no cache named `remot`
     --> qik.toml:6:9
      |
    6 | cache = "remot"
      |         ^^^^^^^
    hint: did you mean `remote`?
    hint: the caches are `remote`, `local`, `repo` and `none`
    more: docs/errors.md#conf9
    error[conf8]: no space named `wep`
     --> qik.toml:7:9
      |
    7 | space = "wep"
      |         ^^^^^
    hint: did you mean `web`?
    hint: the spaces are `default` and `web`
    more: docs/errors.md#conf8
    error[conf9]: no cache named `x`
      --> qik.toml:14:9
       |
    14 | cache = "x"
       |         ^^^
    hint: the caches are `remote`, `local`, `repo` and `none`
    more: docs/errors.md#conf9
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one text, as the user reads it")]
fn commands_are_declared_somewhere() {
    insta::assert_snapshot!(errors(r#"
[plugins]
pygraph = "qik.pygraph"

[spaces.web]
modules = [{name = "short", path = "some/path"}]

[commands.lint]
exec = "true"
deps = [
    {type = "command", name = "lnt"},
    {type = "command", name = "some/path/lint"},
    {type = "command", name = "pygraph.everything"},
    {type = "command", name = "nonesuch.lock"},
    {type = "command", name = "my.module.deploy"},
    {type = "command", name = "{ctx.later}"},
]
"#), @r#"
    error[conf5]: no command named `lnt`
      --> qik.toml:11:31
       |
    11 |     {type = "command", name = "lnt"},
       |                               ^^^^^
    hint: did you mean `lint`?
    more: docs/errors.md#conf5
    error[conf2]: no module named `some/path`
      --> qik.toml:12:31
       |
    12 |     {type = "command", name = "some/path/lint"},
       |                               ^^^^^^^^^^^^^^^^
    hint: the module in that folder is named `short`
    more: docs/errors.md#conf2
    error[conf5]: no command named `pygraph.everything`
      --> qik.toml:13:31
       |
    13 |     {type = "command", name = "pygraph.everything"},
       |                               ^^^^^^^^^^^^^^^^^^^^
    hint: the commands of `pygraph` are `pygraph.build`, `pygraph.check` and `pygraph.lock`
    more: docs/errors.md#conf5
    error[conf3]: no plugin named `nonesuch`
      --> qik.toml:14:31
       |
    14 |     {type = "command", name = "nonesuch.lock"},
       |                               ^^^^^^^^^^^^^^^
    hint: `qik --ls` lists the commands; plugins are declared in `[plugins]`
    more: docs/errors.md#conf3
    error[conf4]: `my.module` is neither a module nor a plugin
      --> qik.toml:15:31
       |
    15 |     {type = "command", name = "my.module.deploy"},
       |                               ^^^^^^^^^^^^^^^^^^
    hint: `qik --ls` lists the commands
    more: docs/errors.md#conf4
    "#);
    insta::assert_snapshot!(brief(r#"
modules = ["apps/web"]
plugins.uv = "qik.uv"
commands."test.unit" = "true"
commands.a.deps = [
    {type = "command", name = "apps/web/gen"},
    {type = "command", name = "apps/wep/gen"},
    {type = "command", name = "uv.lokc"},
    {type = "command", name = "test.unti"},
    {type = "command", name = "uw.deploy"},
    {type = "command", name = "apps.wep.gen"},
]
"#), @"
    conf5 6:31 no command named `apps/web/gen`; the commands of `apps/web` are in the `qik.toml` of its folder
    conf2 7:31 no module named `apps/wep`; did you mean `apps/web`?
    conf5 8:31 no command named `uv.lokc`; did you mean `uv.lock`?
    conf5 9:31 no command named `test.unti`; did you mean `test.unit`?
    conf3 10:31 no plugin named `uw`; did you mean `uv`?
    conf4 11:31 `apps.wep` is neither a module nor a plugin; did you mean `apps/web`?
    ");
}

#[test]
fn plugins_that_are_needed_are_named() {
    insta::assert_snapshot!(errors(r#"
[spaces.default]
venv = {type = "uv", reqs = "reqs.in"}

[commands.a]
exec = "true"
deps = [{type = "pygraph", pyimport = "app"}]
"#), @r#"
    error[conf12]: a `venv` of type `uv` needs the plugin `qik.uv`
     --> qik.toml:3:29
      |
    3 | venv = {type = "uv", reqs = "reqs.in"}
      |                             ^^^^^^^^^
    hint: add `uv = "qik.uv"` to `[plugins]`
    more: docs/errors.md#conf12
    error[conf11]: a dependency of type `pygraph` needs the plugin `qik.pygraph`
     --> qik.toml:7:39
      |
    7 | deps = [{type = "pygraph", pyimport = "app"}]
      |                                       ^^^^^
    hint: add `pygraph = "qik.pygraph"` to `[plugins]`
    more: docs/errors.md#conf11
    "#);
}

#[test]
fn circles_are_shown_as_paths() {
    insta::assert_snapshot!(errors(r#"
[plugins]
uv = "qik.uv"

[spaces.a]
venv = {type = "space", name = "b"}
fence = ["x", {type = "space", name = "c"}]

[spaces.b]
venv = {type = "space", name = "c"}

[spaces.c]
venv = {type = "space", name = "a"}
fence = [{type = "space", name = "a"}]

[spaces.d]
venv = {type = "uv", reqs = "x", constraint = {type = "space", name = "e"}}

[spaces.e]
venv = {type = "uv", reqs = "x", constraint = {type = "space", name = "d"}}
"#), @r#"
    error[conf13]: spaces have each other's virtual environments: a -> b -> c -> a
      --> qik.toml:13:32
       |
    13 | venv = {type = "space", name = "a"}
       |                                ^^^
    hint: let one of them have its own
    more: docs/errors.md#conf13
    error[conf15]: spaces have each other's fences: a -> c -> a
      --> qik.toml:14:34
       |
    14 | fence = [{type = "space", name = "a"}]
       |                                  ^^^
    hint: let one of them have its own
    more: docs/errors.md#conf15
    error[conf14]: spaces have each other's constraints: d -> e -> d
      --> qik.toml:20:71
       |
    20 | venv = {type = "uv", reqs = "x", constraint = {type = "space", name = "d"}}
       |                                                                       ^^^
    hint: let one of them have its own
    more: docs/errors.md#conf14
    "#);
}

#[test]
fn an_environment_can_be_circular_by_default() {
    insta::assert_snapshot!(errors("defaults.venv = {type = \"space\", name = \"default\"}\n"), @r#"
    error[conf13]: spaces have each other's virtual environments: default -> default
     --> qik.toml:1:41
      |
    1 | defaults.venv = {type = "space", name = "default"}
      |                                         ^^^^^^^^^
    hint: let one of them have its own
    more: docs/errors.md#conf13
    "#);
}

#[test]
fn a_space_may_stand_in_its_own_fence() {
    loaded("spaces.default.fence = [\"x\", {type = \"space\", name = \"default\"}]");
}

#[test]
fn a_module_is_named_only_where_there_is_one() {
    insta::assert_snapshot!(errors(r#"
base.deps = ["{module.dir}/x"]

[spaces.default]
modules = ["a", "{ctx.which}"]
root = "{module.dir}"

[commands.one]
exec = "echo"
deps = ["{module.dir}/**.py"]
artifacts = ["{module.name}.xml"]

[commands.each]
exec = "echo {module.name}"
deps = ["{module.dir}/**.py"]
"#), @r#"
    error[conf16]: `{module.dir}/x` names a module where there is none
     --> qik.toml:2:14
      |
    2 | base.deps = ["{module.dir}/x"]
      |              ^^^^^^^^^^^^^^^^
    hint: only commands have a module
    more: docs/errors.md#conf16
    error[conf16]: `{ctx.which}` is a template, which a module cannot be
     --> qik.toml:5:17
      |
    5 | modules = ["a", "{ctx.which}"]
      |                 ^^^^^^^^^^^^^
    hint: write the name or the path of the module out
    more: docs/errors.md#conf16
    error[conf16]: `{module.dir}` names a module where there is none
     --> qik.toml:6:8
      |
    6 | root = "{module.dir}"
      |        ^^^^^^^^^^^^^^
    hint: only commands have a module
    more: docs/errors.md#conf16
    error[conf16]: `{module.dir}/**.py` names a module where there is none
      --> qik.toml:10:9
       |
    10 | deps = ["{module.dir}/**.py"]
       |         ^^^^^^^^^^^^^^^^^^^^
    hint: name the module in `exec` too, to run the command for each module
    more: docs/errors.md#conf16
    error[conf16]: `{module.name}.xml` names a module where there is none
      --> qik.toml:11:14
       |
    11 | artifacts = ["{module.name}.xml"]
       |              ^^^^^^^^^^^^^^^^^^^
    hint: name the module in `exec` too, to run the command for each module
    more: docs/errors.md#conf16
    "#);
}

#[test]
fn names_are_checked() {
    insta::assert_snapshot!(brief(r#"
ctx = ["a", "b.c", "a"]

[spaces.default]
modules = ["a", "b#c", {name = "a", path = "x"}, {name = "z", path = "./a/"}, "/abs", ""]

[spaces."a/../b"]
[spaces."x@y"]

[commands]
"a#b" = "true"
"a@b" = "true"
"a?b" = "true"
"" = "true"
".." = "true"
"a//b" = "true"
"a\u0000b" = "true"
"#), @r"
    conf17 2:13 the name of the variable `b.c` has a `.`; leave the `.` out
    conf17 2:20 the variable `a` is declared twice
    conf17 5:17 the name of the module `b#c` has a `#`; leave the `#` out
    conf17 5:32 the module `a` is declared twice
    conf17 5:70 the folder `a` is the module `a` already
    conf17 5:79 `/abs` cannot be the path of a module; give a folder relative to the project root
    conf17 5:87 a module has an empty name
    conf17 7:9 the name of the space `a/../b` cannot have the part `..`
    conf17 8:9 the name of the space `x@y` has a `@`; leave the `@` out
    conf17 11:1 the name of the command `a#b` has a `#`; leave the `#` out
    conf17 12:1 the name of the command `a@b` has a `@`; leave the `@` out
    conf17 13:1 the name of the command `a?b` has a `?`; leave the `?` out
    conf17 14:1 a command has an empty name
    conf17 15:1 the name of the command `..` cannot have the part `..`
    conf17 16:1 the name of the command `a//b` has nothing on one side of a slash
    conf17 17:1 the name of the command `a\0b` has a control character
    ");
}

#[test]
fn a_command_is_declared_once() {
    insta::assert_snapshot!(errors_of(&[
        ("qik.toml", br#"
[command.a]
exec = "true"

[commands.a]
exec = "false"

[commands."m/b"]
exec = "true"

[spaces.default]
modules = ["m"]
"#),
        ("m/qik.toml", b"[commands]\nb = \"true\"\n"),
    ]), @r#"
    error[conf17]: the command `a` is declared twice
     --> qik.toml:2:10
      |
    2 | [command.a]
      |          ^
    hint: `[command.…]` and `[commands.…]` mean the same
    more: docs/errors.md#conf17
    error[conf17]: the command `m/b` is declared twice
     --> m/qik.toml:2:1
      |
    2 | b = "true"
      | ^
    because: also in `qik.toml`
    more: docs/errors.md#conf17
    "#);
}

#[test]
fn profiles_are_checked() {
    insta::assert_snapshot!(errors(r#"
vars = ["user", {name = "num", type = "int"}]

[ctx.ci.project]
usr = "x"
num = "seven"

[ctx.ci.modules]
x = 1
"#), @r#"
    error[ctx3]: no context variable named `usr`
     --> qik.toml:5:7
      |
    5 | usr = "x"
      |       ^^^
    hint: did you mean `user`?
    hint: the variables are `user` and `num`
    more: docs/errors.md#ctx3
    error[conf1]: `num` is `seven`, which is not a whole number
     --> qik.toml:6:7
      |
    6 | num = "seven"
      |       ^^^^^^^
    more: docs/errors.md#conf1
    error[ctx4]: the profile `ci` has values of `modules`, which is no namespace
     --> qik.toml:8:9
      |
    8 | [ctx.ci.modules]
      |         ^^^^^^^
    hint: the namespaces are `project` and `qik`
    more: docs/errors.md#ctx4
    "#);
}
