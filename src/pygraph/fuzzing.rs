//! Python sources and the kept graph as entry points of fuzzing. Pure.

use super::assemble::{Rules, SourceFile, assemble};
use super::graph::{Graph, ModuleId};
use super::kept::{self, Kept};
use super::scan::{Scan, scan};
use super::source;
use super::table::{Record, Table};
use super::{Closure, graph_text, lock_text};
use crate::git::BlobId;

/// What no source is named.
const LAST_ONE: &str = "last_one_of_all";

/// Sources, each with its path in the first line: places are within them, imports do not depend on
/// what follows, their graph is sound, and what is kept of it is what it was.
pub fn sources(files: &[&[u8]]) {
    let mut table = Table::default();
    let mut records: Vec<(String, BlobId)> = Vec::new();
    for (file, number) in files.iter().zip(0_u8..) {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let (path, bytes) = (&file[..end], file.get(end + 1..).unwrap_or_default());
        let scan = scan(bytes);
        check_places(&scan, bytes);
        check_followed(&scan, bytes);
        let id = BlobId::from_bytes(&[number; 20]).unwrap_or_else(|| unreachable!("it is one"));
        let record = table.record(scan);
        table.records.insert(id, record);
        records.push((String::from_utf8_lossy(path).into_owned(), id));
    }
    let sources: Vec<SourceFile<'_>> = records
        .iter()
        .map(|(path, id)| SourceFile { path, record: table.records.get(id).map(|it| &**it) })
        .collect();
    let rules = Rules { roots: vec![String::new(), "src".to_owned()], ..Rules::default() };
    let graph = assemble(&rules, &table.names, &sources);
    assert!(graph.is_sound());
    ask(&graph);
    check_kept(&graph, &table);
}

/// A kept graph, as it is and freshly sealed.
pub fn imports(bytes: &[u8]) {
    drop(Kept::open(bytes).map(|kept| (kept.graph(), kept.table())));
    let sealed = kept::sealed([kept::MAGIC, bytes].concat());
    let Some(kept) = Kept::open(&sealed) else { return };
    let graph = kept.graph().filter(Graph::is_sound);
    let table = kept.table();
    if let Some(graph) = &graph {
        ask(graph);
    }
    check_kept(&graph.unwrap_or_default(), &table.unwrap_or_default());
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
    let lock = lock_text(graph, closure, &std::collections::BTreeSet::new(), path);
    for text in [graph_text(graph, closure), lock] {
        let value = serde_json::from_str::<serde_json::Value>(&text);
        assert!(value.is_ok_and(|value| value.is_object()), "{text}");
    }
}

fn check_kept(graph: &Graph, table: &Table) {
    let mut ids: Vec<BlobId> = table.records.keys().copied().collect();
    ids.sort_unstable();
    let bytes = kept::encode(&kept::NO_KEY, graph, table, &ids);
    let again = Kept::open(&bytes);
    assert!(again.as_ref().is_some_and(|kept| kept.key == kept::NO_KEY));
    assert_eq!(again.as_ref().and_then(Kept::graph).as_ref(), Some(graph));
    let kept = again.and_then(|kept| kept.table()).unwrap_or_default();
    assert!(kept.names.iter().eq(table.names.iter()));
    assert!(ids.iter().all(|id| record(&kept, id) == record(table, id)));
}

fn record<'t>(table: &'t Table, id: &BlobId) -> Option<&'t Record> {
    table.records.get(id).map(|record| &**record)
}
