//! What stays of a graph: by tag, cache, cache status and change. Pure; asks a [`Probe`].

use std::collections::BTreeSet;

use super::{CacheStatus, Selectors};
use crate::config::Strictness;
use crate::error::Result;
use crate::plan::{Graph, Runnable, RunnableId};

/// What has to be looked at to select.
pub trait Probe {
    /// For each runnable of the graph whether it is warm; `None` for one that is never cached.
    fn cache_statuses(&self, graph: &Graph) -> Result<Vec<Option<CacheStatus>>>;

    /// Whether what has changed since the ref is an input of the runnable or its definition.
    fn is_changed(&self, runnable: &Runnable) -> Result<bool>;
}

type Kept = BTreeSet<RunnableId>;

/// Applies the selectors one after the other.
pub(super) fn apply(graph: Graph, selectors: &Selectors, probe: &dyn Probe) -> Result<Graph> {
    let mut kept: Kept = graph.ids().collect();
    if !selectors.tags.is_empty() {
        kept.retain(|id| {
            let tags = &graph.runnable(*id).tags;
            tags.iter().any(|tag| selectors.tags.contains(tag))
        });
    }
    if !selectors.caches.is_empty() {
        kept.retain(|id| {
            let cache = graph.runnable(*id).cache.as_deref().unwrap_or("none");
            selectors.caches.iter().any(|wanted| wanted == cache)
        });
    }
    if let Some(wanted) = selectors.cache_status {
        let statuses = probe.cache_statuses(&graph)?;
        kept.retain(|id| statuses[id.0] == Some(wanted));
    }
    if selectors.since.is_some() {
        kept = changed(&graph, &kept, probe)?;
    }
    Ok(graph.restricted_to(&kept))
}

/// The changed runnables, their strict downstreams, and the upstreams of all of these.
fn changed(graph: &Graph, kept: &Kept, probe: &dyn Probe) -> Result<Kept> {
    let mut changed = Kept::new();
    for id in kept {
        if probe.is_changed(graph.runnable(*id))? {
            changed.insert(*id);
        }
    }
    Ok(with_streams(graph, changed, kept))
}

/// What runs if these have changed, of what may run at all: they, their strict downstreams, and
/// the upstreams of all of these.
pub fn with_streams(
    graph: &Graph,
    changed: BTreeSet<RunnableId>,
    kept: &BTreeSet<RunnableId>,
) -> BTreeSet<RunnableId> {
    let downstreams = graph.downstreams(Some(Strictness::Strict));
    let with_strict = closure(changed, kept, |id| downstreams[id.0].clone());
    with_upstreams(graph, with_strict, kept)
}

/// These and all of their upstreams, of what may run at all.
pub fn with_upstreams(
    graph: &Graph,
    start: BTreeSet<RunnableId>,
    kept: &BTreeSet<RunnableId>,
) -> BTreeSet<RunnableId> {
    let upstreams = |id: RunnableId| {
        graph.runnable(id).upstreams.iter().filter_map(|upstream| upstream.id).collect()
    };
    closure(start, kept, upstreams)
}

/// All that can be reached from a set within another one.
fn closure(start: Kept, within: &Kept, next: impl Fn(RunnableId) -> Vec<RunnableId>) -> Kept {
    let mut queue: Vec<RunnableId> = start.iter().copied().collect();
    let mut reached = start;
    while let Some(id) = queue.pop() {
        for other in next(id) {
            if within.contains(&other) && reached.insert(other) {
                queue.push(other);
            }
        }
    }
    reached
}
