//! Paths of source files → the modules of the graph, with no imports yet. Pure.

use super::graph::{Content, Graph, Module, ModuleId, NONE};
use super::tree::Tree;

/// What decides the graph beside the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Folders that imports start from, relative to the project root. A name that several have is
    /// one module of all their files: which of them Python takes is decided when it is started.
    pub roots: Vec<String>,
    pub ignores_type_checking: bool,
    pub ignores_pydists: bool,
}

/// The modules of some files, given relative to the project root, which have no others beside them.
pub(super) fn assemble(rules: &Rules, paths: &[&str]) -> Graph {
    let tree = tree_of(rules, paths);
    let graph = Graph { contents: vec![Content::Unread; paths.len()], ..Graph::default() };
    let mut assembler = Assembler { graph, positions: vec![NONE; tree.branches.len()], tree };
    assembler.place_all();
    assembler.graph
}

fn tree_of(rules: &Rules, paths: &[&str]) -> Tree {
    let mut tree = Tree::default();
    for root in &rules.roots {
        for (path, position) in paths.iter().zip(0_u32..) {
            if let Some(path) = below(path, root) {
                tree.add(path, position);
            }
        }
    }
    tree
}

/// A path below a folder.
pub fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    match folder {
        "" | "." => (!path.starts_with("../")).then_some(path),
        _ => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

struct Assembler {
    tree: Tree,
    graph: Graph,
    /// By branch, its position in the graph.
    positions: Vec<u32>,
}

impl Assembler {
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
                let end = u32::try_from(self.graph.modules.len()).unwrap_or(NONE);
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
        });
        graph.files.extend_from_slice(&branch.files);
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}
