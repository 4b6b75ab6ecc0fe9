//! A command made concrete, and the graph of them.

use std::collections::{BTreeMap, BTreeSet};

use super::RunnableName;
use crate::config::{CacheWhen, Strictness};
use crate::error::{Code, Place};

/// Position of a runnable in its [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunnableId(pub usize);

/// A command made concrete: for a module, or once for a space; all its templates rendered.
#[derive(Debug, Clone)]
pub struct Runnable {
    pub name: RunnableName,
    pub command: String,
    pub module: Option<String>,
    pub space: String,
    /// What `sh -c` gets; nothing if qik itself does it.
    pub exec: String,
    /// The secret variables whose values are in it or in its deps, sorted.
    pub secrets: Vec<String>,
    pub action: Action,
    /// What it depends on, base deps included; command deps are in `upstreams`.
    pub deps: Vec<Dep>,
    pub upstreams: Vec<Upstream>,
    pub artifacts: Vec<String>,
    /// The space's dotenv files.
    pub dotenv: Vec<String>,
    /// The space's requirements and lock files.
    pub venv_files: Vec<String>,
    /// The one of these files that it writes itself, to say what it has made.
    pub stamp: Option<String>,
    /// Files of requirements: what they include counts as well.
    pub requirements: Vec<String>,
    /// The folder of the virtual environment that it runs in, relative to the project root;
    /// `None` for whatever is active.
    pub venv: Option<String>,
    /// What else is declared and makes its result another one.
    pub declared: Vec<String>,
    /// Variables of its own. They are no input, so they may hold what is secret.
    pub env: BTreeMap<String, String>,
    /// The program without which there is no use in starting.
    pub needs: Option<&'static NeededProgram>,
    /// The cache's name; `None` if it is never cached.
    pub cache: Option<String>,
    pub cache_when: CacheWhen,
    pub tags: Vec<String>,
    pub is_hidden: bool,
    /// Whether it declares to rewrite its own inputs.
    pub rewrites: bool,
}

/// A program that has to be there, and what to say where it is not.
#[derive(Debug, PartialEq, Eq)]
pub struct NeededProgram {
    pub name: &'static str,
    pub code: Code,
    pub hints: &'static [&'static str],
}

/// Who does what a runnable is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A shell gets `exec`.
    Shell,
    /// qik itself, of the import graph.
    Graph(GraphTask),
}

/// What there is to do with the import graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphTask {
    /// Make it.
    Build,
    /// Write down what a module needs.
    Lock { pyimport: String },
    /// Hold the imports of a space against its fence.
    Check,
}

/// A rendered dep on something other than a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dep {
    Glob(String),
    Const(String),
    Pydist(String),
    /// A module with all that it imports.
    Pygraph(Pyimport),
    /// All source files of the import graph.
    PygraphFiles,
    /// What the modules in a fence import.
    PygraphFence(Vec<Pyimport>),
    /// Deps listed in a JSON file; `default` where there is no such file.
    Load {
        path: String,
        default: Option<Vec<Self>>,
    },
}

/// A dotted name, with the place where it is asked for; the same wherever that is.
#[derive(Debug, Clone)]
pub struct Pyimport {
    pub name: String,
    pub place: Option<Place>,
}

impl PartialEq for Pyimport {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Pyimport {}

/// An edge of the graph.
#[derive(Debug, Clone)]
pub struct Upstream {
    pub name: RunnableName,
    /// Its place in the graph; `None` if it does not take part in the run (`--isolated`).
    pub id: Option<RunnableId>,
    pub strictness: Strictness,
    /// Its artifact patterns: what they match is part of the downstream's fingerprint.
    pub artifacts: Vec<String>,
}

/// Runnables and what they wait for; free of cycles.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub runnables: Vec<Runnable>,
}

impl Graph {
    pub fn runnable(&self, id: RunnableId) -> &Runnable {
        &self.runnables[id.0]
    }

    pub fn ids(&self) -> impl Iterator<Item = RunnableId> + use<> {
        (0..self.runnables.len()).map(RunnableId)
    }

    /// By runnable: who waits for it, all or those of one strictness.
    pub fn downstreams(&self, strictness: Option<Strictness>) -> Vec<Vec<RunnableId>> {
        let mut downstreams = vec![Vec::new(); self.runnables.len()];
        for id in self.ids() {
            for upstream in &self.runnable(id).upstreams {
                if let Some(up) = upstream.id
                    && strictness.is_none_or(|wanted| wanted == upstream.strictness)
                {
                    downstreams[up.0].push(id);
                }
            }
        }
        downstreams
    }

    /// The ids, each after all of its upstreams.
    pub fn topological(&self) -> Vec<RunnableId> {
        let downstreams = self.downstreams(None);
        let count = |id: RunnableId| {
            self.runnable(id).upstreams.iter().filter(|upstream| upstream.id.is_some()).count()
        };
        let mut waiting: Vec<usize> = self.ids().map(count).collect();
        let mut order: Vec<RunnableId> = self.ids().filter(|id| waiting[id.0] == 0).collect();
        let mut position = 0;
        while let Some(id) = order.get(position).copied() {
            position += 1;
            for down in &downstreams[id.0] {
                waiting[down.0] -= 1;
                if waiting[down.0] == 0 {
                    order.push(*down);
                }
            }
        }
        order
    }

    /// The graph of some of the runnables; edges to others stay known by name alone.
    #[must_use]
    pub fn restricted_to(self, kept: &BTreeSet<RunnableId>) -> Self {
        if kept.len() == self.runnables.len() {
            return self;
        }
        let mut positions = vec![None; self.runnables.len()];
        for (position, id) in kept.iter().enumerate() {
            positions[id.0] = Some(RunnableId(position));
        }
        let all = self.runnables.into_iter().zip(&positions);
        let mut runnables: Vec<Runnable> =
            all.filter_map(|(runnable, position)| position.is_some().then_some(runnable)).collect();
        for upstream in runnables.iter_mut().flat_map(|runnable| &mut runnable.upstreams) {
            upstream.id = upstream.id.and_then(|id| positions[id.0]);
        }
        Self { runnables }
    }
}
