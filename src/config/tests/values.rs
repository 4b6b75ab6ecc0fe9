//! Keys and values that are not allowed.

use super::*;

#[test]
fn all_errors_of_a_file_are_shown_at_once_in_its_order() {
    insta::assert_snapshot!(errors(r#"
[commands.lint]
exce = "ruff check"
deps = ["src", {type = "command", name = "lnt"}]
cache-when = "sometimes"

[commands.test]
exec = 3
space = "nowhere"

[nonesuch]
x = 1
"#), @r#"
    error[conf1]: unknown key `exce` in a command
     --> qik.toml:3:1
      |
    3 | exce = "ruff check"
      | ^^^^
    hint: did you mean `exec`?
    more: docs/errors.md#conf1
    error[conf5]: no command named `lnt`
     --> qik.toml:4:42
      |
    4 | deps = ["src", {type = "command", name = "lnt"}]
      |                                          ^^^^^
    hint: did you mean `lint`?
    more: docs/errors.md#conf5
    error[conf1]: `cache-when` cannot be `sometimes`
     --> qik.toml:5:14
      |
    5 | cache-when = "sometimes"
      |              ^^^^^^^^^^^
    hint: its values are `success`, `failed` and `finished`
    more: docs/errors.md#conf1
    error[conf1]: `exec` must be a string, not an integer
     --> qik.toml:8:8
      |
    8 | exec = 3
      |        ^
    more: docs/errors.md#conf1
    error[conf8]: no space named `nowhere`
     --> qik.toml:9:9
      |
    9 | space = "nowhere"
      |         ^^^^^^^^^
    hint: the spaces are `default`
    more: docs/errors.md#conf8
    error[conf1]: unknown key `nonesuch` in a project
      --> qik.toml:11:2
       |
    11 | [nonesuch]
       |  ^^^^^^^^
    hint: the keys of a project are `commands`, `ctx`, `base`, `defaults`, `caches`, `spaces`, `plugins` and `pydist`
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn keys_are_either_kebab_or_snake() {
    insta::assert_snapshot!(errors(r#"
[commands.a]
exec = "true"
cache-when = "failed"
cache_when = "failed"
"#), @r#"
    error[conf1]: `cache-when` is given twice, also as `cache_when`
     --> qik.toml:5:1
      |
    5 | cache_when = "failed"
      | ^^^^^^^^^^
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn types_are_checked() {
    insta::assert_snapshot!(brief(r#"
ctx = [3, {name = "n", type = "float"}, {name = "i", type = "int", default = "abc"}, {type = "int"}]
spaces.a = 3
spaces.b = {modules = "m", fence = "x", dotenv = 1, venv = true}
plugins.p = 1

[commands]
a = 1
b = {exec = ["x"], deps = "x.py", artifacts = [1], tags = {}, hidden = "yes"}

[defaults]
cache-max-size = "ten"
rewrites = 1
"#), @r#"
    conf1 2:8 a variable must be a name or a table, not an integer
    conf1 2:31 the `type` of a variable cannot be `float`; the types are `str`, `int` and `bool`
    conf1 2:78 `default` is `abc`, which is not a whole number
    conf1 2:86 a variable has no `name`
    conf1 3:12 the space `a` must be a table, or the requirements of its `venv`, not an integer
    conf1 4:23 `modules` must be a list, not a string; write `["m"]`
    conf1 4:36 `fence` must be `true` or a list, not a string
    conf1 4:50 `dotenv` must be a string or a list of strings, not an integer
    conf1 4:60 `venv` must be a string, a list or a table, not a boolean
    conf1 5:13 the plugin `p` must be a string or a table, not an integer
    conf1 8:5 the command `a` must be a string or a table, not an integer
    conf1 9:13 `exec` must be a string, not a list
    conf1 9:27 `deps` must be a list, not a string; write `["x.py"]`
    conf1 9:48 an item of `artifacts` must be a string, not an integer
    conf1 9:59 `tags` must be a list, not a table
    conf1 9:72 `hidden` must be `true` or `false`, not a string
    conf1 12:18 `cache-max-size` cannot be `"ten"`; give a number of bytes, or a size like `"10 GiB"` or `"500 MB"`
    conf1 13:12 `rewrites` must be `true` or `false`, not an integer
    "#);
}

#[test]
fn deps_are_checked() {
    insta::assert_snapshot!(brief(r#"
[commands.a]
exec = "true"
deps = [
    {type = "nonesuch", name = "x"},
    {type = "globb", pattern = "x"},
    {name = "x"},
    {type = "glob"},
    {type = "const", val = [1]},
    {type = "command", name = "a", strikt = true},
    {type = "load", path = "x.json", default = [{type = "command", name = "a"}]},
    7,
]
"#), @"
    conf11 5:13 qik has no type of dependency named `nonesuch`; the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    conf11 6:13 qik has no type of dependency named `globb`; did you mean `glob`?; the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    conf11 7:5 a dependency has no `type`; the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    conf1 8:5 a dependency of type `glob` has no `pattern`
    conf1 9:28 `val` must be a single value, not a list
    conf1 10:36 unknown key `strikt` in a dependency of type `command`; did you mean `strict`?
    conf1 11:48 `default` takes patterns and dependencies of type `pydist` alone
    conf1 12:5 a dependency must be a pattern or a table, not an integer
    ");
}

#[test]
fn types_of_caches_and_environments_are_checked() {
    insta::assert_snapshot!(errors(r#"
[caches.remote]
type = "redis"

[caches.untyped]
bucket = "x"

[caches.empty]
type = "s3"

[caches.local]
type = "s3"
bucket = "x"

[spaces.default]
venv = {type = "nonesuch", reqs = "x"}

[spaces.other]
venv = {reqs = "x"}

[commands.a]
exec = "true"
cache = "remote"
"#), @r#"
    error[conf10]: qik has no type of cache named `redis`
     --> qik.toml:3:8
      |
    3 | type = "redis"
      |        ^^^^^^^
    hint: the only type is `s3`
    more: docs/errors.md#conf10
    error[conf10]: a cache has no `type`
     --> qik.toml:5:1
      |
    5 | [caches.untyped]
      | ^^^^^^^^^^^^^^^^
    hint: the only type is `s3`
    more: docs/errors.md#conf10
    error[conf1]: a cache of type `s3` has no `bucket`
     --> qik.toml:8:1
      |
    8 | [caches.empty]
      | ^^^^^^^^^^^^^^
    more: docs/errors.md#conf1
    error[conf17]: a cache cannot be named `local`: that one is built in
      --> qik.toml:11:9
       |
    11 | [caches.local]
       |         ^^^^^
    more: docs/errors.md#conf17
    error[conf12]: qik has no type of virtual environment named `nonesuch`
      --> qik.toml:16:16
       |
    16 | venv = {type = "nonesuch", reqs = "x"}
       |                ^^^^^^^^^^
    hint: the types are `uv`, `active` and `space`
    more: docs/errors.md#conf12
    error[conf12]: a virtual environment has no `type`
      --> qik.toml:19:8
       |
    19 | venv = {reqs = "x"}
       |        ^^^^^^^^^^^^
    hint: the types are `uv`, `active` and `space`
    more: docs/errors.md#conf12
    "#);
}

#[test]
fn plugins_are_the_built_in_ones() {
    insta::assert_snapshot!(errors(r#"
[plugins]
mine = "nonesuch"
graph = {pyimport = "qik.pygraf", cache = "repo"}
bare = {cache = "repo"}
uv = "qik.uv"
uv2 = "qik.uv"

[commands.a]
exec = "true"
deps = [{type = "command", name = "mine.build"}]
"#), @r#"
    error[conf6]: qik has no plugin `nonesuch`
     --> qik.toml:3:8
      |
    3 | mine = "nonesuch"
      |        ^^^^^^^^^^
    hint: the plugins are `qik.pygraph`, `qik.uv` and `qik.s3`
    more: docs/errors.md#conf6
    error[conf6]: qik has no plugin `qik.pygraf`
     --> qik.toml:4:21
      |
    4 | graph = {pyimport = "qik.pygraf", cache = "repo"}
      |                     ^^^^^^^^^^^^
    hint: did you mean `qik.pygraph`?
    hint: the plugins are `qik.pygraph`, `qik.uv` and `qik.s3`
    more: docs/errors.md#conf6
    error[conf1]: the plugin `bare` has no `pyimport`
     --> qik.toml:5:8
      |
    5 | bare = {cache = "repo"}
      |        ^^^^^^^^^^^^^^^^
    more: docs/errors.md#conf1
    error[conf17]: `uv` is the plugin `qik.uv` already
     --> qik.toml:7:1
      |
    7 | uv2 = "qik.uv"
      | ^^^
    more: docs/errors.md#conf17
    "#);
}

#[test]
fn a_command_at_the_top_level_is_recognized() {
    insta::assert_snapshot!(errors("[type-check]\nexec = \"pyright\"\n"), @"
    error[conf1]: unknown key `type-check` in a project
     --> qik.toml:1:2
      |
    1 | [type-check]
      |  ^^^^^^^^^^
    hint: a command is declared as `[commands.type-check]`
    more: docs/errors.md#conf1
    ");
}

#[test]
fn files_of_modules_declare_commands_alone() {
    insta::assert_snapshot!(errors_of(&[
        ("qik.toml", b"[spaces.default]\nmodules = [\"m\", \"n\"]\n[commands]\na = 1\n"),
        ("m/qik.toml", b"[comands]\nb = \"true\"\n[spaces.x]\n[commands]\nc = {exec = 1}\n"),
        ("n/qik.toml", b"[commands\n"),
    ]), @"
    error[conf1]: the command `a` must be a string or a table, not an integer
     --> qik.toml:4:5
      |
    4 | a = 1
      |     ^
    more: docs/errors.md#conf1
    error[conf1]: the file of a module can declare `commands` alone, not `comands`
     --> m/qik.toml:1:2
      |
    1 | [comands]
      |  ^^^^^^^
    hint: did you mean `commands`?
    hint: move `comands` to the `qik.toml` of the project root
    more: docs/errors.md#conf1
    error[conf1]: the file of a module can declare `commands` alone, not `spaces`
     --> m/qik.toml:3:2
      |
    3 | [spaces.x]
      |  ^^^^^^
    hint: move `spaces` to the `qik.toml` of the project root
    more: docs/errors.md#conf1
    error[conf1]: `exec` must be a string, not an integer
     --> m/qik.toml:5:13
      |
    5 | c = {exec = 1}
      |             ^
    more: docs/errors.md#conf1
    error[conf1]: `n/qik.toml` is not valid TOML: unclosed table, expected `]`
     --> n/qik.toml:1:10
      |
    1 | [commands
      |          ^
    more: docs/errors.md#conf1
    ");
}
