//! Values from declarations, environments and profiles, and what is said where there are none.

use super::*;
use crate::config::{ConfigFile, Declarations, load};
use crate::error::{Diagnostic, Error, Severity, render};
use crate::sys::Env;
use crate::sys::veil::Veil;

const DECLARATIONS: &str = r#"
vars = [
    "plain",
    {name = "user", default = "nobody"},
    {name = "maybe", required = false},
    {name = "num", type = "int", default = 100},
    {name = "flag", type = "bool", default = true},
]

[ctx.default.project]
plain = "by default"

[ctx.ci.project]
plain = "in ci"
num = 7

[ctx.ci.qik]
workers = 2
cache-status = "cold"
modules = ["a", "b"]
isolated = "yes"

[ctx.bad.qik]
workrs = 2
fail = "perhaps"
tags = 3
"#;

fn declarations(text: &str) -> Declarations {
    let read = |_: &str| Ok(Some(text.as_bytes().to_vec()));
    load(ConfigFile::QikToml, &read, 1).expect("it loads").declarations
}

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn context(pairs: &[(&str, &str)], profile: Option<&str>) -> Context {
    let qik = QikFields::from([("arch", "linux-64".to_owned()), ("workers", "3".to_owned())]);
    Context::new(&declarations(DECLARATIONS), &env(pairs), profile, qik, &Veil::default())
        .expect("a context")
}

#[track_caller]
fn check(template: &str, pairs: &[(&str, &str)], expected: &str) {
    let context = context(pairs, Some("ci"));
    let module = ModuleFields { name: "short", dir: "src/deep/one", pyimport: "deep.one" };
    let scope = Scope { context: &context, module: Some(module) };
    assert_eq!(Template::parse(template).render(&scope).as_deref(), Ok(expected), "{template}");
}

/// What is said of a template outside of a module.
#[track_caller]
fn error(template: &str, pairs: &[(&str, &str)]) -> String {
    let declarations = declarations(
        "ctx = [\"my_var\", {name = \"num\", type = \"int\"}, {name = \"flag\", type = \"bool\"}]",
    );
    let context =
        Context::new(&declarations, &env(pairs), None, QikFields::new(), &Veil::default());
    let context = context.expect("a context");
    let scope = Scope { context: &context, module: None };
    shown(&Template::parse(template).render(&scope).expect_err("it renders").into())
}

