//! What runs next, on which worker: what a run is decided by. Pure.
//!
//! A worker is given a chunk of what is ready. It looks one after the other up in the caches
//! until one is cold; that one it runs, the rest it gives back. So a warm run costs one hand-over
//! a chunk, while each lookup still happens when its runnable is about to start, and with one
//! worker one thing happens at a time.
//!
//! What becomes ready by a unit of a chunk may follow it in the same chunk: the worker gives it
//! back unless that one has ended well.
//!
//! As long as nothing was given back, all lookups have been quick, and a few of them take less
//! time than to share them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Lookups that a worker does at most before others see what has become ready.
const CHUNK_LENGTH_MAX: usize = 32;

/// Quick lookups that are not worth a hand-over.
const CHUNK_LENGTH_QUICK: usize = 8;

/// Downstreams of a unit that are considered as its followers.
const DOWNSTREAM_COUNT_MAX: usize = 4;

/// The state of a run. Units are positions in the graph, workers count from 1.
#[derive(Debug)]
pub(super) struct Scheduler {
    stages: Vec<Stage>,
    /// How many upstreams of each have not ended.
    missing_counts: Vec<usize>,
    downstreams: Vec<Vec<usize>>,
    /// How many runnables the longest path to the end of the graph has.
    path_lengths: Vec<usize>,
    ready: BinaryHeap<(usize, Reverse<usize>)>,
    free_workers: BTreeSet<usize>,
    worker_count: usize,
    ended_count: usize,
    is_stopped: bool,
    /// Whether a worker has given something back.
    is_slow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For upstreams.
    Waiting,
    Ready,
    Assigned,
    Ended,
}

/// Units for a worker, the most urgent first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) worker: usize,
    pub(super) units: Vec<usize>,
    /// More than the worker's share: if they are not quick, the rest is to be given back.
    pub(super) is_ample: bool,
}

impl Scheduler {
    /// A run that is about to begin; `upstreams` by unit, free of cycles.
    pub(super) fn new(upstreams: &[Vec<usize>], worker_count: usize) -> Self {
        let mut downstreams = vec![Vec::new(); upstreams.len()];
        let mut missing_counts = Vec::with_capacity(upstreams.len());
        for (unit, upstreams) in upstreams.iter().enumerate() {
            let distinct: BTreeSet<usize> = upstreams.iter().copied().collect();
            missing_counts.push(distinct.len());
            for upstream in distinct {
                downstreams[upstream].push(unit);
            }
        }
        let path_lengths = path_lengths(&downstreams, missing_counts.clone());
        let worker_count = worker_count.clamp(1, upstreams.len().max(1));
        let mut scheduler = Self {
            stages: vec![Stage::Waiting; upstreams.len()],
            missing_counts,
            downstreams,
            path_lengths,
            ready: BinaryHeap::new(),
            free_workers: (1..=worker_count).collect(),
            worker_count,
            ended_count: 0,
            is_stopped: false,
            is_slow: false,
        };
        for unit in 0..upstreams.len() {
            if scheduler.missing_counts[unit] == 0 {
                scheduler.push_ready(unit);
            }
        }
        scheduler
    }

    /// Whether there is work for a free worker.
    pub(super) fn can_assign(&self) -> bool {
        !self.ready.is_empty() && !self.free_workers.is_empty()
    }

    /// Work for the lowest free worker: those with the longest remaining path first.
    pub(super) fn assign(&mut self) -> Option<Assignment> {
        if self.ready.is_empty() {
            return None;
        }
        let worker = self.free_workers.pop_first()?;
        // Half of an even share, so that workers that are done early find something left.
        let share = self.ready.len() / (2 * self.worker_count);
        let length_min = if self.is_slow { 1 } else { CHUNK_LENGTH_QUICK };
        let length = share.clamp(length_min, CHUNK_LENGTH_MAX);
        let mut units = Vec::with_capacity(length);
        while units.len() < CHUNK_LENGTH_MAX
            && let Some(unit) = self.next(&units, length)
        {
            self.stages[unit] = Stage::Assigned;
            units.push(unit);
        }
        Some(Assignment { worker, units, is_ample: length > share.max(1) })
    }

