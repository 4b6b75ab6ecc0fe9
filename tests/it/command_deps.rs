//! Commands that depend on commands: order, artifacts, isolation, strictness, cycles.

use crate::support::Project;

/// No arguments: everything.
const ALL: [&str; 0] = [];

/// Commands that write their names to `order`; each with its upstreams.
fn chain(commands: &[(&str, &[&str])]) -> Project {
    let mut toml = String::new();
    for (name, upstreams) in commands {
        let deps: Vec<_> =
            upstreams.iter().map(|it| format!("{{type = 'command', name = '{it}'}}")).collect();
        toml += &format!("[commands.{name}]\nexec = 'echo {name} >> order'\n");
        toml += &format!("deps = [{}]\ncache = 'none'\n", deps.join(", "));
    }
    let project = Project::new();
    project.toml(&toml).commit();
    project
}

/// The order in which they ran; forgotten afterwards.
fn order(project: &Project) -> Vec<String> {
    let order = project.read("order").split_whitespace().map(str::to_owned).collect();
    project.remove("order");
    order
}

#[test]
fn upstreams_run_first_and_once() {
    let project = chain(&[("c", &["b"]), ("b", &["a"]), ("a", &[]), ("other", &[])]);
    for args in [["c", "-n", "4"].as_slice(), &["c", "b", "a", "c"], &["a", "c", "-n", "1"]] {
        project.qik(args).ok();
        assert_eq!(order(&project), ["a", "b", "c"], "{args:?}");
    }
    assert_eq!(project.ls(["b"]), ["a", "b"]);
    assert_eq!(project.ls(["a"]), ["a"]);
    assert_eq!(project.ls(ALL), ["a", "b", "c", "other"]);
    let diamond =
        chain(&[("top", &["left", "right"]), ("left", &["x"]), ("right", &["x"]), ("x", &[])]);
    diamond.qik(["top", "-n", "4"]).ok();
    let ran = order(&diamond);
    assert_eq!((ran.len(), ran[0].as_str(), ran[3].as_str()), (4, "x", "top"));
}

#[test]
fn a_downstream_waits_until_its_upstream_has_ended() {
    let project = Project::new();
    project.toml(
        r"
        [commands.up]
        exec = 'touch up.started; {wait other.done}; touch up.ended'
        [commands.down]
        exec = 'test -e up.ended && touch down.done'
        deps = [{type = 'command', name = 'up'}]
        [commands.other]
        exec = '{wait up.started}; test ! -e down.done && touch other.done'
        ",
    );
    project.qik(["-n", "4"]).ok();
    assert!(project.exists("down.done"));
}

#[test]
fn a_replayed_failure_skips_its_downstreams_too() {
    let project = Project::new();
    project.toml(
        r"
        [commands.check]
        exec = '{tick check}; grep good a.txt'
        deps = ['a.txt']
        cache-when = 'finished'
        [commands.after]
        exec = '{tick after}'
        deps = ['b.txt', {type = 'command', name = 'check'}]
        ",
    );
    project.file("a.txt", "bad\n").file("b.txt", "").commit();
    for _ in 0..2 {
        project.qik(["after"]).exits(1);
        assert_eq!((project.runs("check"), project.runs("after")), (1, 0));
    }
    project.file("a.txt", "good\n").qik(["after"]).ok();
    assert_eq!((project.runs("check"), project.runs("after")), (2, 1));
}

