//! A command made concrete, and the graph of them.

use super::RunnableName;
use crate::config::{CacheWhen, Strictness};

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
    /// What `sh -c` gets.
    pub exec: String,
    /// What it depends on, base deps included; command deps are in `upstreams`.
    pub deps: Vec<Dep>,
    pub upstreams: Vec<Upstream>,
    pub artifacts: Vec<String>,
    /// The cache's name; `None` if it is never cached.
    pub cache: Option<String>,
    pub cache_when: CacheWhen,
    pub tags: Vec<String>,
    pub is_hidden: bool,
    /// Whether it declares to rewrite its own inputs.
    pub rewrites: bool,
}

/// A rendered dep on something other than a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dep {
    Glob(String),
    Const(String),
    Pydist(String),
    /// The import graph below a dotted name.
    Pygraph(String),
    /// Deps listed in a JSON file; `default` where there is no such file.
    Load {
        path: String,
        default: Option<Vec<Dep>>,
    },
}

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
}
