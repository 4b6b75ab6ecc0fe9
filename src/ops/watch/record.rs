//! The inputs of runnables as they were when their commands started and ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::{self, Memo};
use crate::error::RunnableError;
use crate::exec::InputSource;
use crate::hash::{ArtifactList, Change, Digest, Fingerprint, GraphResult, World, diff};
use crate::paths::{AbsPath, ProjectPath};
use crate::plan::{Runnable, RunnableName};
use crate::sys::Env;

/// A runnable's own inputs at some time. The artifacts of upstreams are not among them: a lax
/// downstream does not run for these.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) digest: Digest,
    /// `None` if the inputs could not be told; the digest is the reason's then.
    fingerprint: Option<Arc<Fingerprint>>,
}

impl State {
    /// The inputs as they are now.
    pub(super) fn now(world: &World, runnable: &Runnable) -> Self {
        Self::new(world.fingerprint(runnable, BTreeMap::new()))
    }

    fn new(inputs: Result<Fingerprint, RunnableError>) -> Self {
        match inputs {
            Ok(mut fingerprint) => {
                fingerprint.inputs.upstreams.clear();
                let digest = fingerprint.digest();
                Self { digest, fingerprint: Some(Arc::new(fingerprint)) }
            }
            Err(error) => {
                let reason = format!("{} {}", error.0.message, error.0.causes.join(" "));
                Self { digest: Digest::of(reason.as_bytes()), fingerprint: None }
            }
        }
    }

    /// The inputs that differ from those of another time.
    pub(super) fn changed(&self, after: &Self) -> BTreeSet<String> {
        if self.digest == after.digest {
            return BTreeSet::new();
        }
        let (Some(before), Some(after)) = (&self.fingerprint, &after.fingerprint) else {
            return BTreeSet::from(["inputs".to_owned()]);
        };
        diff(before.document(), after.document())
            .into_iter()
            .map(|change| match change {
                Change::FileAdded { path }
                | Change::FileChanged { path }
                | Change::FileGone { path }
                | Change::Setting { path } => path,
                other => other.to_string(),
            })
            .collect()
    }
}

/// What became of a runnable's inputs in a round.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// When it was looked up or started.
    pub(super) before: Option<State>,
    /// When it had ended.
    pub(super) after: Option<State>,
    /// Its own artifacts, where the two differ, and its own stamp.
    pub(super) artifacts: BTreeSet<String>,
}

/// Where the inputs of a round come from, with a record of each runnable.
#[derive(Debug)]
pub(super) struct Recording {
    world: Arc<World>,
    root: AbsPath,
    records: Mutex<BTreeMap<RunnableName, Record>>,
}

impl Recording {
    pub(super) fn new(world: Arc<World>, root: AbsPath) -> Self {
        Self { world, root, records: Mutex::default() }
    }

    /// What was recorded of a runnable so far.
    pub(super) fn of(&self, runnable: &RunnableName) -> Record {
        self.lock().get(runnable).cloned().unwrap_or_default()
    }

    /// A runnable's inputs as they are now.
    pub(super) fn now(&self, runnable: &Runnable) -> State {
        State::now(&self.world, runnable)
    }

    fn has_begun(&self, runnable: &Runnable) -> bool {
        self.lock().get(&runnable.name).is_some_and(|record| record.before.is_some())
    }

    fn begin(&self, runnable: &Runnable, state: State) {
        let mut records = self.lock();
        records.entry(runnable.name.clone()).or_default().before.get_or_insert(state);
    }

    /// A record is whole whatever a panicking thread was doing with another.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunnableName, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InputSource for Recording {
    fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        // Of what is never cached, nobody else asks for the inputs.
        if !self.has_begun(runnable) {
            self.begin(runnable, self.now(runnable));
        }
        self.world.environment(runnable)
    }

    fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        let inputs = self.world.fingerprint(runnable, upstreams);
        if !self.has_begun(runnable) {
            self.begin(runnable, State::new(inputs.clone()));
        }
        inputs
    }

    fn graph_result(&self, runnable: &Runnable) -> Result<GraphResult, RunnableError> {
        self.world.graph_result(runnable)
    }

    fn unmatched_globs(&self, runnable: &Runnable) -> Vec<String> {
        self.world.unmatched_globs(runnable)
    }

    fn is_tracked(&self, path: &ProjectPath) -> bool {
        self.world.is_tracked(path)
    }

    fn forget_files(&self) {
        self.world.forget_files();
    }

    fn forget_untracked(&self) {
        self.world.forget_untracked();
    }

    fn ended(&self, runnable: &Runnable) {
        let after = self.now(runnable);
        let before = self.of(&runnable.name).before;
        let differs = before.is_none_or(|before| before.digest != after.digest);
        let mut artifacts: BTreeSet<String> = runnable.stamp.iter().cloned().collect();
        if differs && !runnable.artifacts.is_empty() {
            let made = cache::collect(&self.root, &runnable.artifacts, &Memo::none());
            artifacts.extend(made.into_iter().flat_map(|made| made.to_list().into_keys()));
        }
        let mut records = self.lock();
        let record = records.entry(runnable.name.clone()).or_default();
        record.after = Some(after);
        record.artifacts = artifacts;
    }
}