#[test]
fn a_rerun_upstream_leaves_its_downstream_warm_unless_its_artifacts_differ() {
    let project = Project::new();
    project.toml(
        r"
        [commands.uncached]
        exec = '{tick uncached}'
        [commands.gen]
        exec = '{tick gen}; mkdir -p gen; tr a-z A-Z < in.txt > gen/out.txt'
        deps = ['in.txt']
        artifacts = ['gen/*']
        [commands.use]
        exec = '{tick use}; cat gen/out.txt'
        deps = [{type = 'command', name = 'gen'}, {type = 'command', name = 'uncached'}]
        ",
    );
    project.file("in.txt", "one\n").file(".gitignore", "gen\n").commit();
    let mut expected = (0, 0);
    for (input, is_gen, is_use) in
        [("one\n", 1, 1), ("one\n", 0, 0), ("two\n", 1, 1), ("TWO\n", 1, 0), ("one\n", 0, 0)]
    {
        project.file("in.txt", input).qik(["use", "-n", "1"]).ok();
        expected = (expected.0 + is_gen, expected.1 + is_use);
        assert_eq!((project.runs("gen"), project.runs("use")), expected, "{input}");
    }
    assert_eq!(project.read("gen/out.txt"), "ONE\n", "restored for its downstream");
    assert_eq!(project.runs("uncached"), 5);
    project.remove("gen").qik(["use"]).ok();
    assert_eq!((project.runs("gen"), project.runs("use")), expected);
    assert_eq!(project.read("gen/out.txt"), "ONE\n");
}

#[test]
fn an_artifact_of_an_upstream_that_is_left_out_still_counts() {
    let project = Project::new();
    project.toml(
        r"
        [commands.gen]
        exec = 'cp in.txt gen.out'
        deps = ['in.txt']
        artifacts = ['gen.out']
        [commands.use]
        exec = '{tick use}; cat gen.out'
        deps = [{type = 'command', name = 'gen'}]
        ",
    );
    project.file("in.txt", "one\n").file(".gitignore", "*.out\n").commit();
    project.qik(["use"]).ok();
    project.qik(["use", "--isolated"]).ok();
    assert_eq!(project.runs("use"), 1);
    project
        .file("gen.out", "by hand\n")
        .qik(["use", "--isolated", "-n", "1"])
        .ok()
        .shows("by hand");
    assert_eq!(project.runs("use"), 2);
}

#[test]
fn the_definition_of_an_edge_is_part_of_the_hash() {
    let project = Project::new();
    let toml = "[commands]\none = 'true'\ntwo = 'true'\n[commands.down]\nexec = '{tick down}'\n";
    project.file("a.txt", "").commit();
    for deps in ["", ", {type = 'command', name = 'one'}", ", {type = 'command', name = 'two'}"] {
        project.toml(&format!("{toml}deps = ['a.txt'{deps}]\n"));
        assert!(project.reruns("down"), "{deps}");
        assert!(!project.reruns("down"), "{deps}");
    }
}

#[test]
fn isolation_leaves_out_what_is_not_selected() {
    let project = Project::new();
    project.toml(
        r"
        [commands]
        up = 'echo up >> order'
        always = 'true'
        never = 'true'
        [commands.down]
        exec = 'echo down >> order'
        deps = [
            {type = 'command', name = 'up'},
            {type = 'command', name = 'always', isolated = false},
            {type = 'command', name = 'never', isolated = true},
        ]
        ",
    );
    project.commit();
    assert_eq!(project.ls(["down"]), ["always", "down", "up"]);
    assert_eq!(project.ls(["down", "--isolated"]), ["always", "down"]);
    assert_eq!(project.ls(["down", "never"]), ["always", "down", "never", "up"]);
    project.qik(["down", "up", "--isolated", "-n", "4"]).ok();
    assert_eq!(order(&project), ["up", "down"], "the order stays");
}

#[test]
fn an_isolated_edge_orders_what_came_along_for_others() {
    let project = Project::new();
    project.toml(
        r"
        [commands.gen]
        exec = 'touch started; {wait asked}; echo gen >> order'
        [commands.isolated]
        exec = 'echo isolated >> order'
        deps = [{type = 'command', name = 'gen', isolated = true}]
        [commands.other]
        exec = 'true'
        deps = [{type = 'command', name = 'gen'}]
        [commands.asks]
        exec = '{wait started}; touch asked'
        ",
    );
    project.qik(["isolated", "other", "asks", "-n", "4"]).ok();
    assert_eq!(order(&project), ["gen", "isolated"]);
}

