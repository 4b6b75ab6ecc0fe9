//! Graphs of sources in memory: what modules need, what is kept, what is written.

use std::collections::BTreeSet;

use proptest::prelude::*;

use rustc_hash::FxHashMap;

use super::assemble::assemble;
use super::graph::{Content, Graph};
use super::kept;
use super::link::SourceFile;
use super::scan::scan;
use super::table::Table;
use super::{Rules, graph_text, lock_text};
use crate::git::BlobId;

fn rules() -> Rules {
    Rules { roots: vec![String::new()], ..Rules::default() }
}

fn id(text: &str) -> BlobId {
    BlobId::from_bytes(&blake3::hash(text.as_bytes()).as_bytes()[..20]).unwrap()
}

fn build(rules: &Rules, sources: &[(&str, &str)]) -> Graph {
    let paths: Vec<&str> = sources.iter().map(|(path, _)| *path).collect();
    let mut graph = assemble(rules, &paths);
    let all: Vec<u32> = (0..).take(sources.len()).collect();
    link(&mut graph, rules, (sources, &all));
    graph
}

/// Links some of the sources, by position.
fn link(graph: &mut Graph, rules: &Rules, (sources, some): (&[(&str, &str)], &[u32])) {
    let mut table = Table::default();
    let mut record = |at: &u32| (*at, table.record(scan(sources[*at as usize].1.as_bytes())));
    let records: Vec<_> = some.iter().map(&mut record).collect();
    let mut files = FxHashMap::default();
    for (at, record) in &records {
        let (path, text) = sources[*at as usize];
        graph.contents[*at as usize] = Content::Of(id(text));
        files.insert(*at, SourceFile { path, record });
    }
    graph.link(rules, &table.names, &files);
}

/// The files that a module needs.
#[track_caller]
fn check(sources: &[(&str, &str)], module: &str, expected: &[&str]) {
    let graph = build(&rules(), sources);
    let closure = graph.closure(graph.find(module));
    let found: Vec<&str> = closure.files.iter().map(|file| sources[*file as usize].0).collect();
    assert_eq!(found, expected, "{module}");
}

const SOURCES: &[(&str, &str)] = &[
    ("a/__init__.py", ""),
    ("a/one.py", "import b.two\n"),
    ("b/__init__.py", "from .base import X\n"),
    ("b/base.py", ""),
    ("b/other.py", ""),
    ("b/two.py", "from a import one\nimport numpy, os\n"),
    ("c/__init__.py", ""),
    ("c/all.py", "import b\nfrom c import missing\nimport c.not_there.x\n"),
    ("c/near.py", ""),
];

#[test]
fn a_module_needs_what_is_below_and_above_and_imported() {
    check(SOURCES, "a", &["a/__init__.py", "a/one.py", "b/__init__.py", "b/base.py", "b/two.py"]);
    check(SOURCES, "b.base", &["b/__init__.py", "b/base.py"]);
    check(SOURCES, "c.near", &["c/__init__.py", "c/near.py"]);
    let all: Vec<&str> = SOURCES.iter().map(|(path, _)| *path).collect();
    check(SOURCES, "c", &all);
    check(SOURCES, "c.all", &all);
    check(SOURCES, "nothing", &[]);
}

#[test]
fn several_roots_have_modules_of_the_same_names() {
    let rules = Rules { roots: vec!["src".to_owned(), "libs/x".to_owned()], ..Rules::default() };
    let sources =
        &[("libs/x/b.py", "import a.two"), ("src/a/__init__.py", ""), ("src/a/two.py", "")];
    let graph = build(&rules, sources);
    let closure = graph.closure(graph.find("b"));
    assert_eq!(closure.files, [0, 1, 2]);
    assert!(graph.find("src").is_none());
}

