//! The graph, and what a module needs, as files that can be committed: the same inputs give the
//! same bytes. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use super::closure::Closure;
use super::graph::{EdgeKind, Graph};

/// The modules of a closure and the edges between them, one a line so that changes merge: `[name, is ours]`,
/// and `[importer, imported]` by number.
pub fn graph_text(graph: &Graph, closure: &Closure) -> String {
    let numbers = Numbers::new(graph, closure);
    let mut edges: Vec<(u32, u32)> = Vec::with_capacity(graph.edges.len());
    for id in &closure.modules {
        let Some(from) = numbers.modules[id.0 as usize] else { continue };
        let parent = graph.above(*id).next();
        let parent = parent.and_then(|parent| numbers.modules[parent.0 as usize]);
        edges.extend(parent.map(|parent| (parent, from)));
        for edge in graph.edges(*id) {
            let numbers = match edge.kind {
                EdgeKind::Module | EdgeKind::Code => &numbers.modules,
                EdgeKind::External | EdgeKind::Optional => &numbers.externals,
            };
            edges.extend(numbers[edge.target as usize].map(|to| (from, to)));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    let (names, edges) = (lines(&numbers.names), lines(edges));
    format!("{{\"modules\":[{names}],\"edges\":[{edges}]}}\n")
}

/// The names of a closure, sorted, and whose they are; what is both ours and of elsewhere is ours.
struct Numbers<'g> {
    names: Vec<(&'g str, bool)>,
    /// By position, where a name is in `names`.
    modules: Vec<Option<u32>>,
    externals: Vec<Option<u32>>,
}

impl<'g> Numbers<'g> {
    fn new(graph: &'g Graph, closure: &'g Closure) -> Self {
        let ours = closure.modules.iter().filter(|id| !graph.files(**id).is_empty());
        let ours = ours.map(|id| (graph.name(*id), true, id.0));
        let externals = closure.externals.iter();
        let externals = externals.map(|edge| (graph.target_name(edge), false, edge.target));
        let mut all: Vec<(&str, bool, u32)> = ours.chain(externals).collect();
        all.sort_unstable();
        let mut numbers = Self {
            names: Vec::with_capacity(all.len()),
            modules: vec![None; graph.modules.len()],
            externals: vec![None; graph.externals.len()],
        };
        for (name, is_ours, position) in all {
            match numbers.names.last_mut() {
                Some(last) if last.0 == name => last.1 |= is_ours,
                _ => numbers.names.push((name, is_ours)),
            }
            let number = u32::try_from(numbers.names.len() - 1).ok();
            let of_kind = if is_ours { &mut numbers.modules } else { &mut numbers.externals };
            of_kind[position as usize] = number;
        }
        numbers
    }
}

/// The items of a list, one a line.
fn lines(items: impl IntoIterator<Item: Serialize>) -> String {
    let mut text = Vec::new();
    for item in items {
        text.extend_from_slice(if text.is_empty() { b"\n" } else { b",\n" });
        // Names and numbers can always be written into memory.
        drop(serde_json::to_writer(&mut text, &item));
    }
    if !text.is_empty() {
        text.push(b'\n');
    }
    String::from_utf8(text).unwrap_or_default()
}

/// What a module needs, as a file that a `load` dep can read: patterns of its files, and
/// distributions.
pub fn lock_text(
    graph: &Graph,
    closure: &Closure,
    distributions: &BTreeSet<String>,
    path: impl Fn(u32) -> String,
) -> String {
    let mut folders = BTreeSet::new();
    for id in &closure.named {
        let inits = graph.files(*id).iter().map(|file| path(*file));
        let folder = |init: String| Some(init.strip_suffix("/__init__.py")?.to_owned());
        folders.extend(inits.filter_map(folder));
    }
    let is_held = |path: &str| {
        let folders_above = path.match_indices('/').map(|(at, _)| &path[..at]);
        path.strip_suffix(".py").is_some()
            && folders_above.into_iter().any(|above| folders.contains(above))
    };
    let mut paths: BTreeSet<String> =
        closure.files.iter().map(|file| path(*file)).filter(|path| !is_held(path)).collect();
    let is_topmost = |folder: &&String| !is_held(&format!("{folder}.py"));
    paths.extend(folders.iter().filter(is_topmost).map(|folder| format!("{folder}/**.py")));
    let (paths, distributions) = (lines(&paths), lines(distributions));
    format!("{{\"globs\":[{paths}],\"pydists\":[{distributions}]}}\n")
}

impl Closure {
    /// The top-level names that are not ours, each with whether a distribution has to have it, and
    /// the file, line and column of an import.
    pub fn externals<'g>(
        &'g self,
        graph: &'g Graph,
    ) -> impl Iterator<Item = (&'g str, bool, (u32, u32, u32))> {
        self.externals.iter().map(|edge| {
            let is_required = edge.kind == EdgeKind::External;
            (graph.target_name(edge), is_required, (edge.file, edge.line, edge.column))
        })
    }

    /// How many modules it holds.
    pub fn module_count(&self) -> usize {
        self.modules.len()
    }
}
