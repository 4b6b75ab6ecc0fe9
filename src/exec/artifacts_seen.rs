//! What artifact patterns match on disk, looked at once until something writes.
//!
//! A downstream's inputs are what it would read: what lies on disk when it starts, and again when
//! it has ended, whoever has put it there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::{self, Memo};
use crate::error::Diagnostic;
use crate::hash::ArtifactList;
use crate::paths::WorkDirs;
use crate::plan::RunnableName;

/// Artifacts by the runnable that declares them.
#[derive(Debug, Default)]
pub(super) struct ArtifactsSeen(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Counts how often all was forgotten: what was looked at before must not be kept after.
    epoch: u64,
    lists: BTreeMap<RunnableName, Arc<ArtifactList>>,
}

impl ArtifactsSeen {
    /// What a runnable's patterns match now.
    pub(super) fn list(
        &self,
        dirs: &WorkDirs,
        name: &RunnableName,
        patterns: &[String],
    ) -> Result<Arc<ArtifactList>, Diagnostic> {
        let epoch = {
            let seen = self.lock();
            if let Some(list) = seen.lists.get(name) {
                return Ok(Arc::clone(list));
            }
            seen.epoch
        };
        let manifest = cache::collect(&dirs.root, patterns, &Memo::new(dirs, name))?;
        let list = Arc::new(manifest.to_list());
        let mut seen = self.lock();
        if seen.epoch == epoch {
            seen.lists.insert(name.clone(), Arc::clone(&list));
        }
        Ok(list)
    }

    /// Something has written.
    pub(super) fn forget(&self) {
        let mut seen = self.lock();
        seen.epoch += 1;
        seen.lists.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A table of lists is whole whatever a panicking thread was doing with it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