#[test]
fn packages_and_what_python_finds_in_them_are_regular() {
    let paths = &[
        "a/__init__.py",
        "a/b.py",
        "a/my-script.py",
        "a/free/x.py",
        "top.py",
        "free/y.py",
        "a/sub/__init__.pyi",
        "__init__.py",
        "a/{{x}}/__init__.py",
    ];
    let regular = assemble(&rules(), paths).regular_files();
    let regular: BTreeSet<&str> = regular.iter().map(|file| paths[*file as usize]).collect();
    assert_eq!(regular, BTreeSet::from(["a/__init__.py", "a/b.py", "a/sub/__init__.pyi"]));
}

#[test]
fn rules_leave_out_what_they_name() {
    let sources = &[
        ("a/__init__.py", "import numpy\nif TYPE_CHECKING:\n    import b\n"),
        ("b/__init__.py", ""),
    ];
    let graph = build(&rules(), sources);
    assert_eq!(graph.closure(graph.find("a")).files, [0, 1]);
    assert_eq!(graph.externals, ["numpy"]);
    let strict = Rules { ignores_type_checking: true, ignores_pydists: true, ..rules() };
    let graph = build(&strict, sources);
    assert_eq!(graph.closure(graph.find("a")).files, [0]);
    assert!(graph.externals.is_empty());
}

#[test]
fn what_is_kept_is_what_there_was() {
    let mut graph = build(&rules(), &[SOURCES, &[("a/x.py", "import (")]].concat());
    assert_eq!(graph.faults.len(), 1);
    graph.contents[1..4].copy_from_slice(&[Content::Unread, Content::Unsure, Content::Gone]);
    let bytes = kept::encode(&[7; 32], &graph);
    assert_eq!(kept::decode(&bytes, &[7; 32]), Some(graph));
    assert_eq!(kept::decode(&bytes, &[8; 32]), None);
}

/// What each content imports.
fn table() -> (Table, BTreeSet<BlobId>) {
    let mut table = Table::default();
    for (_, text) in SOURCES.iter().chain(&[("", "import (\nfrom . import x")]) {
        let record = table.record(scan(text.as_bytes()));
        table.records.insert(id(text), record);
    }
    let current = table.records.keys().copied().collect();
    (table, current)
}

#[test]
fn a_table_is_kept_as_far_as_it_is_current() {
    let (table, mut current) = table();
    let read = Table::decode(&table.encode(&current)).unwrap();
    assert_eq!(read.records, table.records);
    assert!(read.names.iter().eq(table.names.iter()));
    current.pop_first();
    let read = Table::decode(&table.encode(&current)).unwrap();
    assert!(read.records.keys().copied().collect::<BTreeSet<_>>() == current);
}

#[test]
fn what_is_damaged_is_not_taken() {
    #[track_caller]
    fn check(bytes: &[u8], is_taken: impl Fn(&[u8]) -> bool) {
        assert!(is_taken(bytes));
        for length in 0..bytes.len() {
            assert!(!is_taken(&bytes[..length]), "{length}");
        }
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1;
            assert!(!is_taken(&damaged), "{at}");
        }
    }
    let graph = build(&rules(), SOURCES);
    check(&kept::encode(&[7; 32], &graph), |bytes| kept::decode(bytes, &[7; 32]).is_some());
    let (table, current) = table();
    check(&table.encode(&current), |bytes| Table::decode(bytes).is_some());
}

#[test]
fn an_edit_gives_the_graph_that_all_files_give() {
    let edits = [
        ("b/two.py", "import (\nimport zope\n"),
        ("b/two.py", "from c import all\nimport apple, numpy\n"),
        ("a/one.py", ""),
        ("b/__init__.py", "from . import two, other\nfrom zope import *\n"),
        ("c/all.py", "from .near import x\n"),
    ];
    let mut sources = SOURCES.to_vec();
    let mut graph = build(&rules(), &sources);
    for (path, text) in edits {
        let at = sources.iter().position(|(known, _)| *known == path).unwrap();
        sources[at].1 = text;
        let positions = [u32::try_from(at).unwrap()];
        link(&mut graph, &rules(), (&sources, &positions));
        assert_eq!(graph, build(&rules(), &sources), "{path}");
        assert!(graph.is_sound());
    }
}

