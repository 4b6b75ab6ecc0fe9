//! The graph as it is kept between runs, in a file that is sealed. Pure.

use super::codec::{Reader, Writer};
use super::graph::{Content, Edge, EdgeKind, Fault, Graph, Module};
use crate::git::BlobId;

/// What the file begins with. Another parser, format or meaning needs another one.
pub(super) const MAGIC: &[u8] = b"qik graph 2, ruff 0.0.10\n";

/// Bytes of a digest.
const DIGEST_LENGTH: usize = 32;

/// What decides the modules of a graph: files by path, and rules.
pub(super) type Key = [u8; DIGEST_LENGTH];

/// The digest of something, as a key.
pub(super) fn key_of(bytes: &[u8]) -> Key {
    *blake3::hash(bytes).as_bytes()
}

/// The bytes with what tells whether they are whole.
pub(super) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let seal = key_of(&bytes);
    bytes.extend_from_slice(&seal);
    bytes
}

/// What was sealed, after what it begins with; `None` if it is damaged, or begins with something
/// else.
pub(super) fn unseal<'b>(bytes: &'b [u8], magic: &[u8]) -> Option<&'b [u8]> {
    let (body, seal) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_LENGTH)?)?;
    let rest = body.strip_prefix(magic)?;
    (key_of(body) == seal).then_some(rest)
}

/// The content of the file.
pub(super) fn encode(key: &Key, graph: &Graph) -> Vec<u8> {
    let mut writer = Writer(MAGIC.to_vec());
    writer.0.extend_from_slice(key);
    write_graph(&mut writer, graph);
    seal(writer.0)
}

/// The graph that a file holds, if it is whole and of the key.
pub(super) fn decode(bytes: &[u8], key: &Key) -> Option<Graph> {
    let body = unseal(bytes, MAGIC)?.strip_prefix(key)?;
    read_graph(&mut Reader(body)).filter(Graph::is_sound)
}

fn write_graph(writer: &mut Writer, graph: &Graph) {
    writer.text(&graph.names);
    writer.count(graph.modules.len());
    for module in &graph.modules {
        writer.numbers(&[
            module.name_start,
            module.name_end,
            module.part_length,
            module.end,
            module.parent,
            module.file_start,
            module.edge_start,
            u32::from(module.is_regular) | u32::from(module.is_package) << 1,
        ]);
    }
    writer.count(graph.files.len());
    writer.numbers(&graph.files);
    writer.count(graph.edges.len());
    for edge in &graph.edges {
        writer.numbers(&[edge.kind as u32, edge.target, edge.file, edge.line, edge.column]);
    }
    writer.count(graph.externals.len());
    graph.externals.iter().for_each(|name| writer.text(name));
    writer.count(graph.faults.len());
    for fault in &graph.faults {
        writer.numbers(&[fault.module, fault.file, fault.line, fault.column]);
        writer.text(&fault.message);
    }
    writer.count(graph.contents.len());
    for content in &graph.contents {
        match content {
            Content::Unread => writer.bytes(b""),
            Content::Of(id) => writer.bytes(id.as_bytes()),
            Content::Unsure => writer.bytes(b"?"),
            Content::Gone => writer.bytes(b"-"),
        }
    }
}

fn read_graph(reader: &mut Reader<'_>) -> Option<Graph> {
    let names = reader.text()?.to_owned();
    let modules = reader.list(|reader| {
        let [name_start, name_end, part_length, end, parent, file_start, edge_start, flags] =
            reader.numbers()?;
        Some(Module {
            name_start,
            name_end,
            part_length,
            end,
            parent,
            file_start,
            edge_start,
            is_regular: flags & 1 != 0,
            is_package: flags & 2 != 0,
        })
    })?;
    let files = reader.list(Reader::number)?;
    let edges = reader.list(|reader| {
        let [kind, target, file, line, column] = reader.numbers()?;
        let kind = match kind {
            0 => EdgeKind::Module,
            1 => EdgeKind::Code,
            2 => EdgeKind::External,
            3 => EdgeKind::Optional,
            _ => return None,
        };
        Some(Edge { kind, target, file, line, column })
    })?;
    let externals = reader.list(|reader| Some(reader.text()?.to_owned()))?;
    let faults = reader.list(|reader| {
        let [module, file, line, column] = reader.numbers()?;
        Some(Fault { module, file, line, column, message: reader.text()?.to_owned() })
    })?;
    let contents = reader.list(|reader| {
        Some(match reader.bytes()? {
            b"" => Content::Unread,
            b"?" => Content::Unsure,
            b"-" => Content::Gone,
            id => Content::Of(BlobId::from_bytes(id)?),
        })
    })?;
    Some(Graph { names, modules, files, edges, externals, faults, contents })
}
