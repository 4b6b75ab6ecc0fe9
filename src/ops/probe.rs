//! What selectors have to know of the caches and of git.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::load::Loaded;
use super::since::{self, Changes};
use super::workspace::{self, Workspace};
use crate::cache::{self, Key, Lookup, Memo};
use crate::error::{Diagnostic, Result};
use crate::hash::ArtifactList;
use crate::plan::{Graph, Runnable, RunnableId, Upstream};
use crate::select::{CacheStatus, Probe};
use crate::sys::Sys;

/// A probe that opens the workspace when it is first asked.
#[derive(Debug)]
pub(super) struct WorkspaceProbe<'a> {
    loaded: &'a Loaded,
    sys: &'a Sys,
    workspace: OnceCell<Workspace>,
    changes: OnceCell<Changes>,
}

impl<'a> WorkspaceProbe<'a> {
    pub(super) fn new(loaded: &'a Loaded, sys: &'a Sys) -> Self {
        Self { loaded, sys, workspace: OnceCell::new(), changes: OnceCell::new() }
    }

    /// The workspace, opened now if it was not needed before.
    pub(super) fn into_workspace(self) -> Result<Workspace> {
        match self.workspace.into_inner() {
            Some(workspace) => Ok(workspace),
            None => workspace::open(self.loaded, self.sys),
        }
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

    /// The artifacts that are there now.
    fn collect(&self, upstream: &Upstream) -> Result<ArtifactList, Diagnostic> {
        let dirs = &self.loaded.dirs;
        let memo = Memo::new(dirs, &upstream.name);
        let artifacts = cache::collect(&dirs.root, &upstream.artifacts, &memo)?;
        Ok(artifacts.to_list())
    }

    /// Whether the runnable would be replayed, and the artifacts that it has or would have.
    fn status(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<(Option<CacheStatus>, Option<ArtifactList>)> {
        let workspace = self.workspace()?;
        let Some(store) = runnable.cache.as_deref().and_then(|cache| workspace.stores.find(cache))
        else {
            return Ok((None, None));
        };
        // A runnable whose inputs cannot be told would not be replayed.
        let Ok(fingerprint) = workspace.world.fingerprint(runnable, upstreams) else {
            return Ok((Some(CacheStatus::Cold), None));
        };
        let key = Key {
            runnable: &runnable.name,
            command: &runnable.command,
            digest: fingerprint.digest(),
        };
        let when = self.loaded.settings.cache_when.unwrap_or(runnable.cache_when);
        match store.lookup(key) {
            Lookup::Hit(hit) if cache::is_worth_keeping(when, hit.code, false) => {
                Ok((Some(CacheStatus::Warm), Some(hit.manifest().to_list())))
            }
            Lookup::Hit(_) | Lookup::Miss(_) => Ok((Some(CacheStatus::Cold), None)),
        }
    }
}

/// Whether an upstream would run and make artifacts anew: then nothing is known of the inputs.
fn has_cold_input(runnable: &Runnable, statuses: &[Option<CacheStatus>]) -> bool {
    let is_cold = |id: RunnableId| statuses[id.0] == Some(CacheStatus::Cold);
    runnable
        .upstreams
        .iter()
        .any(|upstream| !upstream.artifacts.is_empty() && upstream.id.is_some_and(is_cold))
}

impl Probe for WorkspaceProbe<'_> {
    fn cache_statuses(&self, graph: &Graph) -> Result<Vec<Option<CacheStatus>>> {
        let mut statuses = vec![None; graph.runnables.len()];
        let mut made: Vec<Option<ArtifactList>> = vec![None; graph.runnables.len()];
        for id in graph.topological() {
            let runnable = graph.runnable(id);
            if runnable.cache.is_some() && has_cold_input(runnable, &statuses) {
                statuses[id.0] = Some(CacheStatus::Cold);
                continue;
            }
            let mut upstreams = BTreeMap::new();
            for upstream in &runnable.upstreams {
                if upstream.artifacts.is_empty() {
                    continue;
                }
                // What cannot be told is not what it was.
                let mut list = self.collect(upstream).unwrap_or_default();
                // What a replay would bring back would lie among what is there.
                list.extend(upstream.id.and_then(|id| made[id.0].clone()).unwrap_or_default());
                upstreams.insert(upstream.name.as_str().to_owned(), list);
            }
            (statuses[id.0], made[id.0]) = self.status(runnable, upstreams)?;
        }
        Ok(statuses)
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
