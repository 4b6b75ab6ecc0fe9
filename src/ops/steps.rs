//! The steps of a unit on the real world and the real caches.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::{self, Hit, Key, Lookup, Manifest, Memo, Miss, NewEntry, Stores};
use crate::config::CacheWhen;
use crate::error::{Diagnostic, RunnableError};
use crate::exec::{Artifacts, Found, NewResult, Restored, Steps, StoredResult};
use crate::hash::{ArtifactList, Digest, Document, Fingerprint, World};
use crate::paths::WorkDirs;
use crate::plan::Runnable;
use crate::sys::Env;

/// What units work on.
#[derive(Debug)]
pub(super) struct ProjectSteps {
    pub(super) dirs: WorkDirs,
    pub(super) world: Arc<World>,
    pub(super) stores: Arc<Stores>,
}

fn key(runnable: &Runnable, digest: Digest) -> Key<'_> {
    Key { runnable: &runnable.name, command: &runnable.command, digest }
}

impl ProjectSteps {
    fn store_of(&self, runnable: &Runnable) -> Option<&dyn cache::Store> {
        self.stores.find(runnable.cache.as_deref()?)
    }
}

impl Steps for ProjectSteps {
    type Hit = Hit;
    type Artifacts = Manifest;

    fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        self.world.environment(runnable)
    }

    fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        self.world.fingerprint(runnable, upstreams)
    }

    fn forget_files(&self) {
        self.world.forget_files();
    }

    fn lookup(&self, runnable: &Runnable, digest: Digest) -> Found<Hit> {
        let Some(store) = self.store_of(runnable) else { return Found::Absent };
        match store.lookup(key(runnable, digest)) {
            Lookup::Hit(hit) => Found::Hit(*hit),
            Lookup::Miss(Miss::Absent) => Found::Absent,
            Lookup::Miss(Miss::Damaged(diagnostic)) => Found::Damaged(diagnostic),
        }
    }

    fn restore(&self, hit: &Hit) -> Result<Restored<Manifest>, Diagnostic> {
        let has_written = hit.restore(&self.dirs.root)?;
        Ok(Restored { artifacts: hit.manifest().clone(), has_written })
    }

    fn latest(&self, runnable: &Runnable) -> Option<Document> {
        self.store_of(runnable)?.latest(&runnable.name, &runnable.command)
    }

    fn collect(&self, patterns: &[String]) -> Result<Manifest, Diagnostic> {
        cache::collect(&self.dirs.root, patterns, &Memo::none())
    }

    fn is_worth_keeping(&self, when: CacheWhen, code: i32, is_killed: bool) -> bool {
        cache::is_worth_keeping(when, code, is_killed)
    }

    fn store(
        &self,
        runnable: &Runnable,
        digest: Digest,
        result: NewResult<'_, Manifest>,
    ) -> Result<(), Diagnostic> {
        let Some(store) = self.store_of(runnable) else { return Ok(()) };
        let NewResult { code, duration, log, artifacts, fingerprint } = result;
        store.store(key(runnable, digest), NewEntry { code, duration, log, artifacts, fingerprint })
    }

    fn finish(&self) -> Vec<Diagnostic> {
        self.stores.finish()
    }
}

impl Artifacts for Manifest {
    fn to_list(&self) -> ArtifactList {
        Self::to_list(self)
    }

    fn unmatched(&self) -> &[String] {
        &self.unmatched
    }
}

impl StoredResult for Hit {
    fn code(&self) -> i32 {
        self.code
    }

    fn duration(&self) -> Option<Duration> {
        self.duration
    }

    fn log_size_bytes(&self) -> u64 {
        self.log_size()
    }

    fn open_log(&self) -> Result<Box<dyn Read + '_>, Diagnostic> {
        Ok(Box::new(Self::open_log(self)?))
    }
}
