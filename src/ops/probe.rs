//! What selectors have to know of the caches and of git.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::load::Loaded;
use super::since::{self, Changes};
use super::workspace::{self, Workspace};
use crate::cache::{self, Ask, Key, Memo, Peek, Store};
use crate::error::{Diagnostic, Result};
use crate::hash::{ArtifactList, Digest};
use crate::paths::WorkDirs;
use crate::plan::{Graph, Runnable, RunnableId, Upstream};
use crate::select::{CacheStatus, Probe};
use crate::sys::{Sys, parallel};

/// So many runnables are worth a thread of their own.
const PER_THREAD_MIN: usize = 32;

/// A probe that opens the workspace when it is first asked.
#[derive(Debug)]
pub(super) struct WorkspaceProbe<'a> {
    loaded: &'a Loaded,
    sys: &'a Sys,
    workspace: OnceCell<Workspace>,
    changes: OnceCell<Changes>,
    warnings: RefCell<Vec<Diagnostic>>,
}

impl<'a> WorkspaceProbe<'a> {
    pub(super) fn new(loaded: &'a Loaded, sys: &'a Sys) -> Self {
        Self {
            loaded,
            sys,
            workspace: OnceCell::new(),
            changes: OnceCell::new(),
            warnings: RefCell::default(),
        }
    }

    /// The workspace, opened now if it was not needed before.
    pub(super) fn into_workspace(self) -> Result<Workspace> {
        match self.workspace.into_inner() {
            Some(workspace) => Ok(workspace),
            None => workspace::open(self.loaded, self.sys),
        }
    }

    /// Nothing more will be asked.
    pub(super) fn finish(&self) {
        self.workspace.get().into_iter().for_each(Workspace::finish);
    }

    fn workspace(&self) -> Result<&Workspace> {
        if let Some(workspace) = self.workspace.get() {
            return Ok(workspace);
        }
        let opened = workspace::open(self.loaded, self.sys)?;
        Ok(self.workspace.get_or_init(|| opened))
    }

    fn changes(&self) -> Result<&Changes> {
        if let Some(changes) = self.changes.get() {
            return Ok(changes);
        }
        let found = since::find(self.loaded, self.sys, self.workspace()?)?;
        Ok(self.changes.get_or_init(|| found))
    }

    /// What kept the caches from answering, each once.
    pub(super) fn take_warnings(&self) -> Vec<Diagnostic> {
        self.warnings.take()
    }

