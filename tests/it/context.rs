//! Templates: variables, their types and sources, the settings, and braces that mean nothing.

use crate::support::{Output, Project};

/// A command `say` that writes TEXT, rendered, to `said`.
fn say(ctx: &str, text: &str) -> Project {
    let project = Project::new();
    project.toml(&format!("ctx = {ctx}\n[commands]\nsay = '''printf %s \"{text}\" > said'''\n"));
    project.commit();
    project
}

/// What is said in an environment.
#[track_caller]
fn said(project: &Project, env: &[(&str, &str)], args: &[&str]) -> String {
    run(project, env, args).ok();
    project.read("said")
}

fn run(project: &Project, env: &[(&str, &str)], args: &[&str]) -> Output {
    let project = env.iter().fold(project.clone(), |it, (name, value)| it.env(name, value));
    project.qik(["say"].iter().chain(args))
}

#[track_caller]
fn check(ctx: &str, env: &[(&str, &str)], expected: &str) {
    assert_eq!(said(&say(ctx, "<{ctx.v}>"), env, &[]), format!("<{expected}>"), "{ctx} {env:?}");
}

#[track_caller]
fn check_fails(ctx: &str, env: &[(&str, &str)], code: &str, word: &str) {
    let project = say(ctx, "<{ctx.v}>");
    run(&project, env, &[]).errs(code).says(word);
    assert!(!project.exists("said"));
}

#[test]
fn a_variable_is_its_environment_variable_else_its_default() {
    check("['v']", &[("V", "hello world")], "hello world");
    check("['v']", &[("V", "")], "");
    check("['v']", &[("PROJECT__V", "0.1")], "0.1");
    check("[{name = 'v', default = 'given'}]", &[], "given");
    check("[{name = 'v', default = 'given'}]", &[("V", "env")], "env");
    check("[{name = 'v', required = false}]", &[], "None");
    check("[{name = 'v', required = false}]", &[("V", "env")], "env");
    check_fails("['v']", &[], "ctx2", "v");
    check_fails("['other']", &[("V", "x")], "ctx3", "v");
}

#[test]
fn numbers_and_truths_are_checked() {
    let int = "[{name = 'v', type = 'int', default = 100}]";
    check(int, &[], "100");
    check(int, &[("V", "7")], "7");
    check(int, &[("V", "-7")], "-7");
    check_fails(int, &[("V", "seven")], "ctx1", "seven");
    check_fails("[{name = 'v', type = 'int', default = 'abc'}]", &[], "conf1", "abc");
    let truth = "[{name = 'v', type = 'bool', default = true}]";
    for word in ["yes", "true", "1", "TRUE", "Yes"] {
        check(truth, &[("V", word)], "True");
    }
    for word in ["no", "false", "0", "False"] {
        check(truth, &[("V", word)], "False");
    }
    check(truth, &[], "True");
    check_fails(truth, &[("V", "maybe")], "ctx1", "maybe");
}

#[test]
fn a_variable_that_is_not_used_may_lack_a_value() {
    let project = say("['v']", "plain");
    let text = project.read("qik.toml");
    project.file("qik.toml", format!("{text}\nother = 'echo {{ctx.v}}'\n"));
    assert_eq!(said(&project, &[], &[]), "plain");
    project.qik(["other"]).errs("ctx2").says("`V`").says("echo {ctx.v}");
}

#[test]
fn braces_that_name_nothing_stay() {
    let check = |text: &str, expected: &str| {
        assert_eq!(said(&say("['v']", text), &[("V", "1")], &[]), expected, "{text}");
    };
    check("{{ctx.v}} {ctx.v}", "{ctx.v} 1");
    check("{ctx.v}-{ctx.v}", "1-1");
    check("{} {0} {name} {a,b} { ctx.v }", "{} {0} {name} {a,b} { ctx.v }");
    check("{{{ctx.v}}}", "{1}");
    check("{ } {", "{ } {");
    check("}", "}");
    check("{ctx}", "{ctx}");
}

#[test]
fn settings_are_values_too() {
    let fields = "workers isolated watch force ls fail verbosity since commands modules spaces \
                  cache_status caches tags logger arch";
    for field in fields.split_whitespace() {
        let project = say("[]", &format!("{{ctx.qik.{field}}}"));
        assert!(!said(&project, &[], &[]).is_empty(), "{field}");
    }
    let project = say("[]", "{ctx.qik.workers} {ctx.qik.isolated} {ctx.qik.force}");
    assert_eq!(said(&project, &[], &["-n", "3", "--isolated"]), "3 True False");
    assert_eq!(
        said(&project, &[("QIK__WORKERS", "5"), ("QIK__FORCE", "yes")], &[]),
        "5 False True"
    );
    assert_eq!(said(&project, &[("QIK__WORKERS", "5")], &["-n", "2"]), "2 False False");
    let arch = say("[]", "{ctx.qik.arch}");
    let known =
        "win-64 win-32 linux-64 linux-aarch64 linux-ppc64le linux-32 osx-arm64 osx-64 unknown";
    assert!(known.split(' ').any(|word| word == said(&arch, &[], &[])));
    assert_eq!(said(&arch, &[("QIK__ARCH", "custom_arch")], &[]), "custom_arch");
    run(&say("[]", "{ctx.qik.nonesuch}"), &[], &[]).errs("ctx3").says("nonesuch");
    run(&say("[]", "{ctx.nowhere.x}"), &[], &[]).errs("ctx4").says("nowhere");
}

