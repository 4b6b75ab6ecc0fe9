//! What is kept between runs, in one file: the latest graph, and what each content imports. Pure.

use std::sync::Arc;

use super::codec::{Reader, Writer};
use super::graph::{Edge, EdgeKind, Fault, Graph, Module};
use super::scan::Broken;
use super::table::{Import, Record, Table};
use crate::git::BlobId;

/// What the file begins with. Another parser, format or meaning needs another one.
pub(super) const MAGIC: &[u8] = b"qik imports 1, ruff 0.0.10\n";

/// Bytes of a digest.
const DIGEST_LENGTH: usize = 32;

/// What decides a graph: files, rules, and what we make of them.
pub(super) type Key = [u8; DIGEST_LENGTH];

/// The key of a graph that is not to be taken again.
pub(super) const NO_KEY: Key = [0; DIGEST_LENGTH];

/// The digest of something, as a key.
pub(super) fn key_of(bytes: &[u8]) -> Key {
    *blake3::hash(bytes).as_bytes()
}

/// The content of the file.
pub(super) fn encode(key: &Key, graph: &Graph, table: &Table, current: &[BlobId]) -> Vec<u8> {
    let mut writer = Writer(MAGIC.to_vec());
    writer.0.extend_from_slice(key);
    let mut part = Writer::default();
    write_graph(&mut part, graph);
    writer.bytes(&part.0);
    write_table(&mut writer, table, current);
    sealed(writer.0)
}

/// What was not written whole is told by its seal.
pub(super) fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let seal = key_of(&body);
    body.extend_from_slice(&seal);
    body
}

/// What a file holds, its parts read when they are wanted.
#[derive(Debug)]
pub(super) struct Kept<'b> {
    pub(super) key: Key,
    graph: Reader<'b>,
    table: Reader<'b>,
}

impl<'b> Kept<'b> {
    /// `None` if it is damaged, or of another version.
    pub(super) fn open(bytes: &'b [u8]) -> Option<Self> {
        let (body, seal) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_LENGTH)?)?;
        if key_of(body) != seal {
            return None;
        }
        let (key, rest) = body.strip_prefix(MAGIC)?.split_first_chunk()?;
        let mut rest = Reader(rest);
        let graph = Reader(rest.bytes()?);
        Some(Self { key: *key, graph, table: rest })
    }

    pub(super) fn graph(&self) -> Option<Graph> {
        read_graph(&mut self.graph.clone())
    }

    pub(super) fn table(&self) -> Option<Table> {
        read_table(&mut self.table.clone())
    }
}

fn write_graph(writer: &mut Writer, graph: &Graph) {
    writer.text(&graph.names);
    writer.count(graph.modules.len());
    for module in &graph.modules {
        let numbers = [
            module.name_start,
            module.name_end,
            module.part_length,
            module.end,
            module.parent,
            module.file_start,
            module.edge_start,
            u32::from(module.is_regular)
                | u32::from(module.is_package) << 1
                | u32::from(module.is_scanned) << 2,
        ];
        writer.numbers(&numbers);
    }
    writer.count(graph.files.len());
    writer.numbers(&graph.files);
    writer.count(graph.edges.len());
    for edge in &graph.edges {
        let numbers = [edge.kind as u32, edge.target, edge.file, edge.line, edge.column];
        writer.numbers(&numbers);
    }
    writer.count(graph.externals.len());
    graph.externals.iter().for_each(|name| writer.text(name));
    writer.count(graph.faults.len());
    for fault in &graph.faults {
        let numbers = [fault.module, fault.file, fault.line, fault.column];
        writer.numbers(&numbers);
        writer.text(&fault.message);
    }
}

fn read_graph(reader: &mut Reader<'_>) -> Option<Graph> {
    let names = reader.text()?.to_owned();
    let modules = reader.list(|reader| {
        let mut module = Module {
            name_start: reader.number()?,
            name_end: reader.number()?,
            part_length: reader.number()?,
            end: reader.number()?,
            parent: reader.number()?,
            file_start: reader.number()?,
            edge_start: reader.number()?,
            ..Module::default()
        };
        let flags = reader.number()?;
        module.is_regular = flags & 1 != 0;
        module.is_package = flags & 2 != 0;
        module.is_scanned = flags & 4 != 0;
        Some(module)
    })?;
    let files = reader.list(Reader::number)?;
    let edges = reader.list(|reader| {
        Some(Edge {
            kind: match reader.number()? {
                0 => EdgeKind::Module,
                1 => EdgeKind::Code,
                2 => EdgeKind::External,
                3 => EdgeKind::Optional,
                _ => return None,
            },
            target: reader.number()?,
            file: reader.number()?,
            line: reader.number()?,
            column: reader.number()?,
        })
    })?;
    let externals = reader.list(|reader| Some(reader.text()?.to_owned()))?;
    let faults = reader.list(|reader| {
        Some(Fault {
            module: reader.number()?,
            file: reader.number()?,
            line: reader.number()?,
            column: reader.number()?,
            message: reader.text()?.to_owned(),
        })
    })?;
    Some(Graph { names, modules, files, edges, externals, faults, is_unsure: false })
}

/// Only what is current is kept: contents that nobody has any more would pile up.
fn write_table(writer: &mut Writer, table: &Table, current: &[BlobId]) {
    writer.count(table.names.len());
    table.names.iter().for_each(|name| writer.text(name));
    let known = |id: &BlobId| Some((*id, table.records.get(id)?));
    let records: Vec<_> = current.iter().filter_map(known).collect();
    writer.count(records.len());
    for (id, record) in records {
        writer.bytes(id.as_bytes());
        writer.count(record.imports.len());
        for import in &record.imports {
            let flags = u32::from(import.is_type_checking) | u32::from(import.is_optional) << 1;
            let name = import.name.map_or(0, |name| name + 1);
            let numbers =
                [import.level << 2 | flags, import.module, name, import.line, import.column];
            writer.numbers(&numbers);
        }
        writer.count(usize::from(record.error.is_some()));
        if let Some(error) = &record.error {
            writer.number(error.line);
            writer.number(error.column);
            writer.text(&error.message);
        }
    }
}

fn read_table(reader: &mut Reader<'_>) -> Option<Table> {
    let mut table = Table::default();
    let names = reader.list(Reader::text)?;
    for name in names {
        table.names.intern(name);
    }
    let name_count = u32::try_from(table.names.len()).ok()?;
    let known = |name: u32| (name < name_count).then_some(name);
    let records = reader.list(|reader| {
        let id = BlobId::from_bytes(reader.bytes()?)?;
        let imports = reader.list(|reader| {
            let flags = reader.number()?;
            Some(Import {
                level: flags >> 2,
                module: known(reader.number()?)?,
                name: match reader.number()? {
                    0 => None,
                    name => Some(known(name - 1)?),
                },
                line: reader.number()?,
                column: reader.number()?,
                is_type_checking: flags & 1 != 0,
                is_optional: flags & 2 != 0,
            })
        })?;
        let errors = reader.list(|reader| {
            let (line, column) = (reader.number()?, reader.number()?);
            Some(Broken { line, column, message: reader.text()?.to_owned() })
        })?;
        Some((id, Arc::new(Record { imports, error: errors.into_iter().next() })))
    })?;
    table.records.extend(records);
    Some(table)
}
