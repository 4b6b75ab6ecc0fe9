//! The caches of a run by their names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Store;
use crate::error::Diagnostic;

/// The caches of a run.
#[derive(Clone, Default)]
pub struct Stores(BTreeMap<String, Arc<dyn Store>>);

impl Stores {
    pub fn new(stores: BTreeMap<String, Arc<dyn Store>>) -> Self {
        Self(stores)
    }

    /// The cache of a name.
    pub fn find(&self, cache: &str) -> Option<&dyn Store> {
        self.0.get(cache).map(AsRef::as_ref)
    }

    /// Whether finishing them may have to wait for another machine.
    pub fn are_remote(&self) -> bool {
        self.0.values().any(|store| store.is_remote())
    }

    /// Finishes all of them; gives what there is to warn of. Those that send what others keep
    /// come first.
    pub fn finish(&self) -> Vec<Diagnostic> {
        let (remote, local): (Vec<_>, Vec<_>) =
            self.0.values().partition(|store| store.is_remote());
        remote.into_iter().chain(local).flat_map(|store| store.finish()).collect()
    }

    /// Nobody waits for anything elsewhere any more.
    pub fn hurry(&self) {
        self.0.values().for_each(|store| store.hurry());
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