fn shown(error: &Error) -> String {
    let show = |diagnostic: &Diagnostic| render(diagnostic, Severity::Error);
    let text: String = error.diagnostics().iter().map(show).collect();
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn fields_have_their_values() {
    check("{ctx.plain}", &[], "in ci");
    check("{ctx.project.plain}", &[], "in ci");
    check("{ctx.user} {ctx.maybe}", &[], "nobody None");
    check("{ctx.num} {ctx.flag}", &[], "7 True");
    check("{ctx.qik.arch} {ctx.qik.workers} {ctx.qik.num_workers}", &[], "linux-64 3 3");
    check("{ctx.qik.since}", &[], "None");
    check("{module.name} {module.dir} {module.pyimport}", &[], "short src/deep/one deep.one");
    check("{module} {module.path} {module.imp}", &[], "short src/deep/one deep.one");
    check("awk '{print $1}' {{x}}", &[], "awk '{print $1}' {x}");
}

#[test]
fn the_environment_comes_before_the_profile() {
    check("{ctx.plain}", &[("PLAIN", "given")], "given");
    check("{ctx.plain}", &[("PLAIN", "")], "");
    check("{ctx.num}", &[("NUM", " 1_0 ")], "10");
    check("{ctx.flag}", &[("FLAG", "No")], "False");
    check("{ctx.maybe}", &[("MAYBE", "x")], "x");
}

#[test]
fn the_project_s_own_variable_comes_before_one_that_is_set_anyway() {
    check("{ctx.user}", &[("USER", "root"), ("PROJECT__USER", "mine")], "mine");
    check("{ctx.user}", &[("USER", "root")], "root");
}

#[test]
fn the_default_profile_holds_where_none_is_chosen() {
    let context = context(&[], None);
    assert_eq!(context.value("plain"), Ok("by default"));
    assert_eq!(context.value("num"), Ok("100"));
}

#[test]
fn a_missing_value_is_named() {
    insta::assert_snapshot!(error("{ctx.my_var}", &[]), @"
    error[ctx2]: the variable `my_var` has no value
    hint: set the environment variable `MY_VAR`, or give the variable a `default`
    more: docs/errors.md#ctx2
    ");
}

#[test]
fn an_unknown_name_is_shown_with_the_nearest() {
    insta::assert_snapshot!(error("{ctx.my_vr}", &[]), @"
    error[ctx3]: no context variable named `my_vr`
    hint: did you mean `my_var`?
    more: docs/errors.md#ctx3
    ");
    insta::assert_snapshot!(error("{ctx.nonesuch}", &[]), @"
    error[ctx3]: no context variable named `nonesuch`
    hint: declare it in `ctx`, or double the braces if they are no template's
    more: docs/errors.md#ctx3
    ");
    insta::assert_snapshot!(error("{ctx.qik.worker}", &[]), @"
    error[ctx3]: qik has no setting named `worker`
    hint: did you mean `workers`?
    more: docs/errors.md#ctx3
    ");
    insta::assert_snapshot!(error("{ctx.projct.my_var}", &[]), @"
    error[ctx4]: `{ctx.projct.my_var}` names nothing: `projct` is no namespace
    hint: did you mean `project`?
    more: docs/errors.md#ctx4
    ");
}

#[test]
fn a_malformed_value_is_named_with_its_variable() {
    insta::assert_snapshot!(error("{ctx.num}", &[("NUM", "seven")]), @"
    error[ctx1]: the variable `num` is `seven`, which is not a whole number
    because: the environment variable `NUM` is set to it
    more: docs/errors.md#ctx1
    ");
    insta::assert_snapshot!(error("{ctx.flag}", &[("PROJECT__FLAG", "maybe")]), @"
    error[ctx1]: the variable `flag` is `maybe`, which is not one of `yes`, `true`, `1`, `no`, `false` and `0`
    because: the environment variable `PROJECT__FLAG` is set to it
    more: docs/errors.md#ctx1
    ");
}

#[test]
fn a_module_s_field_needs_a_module() {
    insta::assert_snapshot!(error("{module.dir}", &[]), @"
    error[conf16]: `{module.dir}` names a module where there is none
    more: docs/errors.md#conf16
    ");
    insta::assert_snapshot!(error("{module.dirr}", &[]), @"
    error[conf16]: `{module.dirr}` names nothing
    hint: did you mean `dir`?
    hint: a module has `{module.name}`, `{module.dir}` and `{module.pyimport}`
    more: docs/errors.md#conf16
    ");
    insta::assert_snapshot!(error("{module}", &[]), @"
    error[conf16]: `{module}` names a module where there is none
    more: docs/errors.md#conf16
    ");
}

#[test]
fn a_value_that_another_template_needs_does_not_matter() {
    let declarations = declarations("ctx = [\"my_var\", {name = \"num\", type = \"int\"}]");
    let env = env(&[("NUM", "seven")]);
    let context = Context::new(&declarations, &env, None, QikFields::new(), &Veil::default())
        .expect("a context");
    let scope = Scope { context: &context, module: None };
    assert_eq!(Template::parse("plain").render(&scope).as_deref(), Ok("plain"));
}

#[test]
fn settings_come_from_profiles() {
    let declarations = declarations(DECLARATIONS);
    let settings = profile_settings(&declarations, Some("ci")).expect("settings");
    let shown: Vec<_> = settings.iter().map(|(name, value)| (*name, value.rendered())).collect();
    let expected = [
        ("cache_status", "cold"),
        ("isolated", "True"),
        ("modules", "['a', 'b']"),
        ("workers", "2"),
    ];
    assert_eq!(shown, expected.map(|(name, value)| (name, value.to_owned())));
    assert!(profile_settings(&declarations, None).is_ok_and(|settings| settings.is_empty()));
}

#[test]
fn settings_of_profiles_are_checked() {
    let error = profile_settings(&declarations(DECLARATIONS), Some("bad")).expect_err("bad");
    insta::assert_snapshot!(shown(&error), @r#"
    error[ctx1]: `fail` is `perhaps`, which is not one of `yes`, `true`, `1`, `no`, `false` and `0`
      --> qik.toml:25:8
       |
    25 | fail = "perhaps"
       |        ^^^^^^^^^
    more: docs/errors.md#ctx1
    error[ctx1]: `tags` is `3`, which is not a list of strings
      --> qik.toml:26:8
       |
    26 | tags = 3
       |        ^
    more: docs/errors.md#ctx1
    error[ctx3]: qik has no setting named `workrs`
      --> qik.toml:24:10
       |
    24 | workrs = 2
       |          ^
    hint: did you mean `workers`?
    more: docs/errors.md#ctx3
    "#);
}

#[test]
fn a_profile_must_be_declared() {
    let error = profile_settings(&declarations(DECLARATIONS), Some("cj")).expect_err("none");
    insta::assert_snapshot!(shown(&error), @"
    error[ctx0]: no profile named `cj`
    hint: did you mean `ci`?
    hint: declare it as `[ctx.cj.qik]` or `[ctx.cj.project]`
    more: docs/errors.md#ctx0
    ");
    let context = Context::new(
        &declarations(""),
        &Env::new(),
        Some("ci"),
        QikFields::new(),
        &Veil::default(),
    );
    assert!(context.is_ok());
}

#[test]
fn settings_come_from_the_environment() {
    let env = env(&[
        ("QIK__WORKERS", "5"),
        ("QIK__LS", "yes"),
        ("QIK__MODULES", "m, n,"),
        ("QIK__SINCE", ""),
        ("QIK__NONESUCH", "x"),
    ]);
    let settings = settings_from_env(&env).expect("settings");
    let shown: Vec<_> = settings.iter().map(|(name, value)| (*name, value.rendered())).collect();
    let expected = [("ls", "True"), ("modules", "['m', 'n']"), ("workers", "5")];
    assert_eq!(shown, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn malformed_settings_are_all_named() {
    let env = env(&[("QIK__WORKERS", "abc"), ("QIK__WATCH", "perhaps")]);
    insta::assert_snapshot!(shown(&settings_from_env(&env).expect_err("malformed")), @"
    error[ctx1]: `QIK__WATCH` is `perhaps`, which is not one of `yes`, `true`, `1`, `no`, `false` and `0`
    more: docs/errors.md#ctx1
    error[ctx1]: `QIK__WORKERS` is `abc`, which is not a whole number
    more: docs/errors.md#ctx1
    ");
}