#[test]
fn written_files_are_stable() {
    let graph = build(&rules(), &SOURCES[..6]);
    let path = |file: u32| SOURCES[file as usize].0.to_owned();
    let closure = graph.closure(graph.regular());
    assert_eq!(
        graph_text(&graph, &closure),
        "{\"modules\":[\n[\"a\",true],\n[\"a.one\",true],\n[\"b\",true],\n[\"b.base\",true],\n\
         [\"b.other\",true],\n[\"b.two\",true],\n[\"numpy\",false]\n],\"edges\":[\n[0,1],\n[1,5],\n\
         [2,3],\n[2,4],\n[2,5],\n[5,1],\n[5,6]\n]}\n"
    );
    let closure = graph.closure(graph.find("a"));
    let distributions = BTreeSet::from(["numpy".to_owned()]);
    assert_eq!(
        lock_text(&graph, &closure, &distributions, path),
        "{\"globs\":[\n\"a/**.py\",\n\"b/__init__.py\",\n\"b/base.py\",\n\"b/two.py\"\n],\
         \"pydists\":[\n\"numpy\"\n]}\n"
    );
}

#[test]
fn a_fence_names_what_leaves_it() {
    let graph = build(&rules(), SOURCES);
    let fenced = graph.fenced(&[graph.find("b").unwrap()], |_| false);
    let shown = |crossings: &[super::Crossing]| -> Vec<String> {
        let show = |it: &super::Crossing| format!("{} {} {}", it.importer, it.line, it.imported);
        crossings.iter().map(show).collect()
    };
    assert_eq!(shown(&fenced.internal), ["b.two 1 a.one"]);
    assert_eq!(shown(&fenced.external), ["b.two 2 numpy"]);
    let all: Vec<_> = graph.tops();
    assert!(graph.fenced(&all, |_| true).internal.is_empty());
}

#[test]
fn a_route_is_the_shortest() {
    let graph = build(&rules(), SOURCES);
    let route = |from: &str, to: &str| {
        let steps = graph.route(graph.find(from).unwrap(), to)?;
        Some(steps.iter().map(|step| step.imported.clone()).collect::<Vec<_>>())
    };
    assert_eq!(route("a.one", "b.two"), Some(vec!["b.two".to_owned()]));
    assert_eq!(route("a.one", "numpy"), Some(vec!["b.two".to_owned(), "numpy".to_owned()]));
    assert_eq!(
        route("a.one", "b.base"),
        Some(vec!["b.two".to_owned(), "b".to_owned(), "b.base".to_owned()])
    );
    assert_eq!(route("c.near", "a"), None);
}

proptest! {
    /// Whoever is imported, directly or not, is needed; and nothing is needed twice.
    #[test]
    fn a_closure_is_closed(edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..40)) {
        let paths: Vec<String> = (0..12).map(|n| format!("p{}/m{n}.py", n % 4)).collect();
        let texts: Vec<String> = (0..12)
            .map(|n| {
                let own = edges.iter().filter(|(from, _)| *from == n);
                let lines: Vec<_> = own.map(|(_, to)| format!("import p{}.m{to}\n", to % 4)).collect();
                lines.concat()
            })
            .collect();
        let sources: Vec<(&str, &str)> =
            paths.iter().zip(&texts).map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let graph = build(&rules(), &sources);
        prop_assert!(graph.is_sound());
        for start in 0..12 {
            let closure = graph.closure(graph.find(&format!("p{}.m{start}", start % 4)));
            let mut expected = BTreeSet::from([start]);
            loop {
                let next = edges.iter().filter(|(from, _)| expected.contains(from));
                let next: BTreeSet<usize> = next.map(|(_, to)| *to).collect();
                let before = expected.len();
                expected.extend(next);
                if expected.len() == before {
                    break;
                }
            }
            let found: Vec<usize> = closure.files.iter().map(|file| *file as usize).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(scan(&bytes));
        prop_assert!(kept::decode(&bytes, &[7; 32]).is_none());
        prop_assert!(Table::decode(&bytes).is_none());
    }
}
