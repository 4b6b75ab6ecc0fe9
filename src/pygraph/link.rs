//! What files import → the edges of the graph. Pure.

use rustc_hash::FxHashMap;

use super::assemble::Rules;
use super::graph::{Edge, EdgeKind, Fault, Graph, ModuleId, NONE};
use super::names::Names;
use super::resolve::{Importer, Lookup, Target};
use super::table::Record;

/// A file with what it imports.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceFile<'a> {
    pub(super) path: &'a str,
    pub(super) record: &'a Record,
}

impl Graph {
    /// Puts the imports of some files, by position, into the place of what the graph has of them.
    /// The result is the same whatever was there before.
    pub(super) fn link(
        &mut self,
        rules: &Rules,
        names: &Names,
        sources: &FxHashMap<u32, SourceFile<'_>>,
    ) {
        let mut linker = Linker::new(rules, names, self);
        let mut starts = Vec::with_capacity(self.modules.len());
        for id in self.ids() {
            starts.push(u32::try_from(linker.edges.len()).unwrap_or(NONE));
            for file in self.files(id) {
                match sources.get(file) {
                    Some(source) => linker.link_file(id, *file, *source),
                    None => linker.keep_file(id, *file),
                }
            }
        }
        let Linker { edges, mut faults, externals, .. } = linker;
        let externals: Vec<String> = externals.iter().map(str::to_owned).collect();
        faults.sort_by_key(|fault| (fault.module, fault.file));
        self.edges = edges;
        self.faults = faults;
        for (module, start) in self.modules.iter_mut().zip(starts) {
            module.edge_start = start;
        }
        self.number(externals);
    }

    /// Takes names from elsewhere that edges have by position, and has them sorted, and no others
    /// than are imported.
    fn number(&mut self, externals: Vec<String>) {
        let is_external =
            |edge: &Edge| matches!(edge.kind, EdgeKind::External | EdgeKind::Optional);
        let mut is_used = vec![false; externals.len()];
        for edge in self.edges.iter().filter(|edge| is_external(edge)) {
            is_used[edge.target as usize] = true;
        }
        let mut used: Vec<(String, usize)> =
            externals.into_iter().zip(0..).filter(|(_, at)| is_used[*at]).collect();
        used.sort_unstable();
        let mut positions = vec![NONE; is_used.len()];
        for (position, (_, at)) in (0_u32..).zip(&used) {
            positions[*at] = position;
        }
        for edge in self.edges.iter_mut().filter(|edge| is_external(edge)) {
            edge.target = positions[edge.target as usize];
        }
        self.externals = used.into_iter().map(|(name, _)| name).collect();
    }
}

struct Linker<'a> {
    rules: &'a Rules,
    names: &'a Names,
    graph: &'a Graph,
    lookup: Lookup<'a>,
    edges: Vec<Edge>,
    faults: Vec<Fault>,
    /// By number; those of the graph have the numbers that they have there.
    externals: Names,
}

impl<'a> Linker<'a> {
    fn new(rules: &'a Rules, names: &'a Names, graph: &'a Graph) -> Self {
        let mut externals = Names::default();
        for name in &graph.externals {
            externals.intern(name);
        }
        let edges = Vec::with_capacity(graph.edges.len());
        let lookup = Lookup::new(graph);
        Self { rules, names, graph, lookup, edges, faults: Vec::new(), externals }
    }

    /// What the graph has of a file.
    fn keep_file(&mut self, id: ModuleId, file: u32) {
        self.edges.extend(self.graph.edges(id).iter().filter(|edge| edge.file == file));
        let faults = self.graph.faults.iter();
        let own = faults.filter(|fault| fault.module == id.0 && fault.file == file);
        self.faults.extend(own.cloned());
    }

    fn link_file(&mut self, id: ModuleId, file: u32, SourceFile { path, record }: SourceFile<'_>) {
        let is_init = path.ends_with("/__init__.py") || path.ends_with("/__init__.pyi");
        let importer = Importer { module: id, is_init };
        for import in &record.imports {
            if import.is_type_checking && self.rules.ignores_type_checking {
                continue;
            }
            let name = import.name.map(|name| self.names.name(name));
            let what = (import.level, self.names.name(import.module), name);
            let place = (file, import.line, import.column);
            match self.lookup.resolve(importer, what) {
                Target::Module(to) => self.link_module(id, (EdgeKind::Module, to), place),
                Target::Code(to) => self.link_module(id, (EdgeKind::Code, to), place),
                Target::External(name) => self.link_external(name, import.is_optional, place),
                Target::Either(to, name) => {
                    self.link_module(id, (EdgeKind::Module, to), place);
                    self.link_external(name, true, place);
                }
                Target::Nothing => {}
            }
        }
        if let Some(broken) = &record.error {
            let message = broken.message.clone();
            let (line, column) = (broken.line, broken.column);
            self.faults.push(Fault { module: id.0, file, line, column, message });
        }
    }

    fn link_module(
        &mut self,
        from: ModuleId,
        (kind, to): (EdgeKind, ModuleId),
        place: (u32, u32, u32),
    ) {
        if to != from {
            self.push(kind, to.0, place);
        }
    }

    fn link_external(&mut self, name: &str, is_optional: bool, place: (u32, u32, u32)) {
        if self.rules.ignores_pydists {
            return;
        }
        let target = self.externals.intern(name);
        let kind = if is_optional { EdgeKind::Optional } else { EdgeKind::External };
        self.push(kind, target, place);
    }

    fn push(&mut self, kind: EdgeKind, target: u32, (file, line, column): (u32, u32, u32)) {
        self.edges.push(Edge { kind, target, file, line, column });
    }
}
