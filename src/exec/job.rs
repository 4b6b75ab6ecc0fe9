//! What a run is asked to do, and what its units share while it lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::groups::Groups;
use super::steps::{Artifacts as _, Steps};
use super::stop::Stop;
use super::{Event, EventSender};
use crate::config::CacheWhen;
use crate::error::Diagnostic;
use crate::hash::ArtifactList;
use crate::paths::WorkDirs;
use crate::plan::{Graph, Runnable, RunnableId};

/// A run to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// The selection with its upstreams; all of it runs.
    pub graph: Arc<Graph>,
    pub dirs: WorkDirs,
    /// How many commands run at once; at least one.
    pub worker_count: usize,
    pub read_caches: ReadCaches,
    /// What the command line says instead of the commands' own `cache-when`.
    pub cache_when: Option<CacheWhen>,
}

/// Whether results are taken from caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadCaches {
    Yes,
    /// `--force`: everything runs, and is stored all the same.
    No,
    /// These run, whatever is in the caches.
    NotFor(Arc<BTreeSet<RunnableId>>),
}

/// A run under way, as its units see it.
#[derive(Debug)]
pub(super) struct Run<S: Steps> {
    pub(super) job: Job,
    pub(super) steps: Arc<S>,
    pub(super) events: EventSender,
    pub(super) groups: Groups,
    pub(super) stop: Stop,
    /// By unit: its artifacts, once it has ended; `None` if they are not known.
    lists: Vec<OnceLock<Option<Arc<ArtifactList>>>>,
    has_downstreams: Vec<bool>,
    /// Topics of which one warning a run is enough.
    warned: Mutex<BTreeSet<String>>,
}

/// The artifacts of a runnable's upstreams cannot be told, so nothing can be known of its inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnknownUpstream;

impl<S: Steps> Run<S> {
    pub(super) fn new(job: Job, steps: Arc<S>, events: EventSender) -> Self {
        let count = job.graph.runnables.len();
        let mut has_downstreams = vec![false; count];
        for upstream in job.graph.runnables.iter().flat_map(|runnable| &runnable.upstreams) {
            if let Some(id) = upstream.id {
                has_downstreams[id.0] = true;
            }
        }
        Self {
            job,
            steps,
            events,
            groups: Groups::default(),
            stop: Stop::new(),
            lists: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            has_downstreams,
            warned: Mutex::default(),
        }
    }

    pub(super) fn runnable(&self, unit: usize) -> &Runnable {
        self.job.graph.runnable(RunnableId(unit))
    }

    /// Whether a unit runs, whatever is in the caches.
    pub(super) fn is_forced(&self, unit: usize) -> bool {
        match &self.job.read_caches {
            ReadCaches::Yes => false,
            ReadCaches::No => true,
            ReadCaches::NotFor(forced) => forced.contains(&RunnableId(unit)),
        }
    }

    /// Whether anything of a unit's artifacts is of interest once it has run.
    pub(super) fn needs_artifacts(&self, unit: usize) -> bool {
        let runnable = self.runnable(unit);
        !runnable.artifacts.is_empty() && (runnable.cache.is_some() || self.has_downstreams[unit])
    }

    /// A unit's artifacts, for its downstreams; once for each unit.
    pub(super) fn publish_artifacts(&self, unit: usize, artifacts: Option<&S::Artifacts>) {
        if self.has_downstreams[unit] && !self.runnable(unit).artifacts.is_empty() {
            self.lists[unit]
                .get_or_init(|| artifacts.map(|artifacts| Arc::new(artifacts.to_list())));
        }
    }

    /// The artifacts of a unit's upstreams: of those in the run as they ended, of others as they
    /// are on disk.
    pub(super) fn upstream_lists(
        &self,
        unit: usize,
    ) -> Result<BTreeMap<String, ArtifactList>, UnknownUpstream> {
        let mut lists = BTreeMap::new();
        for upstream in &self.runnable(unit).upstreams {
            if upstream.artifacts.is_empty() {
                continue;
            }
            let list = match upstream.id {
                Some(id) => {
                    let list = self.lists[id.0].get().and_then(Option::as_ref);
                    ArtifactList::clone(list.ok_or(UnknownUpstream)?)
                }
                None => match self.steps.collect(&upstream.artifacts) {
                    Ok(artifacts) => artifacts.to_list(),
                    Err(diagnostic) => {
                        self.warn_once(upstream.name.as_str(), None, diagnostic);
                        return Err(UnknownUpstream);
                    }
                },
            };
            lists.insert(upstream.name.to_string(), list);
        }
        Ok(lists)
    }

    pub(super) fn warn(&self, unit: Option<usize>, diagnostic: Diagnostic) {
        self.events.send(Event::Warning { runnable: unit, diagnostic: Box::new(diagnostic) });
    }

    /// Warns unless a warning on this topic was given already.
    pub(super) fn warn_once(&self, topic: &str, unit: Option<usize>, diagnostic: Diagnostic) {
        // A set of topics is whole whatever a panicking thread was doing with it.
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(topic.to_owned()) {
            self.warn(unit, diagnostic);
        }
    }
}
