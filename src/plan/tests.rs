//! Planning by tables: a configuration, what is asked for, the names and edges that come out.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::config::{self, ConfigFile, Project, Strictness};
use crate::context::{Context, QikFields};
use crate::error::{Code, Error};
use crate::space::Spaces;
use crate::sys::Env;
use crate::sys::veil::Veil;

fn load(toml: &str) -> Project {
    let read = |path: &str| Ok((path == "qik.toml").then(|| toml.as_bytes().to_vec()));
    config::load(ConfigFile::QikToml, &read, 1).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Plans the named commands.
fn plan(toml: &str, commands: &[&str], isolation: Isolation) -> Result<Graph, Error> {
    let project = load(toml);
    let spaces = Spaces::new(&project.declarations);
    let context =
        Context::new(&project.declarations, &Env::new(), None, QikFields::new(), &Veil::default())
            .unwrap();
    let planner = Planner::new(&project.declarations, &spaces, &context);
    let mut candidates = Vec::new();
    for command in commands {
        candidates.extend(planner.expand(command)?);
    }
    build(&planner, candidates, isolation)
}

/// Each runnable with those it waits for, sorted.
fn edges(graph: &Graph) -> Vec<String> {
    let edge = |runnable: &Runnable| {
        let waits = runnable.upstreams.iter().filter(|upstream| upstream.id.is_some());
        let mut waits: Vec<_> = waits.map(|upstream| upstream.name.as_str()).collect();
        waits.sort_unstable();
        format!("{} < {}", runnable.name, waits.join(" "))
    };
    let mut edges: Vec<_> = graph.runnables.iter().map(edge).collect();
    edges.sort();
    edges.iter().map(|edge| edge.trim_end_matches(" < ").to_owned()).collect()
}

#[track_caller]
fn check(toml: &str, commands: &[&str], expected: &[&str]) {
    let graph = plan(toml, commands, Isolation::Joined).unwrap();
    assert_eq!(edges(&graph), expected);
}

const MODULES: &str = r#"
    [spaces.default]
    modules = ["a", "b"]
    [commands.each]
    exec = "echo {module.name}"
    deps = ["{module.dir}", {type = "command", name = "first"}]
    [commands.first]
    exec = "echo {module.name}"
    [commands.all]
    exec = "true"
    deps = [{type = "command", name = "each"}]
    [commands.for-all]
    exec = "echo {module.name}"
    deps = [{type = "command", name = "plain"}]
    [commands.plain]
    exec = "true"
"#;

#[test]
fn a_module_waits_for_its_own_module() {
    check(MODULES, &["each"], &["each#a < first#a", "each#b < first#b", "first#a", "first#b"]);
}

#[test]
fn without_a_module_on_a_side_it_is_all_of_them() {
    let graph = plan(MODULES, &["all"], Isolation::Joined).unwrap();
    assert!(edges(&graph).contains(&"all < each#a each#b".to_owned()));
    check(MODULES, &["for-all"], &["for-all#a < plain", "for-all#b < plain", "plain"]);
}

#[test]
fn spaces_are_named_where_there_are_several() {
    let toml = r#"
        [spaces.web]
        modules = ["w"]
        [commands.each]
        exec = "echo {module.dir}"
        [commands.own]
        exec = "true"
        space = "web"
        deps = [{type = "command", name = "each"}]
    "#;
    check(toml, &["own"], &["each@web#w", "own@web < each@web#w"]);
}

#[test]
fn an_isolated_edge_holds_if_both_take_part_anyway() {
    let toml = r#"
        [commands]
        up = "true"
        [commands.down]
        exec = "true"
        deps = [{type = "command", name = "up", isolated = true}]
        [commands.other]
        exec = "true"
        deps = [{type = "command", name = "up"}]
    "#;
    check(toml, &["down"], &["down"]);
    check(toml, &["down", "other"], &["down < up", "other < up", "up"]);
    let isolated = plan(toml, &["other"], Isolation::Isolated).unwrap();
    assert_eq!(edges(&isolated), ["other"]);
    let upstream = &isolated.runnables[0].upstreams[0];
    assert_eq!((upstream.name.as_str(), upstream.id), ("up", None));
}

#[test]
fn base_deps_need_deps_of_ones_own() {
    let toml = r#"
        [base]
        deps = ["version", {type = "command", name = "setup"}]
        [commands]
        bare = "true"
        setup = "true"
        [commands.with]
        exec = "true"
        deps = ["a"]
    "#;
    check(toml, &["bare", "with"], &["bare < setup", "setup", "with < setup"]);
    let graph = plan(toml, &["bare", "with"], Isolation::Joined).unwrap();
    let deps = |name: &str| {
        graph.runnables.iter().find(|runnable| runnable.name.as_str() == name).unwrap().deps.clone()
    };
    assert_eq!(deps("bare"), []);
    assert_eq!(deps("with"), [Dep::Glob("a".to_owned()), Dep::Glob("version".to_owned())]);
}

#[test]
fn a_base_command_and_its_upstreams_do_not_wait_for_it() {
    let toml = r#"
        [base]
        deps = [{type = "command", name = "setup"}]
        [commands.setup]
        exec = "true"
        deps = [{type = "command", name = "fetch"}]
        [commands]
        fetch = "true"
        work = "true"
    "#;
    check(toml, &["work"], &["fetch", "setup < fetch", "work < setup"]);
}

#[test]
fn the_cache_is_ones_own_else_the_default_else_local() {
    let cache =
        |toml: &str| plan(toml, &["x"], Isolation::Joined).unwrap().runnables[0].cache.clone();
    assert_eq!(cache("[commands.x]\nexec = 'true'\ndeps = ['a']"), Some("local".to_owned()));
    assert_eq!(cache("[commands.x]\nexec = 'true'\ncache = 'repo'"), None);
    let with_default = |own: &str| {
        format!("[defaults]\ncache = 'repo'\n[commands.x]\nexec = 'true'\ndeps = ['a']\n{own}")
    };
    assert_eq!(cache(&with_default("")), Some("repo".to_owned()));
    assert_eq!(cache(&with_default("cache = 'none'")), None);
    assert_eq!(cache(&with_default("cache = 'local'")), Some("local".to_owned()));
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    let toml = r#"
        [commands.a]
        exec = "true"
        deps = [{type = "command", name = "b"}]
        [commands.b]
        exec = "true"
        deps = [{type = "command", name = "c"}]
        [commands.c]
        exec = "true"
        deps = [{type = "command", name = "b"}]
    "#;
    let error = plan(toml, &["a"], Isolation::Joined).unwrap_err();
    let diagnostic = &error.diagnostics()[0];
    assert_eq!(
        (diagnostic.code, diagnostic.message.as_str()),
        (Code::GraphCycle, "a cycle: b -> c -> b")
    );
    assert!(diagnostic.place.is_some());
}

#[test]
fn a_value_that_another_command_lacks_is_no_error() {
    let toml = r#"
        ctx = ["missing"]
        [commands]
        plain = "true"
        needs = "echo {ctx.missing}"
    "#;
    check(toml, &["plain"], &["plain"]);
    let error = plan(toml, &["needs"], Isolation::Joined).unwrap_err();
    assert_eq!(error.diagnostics()[0].code, Code::ValueNotFound);
}

#[test]
fn a_long_chain_and_a_tall_lattice_are_nothing_special() {
    let mut toml = "[commands]\nc0 = 'true'\n".to_owned();
    for layer in 1..3000 {
        let below = layer - 1;
        let dep = format!("{{type = 'command', name = 'c{below}'}}");
        writeln!(toml, "[commands.c{layer}]\nexec = 'true'\ndeps = [{dep}, {dep}]").unwrap();
    }
    assert_eq!(plan(&toml, &["c2999"], Isolation::Joined).unwrap().runnables.len(), 3000);
}

proptest! {
    #[test]
    fn a_restricted_graph_keeps_its_edges_and_its_order(
        edges in proptest::collection::vec((0_usize..20, 0_usize..20), 0..60),
        kept in proptest::collection::btree_set(0_usize..20, 0..20),
    ) {
        let mut toml = String::new();
        for unit in 0..20 {
            let ups = edges.iter().filter(|(one, other)| one.max(other) == &unit && one != other);
            let deps: Vec<_> = ups
                .map(|(one, other)| format!("{{type = 'command', name = 'c{}'}}", one.min(other)))
                .collect();
            let deps = deps.join(", ");
            writeln!(toml, "[commands.c{unit}]\nexec = 'true'\ndeps = [{deps}]").unwrap();
        }
        let names: Vec<_> = (0..20).map(|unit| format!("c{unit}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let graph = plan(&toml, &names, Isolation::Joined).unwrap();
        let kept = kept.into_iter().map(RunnableId).collect();
        let part = graph.clone().restricted_to(&kept);
        prop_assert_eq!(part.runnables.len(), kept.len());
        for runnable in &part.runnables {
            for upstream in &runnable.upstreams {
                let is_kept = kept.iter().any(|id| graph.runnable(*id).name == upstream.name);
                prop_assert_eq!(upstream.id.is_some(), is_kept);
                if let Some(id) = upstream.id {
                    prop_assert_eq!(&part.runnable(id).name, &upstream.name);
                }
            }
        }
        let order = part.topological();
        prop_assert_eq!(order.len(), part.runnables.len());
        let position = |id: RunnableId| order.iter().position(|other| *other == id);
        for id in part.ids() {
            for upstream in part.runnable(id).upstreams.iter().filter_map(|upstream| upstream.id) {
                prop_assert!(position(upstream) < position(id));
            }
        }
        let downstreams: usize = part.downstreams(Some(Strictness::Strict)).iter().map(Vec::len).sum();
        prop_assert_eq!(downstreams, 0);
    }
}
