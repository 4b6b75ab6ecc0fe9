//! The imports of all files → the graph. Pure.

use std::collections::BTreeMap;

use super::graph::{Edge, EdgeKind, Fault, Graph, Module, ModuleId, NONE};
use super::names::Names;
use super::resolve::{Importer, Target};
use super::table::Record;
use super::tree::Tree;

/// What decides the graph beside the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Folders that imports start from, relative to the project root.
    pub roots: Vec<String>,
    pub ignores_type_checking: bool,
    pub ignores_pydists: bool,
}

/// A file with what it imports.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceFile<'a> {
    /// Relative to the project root.
    pub(super) path: &'a str,
    /// `None` if nobody needed to know.
    pub(super) record: Option<&'a Record>,
}

/// The positions of the files of packages, and of all that Python finds in them: what a project is
/// made of, whoever imports it.
pub(super) fn regular_files(rules: &Rules, paths: &[&str]) -> Vec<u32> {
    let files: Vec<SourceFile<'_>> =
        paths.iter().map(|path| SourceFile { path, record: None }).collect();
    let names = Names::default();
    let mut assembler = Assembler::new(rules, &names, &files);
    assembler.place_all();
    let graph = assembler.graph;
    let regular = graph.ids().filter(|id| graph.module(*id).is_regular);
    regular.flat_map(|id| graph.files(id).to_vec()).collect()
}

/// The graph of some files, which have no others beside them.
pub(super) fn assemble(rules: &Rules, names: &Names, files: &[SourceFile<'_>]) -> Graph {
    let mut assembler = Assembler::new(rules, names, files);
    assembler.place_all();
    assembler.link_all();
    assembler.finish()
}

fn tree_of(rules: &Rules, files: &[SourceFile<'_>]) -> Tree {
    let mut tree = Tree::default();
    for root in &rules.roots {
        for (file, position) in files.iter().zip(0_u32..) {
            if let Some(path) = below(file.path, root) {
                tree.add(path, position);
            }
        }
    }
    tree
}

/// A path below a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    match folder {
        "" | "." => (!path.starts_with("../")).then_some(path),
        _ => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

struct Assembler<'a> {
    rules: &'a Rules,
    names: &'a Names,
    files: &'a [SourceFile<'a>],
    tree: Tree,
    graph: Graph,
    /// By branch, its position in the graph.
    positions: Vec<u32>,
    /// By position, the branch.
    order: Vec<u32>,
    externals: BTreeMap<String, u32>,
}

