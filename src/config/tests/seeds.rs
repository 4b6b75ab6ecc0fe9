//! The examples that qik was asked for, as they are written.

use super::*;

/// Each with the names of its commands.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        r#"[commands.lock]
exec = "pip-compile > requirements.txt"
deps = ["requirements.in"]
"#,
        &["lock"],
    ),
    (
        r#"[caches.my_remote_cache]
type = "s3"
bucket = "my-cache-bucket"
"#,
        &[],
    ),
    (
        r#"vars = ["aws_access_key_id", "aws_secret_access_key"]

[caches.my_remote_cache]
type = "s3"
bucket = "my-cache-bucket"
aws-access-key-id = "{ctx.project.aws_access_key_id}"
aws-secret-access-key = "{ctx.project.aws_secret_access_key}"
"#,
        &[],
    ),
    (
        r#"[commands.lock]
exec = "pip-compile > requirements.txt"
deps = ["requirements.in"]
cache = "repo"
"#,
        &["lock"],
    ),
    (
        r#"[commands.lock]
exec = "pip-compile > requirements.txt"
deps = ["requirements.in"]
cache-when = "always"
"#,
        &["lock"],
    ),
    (
        r#"[defaults]
cache-when = "always"
"#,
        &[],
    ),
    (
        r#"[commands.lock]
exec = "pip-compile > requirements.txt"
"#,
        &["lock"],
    ),
    (
        r#"[caches.remote]
type = "s3"
bucket = "my-cache-bucket"

[commands.lock]
exec = "pip-compile > requirements.txt"
deps = ["requirements.in"]
artifacts = ["requirements.txt"]
cache = "remote"
"#,
        &["lock"],
    ),
    (
        r#"[commands.lock]
exec = "pip-compile > requirements.txt"
deps = ["requirements.in", {type = "dist", name = "pip-tools"}]
"#,
        &["lock"],
    ),
    (
        r#"modules = ["my.module.a", "my.module.b"]

[commands.lint]
exec = "ruff check {module.dir}"
deps = ["{module.dir}/**.py"]
"#,
        &["lint"],
    ),
    (
        r#"modules = ["my.module.a", "my.module.b"]

[commands.check-types]
exec = "pyright {module.dir}"
deps = [{type = "module", name = "{module.name}"}]
cache = "repo"
"#,
        &["check-types"],
    ),
];

/// The one that lacks a brace.
const TORN: &str = r#"[commands.lock]
exec = "pip-compile > requirements.txt"
deps = [
    "requirements.in",
    {type = "dist", name = "pip-tools"},
    {type = "const", val = "{ctx.qik.arch}"
]
"#;

#[test]
fn every_example_loads() {
    for (text, commands) in EXAMPLES {
        let declarations = loaded(text);
        assert!(declarations.commands.keys().eq(commands.iter()), "{text}");
    }
}

#[test]
fn always_is_finished() {
    let declarations = loaded(EXAMPLES[4].0);
    assert_eq!(declarations.commands["lock"].cache_when, Some(CacheWhen::Finished));
    assert_eq!(loaded(EXAMPLES[5].0).defaults.cache_when, Some(CacheWhen::Finished));
}

#[test]
fn dotted_modules_are_folders_under_their_own_names() {
    let declarations = loaded(EXAMPLES[9].0);
    let modules: Vec<_> = declarations
        .modules()
        .map(|(space, module)| (space, module.name.value.as_str(), module.path.value.as_str()))
        .collect();
    assert_eq!(
        modules,
        [("default", "my.module.a", "my/module/a"), ("default", "my.module.b", "my/module/b")]
    );
}

#[test]
fn a_dep_on_a_module_brings_the_plugin_that_it_needs() {
    let declarations = loaded(EXAMPLES[10].0);
    let deps = &declarations.commands["check-types"].deps;
    assert!(matches!(&deps[..], [Dep::PygraphOfModule(name)] if name.value == "{module.name}"));
    assert!(matches!(declarations.plugins["pygraph"].kind, PluginKind::Pygraph(_)));
}

#[test]
fn the_example_that_lacks_a_brace_is_shown_where_it_does() {
    insta::assert_snapshot!(errors(TORN), @r#"
    error[conf1]: `qik.toml` is not valid TOML: unclosed inline table, expected `}`
     --> qik.toml:6:5
      |
    6 |     {type = "const", val = "{ctx.qik.arch}"
      |     ^
    more: docs/errors.md#conf1
    "#);
    let whole = TORN.replace("arch}\"\n", "arch}\"}\n");
    let deps = &loaded(&whole).commands["lock"].deps;
    assert!(matches!(&deps[1..], [Dep::Pydist(_), Dep::Const(_)]));
}
