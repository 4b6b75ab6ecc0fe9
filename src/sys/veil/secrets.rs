//! The secrets that are known, and where they are in a text. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;

/// What stands in the place of a secret, and of several that touch.
pub const MASK: &[u8] = b"***";

/// Shorter than this, a text cannot be taken out of others without spoiling them.
pub const SECRET_BYTES_MIN: usize = 4;

/// How much is read at once.
const READ_BYTES: u64 = 64 * 1024;

/// The secrets that are known so far; clones know the same.
#[derive(Clone, Default)]
pub struct Veil(Arc<RwLock<Arc<Secrets>>>);

#[derive(Default)]
pub(super) struct Secrets {
    texts: BTreeSet<String>,
    /// `None` while there is nothing to be found.
    finder: Option<AhoCorasick>,
}

impl Veil {
    /// From now on a text is hidden: as a whole, each of its lines, and as JSON writes it.
    /// What is too short is shown.
    pub fn learn(&self, text: &str) {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut texts = secrets.texts.clone();
        for part in [text.trim()].into_iter().chain(text.lines().map(str::trim)) {
            if part.len() >= SECRET_BYTES_MIN {
                let quoted = serde_json::Value::from(part).to_string();
                texts.insert(quoted[1..quoted.len() - 1].to_owned());
                texts.insert(part.to_owned());
            }
        }
        if texts != secrets.texts {
            // Every set of short texts can be sought; if not, nothing could be promised.
            let finder = AhoCorasick::new(&texts).ok();
            *secrets = Arc::new(Secrets { texts, finder });
        }
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.secrets().texts.is_empty()
    }

    /// Whether a secret is in what is left to read.
    pub fn is_in(&self, source: &mut impl Read) -> io::Result<bool> {
        let secrets = self.secrets();
        let overlap = secrets.texts.iter().map(String::len).max().unwrap_or_default();
        let mut buffer = Vec::new();
        loop {
            if source.take(READ_BYTES).read_to_end(&mut buffer)? == 0 {
                return Ok(false);
            }
            if secrets.is_in(&buffer) {
                return Ok(true);
            }
            buffer.drain(..buffer.len().saturating_sub(overlap));
        }
    }

    /// Bytes without secrets.
    pub fn hide<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let secrets = self.secrets();
        if !secrets.is_in(bytes) {
            return Cow::Borrowed(bytes);
        }
        let mut hidden = Vec::with_capacity(bytes.len());
        copy(bytes, &secrets.places(bytes), &mut false, &mut hidden);
        Cow::Owned(hidden)
    }

    /// A text without secrets.
    pub fn hide_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.hide(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(hidden) => Cow::Owned(String::from_utf8_lossy(&hidden).into_owned()),
        }
    }

    /// Takes secrets out of a text.
    pub fn hide_in(&self, text: &mut String) {
        if let Cow::Owned(hidden) = self.hide_text(text) {
            *text = hidden;
        }
    }

    pub(super) fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Veil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Veil")
    }
}

impl Secrets {
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.finder.as_ref().is_some_and(|finder| finder.is_match(bytes))
    }

    /// Where secrets are, those that overlap or touch as one, in order.
    pub(super) fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if !self.is_in(bytes) {
            return Vec::new();
        }
        let found = self.finder.iter().flat_map(|finder| finder.find_overlapping_iter(bytes));
        let mut found: Vec<Range<usize>> = found.map(|found| found.range()).collect();
        found.sort_unstable_by_key(|range| range.start);
        let mut places: Vec<Range<usize>> = Vec::new();
        for range in found {
            match places.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => places.push(range),
            }
        }
        places
    }

    /// How many of the last bytes may be the beginning of a secret.
    pub(super) fn unfinished(&self, bytes: &[u8]) -> usize {
        let longest = |text: &String| {
            let longest = (text.len() - 1).min(bytes.len());
            (1..=longest).rev().find(|length| bytes.ends_with(&text.as_bytes()[..*length]))
        };
        self.texts.iter().filter_map(longest).max().unwrap_or_default()
    }
}

/// Copies what is in none of the places; of each that was not begun before, a mask.
pub(super) fn copy(
    bytes: &[u8],
    places: &[Range<usize>],
    is_within: &mut bool,
    target: &mut Vec<u8>,
) {
    let mut shown_to = 0;
    for place in places {
        if place.start > shown_to {
            target.extend_from_slice(&bytes[shown_to..place.start]);
            *is_within = false;
        }
        if !*is_within && !place.is_empty() {
            target.extend_from_slice(MASK);
            *is_within = true;
        }
        shown_to = place.end;
    }
    if shown_to < bytes.len() {
        target.extend_from_slice(&bytes[shown_to..]);
        *is_within = false;
    }
}
