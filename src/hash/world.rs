//! Everything outside of the declarations that fingerprints are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Fingerprint;
use crate::error::RunnableError;
use crate::plan::Runnable;
use crate::sys::Env;

/// Artifacts of one upstream: escaped path → what it is.
pub type ArtifactList = BTreeMap<String, String>;

/// The files, environments and distributions of a run.
#[derive(Debug)]
pub struct World {}

impl World {
    /// The fingerprint of a runnable as things are now.
    pub fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        unreachable!("{runnable:?} {upstreams:?}")
    }

    /// The environment of a runnable's space: the process's, the virtualenv's, dotenv.
    pub fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        unreachable!("{runnable:?}")
    }

    /// A command has run, or has written: what was seen of the files may no longer hold.
    pub fn forget_files(&self) {}
}
