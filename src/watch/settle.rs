//! When changes have settled: after a short quiet, however many there are. Pure.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{Batch, Change, Touch};

/// How long it must be quiet where nothing else is asked for.
pub const DEBOUNCE_DEFAULT: Duration = Duration::from_millis(20);

/// How long it must be quiet while somebody who writes a file has not closed it: half a file is no
/// save. Who never closes it, as with logs, has to be put up with.
const QUIET_OPEN: Duration = Duration::from_millis(200);

/// A burst goes on if its next change comes within this part of the time that it took so far: who
/// formats a thousand files pauses now and then, and a single save takes no time at all.
const BURST_DIVISOR: u32 = 4;

/// How long it must be quiet after the longest burst.
const QUIET_BURST: Duration = Duration::from_millis(250);

/// How long it must be quiet while git holds the index's lock. A checkout holds it from its
/// first file to its last, and pauses only where a filter or a hook is slow; a lock that a crashed
/// git left behind costs this much a run, and no run.
const QUIET_LOCKED: Duration = Duration::from_secs(1);

/// A tree that is never quiet runs after this long all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same while git holds the lock: a checkout of a large tree takes its time.
const PATIENCE_LOCKED: Duration = Duration::from_secs(30);

/// Gathers changes until they have settled.
#[derive(Debug)]
pub struct Settle {
    debounce: Duration,
    batch: Batch,
    /// When the first and the last change of the batch were noticed.
    span: Option<(Instant, Instant)>,
    /// Whether the last change was git's word that it is done.
    is_done: bool,
    /// Files that are being written.
    open: BTreeSet<Vec<u8>>,
}

/// Whether git is in the middle of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexLock {
    Free,
    Held,
}

impl Settle {
    pub fn new(debounce: Duration) -> Self {
        Self {
            debounce,
            batch: Batch::default(),
            span: None,
            is_done: false,
            open: BTreeSet::new(),
        }
    }

    /// A change was noticed.
    pub fn note(&mut self, change: Change, touch: Touch, now: Instant) {
        if let Change::File(path) = &change {
            match touch {
                Touch::Written => drop(self.open.insert(path.clone())),
                Touch::Closed | Touch::Replaced | Touch::Other => drop(self.open.remove(path)),
            }
        }
        self.is_done = change == Change::Index;
        self.batch.add(change);
        let first = self.span.map_or(now, |(first, _)| first);
        self.span = Some((first, now));
    }

    /// Whether nothing was noticed since the last batch.
    pub fn is_empty(&self) -> bool {
        self.span.is_none()
    }

    /// When to ask for the batch; `None` while there is nothing to wait for. The lock is looked at
    /// only if it matters.
    pub fn due(&self, lock: impl FnOnce() -> IndexLock) -> Option<Instant> {
        let (first, last) = self.span?;
        let burst = ((last - first) / BURST_DIVISOR).min(QUIET_BURST);
        let burst = if self.is_done { Duration::ZERO } else { burst };
        let (quiet, patience) = match lock() {
            IndexLock::Free if self.open.is_empty() => (self.debounce.max(burst), PATIENCE),
            IndexLock::Free => (self.debounce.max(QUIET_OPEN), PATIENCE),
            IndexLock::Held => (self.debounce.max(QUIET_LOCKED), PATIENCE_LOCKED),
        };
        // Whoever asks for a long quiet is more patient than we are.
        let patience = patience.max(quiet.saturating_mul(2));
        Some((last + quiet).min(first + patience))
    }

    /// The batch, if it has settled.
    pub fn take(&mut self, lock: impl FnOnce() -> IndexLock, now: Instant) -> Option<Batch> {
        if self.due(lock)? > now {
            return None;
        }
        self.span = None;
        self.open.clear();
        Some(std::mem::take(&mut self.batch))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::sys::clock;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn free() -> IndexLock {
        IndexLock::Free
    }

    fn held() -> IndexLock {
        IndexLock::Held
    }

    fn file(name: &str) -> Change {
        Change::File(name.as_bytes().to_vec())
    }

    #[test]
    fn nothing_noticed_is_nothing_to_wait_for() {
        let mut settle = Settle::new(DEBOUNCE_DEFAULT);
        assert_eq!(settle.due(free), None);
        assert_eq!(settle.take(free, clock::instant()), None);
    }

    #[test]
    fn a_burst_is_one_batch_after_a_short_quiet() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        for number in 0..2000_u32 {
            settle.note(
                file(&format!("f{number}")),
                Touch::Closed,
                begin + ms(u64::from(number) / 10),
            );
        }
        assert_eq!(settle.take(free, begin + ms(248)), None);
        let batch = settle.take(free, begin + ms(249)).expect("it has settled");
        assert_eq!(batch.files.len(), 2000);
        assert_eq!(settle.due(free), None);
    }

