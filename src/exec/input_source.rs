//! Where a unit's inputs come from, as a narrow seam: tests put a fake here.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use crate::error::RunnableError;
use crate::hash::{ArtifactList, Fingerprint, GraphResult, World};
use crate::paths::ProjectPath;
use crate::plan::Runnable;
use crate::sys::Env;

/// What is to know of runnables beyond their declaration. All of it blocks.
pub trait InputSource: Debug + Send + Sync {
    /// The environment of the runnable's space.
    fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError>;

    /// All inputs of the runnable as they are now.
    fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError>;

    /// What a runnable gives whose action is about the import graph.
    fn graph_result(&self, runnable: &Runnable) -> Result<GraphResult, RunnableError>;

    /// The glob deps of the runnable that match no file now.
    fn unmatched_globs(&self, runnable: &Runnable) -> Vec<String>;

    /// Whether git tracks a file, so that it may be somebody's work.
    fn is_tracked(&self, path: &ProjectPath) -> bool;

    /// Something has written, or may have: what was seen of the files may no longer hold.
    fn forget_files(&self);

    /// Something that git does not track has been written, and nothing else.
    fn forget_untracked(&self);

    /// The runnable's command or its replay has ended, and what was to be stored is stored.
    fn ended(&self, _runnable: &Runnable) {}
}

impl InputSource for World {
    fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        Self::environment(self, runnable)
    }

    fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        Self::fingerprint(self, runnable, upstreams)
    }

    fn graph_result(&self, runnable: &Runnable) -> Result<GraphResult, RunnableError> {
        Self::graph_result(self, runnable)
    }

    fn unmatched_globs(&self, runnable: &Runnable) -> Vec<String> {
        Self::unmatched_globs(self, runnable)
    }

    fn is_tracked(&self, path: &ProjectPath) -> bool {
        Self::is_tracked(self, path)
    }

    fn forget_files(&self) {
        Self::forget_files(self);
    }

    fn forget_untracked(&self) {
        Self::forget_untracked(self);
    }
}
