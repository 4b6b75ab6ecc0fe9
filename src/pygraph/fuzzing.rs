//! Python sources and the kept graph as entry points of fuzzing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::assemble::{Rules, assemble};
use super::graph::{Content, Graph, ModuleId};
use super::kept::{self, Key, MAGIC};
use super::link::SourceFile;
use super::scan::{Scan, scan};
use super::table::Table;
use super::{Closure, graph_text, lock_text, source, table};
use crate::git::BlobId;

/// What no source is named.
const LAST_ONE: &str = "last_one_of_all";

/// That of every graph here.
const KEY: Key = [7; 32];

/// Sources, each with its path in the first line: places are within them, imports do not depend on
/// what follows, their graph is sound, and what is kept of it is what it was.
pub fn sources(files: &[&[u8]]) {
    let mut table = Table::default();
    let mut records = BTreeMap::new();
    for (file, number) in files.iter().zip(0_u8..) {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let (path, bytes) = (&file[..end], file.get(end + 1..).unwrap_or_default());
        let scan = scan(bytes);
        check_places(&scan, bytes);
        check_followed(&scan, bytes);
        let id = BlobId::from_bytes(&[number; 20]).unwrap_or_else(|| unreachable!("it is one"));
        let record = table.record(scan);
        table.records.insert(id, record);
        records.insert(String::from_utf8_lossy(path).into_owned(), id);
    }
    let rules = Rules { roots: vec![String::new(), "src".to_owned()], ..Rules::default() };
    let paths: Vec<&str> = records.keys().map(String::as_str).collect();
    let mut graph = assemble(&rules, &paths);
    let mut linked = FxHashMap::default();
    for ((path, id), position) in records.iter().zip(0_u32..) {
        graph.contents[position as usize] = Content::Of(*id);
        linked.insert(position, SourceFile { path, record: &table.records[id] });
    }
    graph.link(&rules, &table.names, &linked);
    assert!(graph.is_sound());
    ask(&graph);
    check_kept(&graph);
    check_table(&table);
}

/// A kept graph or table of imports, as it is and freshly sealed.
pub fn imports(bytes: &[u8]) {
    drop(kept::decode(bytes, &KEY));
    drop(Table::decode(bytes));
    if let Some(graph) = kept::decode(&kept::seal([MAGIC, &KEY, bytes].concat()), &KEY) {
        ask(&graph);
        check_kept(&graph);
    }
    if let Some(table) = Table::decode(&kept::seal([table::MAGIC, bytes].concat())) {
        check_table(&table);
    }
}

fn check_places(scan: &Scan, bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let imports = scan.imports.iter().map(|import| (import.line, import.column));
    let errors = scan.error.iter().map(|error| (error.line, error.column));
    for (line, column) in imports.chain(errors) {
        let text = (line as usize).checked_sub(1).and_then(|line| lines.get(line));
        let length = text.map(|text| text.len());
        let is_within = length.is_some_and(|length| (1..=length + 1).contains(&(column as usize)));
        assert!(is_within, "{line}:{column} is not in it");
    }
    assert!(scan.error.as_ref().is_none_or(|error| !error.message.is_empty()));
}

fn check_followed(before: &Scan, bytes: &[u8]) {
    if before.error.is_some() || source::decode(bytes).is_ok_and(|text| text.contains(LAST_ONE)) {
        return;
    }
    let mut after = scan(&[bytes, b"\nimport ", LAST_ONE.as_bytes(), b"\n"].concat());
    let count = after.imports.len();
    after.imports.retain(|import| import.module != LAST_ONE);
    assert_eq!(after.imports.len() + 1, count);
    assert_eq!(&after, before);
}

/// Asks a graph whatever it can be asked.
fn ask(graph: &Graph) {
    for id in graph.ids() {
        let name = graph.name(id);
        assert!(graph.knows(name) || graph.find(name).is_none());
        let closure = graph.closure([id]);
        check_texts(graph, &closure);
        drop(graph.fenced(&[id], |_| false));
        drop(graph.route(id, name));
        drop(graph.imports_of(id));
        drop(graph.importers_of(name));
    }
    let all: Vec<ModuleId> = graph.ids().collect();
    check_texts(graph, &graph.closure(all));
}

fn check_texts(graph: &Graph, closure: &Closure) {
    let path = |file: u32| format!("{file}.py");
    let lock = lock_text(graph, closure, &BTreeSet::new(), path);
    for text in [graph_text(graph, closure), lock] {
        let value = serde_json::from_str::<serde_json::Value>(&text);
        assert!(value.is_ok_and(|value| value.is_object()), "{text}");
    }
}

fn check_kept(graph: &Graph) {
    let again = kept::decode(&kept::encode(&KEY, graph), &KEY);
    assert_eq!(again.as_ref(), Some(graph));
}

fn check_table(table: &Table) {
    let ids: BTreeSet<BlobId> = table.records.keys().copied().collect();
    let again = Table::decode(&table.encode(&ids)).unwrap_or_default();
    assert!(again.names.iter().eq(table.names.iter()));
    assert!(ids.iter().all(|id| again.records.get(id) == table.records.get(id)));
}
