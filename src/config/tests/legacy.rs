//! 0.1's spellings mean what they meant.

use super::*;

fn texts(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.value.as_str()).collect()
}

fn space_modules<'d>(declarations: &'d Declarations, space: &str) -> Vec<(&'d str, &'d str)> {
    let modules = declarations.spaces[space].modules.iter();
    modules.map(|m| (m.name.value.as_str(), m.path.value.as_str())).collect()
}

#[test]
fn vars_are_ctx() {
    let declarations = loaded(r#"vars = ["a", {name = "b", type = "bool", default = false}]"#);
    let names: Vec<_> = declarations.vars.iter().map(|var| var.name.value.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn tables_in_ctx_are_profiles() {
    let declarations = loaded(
        r#"
vars = ["my_var"]

[ctx.default.project]
my-var = "x"

[ctx.ci.qik]
workers = 1
commands = ["a", "b"]
"#,
    );
    assert_eq!(declarations.profiles["ci"]["qik"]["workers"].value, Value::Int(1));
    assert_eq!(declarations.profiles["default"]["project"]["my-var"].value.rendered(), "x");
    assert_eq!(declarations.var("my-var").map(|var| var.name.value.as_str()), Some("my_var"));
}

#[test]
fn modules_at_the_top_are_the_default_space_s() {
    let declarations = loaded(
        r#"
modules = ["a.b", "c/d.e", "f", {name = "g", path = "h.i"}]
spaces.default = "reqs.txt"
"#,
    );
    assert_eq!(
        space_modules(&declarations, "default"),
        [("a.b", "a/b"), ("c/d.e", "c/d.e"), ("f", "f"), ("g", "h/i")]
    );
    assert!(
        matches!(&declarations.spaces["default"].venv, Some(Venv::Reqs(reqs)) if texts(reqs) == ["reqs.txt"])
    );
}

#[test]
fn modules_of_a_space_keep_their_dots() {
    let declarations = loaded("spaces.web.modules = [\"libs/chart.js\", \"a.b\"]");
    assert_eq!(
        space_modules(&declarations, "web"),
        [("libs/chart.js", "libs/chart.js"), ("a.b", "a.b")]
    );
}

#[test]
fn deps_at_the_top_are_base_deps() {
    let declarations =
        loaded("deps = [\"b\", {type = \"dist\", name = \"x\"}]\nbase.deps = [\"a\"]\n");
    assert!(matches!(
        &declarations.base_deps[..],
        [Dep::Glob(a), Dep::Glob(b), Dep::Pydist(_)] if a.value == "a" && b.value == "b"
    ));
}

#[test]
fn plugins_can_be_a_list() {
    let declarations = loaded(r#"plugins = ["qik.graph"]"#);
    assert!(matches!(declarations.plugins["qik.graph"].kind, PluginKind::Pygraph(_)));
    let declarations = loaded(r#"plugins = [{name = "graph", path = "qik.graph"}]"#);
    assert!(matches!(declarations.plugins["graph"].kind, PluginKind::Pygraph(_)));
    assert!(declarations.resolve_command("graph.build").is_ok());
}

#[test]
fn graph_is_the_options_of_the_plugin() {
    let declarations = loaded(
        r#"
plugins = ["qik.graph"]

[graph]
ignore_type_checking = true
ignore-dists = true
ignore-missing-module-dists = true

[graph.module-dists]
yaml = "pyyaml"
"#,
    );
    let PluginKind::Pygraph(options) = &declarations.plugins["qik.graph"].kind else {
        panic!("{declarations:?}");
    };
    assert!(options.ignores_type_checking && options.ignores_pydists);
    assert!(declarations.pydist.ignores_missing_modules);
    assert_eq!(declarations.pydist.modules["yaml"].value, "pyyaml");
    assert_eq!(declarations.plugins.len(), 1);
}

#[test]
fn lock_files_are_the_space_s() {
    let declarations = loaded("[venvs.default]\nlock-file = \"requirements.txt\"\n");
    let Some(Venv::Active { reqs, lock: Some(lock) }) = &declarations.spaces["default"].venv else {
        panic!("{declarations:?}");
    };
    assert!(reqs.is_empty());
    assert_eq!(lock.value, "requirements.txt");
    let declarations = loaded("[venvs.default]\nlock_file = [\"a.txt\", \"b.txt\"]\n");
    assert!(matches!(
        &declarations.spaces["default"].venv,
        Some(Venv::Active { reqs, lock: None }) if texts(reqs) == ["a.txt", "b.txt"]
    ));
}

#[test]
fn distributions_had_keys_of_their_own() {
    let declarations = loaded("ignore-missing-dists = true\n[dist-versions]\na = \"1\"\n");
    assert!(declarations.pydist.ignores_missing);
    assert_eq!(declarations.pydist.versions["a"].value, "1");
    let declarations = loaded("[pydist-versions]\na = \"1\"\n[pydist]\nignore_missing = true\n");
    assert!(declarations.pydist.ignores_missing);
    assert_eq!(declarations.pydist.versions["a"].value, "1");
}

#[test]
fn command_is_commands() {
    let declarations =
        loaded("[command.a]\nexec = \"x\"\ncache_when = \"always\"\n[commands]\nb = \"y\"\n");
    assert_eq!(declarations.commands["a"].exec.value, "x");
    assert_eq!(declarations.commands["a"].cache_when, Some(CacheWhen::Finished));
    assert_eq!(declarations.commands["b"].exec.value, "y");
}

#[test]
fn commands_of_modules_are_found_by_dots_too() {
    let files: &[(&str, &[u8])] = &[
        ("qik.toml", b"modules = [\"my.mod\"]\n[commands.a]\nexec = \"x\"\ndeps = [{type = \"command\", name = \"my.mod.gen\"}]\n"),
        ("my/mod/qik.toml", b"[commands]\ngen = \"y\"\n"),
    ];
    let project = load_files(files).expect("it loads");
    let resolved = project.declarations.resolve_command("my.mod.gen");
    assert_eq!(resolved.as_deref(), Ok("my.mod/gen"));
    assert_eq!(project.files, ["qik.toml", "my/mod/qik.toml"]);
}

#[test]
fn a_pyproject_has_it_all_under_tool_qik() {
    let text = b"[project]\nname = \"x\"\n[tool.qik]\nvars = [\"a\"]\n[tool.qik.commands.lint]\nexec = \"ruff\"\n";
    let project = load_files(&[("pyproject.toml", text)]).expect("it loads");
    assert!(project.declarations.commands.contains_key("lint"));
    assert_eq!(project.file_name(), "pyproject.toml");
}

#[test]
fn what_is_lowered_keeps_its_place() {
    insta::assert_snapshot!(errors(
        "modules = [\"a#b\", 3]\ndeps = [{type = \"dist\"}]\nplugins = [\"qik.grap\", 4]\nvenvs = 1\ngraph = 2\n[dist-versions]\nx = 1\n"
    ), @r#"
    error[conf17]: the name of the module `a#b` has a `#`
     --> qik.toml:1:12
      |
    1 | modules = ["a#b", 3]
      |            ^^^^^
    hint: leave the `#` out
    more: docs/errors.md#conf17
    error[conf1]: a module must be a path or a table of `name` and `path`, not an integer
     --> qik.toml:1:19
      |
    1 | modules = ["a#b", 3]
      |                   ^
    more: docs/errors.md#conf1
    error[conf1]: a dependency of type `pydist` has no `name`
     --> qik.toml:2:9
      |
    2 | deps = [{type = "dist"}]
      |         ^^^^^^^^^^^^^^^
    more: docs/errors.md#conf1
    error[conf6]: qik has no plugin `qik.grap`
     --> qik.toml:3:12
      |
    3 | plugins = ["qik.grap", 4]
      |            ^^^^^^^^^^
    hint: the plugins are `qik.pygraph`, `qik.uv` and `qik.s3`
    more: docs/errors.md#conf6
    error[conf1]: a plugin must be a string or a table of `name` and `path`, not an integer
     --> qik.toml:3:24
      |
    3 | plugins = ["qik.grap", 4]
      |                        ^
    more: docs/errors.md#conf1
    error[conf1]: `venvs` must be a table, not an integer
     --> qik.toml:4:9
      |
    4 | venvs = 1
      |         ^
    more: docs/errors.md#conf1
    error[conf1]: `graph` must be a table, not an integer
     --> qik.toml:5:9
      |
    5 | graph = 2
      |         ^
    more: docs/errors.md#conf1
    error[conf1]: `x` must be a string, not an integer
     --> qik.toml:7:5
      |
    7 | x = 1
      |     ^
    more: docs/errors.md#conf1
    "#);
}
