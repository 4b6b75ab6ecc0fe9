//! Every shape that a value can have.

use super::*;

fn texts(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.value.as_str()).collect()
}

#[track_caller]
fn venv(written: &str) -> Venv {
    let text =
        format!("plugins.uv = \"qik.uv\"\nspaces.other.root = \"x\"\nspaces.s.venv = {written}\n");
    loaded(&text).spaces["s"].venv.clone().expect("a venv")
}

#[test]
fn an_empty_file_declares_the_default_space() {
    let declarations = loaded("");
    assert!(declarations.commands.is_empty());
    assert_eq!(declarations.spaces.keys().collect::<Vec<_>>(), ["default"]);
}

#[test]
fn a_byte_order_mark_is_nothing() {
    assert!(loaded("\u{feff}[commands]\na = \"x\"\n").commands.contains_key("a"));
}

#[test]
fn a_command_has_all_its_keys() {
    let declarations = loaded(
        r#"
[commands.build]
exec = "make"
deps = ["src", {type = "glob", pattern = "x"}]
artifacts = ["out/**"]
cache = "{ctx.where}"
cache_when = "failed"
space = "default"
tags = ["a", "b"]
hidden = true
rewrites = false
"#,
    );
    let command = &declarations.commands["build"];
    assert_eq!(command.exec.value, "make");
    assert_eq!(texts(&command.artifacts), ["out/**"]);
    assert_eq!(command.cache.as_ref().map(|cache| cache.value.as_str()), Some("{ctx.where}"));
    assert_eq!(command.cache_when, Some(CacheWhen::Failed));
    assert_eq!(command.tags, ["a", "b"]);
    assert!(command.is_hidden);
    assert_eq!(command.rewrites, Some(false));
    assert!(matches!(&command.deps[..], [Dep::Glob(_), Dep::Glob(x)] if x.value == "x"));
}

#[test]
fn a_command_may_do_nothing_but_depend() {
    let declarations =
        loaded("[commands]\na = \"x\"\nall.deps = [{type = \"command\", name = \"a\"}]\n");
    assert_eq!(declarations.commands["all"].exec.value, "");
}

#[test]
fn deps_have_all_their_types() {
    let declarations = loaded(
        r#"
plugins.pygraph = "qik.pygraph"

[commands.a]
exec = "x"
deps = [
    {type = "const", val = "text"},
    {type = "const", val = 0x10},
    {type = "const", val = true},
    {type = "const", val = 1979-05-27},
    {type = "const", val = 1.50},
    {type = "command", name = "b", strict = true, isolated = false},
    {type = "pydist", name = "p"},
    {type = "pygraph", pyimport = "a.b"},
    {type = "load", path = "x.json", default = ["a", {type = "pydist", name = "p"}]},
]

[commands.b]
exec = "y"
"#,
    );
    let deps = &declarations.commands["a"].deps;
    let consts: Vec<_> = deps
        .iter()
        .filter_map(|dep| if let Dep::Const(text) = dep { Some(text.value.as_str()) } else { None })
        .collect();
    assert_eq!(consts, ["text", "0x10", "true", "1979-05-27", "1.50"]);
    assert!(matches!(
        &deps[5],
        Dep::Command { strictness: Strictness::Strict, is_isolated: Some(false), .. }
    ));
    assert!(matches!(
        &deps[8],
        Dep::Load { default: Some(default), .. } if matches!(&default[..], [Dep::Glob(_), Dep::Pydist(_)])
    ));
}

#[test]
fn an_environment_has_many_shapes() {
    assert!(matches!(venv("\"a.txt\""), Venv::Reqs(reqs) if texts(&reqs) == ["a.txt"]));
    assert!(matches!(venv("[\"a\", \"b\"]"), Venv::Reqs(reqs) if texts(&reqs) == ["a", "b"]));
    for space in ["{type = \"space\", name = \"other\"}", "[{type = \"space\", name = \"other\"}]"]
    {
        assert!(matches!(venv(space), Venv::Space(name) if name.value == "other"));
    }
    assert!(matches!(
        venv("{type = \"active\", reqs = [\"a\"], lock = \"b\"}"),
        Venv::Active { lock: Some(_), .. }
    ));
    assert!(matches!(
        venv("{type = \"uv\", reqs = \"a\", constraint = \"c\", python = \"3.12\"}"),
        Venv::Uv { constraint: Some(Constraint::File(_)), python: Some(_), .. }
    ));
    assert!(matches!(
        venv("{type = \"uv\", reqs = \"a\", constraint = {type = \"space\", name = \"other\"}}"),
        Venv::Uv { constraint: Some(Constraint::Space(_)), lock: None, .. }
    ));
}

#[test]
fn a_space_can_be_its_requirements() {
    let declarations = loaded("[spaces]\none = \"one.txt\"\ntwo = [\"one.txt\", \"two.txt\"]\n");
    assert!(matches!(&declarations.spaces["one"].venv, Some(Venv::Reqs(reqs)) if reqs.len() == 1));
    assert!(matches!(&declarations.spaces["two"].venv, Some(Venv::Reqs(reqs)) if reqs.len() == 2));
    assert!(declarations.spaces.contains_key("default"));
}

