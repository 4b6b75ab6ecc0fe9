//! The imports of some modules, held against what they may import. Pure.

use super::graph::{EdgeKind, Graph, ModuleId};

/// What the modules within a fence import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fenced {
    /// Positions of the files within the fence, sorted.
    pub files: Vec<u32>,
    pub import_count: usize,
    /// Imports of modules of the project that are not within the fence, by file and line.
    pub internal: Vec<Crossing>,
    /// Imports of what no distribution has.
    pub external: Vec<Crossing>,
    /// Files whose imports are not known yet, by position: without them it is not whole.
    pub unscanned: Vec<u32>,
    /// Files that cannot be read as Python: their faults, by position.
    pub faults: Vec<usize>,
}

/// An import that leaves a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The file, by position.
    pub file: u32,
    pub line: u32,
    pub importer: String,
    pub imported: String,
}

impl Graph {
    /// Holds the imports of the modules in a fence against it; `is_there` tells of a top-level name
    /// that is not ours whether a distribution has it.
    pub fn fenced(&self, items: &[ModuleId], is_there: impl Fn(&str) -> bool) -> Fenced {
        let mut is_within = vec![false; self.modules.len()];
        for id in items.iter().flat_map(|item| self.below(*item)) {
            is_within[id.0 as usize] = true;
        }
        let mut fenced = Fenced::default();
        for id in self.ids().filter(|id| is_within[id.0 as usize]) {
            fenced.files.extend_from_slice(self.files(id));
            if !self.is_read(id) {
                fenced.unscanned.extend_from_slice(self.files(id));
            }
            for edge in self.edges(id) {
                fenced.import_count += 1;
                let crossing = || Crossing {
                    file: edge.file,
                    line: edge.line,
                    importer: self.name(id).to_owned(),
                    imported: self.target_name(edge).to_owned(),
                };
                match edge.kind {
                    // A folder without code may stand for a distribution of that name.
                    EdgeKind::Module | EdgeKind::Code
                        if !is_within[edge.target as usize]
                            && !self.files(ModuleId(edge.target)).is_empty() =>
                    {
                        fenced.internal.push(crossing());
                    }
                    EdgeKind::External if !is_there(self.target_name(edge)) => {
                        fenced.external.push(crossing());
                    }
                    EdgeKind::Module | EdgeKind::Code | EdgeKind::External | EdgeKind::Optional => {
                    }
                }
            }
        }
        fenced.files.sort_unstable();
        fenced.files.dedup();
        fenced.internal.sort_by_key(|crossing| (crossing.file, crossing.line));
        fenced.external.sort_by_key(|crossing| (crossing.file, crossing.line));
        let faults = self.faults.iter().enumerate();
        let is_run =
            |module: u32| is_within[module as usize] && self.modules[module as usize].is_regular;
        let faults = faults.filter(|(_, fault)| is_run(fault.module));
        fenced.faults = faults.map(|(position, _)| position).collect();
        fenced
    }

    /// All modules at the top.
    pub fn tops(&self) -> Vec<ModuleId> {
        let mut tops = Vec::new();
        let mut at = ModuleId(0);
        while (at.0 as usize) < self.modules.len() {
            tops.push(at);
            at = ModuleId(self.module(at).end);
        }
        tops
    }

    /// The modules at the top that have one of some files, given by position, or have it below them.
    pub fn tops_in(&self, is_wanted: impl Fn(u32) -> bool) -> Vec<ModuleId> {
        let has_one = |top: &ModuleId| {
            self.below(*top).any(|id| self.files(id).iter().any(|file| is_wanted(*file)))
        };
        self.tops().into_iter().filter(has_one).collect()
    }

    /// All modules of packages.
    pub fn regular(&self) -> Vec<ModuleId> {
        self.ids().filter(|id| self.module(*id).is_regular).collect()
    }

    /// The files of packages, and of all that Python finds in them, by position: what a project is
    /// made of, whoever imports it.
    pub(super) fn regular_files(&self) -> Vec<u32> {
        self.regular().into_iter().flat_map(|id| self.files(id).to_vec()).collect()
    }

    /// The files whose imports are not known yet, by position.
    pub fn unscanned(&self) -> Vec<u32> {
        let ids = self.ids().filter(|id| !self.is_read(*id));
        ids.flat_map(|id| self.files(id).to_vec()).collect()
    }

    /// The faults of files that Python would run, whoever imports them, by position.
    pub fn regular_faults(&self) -> impl Iterator<Item = usize> {
        let faults = self.faults.iter().enumerate();
        faults
            .filter(|(_, fault)| self.modules[fault.module as usize].is_regular)
            .map(|(position, _)| position)
    }
}
