//! All that a module needs: itself, what is below it, and what these import. Pure.

use super::graph::{Edge, EdgeKind, Graph, ModuleId};

/// What a module needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    /// Positions of files, sorted.
    pub files: Vec<u32>,
    /// Each with the first import that names it, sorted by name.
    pub(super) externals: Vec<Edge>,
    /// The modules whose code runs, in order.
    pub(super) modules: Vec<ModuleId>,
    /// The modules that are named, and so needed with all that is below them.
    pub(super) named: Vec<ModuleId>,
    /// Files whose imports are not known yet, by position: without them it is not whole.
    pub unscanned: Vec<u32>,
    /// Files that cannot be read as Python and would be run: their faults, by position.
    pub faults: Vec<usize>,
}

struct Walk<'g> {
    graph: &'g Graph,
    has_code: Vec<bool>,
    is_whole: Vec<bool>,
    /// An import, or whoever asked, names the very module.
    is_named: Vec<bool>,
    queue: Vec<ModuleId>,
    externals: Vec<Option<Edge>>,
}

impl Graph {
    /// What some modules need.
    pub fn closure(&self, roots: impl IntoIterator<Item = ModuleId>) -> Closure {
        let mut walk = Walk {
            graph: self,
            has_code: vec![false; self.modules.len()],
            is_whole: vec![false; self.modules.len()],
            is_named: vec![false; self.modules.len()],
            queue: Vec::new(),
            externals: vec![None; self.externals.len()],
        };
        for root in roots {
            walk.add_whole(root);
        }
        while let Some(id) = walk.queue.pop() {
            for edge in self.edges(id) {
                walk.follow(edge);
            }
        }
        let modules: Vec<ModuleId> = self.ids().filter(|id| walk.has_code[id.0 as usize]).collect();
        // What is merely below a module, and cannot be imported, may be of another language.
        let is_run =
            |at: usize| walk.has_code[at] && (walk.is_named[at] || self.modules[at].is_regular);
        let faults = self.faults.iter().enumerate();
        let faults = faults.filter(|(_, fault)| is_run(fault.module as usize));
        let unscanned = modules.iter().filter(|id| !self.is_read(**id));
        let unscanned = unscanned.flat_map(|id| self.files(*id)).copied().collect();
        let mut files: Vec<u32> = modules.iter().flat_map(|id| self.files(*id)).copied().collect();
        files.sort_unstable();
        files.dedup();
        Closure {
            files,
            externals: walk.externals.into_iter().flatten().collect(),
            unscanned,
            faults: faults.map(|(position, _)| position).collect(),
            named: self.ids().filter(|id| walk.is_named[id.0 as usize]).collect(),
            modules,
        }
    }
}

impl Walk<'_> {
    fn follow(&mut self, edge: &Edge) {
        match edge.kind {
            EdgeKind::Module => self.add_whole(ModuleId(edge.target)),
            EdgeKind::Code => self.add_code(ModuleId(edge.target)),
            EdgeKind::External | EdgeKind::Optional => {
                let known = &mut self.externals[edge.target as usize];
                if known.is_none_or(|known| known.kind == EdgeKind::Optional) {
                    *known = Some(*edge);
                }
            }
        }
    }

    /// A module, all below it, and the code of the packages above it, which runs before its own.
    fn add_whole(&mut self, id: ModuleId) {
        self.is_named[id.0 as usize] = true;
        if self.is_whole[id.0 as usize] {
            return;
        }
        for below in self.graph.below(id) {
            self.is_whole[below.0 as usize] = true;
            self.add_one(below);
        }
        self.add_above(id);
    }

    fn add_code(&mut self, id: ModuleId) {
        self.add_one(id);
        self.add_above(id);
    }

    fn add_above(&mut self, id: ModuleId) {
        let graph = self.graph;
        for above in graph.above(id) {
            self.add_one(above);
        }
    }

    fn add_one(&mut self, id: ModuleId) {
        if !std::mem::replace(&mut self.has_code[id.0 as usize], true) {
            self.queue.push(id);
        }
    }
}