#[test]
fn every_string_is_a_template() {
    let project = Project::new();
    project.toml(
        r"
        ctx = [{name = 'kind', default = 'txt'}, {name = 'up', default = 'one'}]
        [commands]
        one = 'true'
        two = 'true'
        [commands.build]
        exec = '{tick build}; cat a.{ctx.kind} > {ctx.kind}.out'
        deps = ['a.{ctx.kind}', {type = 'const', val = '{ctx.kind}'}, {type = 'command', name = '{ctx.up}'}]
        artifacts = ['{ctx.kind}.out']
        ",
    );
    project.file("a.txt", "of txt").file("a.csv", "of csv").commit();
    let csv = project.env("KIND", "csv");
    for project in [&project, &csv, &project, &csv] {
        project.qik(["build"]).ok().warns_not();
    }
    assert_eq!(project.runs("build"), 2);
    assert_eq!(
        (project.read("txt.out"), project.read("csv.out")),
        ("of txt".into(), "of csv".into())
    );
    assert_eq!(project.env("UP", "two").ls(["build"]), ["build", "two"]);
    project.env("UP", "nonesuch").qik(["build"]).errs("conf5").says("nonesuch");
}

const SELECTION: &str = "
    [spaces.default]
    modules = ['m', 'n']
    [spaces.other]
    [commands.plain]
    exec = '{tick plain}'
    [commands.local]
    exec = '{tick local}'
    deps = ['a.txt']
    tags = ['t']
    [commands.repo]
    exec = '{tick repo}'
    deps = ['a.txt']
    cache = 'repo'
    space = 'other'
    [commands.each]
    exec = 'echo {module.dir}'
";

#[test]
fn the_environment_sets_every_option() {
    let project = Project::new();
    project.toml(SELECTION).file("a.txt", "one").commit();
    let all = project.ls([""; 0]);
    assert_eq!(all.len(), 5);
    for (name, value, args) in [
        ("COMMANDS", "plain,local", vec!["plain", "local"]),
        ("MODULES", "m", vec!["-m", "m"]),
        ("MODULES", "m, n", vec!["-m", "m", "-m", "n"]),
        ("SPACES", "other", vec!["-s", "other"]),
        ("CACHES", "repo,local", vec!["--cache", "repo", "--cache", "local"]),
        ("CACHE_STATUS", "cold", vec!["--cache-status", "cold"]),
        ("TAGS", "t", vec!["-t", "t"]),
        ("SINCE", "HEAD", vec!["--since", "HEAD"]),
    ] {
        let expected = project.ls(args);
        assert_ne!(expected, all, "{name}");
        assert_eq!(
            project.env(&format!("QIK__{name}"), value).ls([""; 0]),
            expected,
            "{name}={value}"
        );
    }
    let env = project.env("QIK__COMMANDS", "local");
    assert_eq!(env.ls(["plain"]), project.ls(["plain"]), "the command line wins");
    project.env("QIK__LS", "yes").qik(["plain"]).ok().prints("plain@default\n");
    project.env("QIK__LS", "true").env("QIK__FAIL", "1").qik(["plain"]).exits(1);
    assert_eq!(project.runs("plain"), 0);
    project.env("QIK__LS", "no").qik(["plain"]).ok();
    assert_eq!(project.runs("plain"), 1);
    for (name, value) in [("FORCE", "maybe"), ("CACHE_STATUS", "tepid"), ("LOGGER", "paper")] {
        let output = project.env(&format!("QIK__{name}"), value).qik([""; 0]).errs("ctx1");
        output.says(value).says(&format!("QIK__{name}"));
    }
}

#[test]
fn a_profile_sets_variables_and_options() {
    let project = Project::new();
    project.toml(
        r"
        ctx = [{name = 'target', default = 'debug'}]
        [ctx.release.project]
        ",
    );
    // A profile makes `ctx` a table, so variables move to `vars`.
    project.toml(
        r#"
        vars = [{name = "target", default = "debug"}]
        [ctx.release.project]
        target = "release"
        [ctx.ci.qik]
        workers = 3
        commands = ["say"]
        [commands]
        say = 'printf "%s" "{ctx.target} {ctx.project.target} {ctx.qik.workers}" > said'
        other = '{tick other}'
        "#,
    );
    project.commit();
    assert_eq!(said(&project, &[], &["-n", "1"]), "debug debug 1");
    assert_eq!(said(&project, &[], &["-p", "release", "-n", "1"]), "release release 1");
    assert_eq!(said(&project, &[("QIK__PROFILE", "release")], &["-n", "1"]), "release release 1");
    assert_eq!(
        said(&project, &[("TARGET", "env")], &["--profile", "release", "-n", "1"]),
        "env env 1"
    );
    project.qik(["-p", "ci"]).ok();
    assert_eq!(project.read("said"), "debug debug 3");
    assert_eq!(project.runs("other"), 0, "the profile selects");
    assert_eq!(said(&project, &[], &["-p", "ci", "-n", "2"]), "debug debug 2");
    project.qik(["-p", "nonesuch"]).errs("ctx0").says("nonesuch");
}
