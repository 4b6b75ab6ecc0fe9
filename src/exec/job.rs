//! What a run is asked to do, and what its units share while it lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::artifacts_seen::ArtifactsSeen;
use super::groups::Groups;
use super::input_source::InputSource;
use super::output::Outputs;
use super::owners::Owners;
use super::stop::Stop;
use super::{Event, EventSender};
use crate::cache::{self, Claims, Key, Manifest, Memo, Store, Stores};
use crate::config::CacheWhen;
use crate::error::{Code, Diagnostic, RunnableError};
use crate::hash::{ArtifactList, Digest};
use crate::paths::WorkDirs;
use crate::plan::{Graph, Runnable, RunnableId, RunnableName};
use crate::sys::veil::Veil;

/// Patterns that a warning names.
const NAMED_COUNT_MAX: usize = 3;

/// A run to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// The selection with its upstreams; all of it runs.
    pub graph: Arc<Graph>,
    pub dirs: WorkDirs,
    pub claims: Claims,
    pub inputs: Arc<dyn InputSource>,
    pub stores: Stores,
    /// How many commands run at once; at least one.
    pub worker_count: usize,
    pub read_caches: ReadCaches,
    /// What the command line says instead of the commands' own `cache-when`.
    pub cache_when: Option<CacheWhen>,
    /// What output goes through before it is shown or kept.
    pub veil: Veil,
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
pub(super) struct Run {
    pub(super) job: Job,
    pub(super) events: EventSender,
    pub(super) outputs: Outputs,
    pub(super) groups: Groups,
    pub(super) stop: Stop,
    pub(super) owners: Owners,
    artifacts_seen: ArtifactsSeen,
    /// Topics of which one warning a run is enough.
    warned: Mutex<BTreeSet<String>>,
    /// Glob deps that match nothing, of commands that have run, each with the first of them.
    unmatched: Mutex<BTreeMap<String, String>>,
}

/// The artifacts of a runnable's upstreams cannot be told, so nothing can be known of its inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnknownUpstream;

impl Run {
    pub(super) fn new(job: Job, events: EventSender) -> Self {
        let outputs = Outputs::prepare(&job.dirs, &job.veil);
        Self {
            job,
            events,
            outputs,
            groups: Groups::default(),
            stop: Stop::new(),
            owners: Owners::default(),
            artifacts_seen: ArtifactsSeen::default(),
            warned: Mutex::default(),
            unmatched: Mutex::default(),
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

    /// What a unit's results are found by.
    pub(super) fn key(&self, unit: usize, digest: Digest) -> Key<'_> {
        let Runnable { name, command, .. } = self.runnable(unit);
        Key { runnable: name, command, digest }
    }

    /// A cache by its name.
    pub(super) fn store(&self, cache: &str) -> Result<&dyn Store, RunnableError> {
        self.job.stores.find(cache).ok_or_else(|| {
            Diagnostic::new(Code::CacheNotFound, format!("no cache named `{cache}`")).into()
        })
    }

    pub(super) fn cache_when(&self, unit: usize) -> CacheWhen {
        self.job.cache_when.unwrap_or(self.runnable(unit).cache_when)
    }

    /// The artifacts of a unit's upstreams as they are on disk now, leftovers of other runs
    /// included: what its command would read.
    pub(super) fn upstream_lists(
        &self,
        unit: usize,
    ) -> Result<BTreeMap<String, ArtifactList>, UnknownUpstream> {
        let mut lists = BTreeMap::new();
        for upstream in &self.runnable(unit).upstreams {
            if upstream.artifacts.is_empty() {
                continue;
            }
            let list =
                self.artifacts_seen.list(&self.job.dirs, &upstream.name, &upstream.artifacts);
            let list = list.map_err(|diagnostic| {
                self.warn_once(upstream.name.as_str(), None, diagnostic);
                UnknownUpstream
            })?;
            lists.insert(upstream.name.to_string(), ArtifactList::clone(&list));
        }
        Ok(lists)
    }

    /// Something has written, or may have: what was seen of the files may no longer hold.
    pub(super) fn forget_files(&self) {
        self.job.inputs.forget_files();
        self.artifacts_seen.forget();
    }

    /// What git does not track has been written, and nothing else.
    pub(super) fn forget_artifacts(&self) {
        self.job.inputs.forget_untracked();
        self.artifacts_seen.forget();
    }

    /// What a runnable's artifact patterns match on disk.
    pub(super) fn collect(
        &self,
        name: &RunnableName,
        patterns: &[String],
    ) -> Result<Manifest, Diagnostic> {
        let dirs = &self.job.dirs;
        cache::collect(&dirs.root, patterns, &Memo::new(dirs, name))
    }

    /// Remembers which deps of a unit match nothing.
    pub(super) fn note_unmatched(&self, unit: usize) {
        let runnable = self.runnable(unit);
        let globs = self.job.inputs.unmatched_globs(runnable);
        let mut unmatched = self.unmatched.lock().unwrap_or_else(PoisonError::into_inner);
        for glob in globs {
            unmatched.entry(glob).or_insert_with(|| runnable.name.to_string());
        }
    }

    /// One warning for all deps that match nothing.
    pub(super) fn warn_of_unmatched(&self) {
        let unmatched = self.unmatched.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |(glob, name): (&String, &String)| format!("`{glob}` of {name}");
        let mut named: Vec<_> = unmatched.iter().take(NAMED_COUNT_MAX).map(named).collect();
        let diagnostic = match (unmatched.len(), named.as_slice()) {
            (0, _) => return,
            (1, [one]) => Diagnostic::new(
                Code::PatternUnmatched,
                format!("the dep {one} matches no tracked file"),
            ),
            (count, _) => {
                if count > NAMED_COUNT_MAX {
                    named.push(format!("{} more", count - NAMED_COUNT_MAX));
                }
                let message = format!("{count} deps match no tracked file");
                Diagnostic::new(Code::PatternUnmatched, message).because(named.join(", "))
            }
        };
        self.warn(None, diagnostic.hint("`git add` what is meant, or mend the pattern"));
    }

    pub(super) fn warn(&self, unit: Option<usize>, diagnostic: Diagnostic) {
        let diagnostic = Box::new(self.without_secrets(diagnostic));
        self.events.send(Event::Warning { runnable: unit, diagnostic });
    }

    /// What may be said.
    pub(super) fn without_secrets(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let Diagnostic { message, causes, hints, .. } = &mut diagnostic;
        for text in causes.iter_mut().chain(hints).chain([message]) {
            self.job.veil.hide_in(text);
        }
        diagnostic
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