    /// The most urgent unit that may come next in a chunk: of what is ready, up to so many, and of
    /// what follows.
    fn next(&mut self, units: &[usize], length: usize) -> Option<usize> {
        let ready = self.ready.peek().filter(|_| units.len() < length);
        let path_length = ready.map_or(0, |(path_length, _)| *path_length);
        let follower = self.follower(units).filter(|unit| self.path_lengths[*unit] >= path_length);
        if follower.is_some() || ready.is_none() {
            return follower;
        }
        self.ready.pop().map(|(_, Reverse(unit))| unit)
    }

    /// The most urgent downstream of a chunk's last unit that waits for nothing outside of the
    /// chunk.
    fn follower(&self, units: &[usize]) -> Option<usize> {
        let downstreams = &self.downstreams[*units.last()?];
        let awaited = |unit: usize| {
            units.iter().filter(|upstream| self.downstreams[**upstream].contains(&unit)).count()
        };
        let is_next = |unit: &usize| {
            self.stages[*unit] == Stage::Waiting && self.missing_counts[*unit] == awaited(*unit)
        };
        // Where there are many, others can do them meanwhile.
        let few = downstreams.iter().copied().take(DOWNSTREAM_COUNT_MAX);
        few.filter(is_next).max_by_key(|unit| (self.path_lengths[*unit], Reverse(*unit)))
    }

    /// A worker returns units that it has not begun, before it tells how those in front of them
    /// have ended. In a stopped run they will never begin: gives those that are thereby skipped.
    pub(super) fn give_back(&mut self, units: Vec<usize>) -> Vec<usize> {
        self.is_slow = true;
        for &unit in &units {
            assert_eq!(self.stages[unit], Stage::Assigned, "given back without being assigned");
            if self.is_stopped {
                self.end(unit);
            } else if self.missing_counts[unit] > 0 {
                self.stages[unit] = Stage::Waiting;
            } else {
                self.push_ready(unit);
            }
        }
        if self.is_stopped { units } else { Vec::new() }
    }

    /// Whether what follows a unit is more urgent than all that is ready.
    pub(super) fn is_awaited(&self, unit: usize) -> bool {
        let ready = self.ready.peek().map_or(0, |(path_length, _)| *path_length);
        self.path_lengths[unit] > ready + 1
    }

    /// A worker is free again.
    pub(super) fn release(&mut self, worker: usize) {
        self.free_workers.insert(worker);
    }

    /// A unit has ended well: its downstreams may become ready.
    pub(super) fn succeed(&mut self, unit: usize) {
        assert_eq!(self.stages[unit], Stage::Assigned, "ended without being assigned");
        self.end(unit);
        for position in 0..self.downstreams[unit].len() {
            let downstream = self.downstreams[unit][position];
            self.missing_counts[downstream] -= 1;
            if self.missing_counts[downstream] == 0 && self.stages[downstream] == Stage::Waiting {
                self.push_ready(downstream);
            }
        }
    }

