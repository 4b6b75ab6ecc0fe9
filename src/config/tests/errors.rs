//! What the user reads of each error.

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
fn syntax_errors_have_a_place() {
    insta::assert_snapshot!(errors("[commands\nlint = \"ruff\"\n\n[commands.test]\nexec = ruff\n"), @"
    error[conf1]: `qik.toml` is not valid TOML: unclosed table, expected `]`
     --> qik.toml:1:10
      |
    1 | [commands
      |          ^
    more: docs/errors.md#conf1
    error[conf1]: `qik.toml` is not valid TOML: string values must be quoted, expected literal string
     --> qik.toml:5:8
      |
    5 | exec = ruff
      |        ^^^^
    more: docs/errors.md#conf1
    ");
}

#[test]
fn a_syntax_error_hides_what_it_tore_off_but_no_other_error() {
    insta::assert_snapshot!(errors(r#"
[commands.lint
exec = "ruff"

[commands.test]
exce = "pytest"
deps = [{type = "command", name = "lint"}]
"#), @r#"
    error[conf1]: `qik.toml` is not valid TOML: unclosed table, expected `]`
     --> qik.toml:2:15
      |
    2 | [commands.lint
      |               ^
    more: docs/errors.md#conf1
    error[conf1]: unknown key `exce` in a command
     --> qik.toml:6:1
      |
    6 | exce = "pytest"
      | ^^^^
    hint: did you mean `exec`?
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn what_is_not_closed_is_shown_where_it_opens() {
    insta::assert_snapshot!(errors("[commands.a]\ndeps = [\"{[\", # [\n  {type = 'glob'\n]\nexec = 1\n"), @"
    error[conf1]: `qik.toml` is not valid TOML: unclosed inline table, expected `}`
     --> qik.toml:3:3
      |
    3 |   {type = 'glob'
      |   ^
    more: docs/errors.md#conf1
    ");
    insta::assert_snapshot!(errors("[commands.a]\ndeps = [\"x\",\nexec = \"x\"\n\n[commands.b]\n"), @r#"
    error[conf1]: `qik.toml` is not valid TOML: unclosed array, expected `]`
     --> qik.toml:2:8
      |
    2 | deps = ["x",
      |        ^
    more: docs/errors.md#conf1
    "#);
    insta::assert_snapshot!(errors("a = \"\"\"\nx"), @r#"
    error[conf1]: unknown key `a` in a project
     --> qik.toml:1:1
      |
    1 | a = """
      | ^
    hint: the keys of a project are `commands`, `ctx`, `base`, `defaults`, `caches`, `spaces`, `plugins` and `pydist`
    more: docs/errors.md#conf1
    error[conf1]: `qik.toml` is not valid TOML: invalid multi-line basic string, expected `"`
     --> qik.toml:2:2
      |
    2 | x
      |  ^
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    insta::assert_snapshot!(errors_of(&[("qik.toml", b"[commands]\na = \"x\xff\"\n")]), @r#"
    error[conf1]: `qik.toml` is not valid UTF-8
     --> qik.toml:2:7
      |
    2 | a = "x�"
      |       ^
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn a_file_can_be_too_large() {
    let bytes = vec![b'\n'; (16 << 20) + 1];
    insta::assert_snapshot!(errors_of(&[("qik.toml", &bytes)]), @"
    error[conf1]: `qik.toml` is larger than 16 MiB
    more: docs/errors.md#conf1
    ");
}

#[test]
fn a_file_can_be_gone() {
    insta::assert_snapshot!(errors_of(&[]), @"
    error[conf0]: there is no `qik.toml`
    more: docs/errors.md#conf0
    ");
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
    insta::assert_snapshot!(errors(r#"
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
    error[conf1]: a variable must be a name or a table, not an integer
     --> qik.toml:2:8
      |
    2 | ctx = [3, {name = "n", type = "float"}, {name = "i", type = "int", default = "abc"}, {type = "int"}]
      |        ^
    more: docs/errors.md#conf1
    error[conf1]: the `type` of a variable cannot be `float`
     --> qik.toml:2:31
      |
    2 | ctx = [3, {name = "n", type = "float"}, {name = "i", type = "int", default = "abc"}, {type = "int"}]
      |                               ^^^^^^^
    hint: the types are `str`, `int` and `bool`
    more: docs/errors.md#conf1
    error[conf1]: `default` is `abc`, which is not a whole number
     --> qik.toml:2:78
      |
    2 | ctx = [3, {name = "n", type = "float"}, {name = "i", type = "int", default = "abc"}, {type = "int"}]
      |                                                                              ^^^^^
    more: docs/errors.md#conf1
    error[conf1]: a variable has no `name`
     --> qik.toml:2:86
      |
    2 | ctx = [3, {name = "n", type = "float"}, {name = "i", type = "int", default = "abc"}, {type = "int"}]
      |                                                                                      ^^^^^^^^^^^^^^
    more: docs/errors.md#conf1
    error[conf1]: the space `a` must be a table, or the requirements of its `venv`, not an integer
     --> qik.toml:3:12
      |
    3 | spaces.a = 3
      |            ^
    more: docs/errors.md#conf1
    error[conf1]: `modules` must be a list, not a string
     --> qik.toml:4:23
      |
    4 | spaces.b = {modules = "m", fence = "x", dotenv = 1, venv = true}
      |                       ^^^
    hint: write `["m"]`
    more: docs/errors.md#conf1
    error[conf1]: `fence` must be `true` or a list, not a string
     --> qik.toml:4:36
      |
    4 | spaces.b = {modules = "m", fence = "x", dotenv = 1, venv = true}
      |                                    ^^^
    more: docs/errors.md#conf1
    error[conf1]: `dotenv` must be a string or a list of strings, not an integer
     --> qik.toml:4:50
      |
    4 | spaces.b = {modules = "m", fence = "x", dotenv = 1, venv = true}
      |                                                  ^
    more: docs/errors.md#conf1
    error[conf1]: `venv` must be a string, a list or a table, not a boolean
     --> qik.toml:4:60
      |
    4 | spaces.b = {modules = "m", fence = "x", dotenv = 1, venv = true}
      |                                                            ^^^^
    more: docs/errors.md#conf1
    error[conf1]: the plugin `p` must be a string or a table, not an integer
     --> qik.toml:5:13
      |
    5 | plugins.p = 1
      |             ^
    more: docs/errors.md#conf1
    error[conf1]: the command `a` must be a string or a table, not an integer
     --> qik.toml:8:5
      |
    8 | a = 1
      |     ^
    more: docs/errors.md#conf1
    error[conf1]: `exec` must be a string, not a list
     --> qik.toml:9:13
      |
    9 | b = {exec = ["x"], deps = "x.py", artifacts = [1], tags = {}, hidden = "yes"}
      |             ^^^^^
    more: docs/errors.md#conf1
    error[conf1]: `deps` must be a list, not a string
     --> qik.toml:9:27
      |
    9 | b = {exec = ["x"], deps = "x.py", artifacts = [1], tags = {}, hidden = "yes"}
      |                           ^^^^^^
    hint: write `["x.py"]`
    more: docs/errors.md#conf1
    error[conf1]: an item of `artifacts` must be a string, not an integer
     --> qik.toml:9:48
      |
    9 | b = {exec = ["x"], deps = "x.py", artifacts = [1], tags = {}, hidden = "yes"}
      |                                                ^
    more: docs/errors.md#conf1
    error[conf1]: `tags` must be a list, not a table
     --> qik.toml:9:59
      |
    9 | b = {exec = ["x"], deps = "x.py", artifacts = [1], tags = {}, hidden = "yes"}
      |                                                           ^^
    more: docs/errors.md#conf1
    error[conf1]: `hidden` must be `true` or `false`, not a string
     --> qik.toml:9:72
      |
    9 | b = {exec = ["x"], deps = "x.py", artifacts = [1], tags = {}, hidden = "yes"}
      |                                                                        ^^^^^
    more: docs/errors.md#conf1
    error[conf1]: `cache-max-size` cannot be `"ten"`
      --> qik.toml:12:18
       |
    12 | cache-max-size = "ten"
       |                  ^^^^^
    hint: give a number of bytes, or a size like `"10 GiB"` or `"500 MB"`
    more: docs/errors.md#conf1
    error[conf1]: `rewrites` must be `true` or `false`, not an integer
      --> qik.toml:13:12
       |
    13 | rewrites = 1
       |            ^
    more: docs/errors.md#conf1
    "#);
}

#[test]
fn deps_are_checked() {
    insta::assert_snapshot!(errors(r#"
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
"#), @r#"
    error[conf11]: qik has no type of dependency named `nonesuch`
     --> qik.toml:5:13
      |
    5 |     {type = "nonesuch", name = "x"},
      |             ^^^^^^^^^^
    hint: the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    more: docs/errors.md#conf11
    error[conf11]: qik has no type of dependency named `globb`
     --> qik.toml:6:13
      |
    6 |     {type = "globb", pattern = "x"},
      |             ^^^^^^^
    hint: did you mean `glob`?
    hint: the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    more: docs/errors.md#conf11
    error[conf11]: a dependency has no `type`
     --> qik.toml:7:5
      |
    7 |     {name = "x"},
      |     ^^^^^^^^^^^^
    hint: the types are `glob`, `const`, `command`, `pydist`, `pygraph` and `load`
    more: docs/errors.md#conf11
    error[conf1]: a dependency of type `glob` has no `pattern`
     --> qik.toml:8:5
      |
    8 |     {type = "glob"},
      |     ^^^^^^^^^^^^^^^
    more: docs/errors.md#conf1
    error[conf1]: `val` must be a single value, not a list
     --> qik.toml:9:28
      |
    9 |     {type = "const", val = [1]},
      |                            ^^^
    more: docs/errors.md#conf1
    error[conf1]: unknown key `strikt` in a dependency of type `command`
      --> qik.toml:10:36
       |
    10 |     {type = "command", name = "a", strikt = true},
       |                                    ^^^^^^
    hint: did you mean `strict`?
    more: docs/errors.md#conf1
    error[conf1]: `default` takes patterns and dependencies of type `pydist` alone
      --> qik.toml:11:48
       |
    11 |     {type = "load", path = "x.json", default = [{type = "command", name = "a"}]},
       |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    more: docs/errors.md#conf1
    error[conf1]: a dependency must be a pattern or a table, not an integer
      --> qik.toml:12:5
       |
    12 |     7,
       |     ^
    more: docs/errors.md#conf1
    "#);
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
fn names_that_nothing_has_are_shown_with_the_nearest() {
    insta::assert_snapshot!(errors(r#"
[plugins]
pygraph = "qik.pygraph"

[spaces.web]
modules = [{name = "short", path = "some/path"}]

[commands.lint]
exec = "true"
cache = "remot"
space = "wep"
deps = [
    {type = "command", name = "lnt"},
    {type = "command", name = "some/path/lint"},
    {type = "command", name = "short/gen"},
    {type = "command", name = "pygraph.chek"},
    {type = "command", name = "pygraph.everything"},
    {type = "command", name = "nonesuch.lock"},
    {type = "command", name = "my.module.deploy"},
    {type = "command", name = "{ctx.later}"},
]

[caches.remote]
type = "s3"
bucket = "b"

[defaults]
cache = "x"
"#), @r#"
    error[conf9]: no cache named `remot`
      --> qik.toml:10:9
       |
    10 | cache = "remot"
       |         ^^^^^^^
    hint: did you mean `remote`?
    hint: the caches are `remote`, `local`, `repo` and `none`
    more: docs/errors.md#conf9
    error[conf8]: no space named `wep`
      --> qik.toml:11:9
       |
    11 | space = "wep"
       |         ^^^^^
    hint: did you mean `web`?
    hint: the spaces are `default` and `web`
    more: docs/errors.md#conf8
    error[conf5]: no command named `lnt`
      --> qik.toml:13:31
       |
    13 |     {type = "command", name = "lnt"},
       |                               ^^^^^
    hint: did you mean `lint`?
    more: docs/errors.md#conf5
    error[conf2]: no module named `some/path`
      --> qik.toml:14:31
       |
    14 |     {type = "command", name = "some/path/lint"},
       |                               ^^^^^^^^^^^^^^^^
    hint: the module in that folder is named `short`
    more: docs/errors.md#conf2
    error[conf5]: no command named `short/gen`
      --> qik.toml:15:31
       |
    15 |     {type = "command", name = "short/gen"},
       |                               ^^^^^^^^^^^
    hint: the commands of `short` are in the `qik.toml` of its folder
    more: docs/errors.md#conf5
    error[conf5]: no command named `pygraph.chek`
      --> qik.toml:16:31
       |
    16 |     {type = "command", name = "pygraph.chek"},
       |                               ^^^^^^^^^^^^^^
    hint: did you mean `pygraph.check`?
    more: docs/errors.md#conf5
    error[conf5]: no command named `pygraph.everything`
      --> qik.toml:17:31
       |
    17 |     {type = "command", name = "pygraph.everything"},
       |                               ^^^^^^^^^^^^^^^^^^^^
    hint: the commands of `pygraph` are `pygraph.build`, `pygraph.check` and `pygraph.lock`
    more: docs/errors.md#conf5
    error[conf3]: no plugin named `nonesuch`
      --> qik.toml:18:31
       |
    18 |     {type = "command", name = "nonesuch.lock"},
       |                               ^^^^^^^^^^^^^^^
    more: docs/errors.md#conf3
    error[conf4]: `my.module` is neither a module nor a plugin
      --> qik.toml:19:31
       |
    19 |     {type = "command", name = "my.module.deploy"},
       |                               ^^^^^^^^^^^^^^^^^^
    more: docs/errors.md#conf4
    error[conf9]: no cache named `x`
      --> qik.toml:28:9
       |
    28 | cache = "x"
       |         ^^^
    hint: the caches are `remote`, `local`, `repo` and `none`
    more: docs/errors.md#conf9
    "#);
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
    hint: add it: `[plugins]` `uv = "qik.uv"`
    more: docs/errors.md#conf12
    error[conf11]: a dependency of type `pygraph` needs the plugin `qik.pygraph`
     --> qik.toml:7:39
      |
    7 | deps = [{type = "pygraph", pyimport = "app"}]
      |                                       ^^^^^
    hint: add it: `[plugins]` `pygraph = "qik.pygraph"`
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
    more: docs/errors.md#conf13
    error[conf15]: spaces have each other's fences: a -> c -> a
      --> qik.toml:14:34
       |
    14 | fence = [{type = "space", name = "a"}]
       |                                  ^^^
    more: docs/errors.md#conf15
    error[conf14]: spaces have each other's constraints: d -> e -> d
      --> qik.toml:20:71
       |
    20 | venv = {type = "uv", reqs = "x", constraint = {type = "space", name = "d"}}
       |                                                                       ^^^
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
    insta::assert_snapshot!(errors(r##"
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
"##), @r#"
    error[conf17]: the name of the variable `b.c` has a `.`
     --> qik.toml:2:13
      |
    2 | ctx = ["a", "b.c", "a"]
      |             ^^^^^
    hint: leave the `.` out
    more: docs/errors.md#conf17
    error[conf17]: the variable `a` is declared twice
     --> qik.toml:2:20
      |
    2 | ctx = ["a", "b.c", "a"]
      |                    ^^^
    more: docs/errors.md#conf17
    error[conf17]: the name of the module `b#c` has a `#`
     --> qik.toml:5:17
      |
    5 | modules = ["a", "b#c", {name = "a", path = "x"}, {name = "z", path = "./a/"}, "/abs", ""]
      |                 ^^^^^
    hint: leave the `#` out
    more: docs/errors.md#conf17
    error[conf17]: the module `a` is declared twice
     --> qik.toml:5:32
      |
    5 | modules = ["a", "b#c", {name = "a", path = "x"}, {name = "z", path = "./a/"}, "/abs", ""]
      |                                ^^^
    more: docs/errors.md#conf17
    error[conf17]: the folder `a` is the module `a` already
     --> qik.toml:5:70
      |
    5 | modules = ["a", "b#c", {name = "a", path = "x"}, {name = "z", path = "./a/"}, "/abs", ""]
      |                                                                      ^^^^^^
    more: docs/errors.md#conf17
    error[conf17]: `/abs` cannot be the path of a module
     --> qik.toml:5:79
      |
    5 | modules = ["a", "b#c", {name = "a", path = "x"}, {name = "z", path = "./a/"}, "/abs", ""]
      |                                                                               ^^^^^^
    hint: give a folder relative to the project root
    more: docs/errors.md#conf17
    error[conf17]: a module has an empty name
     --> qik.toml:5:87
      |
    5 | modules = ["a", "b#c", {name = "a", path = "x"}, {name = "z", path = "./a/"}, "/abs", ""]
      |                                                                                       ^^
    more: docs/errors.md#conf17
    error[conf17]: the name of the space `a/../b` cannot have the part `..`
     --> qik.toml:7:9
      |
    7 | [spaces."a/../b"]
      |         ^^^^^^^^
    more: docs/errors.md#conf17
    error[conf17]: the name of the space `x@y` has a `@`
     --> qik.toml:8:9
      |
    8 | [spaces."x@y"]
      |         ^^^^^
    hint: leave the `@` out
    more: docs/errors.md#conf17
    error[conf17]: the name of the command `a#b` has a `#`
      --> qik.toml:11:1
       |
    11 | "a#b" = "true"
       | ^^^^^
    hint: leave the `#` out
    more: docs/errors.md#conf17
    error[conf17]: the name of the command `a@b` has a `@`
      --> qik.toml:12:1
       |
    12 | "a@b" = "true"
       | ^^^^^
    hint: leave the `@` out
    more: docs/errors.md#conf17
    error[conf17]: the name of the command `a?b` has a `?`
      --> qik.toml:13:1
       |
    13 | "a?b" = "true"
       | ^^^^^
    hint: leave the `?` out
    more: docs/errors.md#conf17
    error[conf17]: a command has an empty name
      --> qik.toml:14:1
       |
    14 | "" = "true"
       | ^^
    more: docs/errors.md#conf17
    error[conf17]: the name of the command `..` cannot have the part `..`
      --> qik.toml:15:1
       |
    15 | ".." = "true"
       | ^^^^
    more: docs/errors.md#conf17
    error[conf17]: the name of the command `a//b` has nothing on one side of a slash
      --> qik.toml:16:1
       |
    16 | "a//b" = "true"
       | ^^^^^^
    more: docs/errors.md#conf17
    error[conf17]: the name of the command `a\0b` has a control character
      --> qik.toml:17:1
       |
    17 | "a\u0000b" = "true"
       | ^^^^^^^^^^
    more: docs/errors.md#conf17
    "#);
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

#[test]
fn deep_nesting_is_refused() {
    let arrays = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let keys = format!("{}a = 1", "a.".repeat(100_000));
    let tables = format!("[{}a]\n", "a.".repeat(100_000));
    for text in [arrays, keys, tables] {
        let error = load_files(&[("qik.toml", text.as_bytes())]).map(|_| ());
        assert!(error.is_err());
    }
}