#[test]
fn modules_depend_on_their_own_and_the_rest_on_all() {
    let project = Project::new();
    project.toml(
        r"
        [spaces.default]
        modules = ['a', 'b']
        [commands.first]
        exec = 'echo first-{module.name} >> order; test {module.name} = a'
        [commands.second]
        exec = 'echo second-{module.name} >> order'
        deps = [{type = 'command', name = 'first'}]
        [commands.report]
        exec = 'echo report >> order'
        deps = [{type = 'command', name = 'first'}]
        [commands.setup]
        exec = 'echo setup >> order'
        [commands.each]
        exec = 'echo each-{module.name} >> order'
        deps = [{type = 'command', name = 'setup'}]
        ",
    );
    project.commit();
    assert_eq!(project.ls(["second", "-m", "a"]), ["first#a", "second#a"]);
    assert_eq!(project.ls(["report"]), ["first#a", "first#b", "report"]);
    assert_eq!(project.ls(["each", "-m", "b"]), ["each#b", "setup"]);
    project.qik(["second", "report", "-n", "4"]).exits(1);
    let mut ran = order(&project);
    ran.sort();
    assert_eq!(ran, ["first-a", "first-b", "second-a"]);
}

#[test]
fn upstreams_cross_spaces_and_module_files() {
    let project = Project::new();
    project.toml(
        r"
        [spaces.one]
        modules = [{name = 'short', path = 'my/other'}]
        [commands.down]
        exec = 'echo down >> order'
        deps = [{type = 'command', name = 'short/gen'}]
        ",
    );
    project.toml_at("my/other/qik.toml", "[commands]\ngen = 'echo gen >> order'\n").commit();
    project.qik(["down", "-n", "4"]).ok();
    assert_eq!(order(&project), ["gen", "down"]);
}

const STRICTNESS: &str = "
    [commands.up]
    exec = 'true'
    deps = ['up.txt']
    [commands.strict]
    exec = 'true'
    deps = ['strict.txt', {type = 'command', name = 'up', strict = true}]
    [commands.lax]
    exec = 'true'
    deps = ['lax.txt', {type = 'command', name = 'up'}]
    [commands.after]
    exec = 'true'
    deps = ['after.txt', {type = 'command', name = 'strict', strict = true}]
";

#[test]
fn since_goes_up_always_and_down_where_it_is_strict() {
    let project = Project::new();
    project.toml(STRICTNESS);
    for name in ["up", "strict", "lax", "after"] {
        project.file(format!("{name}.txt"), "one");
    }
    project.commit();
    let since = |name: &str, args: &[&str]| {
        project.file(format!("{name}.txt"), "two");
        let names = project.ls(["--since", "HEAD"].iter().chain(args));
        project.git(["checkout", "-q", "."]);
        names
    };
    assert_eq!(since("up", &[]), ["after", "strict", "up"]);
    assert_eq!(since("strict", &[]), ["after", "strict", "up"]);
    assert_eq!(since("lax", &[]), ["lax", "up"]);
    assert_eq!(since("lax", &["--isolated", "lax"]), ["lax"]);
    assert_eq!(since("after", &["after"]), ["after", "strict", "up"]);
}

/// A cycle is an error that shows it, whatever is asked for.
#[track_caller]
fn check_cycle(commands: &[(&str, &[&str])], path: &str) {
    let project = chain(commands);
    for args in [["--ls"].as_slice(), &[], &["one"]] {
        project.qik(args).errs("conf7").says(path);
    }
    assert!(!project.exists("order"));
}

#[test]
fn a_cycle_is_shown() {
    check_cycle(&[("one", &["one"])], "one -> one");
    check_cycle(&[("one", &["two"]), ("two", &["one"])], "one -> two -> one");
    check_cycle(
        &[("one", &["two"]), ("two", &["three"]), ("three", &["two"])],
        "two -> three -> two",
    );
}
