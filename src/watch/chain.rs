//! Rounds that are caused by what changed during the round before, one after the other. Pure.
//!
//! They may be commands that start each other, and have to end; or somebody who goes on saving
//! while tests run, and wants to see what comes of the last save. So a long chain rests. People
//! save meanwhile, too, or are done and wait; commands change nothing while they do not run, and
//! something again when they do.

use std::time::{Duration, Instant};

use super::Batch;

/// A chain of so many rounds rests.
const LENGTH_MAX: usize = 20;

/// So often it rests before it ends.
const REST_COUNT_MAX: usize = 4;

/// How long it rests at first, and then twice as long each time.
const REST: Duration = Duration::from_secs(2);

/// What is noticed so soon after a round may still be its own doing.
const GAP: Duration = Duration::from_millis(200);

/// A chain of rounds.
#[derive(Debug)]
pub struct Chain {
    length: usize,
    /// When the latest round had ended and settled.
    settled_at: Instant,
    rest: Option<Rest>,
    is_awake: bool,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    /// What it goes on with, and how long it was.
    batch: Batch,
    length: usize,
}

/// What becomes of a chain when there is something to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Round,
    Rest,
    End,
}

impl Chain {
    pub fn new(now: Instant) -> Self {
        Self { length: 0, settled_at: now, rest: None, is_awake: false }
    }

    /// Rounds so far.
    pub fn length(&self) -> usize {
        self.length
    }

    /// A round has come to its end.
    pub fn add(&mut self) {
        self.length += 1;
    }

    /// All that the latest round did has been noticed.
    pub fn settle(&mut self, now: Instant) {
        self.settled_at = now;
    }

    /// Whatever runs next is meant.
    fn cut(&mut self) {
        self.length = 0;
        self.is_awake = false;
    }

    /// Something was noticed while nothing ran, with so much delay at most. What a chain rests
    /// for is added if it was changed again: that was somebody else.
    pub fn note(&mut self, batch: &mut Batch, delay: Duration, now: Instant) {
        if now - self.settled_at <= GAP + delay {
            return;
        }
        self.cut();
        let is_of_it = |rest: &mut Rest| batch.is_anything || !rest.batch.is_disjoint(batch);
        if let Some(rest) = self.rest.take_if(is_of_it) {
            batch.join(rest.batch);
        }
    }

    /// What becomes of it now that there is something to run.
    pub fn decide(&mut self) -> Next {
        let is_awake = std::mem::take(&mut self.is_awake);
        match self.length {
            length if length > LENGTH_MAX + REST_COUNT_MAX => Next::End,
            length if length > LENGTH_MAX && !is_awake => Next::Rest,
            _ => Next::Round,
        }
    }

    /// Rests before it goes on with a batch. What runs meanwhile is no part of it.
    pub fn rest(&mut self, batch: Batch, now: Instant) {
        let length = std::mem::take(&mut self.length);
        let doubled = length.saturating_sub(LENGTH_MAX + 1).min(REST_COUNT_MAX);
        self.rest = Some(Rest { until: now + REST * (1 << doubled), batch, length });
    }

    /// When it has rested.
    pub fn wakes_at(&self) -> Option<Instant> {
        self.rest.as_ref().map(|rest| rest.until)
    }

    /// What it goes on with, once it has rested.
    pub fn wake(&mut self, now: Instant) -> Option<Batch> {
        let rest = self.rest.take_if(|rest| rest.until <= now)?;
        self.length = rest.length;
        self.is_awake = true;
        Some(rest.batch)
    }

    /// There is nothing any more that it rests for.
    pub fn forget(&mut self) {
        self.cut();
        self.rest = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;
    use crate::sys::clock;

    fn of(name: &str) -> Batch {
        let mut batch = Batch::default();
        batch.add(Change::File(name.as_bytes().to_vec()));
        batch
    }

    /// A chain of as many rounds as go without a rest.
    fn long(begin: Instant) -> Chain {
        let mut chain = Chain::new(begin);
        while chain.decide() == Next::Round {
            chain.add();
            chain.settle(begin);
        }
        chain
    }

    #[test]
    fn commands_that_start_each_other_rest_longer_and_longer_and_end() {
        let mut now = clock::instant();
        let mut chain = long(now);
        let mut rests = Vec::new();
        while chain.decide() == Next::Rest {
            chain.rest(of("a"), now);
            let until = chain.wakes_at().expect("it rests");
            assert_eq!(chain.wake(now), None);
            assert_eq!(chain.wake(until), Some(of("a")));
            assert_eq!(chain.decide(), Next::Round);
            chain.add();
            rests.push((until - now).as_secs());
            now = until;
        }
        assert_eq!((chain.decide(), rests, chain.length()), (Next::End, vec![2, 4, 8, 16], 25));
    }

    #[test]
    fn a_save_while_it_rests_was_somebody_s() {
        let now = clock::instant();
        let mut chain = long(now);
        chain.rest(of("a"), now);
        let mut batch = of("a");
        chain.note(&mut batch, Duration::ZERO, now + Duration::from_secs(1));
        assert_eq!((batch, chain.wakes_at()), (of("a"), None));
        assert_eq!((chain.length(), chain.decide()), (0, Next::Round));
    }

    #[test]
    fn a_save_of_something_else_lets_it_rest() {
        let now = clock::instant();
        let mut chain = long(now);
        chain.rest(of("a"), now);
        let mut batch = of("b");
        chain.note(&mut batch, Duration::ZERO, now + Duration::from_secs(1));
        assert_eq!((batch, chain.decide()), (of("b"), Next::Round));
        chain.add();
        assert_eq!(chain.wake(now + REST), Some(of("a")));
        assert!(chain.length() > LENGTH_MAX, "it is as long as it was");
    }

    #[test]
    fn what_is_noticed_at_once_is_part_of_it() {
        let now = clock::instant();
        let mut chain = long(now);
        chain.note(&mut of("a"), Duration::ZERO, now + GAP);
        assert_eq!(chain.decide(), Next::Rest);
        chain.note(&mut of("a"), Duration::from_secs(1), now + GAP + Duration::from_secs(1));
        assert_eq!(chain.decide(), Next::Rest, "where notices are late");
        chain.note(&mut of("a"), Duration::ZERO, now + GAP * 2);
        assert_eq!(chain.decide(), Next::Round);
    }
}
