//! The import graph: modules in the order of a walk, so that all below a module are a range, and
//! the imports of each, in a few flat lists. Pure.

use std::ops::Range;

use crate::git::BlobId;

/// Modules and what they import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// All dotted names one after the other.
    pub(super) names: String,
    pub(super) modules: Vec<Module>,
    /// Positions of files, by module.
    pub(super) files: Vec<u32>,
    /// By module, sorted by place.
    pub(super) edges: Vec<Edge>,
    /// Top-level names that are not ours, sorted.
    pub(super) externals: Vec<String>,
    pub(super) faults: Vec<Fault>,
    /// By file, by position: whose imports the graph has.
    pub(super) contents: Vec<Content>,
}

/// The content of a file whose imports the graph has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// None: nobody needed to know.
    Unread,
    /// A blob.
    Of(BlobId),
    /// Not surely what git says it is.
    Unsure,
    /// The file is no more, and imports nothing.
    Gone,
}

/// A module of the graph, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(super) u32);

/// A module: a file, a folder, or both. Its lists end where those of the next begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) name_start: u32,
    pub(super) name_end: u32,
    /// Length of the name without that of the module above.
    pub(super) part_length: u32,
    /// One past the last module below it.
    pub(super) end: u32,
    /// The module above it, or [`NONE`].
    pub(super) parent: u32,
    pub(super) file_start: u32,
    pub(super) edge_start: u32,
    /// It and all above it have code, and names that can be imported.
    pub(super) is_regular: bool,
    pub(super) is_package: bool,
}

/// In place of a position: there is none.
pub(super) const NONE: u32 = u32::MAX;

/// An import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) kind: EdgeKind,
    /// A module's position, or an external's.
    pub(super) target: u32,
    /// The file that has it, by position.
    pub(super) file: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// What an import leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeKind {
    /// A module, with all below it.
    Module,
    /// The code of a module: what was named below it is not there.
    Code,
    /// A distribution has to have it.
    External,
    /// A distribution may have it.
    Optional,
}

/// A file that cannot be read as Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) module: u32,
    pub(super) file: u32,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) message: String,
}

impl Graph {
    pub(super) fn ids(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..u32::try_from(self.modules.len()).unwrap_or(NONE)).map(ModuleId)
    }

    pub(super) fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    /// Whether every file was read as it was when it was looked at.
    pub fn is_sure(&self) -> bool {
        !self.contents.contains(&Content::Unsure)
    }

    /// Whether the imports of a file are known.
    pub(super) fn has(&self, file: u32) -> bool {
        self.contents.get(file as usize).is_none_or(|content| *content != Content::Unread)
    }

    /// Whether all of a module's files were read: its imports are known.
    pub(super) fn is_read(&self, id: ModuleId) -> bool {
        self.files(id).iter().all(|file| self.has(*file))
    }

    /// The dotted name of a module.
    pub fn name(&self, id: ModuleId) -> &str {
        let module = self.module(id);
        &self.names[module.name_start as usize..module.name_end as usize]
    }

    /// The name of a module without that of the module above.
    pub(super) fn part(&self, id: ModuleId) -> &str {
        let name = self.name(id);
        name.get(name.len() - self.module(id).part_length as usize..).unwrap_or_default()
    }

    /// The module of a dotted name.
    pub fn find(&self, dotted: &str) -> Option<ModuleId> {
        let mut range = 0..u32::try_from(self.modules.len()).ok()?;
        let mut found = None;
        for part in dotted.split('.') {
            let mut at = range.start;
            found = None;
            while at < range.end {
                let module = self.module(ModuleId(at));
                if self.part(ModuleId(at)) == part {
                    found = Some(ModuleId(at));
                    range = at + 1..module.end;
                    break;
                }
                at = module.end;
            }
            found?;
        }
        found
    }

    /// A module and all below it.
    pub(super) fn below(&self, id: ModuleId) -> impl Iterator<Item = ModuleId> + use<> {
        (id.0..self.module(id).end).map(ModuleId)
    }

    /// The modules above a module, from the nearest.
    pub(super) fn above(&self, id: ModuleId) -> impl Iterator<Item = ModuleId> {
        std::iter::successors(Some(id), |id| {
            let parent = self.module(*id).parent;
            (parent != NONE).then_some(ModuleId(parent))
        })
        .skip(1)
    }

    /// The positions of a module's files.
    pub(super) fn files(&self, id: ModuleId) -> &[u32] {
        &self.files[self.span(id, |module| module.file_start, self.files.len())]
    }

    /// The imports of a module.
    pub(super) fn edges(&self, id: ModuleId) -> &[Edge] {
        &self.edges[self.span(id, |module| module.edge_start, self.edges.len())]
    }

    /// The name of what an import leads to.
    pub(super) fn target_name(&self, edge: &Edge) -> &str {
        match edge.kind {
            EdgeKind::Module | EdgeKind::Code => self.name(ModuleId(edge.target)),
            EdgeKind::External | EdgeKind::Optional => &self.externals[edge.target as usize],
        }
    }

    /// Whether every number leads somewhere: what was kept may be of anybody.
    pub(super) fn is_sound(&self) -> bool {
        let (modules, edges) = (self.modules.len(), self.edges.len());
        let is_in = |number: u32, count: usize| (number as usize) < count;
        let of_modules = self.modules.iter().zip(0_u32..).all(|(module, at)| {
            let name = module.name_start as usize..module.name_end as usize;
            let name = self.names.get(name);
            name.is_some_and(|name| name.len() >= module.part_length as usize)
                && module.end > at
                && module.end as usize <= modules
                && (module.parent == NONE || module.parent < at)
                && module.file_start as usize <= self.files.len()
                && module.edge_start as usize <= edges
        });
        let is_sorted = self.modules.is_sorted_by_key(|module| module.file_start)
            && self.modules.is_sorted_by_key(|module| module.edge_start);
        let of_edges = self.edges.iter().all(|edge| match edge.kind {
            EdgeKind::Module | EdgeKind::Code => is_in(edge.target, modules),
            EdgeKind::External | EdgeKind::Optional => is_in(edge.target, self.externals.len()),
        });
        of_modules
            && is_sorted
            && self.files.iter().all(|file| is_in(*file, self.contents.len()))
            && of_edges
            && self.faults.iter().all(|fault| is_in(fault.module, modules))
    }

    fn span(&self, id: ModuleId, start: impl Fn(&Module) -> u32, end: usize) -> Range<usize> {
        let next = self.modules.get(id.0 as usize + 1);
        start(self.module(id)) as usize..next.map_or(end, |next| start(next) as usize)
    }
}