    /// Looks at runnables that do not depend on each other: what takes time is asked at once.
    fn look(&self, graph: &Graph, ids: &[RunnableId], looked: &mut [Looked]) -> Result<()> {
        let workspace = self.workspace()?;
        let has_store = |id: &RunnableId| {
            let cache = graph.runnable(*id).cache.as_ref();
            cache.is_some_and(|cache| workspace.stores.find(cache).is_some())
        };
        let cached: Vec<RunnableId> = ids.iter().copied().filter(has_store).collect();
        for id in &cached {
            looked[id.0].status = Some(CacheStatus::Cold);
        }
        let reader = Reader { dirs: &self.loaded.dirs, workspace, graph, looked };
        let digests = parallel::map(&cached, PER_THREAD_MIN, self.sys.cpu_count, |ids| {
            ids.iter().map(|id| reader.digest(*id)).collect()
        });
        let mut asks: BTreeMap<&str, Vec<(RunnableId, Ask<'_>)>> = BTreeMap::new();
        for (id, digest) in cached.into_iter().zip(digests) {
            let runnable = graph.runnable(id);
            let (Some(digest), Some(cache)) = (digest, &runnable.cache) else { continue };
            let key = Key { runnable: &runnable.name, command: &runnable.command, digest };
            let needs_artifacts = looked[id.0].has_downstreams && !runnable.artifacts.is_empty();
            asks.entry(cache).or_default().push((id, Ask { key, needs_artifacts }));
        }
        for (cache, asks) in asks {
            let Some(store) = workspace.stores.find(cache) else { continue };
            let (ids, asks): (Vec<RunnableId>, Vec<Ask<'_>>) = asks.into_iter().unzip();
            for (id, peek) in ids.into_iter().zip(self.peek(store, &asks)) {
                let Some(peek) = peek else { continue };
                let runnable = graph.runnable(id);
                let when = self.loaded.settings.cache_when.unwrap_or(runnable.cache_when);
                if cache::is_worth_keeping(when, peek.code, false) {
                    looked[id.0].status = Some(CacheStatus::Warm);
                    looked[id.0].artifacts = peek.artifacts;
                }
            }
        }
        Ok(())
    }

    /// What a cache has under some keys.
    fn peek(&self, store: &dyn Store, asks: &[Ask<'_>]) -> Vec<Option<Peek>> {
        // A remote one asks for many at once by itself.
        let thread_count_max = if store.is_remote() { 1 } else { self.sys.cpu_count };
        let warnings = Mutex::new(Vec::new());
        let peeks = parallel::map(asks, PER_THREAD_MIN, thread_count_max, |asks| {
            let mut own = Vec::new();
            let peeks = store.peek(asks, &mut own);
            warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
            peeks
        });
        let warnings = warnings.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.warnings.borrow_mut().extend(warnings);
        peeks
    }
}

/// What fingerprints are taken from.
struct Reader<'a> {
    dirs: &'a WorkDirs,
    workspace: &'a Workspace,
    graph: &'a Graph,
    looked: &'a [Looked],
}

impl Reader<'_> {
    /// The key of a runnable that is cached, once the artifacts of its upstreams are known; `None`
    /// if its inputs cannot be told: it would not be replayed.
    fn digest(&self, id: RunnableId) -> Option<Digest> {
        let runnable = self.graph.runnable(id);
        if has_cold_input(runnable, self.looked) {
            return None;
        }
        let mut upstreams = BTreeMap::new();
        for upstream in &runnable.upstreams {
            if upstream.artifacts.is_empty() {
                continue;
            }
            let known = upstream.id.and_then(|id| self.looked[id.0].artifacts.clone());
            // What cannot be told is not what it was.
            let list = known.unwrap_or_else(|| self.collect(upstream));
            upstreams.insert(upstream.name.as_str().to_owned(), list);
        }
        Some(self.workspace.world.fingerprint(runnable, upstreams).ok()?.digest())
    }

    /// The artifacts that are there now; none if they cannot be told.
    fn collect(&self, upstream: &Upstream) -> ArtifactList {
        let memo = Memo::new(self.dirs, &upstream.name);
        let artifacts = cache::collect(&self.dirs.root, &upstream.artifacts, &memo);
        artifacts.map(|artifacts| artifacts.to_list()).unwrap_or_default()
    }
}

/// What is known of a runnable's cache.
#[derive(Debug, Clone, Default)]
struct Looked {
    status: Option<CacheStatus>,
    /// The artifacts that a replay would bring.
    artifacts: Option<ArtifactList>,
    has_downstreams: bool,
}

/// The runnables by the length of the longest way up: those of a level need only those before it.
fn levels(graph: &Graph) -> Vec<Vec<RunnableId>> {
    let mut depths = vec![0; graph.runnables.len()];
    let mut levels: Vec<Vec<RunnableId>> = Vec::new();
    for id in graph.topological() {
        let upstreams = graph.runnable(id).upstreams.iter().filter_map(|upstream| upstream.id);
        let depth = upstreams.map(|upstream| depths[upstream.0] + 1).max().unwrap_or(0);
        depths[id.0] = depth;
        if levels.len() <= depth {
            levels.push(Vec::new());
        }
        levels[depth].push(id);
    }
    levels
}

/// Whether an upstream would run and make artifacts anew: then nothing is known of the inputs.
fn has_cold_input(runnable: &Runnable, looked: &[Looked]) -> bool {
    let is_cold = |id: RunnableId| looked[id.0].status == Some(CacheStatus::Cold);
    runnable
        .upstreams
        .iter()
        .any(|upstream| !upstream.artifacts.is_empty() && upstream.id.is_some_and(is_cold))
}

impl Probe for WorkspaceProbe<'_> {
    fn cache_statuses(&self, graph: &Graph) -> Result<Vec<Option<CacheStatus>>> {
        let workspace = self.workspace()?;
        workspace.check_caches(graph)?;
        workspace.world.look_ahead(&graph.runnables);
        let mut looked = vec![Looked::default(); graph.runnables.len()];
        let upstreams = graph.runnables.iter().flat_map(|runnable| &runnable.upstreams);
        for id in upstreams.filter_map(|upstream| upstream.id) {
            looked[id.0].has_downstreams = true;
        }
        for level in levels(graph) {
            self.look(graph, &level, &mut looked)?;
        }
        Ok(looked.into_iter().map(|looked| looked.status).collect())
    }

    fn is_changed(&self, runnable: &Runnable) -> Result<bool> {
        let workspace = self.workspace()?;
        let changes = self.changes()?;
        if changes.is_redefined(runnable) {
            return Ok(true);
        }
        Ok(workspace.world.is_affected_by(runnable, &changes.paths)?)
    }
}