impl<'a> Assembler<'a> {
    fn new(rules: &'a Rules, names: &'a Names, files: &'a [SourceFile<'a>]) -> Self {
        let tree = tree_of(rules, files);
        Self {
            rules,
            names,
            files,
            graph: Graph::default(),
            positions: vec![NONE; tree.branches.len()],
            order: Vec::with_capacity(tree.branches.len()),
            externals: BTreeMap::new(),
            tree,
        }
    }

    /// Gives each module its position: parents first, in the order of their names.
    fn place_all(&mut self) {
        let by_name = |tree: &Tree, ids: &mut Vec<u32>| {
            ids.sort_unstable_by(|one, two| tree.branch(*two).name.cmp(&tree.branch(*one).name));
        };
        let mut tops: Vec<u32> = self.tree.tops().collect();
        by_name(&self.tree, &mut tops);
        // What is to be placed, or, once that was done, to be closed.
        let mut stack: Vec<(u32, bool)> = tops.into_iter().map(|branch| (branch, false)).collect();
        while let Some((branch, is_placed)) = stack.pop() {
            if is_placed {
                let end = u32::try_from(self.order.len()).unwrap_or(NONE);
                self.graph.modules[self.positions[branch as usize] as usize].end = end;
                continue;
            }
            self.place(branch);
            stack.push((branch, true));
            let mut children = self.tree.branch(branch).children.clone();
            by_name(&self.tree, &mut children);
            stack.extend(children.into_iter().map(|child| (child, false)));
        }
    }

    fn place(&mut self, id: u32) {
        let branch = self.tree.branch(id);
        let parent = branch.parent.map(|parent| self.positions[parent as usize]);
        let graph = &mut self.graph;
        let name_start = graph.names.len();
        if let Some(parent) = parent {
            let above = graph.name(ModuleId(parent)).to_owned();
            graph.names.push_str(&above);
            graph.names.push('.');
        }
        graph.names.push_str(&branch.name);
        let is_below_regular =
            parent.is_none_or(|parent| graph.module(ModuleId(parent)).is_regular);
        let number = |count: usize| u32::try_from(count).unwrap_or(NONE);
        self.positions[id as usize] = number(graph.modules.len());
        self.order.push(id);
        graph.modules.push(Module {
            name_start: number(name_start),
            name_end: number(graph.names.len()),
            part_length: number(branch.name.len()),
            end: NONE,
            parent: parent.unwrap_or(NONE),
            file_start: number(graph.files.len()),
            edge_start: 0,
            is_regular: is_below_regular
                && is_identifier(&branch.name)
                && (branch.is_package || (parent.is_some() && !branch.files.is_empty())),
            is_package: branch.is_package,
            is_scanned: branch.files.iter().all(|file| self.files[*file as usize].record.is_some()),
        });
        graph.files.extend_from_slice(&branch.files);
    }

    fn link_all(&mut self) {
        for id in self.graph.ids() {
            let edge_start = u32::try_from(self.graph.edges.len()).unwrap_or(NONE);
            self.graph.modules[id.0 as usize].edge_start = edge_start;
            for file in self.graph.files(id).to_vec() {
                self.link_file(id, file);
            }
        }
    }

    fn link_file(&mut self, id: ModuleId, file: u32) {
        let SourceFile { path, record } = self.files[file as usize];
        let Some(record) = record else { return };
        let is_init = path.ends_with("/__init__.py") || path.ends_with("/__init__.pyi");
        let importer = Importer { module: self.order[id.0 as usize], is_init };
        for import in &record.imports {
            if import.is_type_checking && self.rules.ignores_type_checking {
                continue;
            }
            let name = import.name.map(|name| self.names.name(name));
            let what = (import.level, self.names.name(import.module), name);
            let place = (file, import.line, import.column);
            match self.tree.resolve(importer, what) {
                Target::Module(branch) => self.link(id, (EdgeKind::Module, branch), place),
                Target::Code(branch) => self.link(id, (EdgeKind::Code, branch), place),
                Target::External(name) => self.link_external(&name, import.is_optional, place),
                Target::Either(branch, name) => {
                    self.link(id, (EdgeKind::Module, branch), place);
                    self.link_external(&name, true, place);
                }
                Target::Nothing => {}
            }
        }
        if let Some(broken) = &record.error {
            let message = broken.message.clone();
            let (line, column) = (broken.line, broken.column);
            self.graph.faults.push(Fault { module: id.0, file, line, column, message });
        }
    }

    fn link(&mut self, from: ModuleId, (kind, branch): (EdgeKind, u32), place: (u32, u32, u32)) {
        let target = self.positions[branch as usize];
        if target != from.0 {
            self.push(kind, target, place);
        }
    }

    fn link_external(&mut self, name: &str, is_optional: bool, place: (u32, u32, u32)) {
        if self.rules.ignores_pydists {
            return;
        }
        let next = u32::try_from(self.externals.len()).unwrap_or(NONE);
        let target = *self.externals.entry(name.to_owned()).or_insert(next);
        let kind = if is_optional { EdgeKind::Optional } else { EdgeKind::External };
        self.push(kind, target, place);
    }

    fn push(&mut self, kind: EdgeKind, target: u32, (file, line, column): (u32, u32, u32)) {
        self.graph.edges.push(Edge { kind, target, file, line, column });
    }

    /// Numbers what is not ours by name.
    fn finish(mut self) -> Graph {
        let mut sorted = vec![NONE; self.externals.len()];
        for (position, number) in (0_u32..).zip(self.externals.values()) {
            sorted[*number as usize] = position;
        }
        for edge in &mut self.graph.edges {
            if matches!(edge.kind, EdgeKind::External | EdgeKind::Optional) {
                edge.target = sorted[edge.target as usize];
            }
        }
        self.graph.externals = self.externals.into_keys().collect();
        self.graph
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}
