//! Which entries go when the cache is too large. Pure.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::Content;

/// An entry as far as its eviction goes.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Whose it is: entries with the same number are of one runnable.
    pub(super) runnable: usize,
    /// When it was last looked up, to the day, or stored.
    pub(super) used: SystemTime,
    /// Of the entry's own file.
    pub(super) size_bytes: u64,
    /// What it names: artifacts, a large log, a large fingerprint.
    pub(super) blobs: Vec<Content>,
}

/// The entries to drop, so that the rest and its blobs are no larger than the bound.
///
/// Least recently used go first, but the last of each runnable only when all others are gone:
/// another branch's results are worth less than that every command is warm somewhere. The one
/// that was used last stays even if it is too large on its own: a cache that forgets at once
/// what it was just given is no use to anybody.
pub(super) fn choose(candidates: &[Candidate], size_bytes_max: u64) -> Vec<usize> {
    let mut usage = Usage::default();
    for candidate in candidates {
        usage.add(candidate);
    }
    let mut dropped = Vec::new();
    for index in in_order(candidates) {
        if usage.size_bytes <= size_bytes_max {
            break;
        }
        usage.remove(&candidates[index]);
        dropped.push(index);
    }
    dropped
}

/// All that may be dropped, first to go first.
fn in_order(candidates: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|index| (candidates[*index].used, *index));
    let mut last_of: BTreeMap<usize, usize> = BTreeMap::new();
    for index in &order {
        last_of.insert(candidates[*index].runnable, *index);
    }
    let newest = order.last().copied();
    let is_last = |index: usize| last_of.get(&candidates[index].runnable) == Some(&index);
    let (lasts, others): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|index| is_last(*index));
    others.into_iter().chain(lasts).filter(|index| Some(*index) != newest).collect()
}

/// What entries take up together; a blob counts once, however many name it.
#[derive(Debug, Default)]
struct Usage {
    size_bytes: u64,
    name_counts: BTreeMap<Content, usize>,
}

impl Usage {
    fn add(&mut self, candidate: &Candidate) {
        self.size_bytes = self.size_bytes.saturating_add(candidate.size_bytes);
        for blob in &candidate.blobs {
            let count = self.name_counts.entry(*blob).or_default();
            if *count == 0 {
                self.size_bytes = self.size_bytes.saturating_add(blob.size);
            }
            *count += 1;
        }
    }

    fn remove(&mut self, candidate: &Candidate) {
        self.size_bytes = self.size_bytes.saturating_sub(candidate.size_bytes);
        for blob in &candidate.blobs {
            let count = self.name_counts.entry(*blob).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.size_bytes = self.size_bytes.saturating_sub(blob.size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// A blob by a letter and its size.
    fn blob(letter: u8, size: u64) -> Content {
        Content { size, digest: crate::hash::Digest::of(&[letter]) }
    }

    fn candidate(runnable: usize, used_s: u64, blobs: &[(u8, u64)]) -> Candidate {
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(used_s);
        let blobs = blobs.iter().map(|(letter, size)| blob(*letter, *size)).collect();
        Candidate { runnable, used, size_bytes: 1, blobs }
    }

    fn size_of(candidates: &[Candidate], dropped: &[usize]) -> u64 {
        let kept = || candidates.iter().enumerate().filter(|(i, _)| !dropped.contains(i));
        let blobs: BTreeSet<Content> = kept().flat_map(|(_, c)| c.blobs.clone()).collect();
        kept().map(|(_, c)| c.size_bytes).sum::<u64>() + blobs.iter().map(|b| b.size).sum::<u64>()
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let entries =
            [candidate(0, 3, &[(1, 10)]), candidate(0, 1, &[(2, 10)]), candidate(0, 2, &[(3, 10)])];
        assert_eq!(choose(&entries, 33), [0; 0]);
        assert_eq!(choose(&entries, 32), [1]);
        assert_eq!(choose(&entries, 12), [1, 2]);
    }

    #[test]
    fn the_last_of_a_runnable_outlives_older_ones_of_others() {
        let entries =
            [candidate(0, 1, &[(1, 10)]), candidate(1, 5, &[(2, 10)]), candidate(1, 9, &[(3, 10)])];
        assert_eq!(choose(&entries, 25), [1]);
        assert_eq!(choose(&entries, 15), [1, 0]);
    }

    #[test]
    fn a_shared_blob_goes_with_the_last_who_names_it() {
        let entries =
            [candidate(0, 1, &[(1, 10)]), candidate(0, 2, &[(1, 10)]), candidate(0, 3, &[])];
        assert_eq!(choose(&entries, 11), [0, 1]);
    }

    fn any_candidate() -> impl Strategy<Value = Candidate> {
        let blobs = proptest::collection::vec((0..12_u8).prop_map(|b| (b, u64::from(b) * 7)), 0..5);
        (0..4_usize, 0..20_u64, blobs)
            .prop_map(|(runnable, used, blobs)| candidate(runnable, used, &blobs))
    }

    proptest! {
        #[test]
        fn the_rules_hold(
            candidates in proptest::collection::vec(any_candidate(), 0..20),
            size_bytes_max in 0..300_u64,
        ) {
            let dropped = choose(&candidates, size_bytes_max);
            let kept: Vec<usize> =
                (0..candidates.len()).filter(|index| !dropped.contains(index)).collect();

            // The bound holds, or only one is left.
            prop_assert!(size_of(&candidates, &dropped) <= size_bytes_max || kept.len() <= 1);
            // The one used last stays.
            let latest = candidates.iter().map(|candidate| candidate.used).max();
            prop_assert!(kept.iter().any(|index| Some(candidates[*index].used) == latest)
                || candidates.is_empty());
            // Nothing is dropped in vain.
            if let Some((_, but_last)) = dropped.split_last() {
                prop_assert!(size_of(&candidates, but_last) > size_bytes_max);
            }
            // A runnable that lost all it had is a sign that no other has more than one left.
            let count = |indexes: &[usize], runnable| {
                indexes.iter().filter(|index| candidates[**index].runnable == runnable).count()
            };
            let has_lost_all = |r| count(&dropped, r) > 0 && count(&kept, r) == 0;
            if (0..4).any(has_lost_all) {
                prop_assert!((0..4).all(|runnable| count(&kept, runnable) <= 1));
            }
        }
    }
}
