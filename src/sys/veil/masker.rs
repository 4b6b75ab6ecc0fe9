//! Secrets out of a stream of pieces. Pure.

use std::borrow::Cow;
use std::ops::Range;

use super::Veil;
use super::secrets::{Secrets, copy};

/// Takes secrets out of output that comes in pieces, cut anywhere.
///
/// What may be the beginning of a secret is held back until it is known; so no part of one is
/// ever let through, and nothing else is held back.
#[derive(Debug)]
pub struct Masker {
    veil: Veil,
    held: Vec<u8>,
    /// How much of what is held is the end of a secret that began before.
    covered: usize,
    /// Whether the last byte that was let through stands for a secret.
    is_within: bool,
}

impl Masker {
    pub fn new(veil: &Veil) -> Self {
        Self { veil: veil.clone(), held: Vec::new(), covered: 0, is_within: false }
    }

    /// What may be shown by now.
    pub fn push<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let secrets = self.veil.secrets();
        let is_plain = self.held.is_empty() && !secrets.is_in(bytes);
        if is_plain && secrets.unfinished(bytes) == 0 {
            self.is_within &= bytes.is_empty();
            return Cow::Borrowed(bytes);
        }
        self.held.extend_from_slice(bytes);
        let end = self.held.len() - secrets.unfinished(&self.held);
        Cow::Owned(self.release(&secrets, end))
    }

    /// What was held back, when nothing will follow.
    pub fn finish(&mut self) -> Vec<u8> {
        let secrets = self.veil.secrets();
        self.release(&secrets, self.held.len())
    }

    fn release(&mut self, secrets: &Secrets, end: usize) -> Vec<u8> {
        let mut places = secrets.places(&self.held);
        places.insert(0, 0..self.covered);
        let begun = places.iter().filter(|place| place.start < end);
        let covered_to = begun.map(|place| place.end).fold(self.covered, usize::max);
        for place in &mut places {
            *place = place.start.min(end)..place.end.min(end);
        }
        merge_first(&mut places);
        let mut shown = Vec::new();
        copy(&self.held[..end], &places, &mut self.is_within, &mut shown);
        self.held.drain(..end);
        self.covered = covered_to.saturating_sub(end);
        shown
    }
}

/// Makes ranges disjoint again, whose first may reach into those behind it.
fn merge_first(places: &mut [Range<usize>]) {
    let Some((first, rest)) = places.split_first_mut() else { return };
    for place in rest {
        place.start = place.start.max(first.end);
        place.end = place.end.max(place.start);
    }
}
