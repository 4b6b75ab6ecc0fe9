//! Selectors, in their order: names, modules and spaces choose; upstreams join; then tags,
//! caches, cache status and changes keep what they match.
//!
//! *Architecture invariant:* nothing here reads a file or a cache; what has to be looked at is
//! asked of a [`Probe`].

mod keep;
mod names;

pub use keep::{Probe, with_streams, with_upstreams};

use crate::error::Result;
use crate::plan::{Graph, Isolation, Planner, build};

/// What the user selects by.
#[derive(Debug, Clone)]
pub struct Selectors {
    /// Command or runnable names; all that is not hidden where none is given.
    pub commands: Vec<String>,
    pub modules: Vec<String>,
    pub spaces: Vec<String>,
    pub tags: Vec<String>,
    pub caches: Vec<String>,
    pub cache_status: Option<CacheStatus>,
    /// Only what the changes since this ref affect.
    pub since: Option<String>,
    pub isolation: Isolation,
}

/// Whether a runnable would be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    Warm,
    Cold,
}

/// The selected runnables.
pub fn apply(planner: &Planner<'_>, selectors: &Selectors, probe: &dyn Probe) -> Result<Graph> {
    names::check(planner, selectors)?;
    let candidates = names::choose(planner, selectors)?;
    let graph = build(planner, candidates, selectors.isolation)?;
    let all_count = graph.runnables.len();
    let selection = keep::apply(graph, selectors, probe)?;
    tracing::debug!(of = all_count, kept = selection.runnables.len(), "selected");
    Ok(selection)
}