    /// A unit has failed: gives all that is downstream of it and thereby skipped, in order.
    pub(super) fn fail(&mut self, unit: usize) -> Vec<usize> {
        assert_eq!(self.stages[unit], Stage::Assigned, "ended without being assigned");
        self.end(unit);
        let mut skipped = Vec::new();
        let mut reached = vec![unit];
        while let Some(unit) = reached.pop() {
            for position in 0..self.downstreams[unit].len() {
                let downstream = self.downstreams[unit][position];
                if self.stages[downstream] == Stage::Waiting {
                    self.end(downstream);
                    skipped.push(downstream);
                    reached.push(downstream);
                }
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Nothing is to begin any more: gives all that is thereby skipped, in order.
    pub(super) fn stop(&mut self) -> Vec<usize> {
        self.is_stopped = true;
        self.ready.clear();
        let skipped: Vec<usize> = (0..self.stages.len())
            .filter(|unit| matches!(self.stages[*unit], Stage::Waiting | Stage::Ready))
            .collect();
        for &unit in &skipped {
            self.end(unit);
        }
        skipped
    }

    /// Whether every unit has ended.
    pub(super) fn is_done(&self) -> bool {
        self.ended_count == self.stages.len()
    }

    fn push_ready(&mut self, unit: usize) {
        self.stages[unit] = Stage::Ready;
        self.ready.push((self.path_lengths[unit], Reverse(unit)));
    }

    fn end(&mut self, unit: usize) {
        self.stages[unit] = Stage::Ended;
        self.ended_count += 1;
    }
}

/// The longest path to the end of the graph from each unit, itself counted.
fn path_lengths(downstreams: &[Vec<usize>], mut missing_counts: Vec<usize>) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..downstreams.len()).filter(|u| missing_counts[*u] == 0).collect();
    let mut position = 0;
    while position < order.len() {
        for &downstream in &downstreams[order[position]] {
            missing_counts[downstream] -= 1;
            if missing_counts[downstream] == 0 {
                order.push(downstream);
            }
        }
        position += 1;
    }
    assert_eq!(order.len(), downstreams.len(), "the graph has a cycle");
    let mut lengths = vec![1; downstreams.len()];
    for unit in order.into_iter().rev() {
        let below = downstreams[unit].iter().map(|downstream| lengths[*downstream]).max();
        lengths[unit] = 1 + below.unwrap_or(0);
    }
    lengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(assignment: Option<Assignment>) -> Vec<usize> {
        assignment.map(|assignment| assignment.units).unwrap_or_default()
    }

    #[test]
    fn the_longest_path_goes_first() {
        // 0 and 1 are alone; 2 → 3 → 4.
        let mut scheduler = Scheduler::new(&[vec![], vec![], vec![], vec![2], vec![3]], 1);
        let first = Assignment { worker: 1, units: vec![2, 3, 4, 0, 1], is_ample: true };
        assert_eq!(scheduler.assign(), Some(first));
        assert_eq!(scheduler.assign(), None);
        // 2 is cold.
        assert!(scheduler.give_back(vec![3, 4, 0, 1]).is_empty());
        scheduler.succeed(2);
        scheduler.release(1);
        assert_eq!(units(scheduler.assign()), [3, 4]);
        scheduler.succeed(3);
        scheduler.succeed(4);
        scheduler.release(1);
        assert_eq!(units(scheduler.assign()), [0]);
    }

    #[test]
    fn few_that_are_quick_are_for_one_worker() {
        let mut scheduler = Scheduler::new(&vec![vec![]; CHUNK_LENGTH_QUICK], 4);
        let all = units(scheduler.assign());
        assert_eq!(all.len(), CHUNK_LENGTH_QUICK);
        scheduler.give_back(all);
        let one = scheduler.assign().unwrap();
        assert!(one.units.len() == 1 && !one.is_ample);
    }

    #[test]
    fn the_lowest_free_worker_is_taken() {
        let mut scheduler = Scheduler::new(&vec![vec![]; 4], 3);
        let all = units(scheduler.assign());
        scheduler.give_back(all);
        scheduler.release(1);
        let workers: Vec<_> = std::iter::from_fn(|| scheduler.assign()).map(|a| a.worker).collect();
        assert_eq!(workers, [1, 2, 3]);
        scheduler.release(2);
        assert_eq!(scheduler.assign().map(|assignment| assignment.worker), Some(2));
    }

    #[test]
    fn a_failure_skips_all_downstreams_and_nothing_else() {
        let mut scheduler = Scheduler::new(&[vec![], vec![0], vec![1], vec![]], 1);
        assert_eq!(units(scheduler.assign()), [0, 1, 2, 3]);
        assert!(scheduler.give_back(vec![1, 2, 3]).is_empty());
        assert_eq!(scheduler.fail(0), [1, 2]);
        scheduler.release(1);
        assert_eq!(units(scheduler.assign()), [3]);
        scheduler.succeed(3);
        assert!(scheduler.is_done());
    }

    #[test]
    fn a_chain_is_for_one_worker_and_what_is_alone_for_another() {
        let chain = (0..40_usize).map(|unit| unit.checked_sub(1).into_iter().collect());
        let upstreams: Vec<Vec<usize>> = chain.chain(vec![vec![]; 40]).collect();
        let mut scheduler = Scheduler::new(&upstreams, 2);
        assert!(units(scheduler.assign()).into_iter().eq(0..CHUNK_LENGTH_MAX));
        assert!(units(scheduler.assign()).into_iter().all(|unit| unit >= 40));
    }

    #[test]
    fn what_a_chain_goes_on_with_is_awaited_unless_something_is_as_urgent() {
        // 0 → 1 → 2, 3 → 4, and 5 alone.
        let upstreams = [vec![], vec![0], vec![1], vec![], vec![3], vec![]];
        let mut scheduler = Scheduler::new(&upstreams, 1);
        assert!(!scheduler.is_awaited(0), "3 → 4 is as long as 1 → 2");
        let all = units(scheduler.assign());
        assert!(scheduler.is_awaited(0) && !scheduler.is_awaited(5));
        scheduler.give_back(all);
    }

    #[test]
    fn many_that_are_ready_are_handed_over_in_chunks() {
        let mut scheduler = Scheduler::new(&vec![vec![]; 1000], 2);
        assert_eq!(units(scheduler.assign()).len(), CHUNK_LENGTH_MAX);
    }

    #[test]
    fn nothing_is_done_at_once() {
        assert!(Scheduler::new(&[], 4).is_done());
    }

    proptest! {
        /// A worker does at random what workers do; after each step the rules must hold.
        #[test]
        fn every_run_keeps_the_rules_and_ends(
            edges in proptest::collection::vec((0_usize..40, 0_usize..40), 0..120),
            worker_count in 1_usize..6,
            dice in proptest::collection::vec(0_u8..=255, 1..64),
            stop_at in proptest::option::of(0_usize..60),
        ) {
            let mut upstreams = vec![Vec::new(); 40];
            for (one, other) in edges {
                if one != other {
                    upstreams[one.max(other)].push(one.min(other));
                }
            }
            let mut scheduler = Scheduler::new(&upstreams, worker_count);
            let mut ended: Vec<Option<bool>> = vec![None; 40];
            let mut busy: Vec<Assignment> = Vec::new();
            let mut dice = dice.iter().cycle();
            for step in 0.. {
                prop_assert!(step < 10_000, "the run does not end");
                if stop_at == Some(step) {
                    for unit in scheduler.stop() {
                        prop_assert_eq!(ended[unit].replace(false), None);
                    }
                }
                while let Some(assignment) = scheduler.assign() {
                    prop_assert!(!busy.iter().any(|other| other.worker == assignment.worker));
                    prop_assert!((1..=worker_count).contains(&assignment.worker));
                    prop_assert!(stop_at.is_none_or(|stop_at| step < stop_at));
                    for (at, &unit) in assignment.units.iter().enumerate() {
                        prop_assert_eq!(ended[unit], None);
                        let before = &assignment.units[..at];
                        prop_assert!(upstreams[unit]
                            .iter()
                            .all(|up| ended[*up] == Some(true) || before.contains(up)));
                    }
                    busy.push(assignment);
                }
                prop_assert!(busy.len() <= worker_count);
                if busy.is_empty() {
                    break;
                }
                let die = *dice.next().expect("a cycle has no end");
                let mut assignment = busy.swap_remove(usize::from(die) % busy.len());
                let unit = assignment.units.remove(0);
                let is_success = die % 8 != 0;
                let goes_on = is_success && die % 3 != 0 && !assignment.units.is_empty();
                if !goes_on {
                    for unit in scheduler.give_back(std::mem::take(&mut assignment.units)) {
                        prop_assert_eq!(ended[unit].replace(false), None);
                    }
                }
                prop_assert!(upstreams[unit].iter().all(|up| ended[*up] == Some(true)));
                prop_assert_eq!(ended[unit].replace(is_success), None);
                if is_success {
                    scheduler.succeed(unit);
                } else {
                    for unit in scheduler.fail(unit) {
                        prop_assert_eq!(ended[unit].replace(false), None);
                    }
                }
                if goes_on {
                    busy.push(assignment);
                } else {
                    scheduler.release(assignment.worker);
                }
            }
            prop_assert!(scheduler.is_done());
            prop_assert!(ended.iter().all(Option::is_some));
        }
    }
}
