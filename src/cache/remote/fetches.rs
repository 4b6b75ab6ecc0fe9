//! What is asked of a remote: each key once in a run, several at a time, begun before it is
//! needed where that is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::OwnedKey;
use super::link::{Fetched, Link};
use super::pool::Pool;
use crate::cache::Key;
use crate::error::Diagnostic;
use crate::hash::Digest;

/// Entries that are on their way at once: as many as hide the delay of a distant store, few
/// enough for its rate limits, and for memory: 16 windows of a decompressor.
const FETCHES_AT_ONCE: usize = 16;

/// Who fetches what, and what came of it.
#[derive(Debug)]
pub(super) struct Fetches {
    book: Arc<Book>,
    pool: Pool<OwnedKey>,
    link: Arc<Link>,
}

#[derive(Debug, Default)]
struct Book {
    pages: Mutex<Pages>,
    turned: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    /// A digest is one of its runnable's name too, so it is enough.
    fetches: BTreeMap<Digest, Stage>,
    is_hurried: bool,
}

#[derive(Debug)]
enum Stage {
    Asked,
    /// The warning is for whoever looks first.
    Done(Fetched, Option<Box<Diagnostic>>),
}

impl Fetches {
    pub(super) fn new(link: Arc<Link>) -> Self {
        let book = Arc::new(Book::default());
        let (shared, worker) = (Arc::clone(&book), Arc::clone(&link));
        let pool = Pool::new("remote fetch", FETCHES_AT_ONCE, move |key: OwnedKey| {
            let mut page = OpenPage { book: &shared, digest: key.digest, result: None };
            let (fetched, warning) = worker.fetch(key.as_key());
            page.result = Some((fetched, warning.map(Box::new)));
        });
        Self { book, pool, link }
    }

    /// Begins to fetch what is not there yet.
    pub(super) fn expect(&self, key: Key<'_>) {
        if self.link.reads() && self.book.ask(key.digest) {
            self.pool.push_back(OwnedKey::new(key));
        }
    }

    /// Fetches an entry, or waits for one that is under way.
    pub(super) fn fetch(&self, key: Key<'_>) -> (Fetched, Option<Diagnostic>) {
        if !self.link.reads() {
            return self.book.close(key.digest);
        }
        if self.book.ask(key.digest) {
            self.pool.push_front(OwnedKey::new(key));
        } else {
            self.pool.prefer(|waiting| waiting.digest == key.digest);
        }
        self.book.wait(key.digest)
    }

    /// What came of a key; `None` if nobody asked.
    pub(super) fn outcome(&self, digest: Digest) -> Option<Fetched> {
        match self.book.lock().fetches.get(&digest)? {
            Stage::Asked => Some(Fetched::Failed),
            Stage::Done(fetched, _) => Some(*fetched),
        }
    }

    #[cfg(test)]
    pub(super) fn is_busy(&self) -> bool {
        self.pool.pending_count() > 0
    }

    /// Nobody waits any longer.
    pub(super) fn hurry(&self) {
        self.book.lock().is_hurried = true;
        self.pool.clear();
        self.book.turned.notify_all();
    }

    /// Forgets what was asked, so that the next run asks again; gives what nobody has heard.
    pub(super) fn forget(&self) -> Vec<Diagnostic> {
        self.pool.clear();
        let pages = std::mem::take(&mut *self.book.lock());
        let warning = |stage| match stage {
            Stage::Done(_, warning) => warning.map(|warning| *warning),
            Stage::Asked => None,
        };
        pages.fetches.into_values().filter_map(warning).collect()
    }
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a key is asked for; `false` if it was already.
    fn ask(&self, digest: Digest) -> bool {
        let mut pages = self.lock();
        let is_new = !pages.fetches.contains_key(&digest);
        if is_new {
            pages.fetches.insert(digest, Stage::Asked);
        }
        is_new
    }

    /// Notes that a key was not asked for as nothing is; gives what is known of it.
    fn close(&self, digest: Digest) -> (Fetched, Option<Diagnostic>) {
        match self.lock().fetches.entry(digest).or_insert(Stage::Done(Fetched::Failed, None)) {
            Stage::Asked => (Fetched::Failed, None),
            Stage::Done(fetched, warning) => (*fetched, warning.take().map(|warning| *warning)),
        }
    }

    fn wait(&self, digest: Digest) -> (Fetched, Option<Diagnostic>) {
        let mut pages = self.lock();
        loop {
            let is_hurried = pages.is_hurried;
            match pages.fetches.get_mut(&digest) {
                Some(Stage::Done(fetched, warning)) => {
                    return (*fetched, warning.take().map(|warning| *warning));
                }
                Some(Stage::Asked) if !is_hurried => {}
                Some(Stage::Asked) | None => return (Fetched::Failed, None),
            }
            pages = self.turned.wait(pages).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A fetch that has begun; it ends even by a panic.
struct OpenPage<'a> {
    book: &'a Book,
    digest: Digest,
    result: Option<(Fetched, Option<Box<Diagnostic>>)>,
}

impl Drop for OpenPage<'_> {
    fn drop(&mut self) {
        let (fetched, warning) = self.result.take().unwrap_or((Fetched::Failed, None));
        self.book.lock().fetches.insert(self.digest, Stage::Done(fetched, warning));
        self.book.turned.notify_all();
    }
}