    #[test]
    fn a_file_that_changes_many_times_counts_once() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        for step in 0..5 {
            settle.note(file("a"), Touch::Closed, begin + ms(step));
        }
        let batch = settle.take(free, begin + ms(24)).expect("it has settled");
        assert_eq!(batch.files.len(), 1);
    }

    #[test]
    fn a_tree_that_is_never_quiet_runs_all_the_same() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        let mut batches = 0;
        for step in 0..1000 {
            let now = begin + ms(step * 10);
            settle.note(file("log"), Touch::Closed, now);
            batches += u32::from(settle.take(free, now).is_some());
        }
        assert_eq!(batches, 4, "one every two seconds of ten");
    }

    #[test]
    fn a_checkout_is_one_batch_though_it_pauses() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        settle.note(file("a"), Touch::Closed, begin);
        settle.note(file("b"), Touch::Closed, begin + ms(900));
        assert_eq!(settle.take(held, begin + ms(1000)), None);
        settle.note(Change::Index, Touch::Replaced, begin + ms(1100));
        assert_eq!(settle.due(free), Some(begin + ms(1120)));
        let batch = settle.take(free, begin + ms(1120)).expect("it has settled");
        assert_eq!(batch.files.len(), 2);
        assert!(batch.has_index);
    }

    #[test]
    fn a_lock_left_behind_costs_time_and_no_run() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        settle.note(file("a"), Touch::Closed, begin);
        assert!(settle.take(held, begin + QUIET_LOCKED).is_some());
    }

    #[test]
    fn a_long_burst_may_pause() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        for step in (0..800).step_by(15) {
            settle.note(file(&format!("f{step}")), Touch::Replaced, begin + ms(step));
            assert_eq!(settle.take(free, begin + ms(step)), None);
        }
        // A pause of a quarter of what it has taken so far, and no longer.
        settle.note(file("late"), Touch::Replaced, begin + ms(960));
        assert_eq!(settle.take(free, begin + ms(960)), None);
        assert_eq!(settle.due(free), Some(begin + ms(1200)));
    }

    #[test]
    fn half_a_file_is_no_save() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        settle.note(file("a"), Touch::Written, begin);
        assert_eq!(settle.due(free), Some(begin + ms(200)));
        settle.note(file("a"), Touch::Written, begin + ms(150));
        settle.note(file("a"), Touch::Closed, begin + ms(160));
        assert_eq!(settle.due(free), Some(begin + ms(200)));
    }

    #[test]
    fn a_file_that_is_never_closed_does_not_hold_back_the_others() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(20));
        settle.note(file("log"), Touch::Written, begin);
        settle.note(file("a"), Touch::Closed, begin);
        assert!(settle.take(free, begin + ms(200)).is_some());
        assert!(settle.is_empty());
    }

    #[test]
    fn a_long_debounce_is_kept() {
        let begin = clock::instant();
        let mut settle = Settle::new(ms(5000));
        settle.note(file("a"), Touch::Closed, begin);
        settle.note(file("a"), Touch::Closed, begin + ms(4000));
        assert_eq!(settle.due(free), Some(begin + ms(9000)));
    }

    proptest! {
        /// Whatever comes when, every change is in exactly one batch, none is taken before it is
        /// due, and none waits longer than patience allows.
        #[test]
        fn nothing_is_lost_or_doubled(gaps in proptest::collection::vec(0_u64..60, 1..200)) {
            let mut now = clock::instant();
            let mut settle = Settle::new(ms(20));
            let mut noted_at: BTreeMap<Vec<u8>, Instant> = BTreeMap::new();
            let mut taken = Vec::new();
            for (number, gap) in gaps.iter().enumerate() {
                now += ms(*gap);
                if let Some(batch) = settle.take(free, now) {
                    for path in &batch.files {
                        prop_assert!(now >= noted_at[path] || gaps.len() == 1);
                    }
                    taken.extend(batch.files);
                }
                let path = format!("f{number}").into_bytes();
                noted_at.insert(path.clone(), now);
                settle.note(Change::File(path), Touch::Closed, now);
                let due = settle.due(free).expect("a change was noted");
                prop_assert!(due <= now + QUIET_BURST);
            }
            let due = settle.due(free).expect("a change was noted");
            taken.extend(settle.take(free, due).expect("it is due").files);
            let noted: Vec<_> = noted_at.into_keys().collect();
            taken.sort();
            prop_assert_eq!(taken, noted);
        }
    }
}
