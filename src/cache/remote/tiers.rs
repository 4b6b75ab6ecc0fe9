//! A local cache in front of a remote one, as one cache.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{Ask, Hit, Local, Lookup, Miss, NewEntry, Peek, Replayed, Store};
use super::fetches::Fetches;
use super::link::{Fetched, Link};
use super::s3::S3;
use super::settings::S3Settings;
use super::uploads::Uploads;
use super::{Overwrite, Remote};
use crate::cache::Key;
use crate::error::{Code, Diagnostic, veil_address};
use crate::hash::Document;
use crate::plan::RunnableName;
use crate::sys::folder::FileStamp;
use crate::sys::parallel;

/// Questions that are asked at once where nothing is fetched.
const PEEKS_AT_ONCE: usize = 16;

/// A cache in two tiers. Making it builds no client and looks up no credential: that happens when
/// something is not in the local cache.
pub struct Tiered {
    link: Arc<Link>,
    fetches: Fetches,
    uploads: Uploads,
    /// What to say once if anything was asked of the remote at all.
    caution: Option<Diagnostic>,
    has_asked: AtomicBool,
    has_cautioned: AtomicBool,
}

impl Tiered {
    /// A bucket behind the local cache.
    pub fn new(local: Arc<Local>, settings: &S3Settings) -> Self {
        let caution = settings.is_exposed().then(|| exposed(settings));
        let remote = Box::new(S3::new(settings.clone()));
        Self { caution, ..Self::over(local, remote, settings) }
    }

    pub(super) fn over(local: Arc<Local>, remote: Box<dyn Remote>, settings: &S3Settings) -> Self {
        let link = Arc::new(Link::new(local, remote, settings));
        Self {
            fetches: Fetches::new(Arc::clone(&link)),
            uploads: Uploads::new(Arc::clone(&link)),
            link,
            caution: None,
            has_asked: AtomicBool::new(false),
            has_cautioned: AtomicBool::new(false),
        }
    }

    /// Whether anything is under way.
    #[cfg(test)]
    pub(super) fn is_busy(&self) -> bool {
        self.fetches.is_busy()
    }

    /// The caution, unless it was given in this run.
    fn caution_once(&self) -> Option<Diagnostic> {
        let has_cautioned = self.has_cautioned.swap(true, Ordering::Relaxed);
        self.caution.clone().filter(|_| !has_cautioned)
    }

    /// Whether a result may replace what is stored: only where that is known to be worse. Of a
    /// key that nobody asked for nothing is known, as when all is run anew by force.
    fn overwrite(&self, key: Key<'_>) -> Overwrite {
        match self.fetches.outcome(key.digest) {
            Some(Fetched::Absent | Fetched::Failed) => Overwrite::No,
            Some(Fetched::Hit | Fetched::Refused) | None => Overwrite::Yes,
        }
    }
}

fn exposed(settings: &S3Settings) -> Diagnostic {
    let cache = &settings.cache;
    let endpoint = settings.endpoint.as_deref().unwrap_or_default();
    Diagnostic::new(
        Code::RemoteFailed,
        format!("the cache `{cache}` is used without TLS, so that others can read and change it"),
    )
    .because(format!("its `endpoint-url` is `{}`", veil_address(endpoint)))
    .hint("use an address that begins with `https://`")
}

impl Store for Tiered {
    fn lookup(&self, key: Key<'_>) -> Lookup {
        let miss = match self.link.local().lookup(key) {
            Lookup::Hit(hit) => return Lookup::Hit(hit),
            Lookup::Miss(miss) => miss,
        };
        self.has_asked.fetch_or(self.link.reads(), Ordering::Relaxed);
        let (fetched, warning) = self.fetches.fetch(key);
        let damage = match miss {
            Miss::Absent => None,
            Miss::Damaged(damage) => Some(damage),
        };
        let mut warnings = damage.into_iter().chain(warning);
        if fetched == Fetched::Hit
            && let Lookup::Hit(hit) = self.link.local().lookup(key)
        {
            warnings.for_each(|warning| self.link.say_later(warning));
            return Lookup::Hit(hit);
        }
        let miss = warnings.next().map_or(Miss::Absent, Miss::Damaged);
        warnings.for_each(|warning| self.link.say_later(warning));
        Lookup::Miss(miss)
    }

    fn look_again(&self, key: Key<'_>) -> Lookup {
        // Other machines have been asked just now.
        self.link.local().look_again(key)
    }

    fn recall(&self, key: Key<'_>) -> Option<Replayed> {
        self.link.local().recall(key)
    }

    fn learn(&self, key: Key<'_>, hit: &Hit, output: FileStamp) {
        self.link.local().learn(key, hit, output);
    }

    fn store(&self, key: Key<'_>, entry: NewEntry<'_>) -> Result<(), Diagnostic> {
        self.link.local().store(key, entry)?;
        self.has_asked.fetch_or(self.link.writes(), Ordering::Relaxed);
        self.uploads.push(key, self.overwrite(key));
        Ok(())
    }

    fn latest(&self, runnable: &RunnableName, command: &str) -> Option<Document> {
        self.link.local().latest(runnable, command)
    }

    fn peek(&self, asks: &[Ask<'_>], warnings: &mut Vec<Diagnostic>) -> Vec<Option<Peek>> {
        let mut peeks = self.link.local().peek(asks, warnings);
        let (missing, open): (Vec<&Ask<'_>>, Vec<&mut Option<Peek>>) =
            asks.iter().zip(&mut peeks).filter(|(_, peek)| peek.is_none()).unzip();
        if missing.is_empty() || !self.link.reads() {
            return peeks;
        }
        warnings.extend(self.caution_once());
        let ask_all = |asks: &[&Ask<'_>]| asks.iter().map(|ask| self.link.peek(ask)).collect();
        let answers = parallel::map(&missing, 1, PEEKS_AT_ONCE, ask_all);
        for (peek, (answer, warning)) in open.into_iter().zip(answers) {
            *peek = answer;
            warnings.extend(warning);
        }
        warnings.extend(self.link.take_unsaid());
        peeks
    }

    fn expect(&self, key: Key<'_>) {
        if !self.link.local().has(key) {
            self.has_asked.fetch_or(self.link.reads(), Ordering::Relaxed);
            self.fetches.expect(key);
        }
    }

    fn looks_elsewhere(&self) -> bool {
        // While all is here there is nothing to announce.
        self.has_asked.load(Ordering::Relaxed) && self.link.reads()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn finish(&self) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        if self.has_asked.swap(false, Ordering::Relaxed) {
            warnings.extend(self.caution_once());
        }
        self.has_cautioned.store(false, Ordering::Relaxed);
        warnings.extend(self.uploads.finish());
        warnings.extend(self.fetches.forget());
        warnings.extend(self.link.forgive());
        warnings
    }

    fn hurry(&self) {
        self.fetches.hurry();
        self.uploads.hurry();
    }
}

impl fmt::Debug for Tiered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tiered").field("link", &self.link).finish_non_exhaustive()
    }
}