#[test]
fn a_space_has_all_its_keys() {
    let declarations = loaded(
        r#"
[defaults]
dotenv = ["a.env", "b.env"]
venv = "reqs.txt"
python-path = ["./src/", "lib"]
cache-max-size = "1 MiB"
rewrites = true

[spaces.web]
modules = ["./a//b/", {name = "c", path = "d/"}, "packages/@scope/x"]
fence = ["a/b", {type = "space", name = "lib"}]
dotenv = "web.env"
root = "web"

[spaces.lib]
fence = true

[spaces.free]
fence = []
"#,
    );
    let web = &declarations.spaces["web"];
    let modules: Vec<_> =
        web.modules.iter().map(|m| (m.name.value.as_str(), m.path.value.as_str())).collect();
    assert_eq!(modules, [("a/b", "a/b"), ("c", "d"), ("packages/@scope/x", "packages/@scope/x")]);
    assert!(matches!(
        &web.fence,
        Some(Fence::Items(items)) if matches!(&items[..], [FenceItem::Path(_), FenceItem::Space(_)])
    ));
    assert!(matches!(declarations.spaces["lib"].fence, Some(Fence::Modules)));
    assert!(declarations.spaces["free"].fence.is_none());
    assert_eq!(web.dotenv.as_deref().map(texts), Some(vec!["web.env"]));
    assert_eq!(texts(&declarations.defaults.dotenv), ["a.env", "b.env"]);
    assert_eq!(texts(&declarations.defaults.python_path), ["src", "lib"]);
    assert_eq!(declarations.defaults.cache_size_bytes_max, Some(1 << 20));
    assert!(declarations.defaults.rewrites);
}

#[test]
fn plugins_have_options() {
    let declarations = loaded(
        r#"
[plugins]
s3 = "qik.s3"
pygraph = {pyimport = "qik.pygraph", ignore-type-checking = true, ignore_pydists = true, lock-cache = "repo"}
uv = {pyimport = "qik.uv", constraint = "limit.txt", index-url = "http://x", extra-index-url = "y", python = "3.12", cache = "repo"}
"#,
    );
    let PluginKind::Pygraph(options) = &declarations.plugins["pygraph"].kind else {
        panic!("{declarations:?}");
    };
    assert!(
        options.ignores_type_checking && options.ignores_pydists && options.lock_cache.is_some()
    );
    let PluginKind::Uv(options) = &declarations.plugins["uv"].kind else {
        panic!("{declarations:?}");
    };
    assert!(matches!(&options.constraint, Some(Constraint::File(_))));
    assert!(matches!(declarations.plugins["s3"].kind, PluginKind::S3));
}

#[test]
fn variables_have_types_and_defaults() {
    let declarations = loaded(
        r#"
ctx = [
    "a",
    {name = "b", type = "int", default = 100},
    {name = "c", type = "int", default = "1_000"},
    {name = "d", type = "bool", default = "no"},
    {name = "e", default = 7, required = false},
]
"#,
    );
    let defaults: Vec<_> = declarations
        .vars
        .iter()
        .map(|var| var.default.as_ref().map(|d| d.value.rendered()))
        .collect();
    let expected = [None, Some("100"), Some("1000"), Some("False"), Some("7")];
    assert_eq!(defaults, expected.map(|text| text.map(str::to_owned)));
    assert!(declarations.vars[0].is_required && !declarations.vars[4].is_required);
}

#[test]
fn command_names_may_have_dots_slashes_and_spaces() {
    let declarations = loaded(
        "[commands]\n\"test.unit\" = \"a\"\n\"web/lint\" = \"b\"\n\"a b\" = \"c\"\n-x = \"d\"\n",
    );
    for name in ["test.unit", "web/lint", "a b", "-x"] {
        assert_eq!(declarations.resolve_command(name).as_deref(), Ok(name));
    }
}

#[test]
fn commands_of_modules_are_named_after_them() {
    let files: &[(&str, &[u8])] = &[
        ("qik.toml", b"[spaces.web]\nmodules = [{name = \"short\", path = \"my/other\"}, \".\"]\n"),
        (
            "my/other/qik.toml",
            b"[command.gen]\nexec = \"x\"\ndeps = [{type = \"const\", val = 1}]\nspace = \"web\"\n",
        ),
    ];
    let project = load_files(files).expect("it loads");
    let command = &project.declarations.commands["short/gen"];
    assert_eq!(command.module.as_deref(), Some("short"));
    assert!(matches!(&command.deps[..], [Dep::Const(_)]));
    assert_eq!(command.place.source.name, "my/other/qik.toml");
}

#[test]
fn files_that_could_declare_something_are_known() {
    let project = load_files(&[("qik.toml", b"spaces.default.modules = [\"b\", \"a\"]\n")]);
    assert_eq!(project.expect("it loads").files, ["qik.toml", "a/qik.toml", "b/qik.toml"]);
}
