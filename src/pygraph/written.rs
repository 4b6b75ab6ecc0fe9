//! The graph, and what a module needs, as files that can be committed: the same inputs give the
//! same bytes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::Closure;
use super::graph::{EdgeKind, Graph, ModuleId};

/// The modules of a closure and the edges between them, one a line so that changes merge: `[name, is ours]`,
/// and `[importer, imported]` by number.
pub fn graph_text(graph: &Graph, closure: &Closure) -> String {
    let ours: Vec<ModuleId> =
        closure.modules.iter().copied().filter(|id| !graph.files(*id).is_empty()).collect();
    let mut names: BTreeMap<&str, bool> = BTreeMap::new();
    names.extend(closure.externals(graph).map(|(name, ..)| (name, false)));
    names.extend(ours.iter().map(|id| (graph.name(*id), true)));
    let numbers: BTreeMap<&str, usize> = names.keys().copied().zip(0..).collect();
    let mut edges = BTreeSet::new();
    for id in ours {
        let from = numbers[graph.name(id)];
        let parent = graph.above(id).next().filter(|above| !graph.files(*above).is_empty());
        edges.extend(parent.map(|parent| (numbers[graph.name(parent)], from)));
        for edge in graph.edges(id) {
            edges.extend(numbers.get(graph.target_name(edge)).map(|to| (from, *to)));
        }
    }
    let names = names.iter().map(|(name, is_ours)| format!("[{},{is_ours}]", quoted(name)));
    let edges = edges.iter().map(|(from, to)| format!("[{from},{to}]"));
    format!("{{\"modules\":[{}],\"edges\":[{}]}}\n", lines(names), lines(edges))
}

/// The items of a list, one a line.
fn lines(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str(if text.is_empty() { "\n" } else { ",\n" });
        text.push_str(&item);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
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
    let list = |items: &BTreeSet<String>| lines(items.iter().map(|item| quoted(item)));
    format!("{{\"globs\":[{}],\"pydists\":[{}]}}\n", list(&paths), list(distributions))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
