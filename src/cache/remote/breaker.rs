//! When to leave a remote alone. Pure: it is told when things happened.

use std::time::{Duration, Instant};

use super::failure::{Direction, Failure, Kind};

/// How long a remote that was of no use is left alone, where one run follows another: to find out
/// anew in each would cost each the wait.
const REST: Duration = Duration::from_mins(5);

/// What has been seen of a remote in this run.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    read: Gate,
    write: Gate,
    /// When the first run ended in which it was of no use.
    open_since: Option<Instant>,
    /// Whether something has been said that explains all further failures.
    has_warned: bool,
    first_answered_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Gate {
    is_open: bool,
    failure_count: u32,
    /// What concerns this direction alone and has been said.
    warned_of: Vec<Kind>,
}

/// How long the beginning of an answer took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) begin: Instant,
    pub(super) end: Instant,
}

/// Whether the user should hear of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    It,
    /// It has been said, or says nothing new.
    Nothing,
}

impl Breaker {
    /// Whether the remote may be asked.
    pub(super) fn allows(&self, direction: Direction) -> bool {
        !self.gate(direction).is_open
    }

    /// An answer came.
    pub(super) fn succeeded(&mut self, direction: Direction) {
        self.gate_mut(direction).failure_count = 0;
    }

    /// An answer came, whole, and its beginning in this time. Gives a failure if it was the last
    /// of too many long waits.
    pub(super) fn answered(&mut self, wait: Wait, bound: Duration) -> Option<Failure> {
        let first_answered_at = *self.first_answered_at.get_or_insert(wait.end);
        let waited = wait.end - wait.begin;
        // What was asked before the first answer has waited for credentials, as nobody will again.
        if waited < bound || wait.begin < first_answered_at {
            self.succeeded(Direction::Read);
            return None;
        }
        let facts = format!("an answer took {:.1} s", waited.as_secs_f64());
        let failure = Failure::new(Kind::Slow, facts);
        self.failed(Direction::Read, &failure);
        // Only what makes an end of it is worth a word: each single answer was of use.
        let is_last = Some(self.read.failure_count) == failure.patience(Direction::Read);
        let says = is_last && !self.has_warned;
        self.has_warned |= says;
        says.then_some(failure)
    }

    /// No answer, or a bad one.
    pub(super) fn failed(&mut self, direction: Direction, failure: &Failure) -> Say {
        let has_warned = self.has_warned;
        let gate = self.gate_mut(direction);
        let mut is_open = false;
        if let Some(patience) = failure.patience(direction) {
            gate.failure_count += 1;
            is_open = gate.failure_count >= patience;
            gate.is_open |= is_open;
        }
        if failure.is_one_way() {
            if has_warned || gate.warned_of.contains(&failure.kind) {
                return Say::Nothing;
            }
            gate.warned_of.push(failure.kind.clone());
            return Say::It;
        }
        self.read.is_open |= is_open;
        self.write.is_open |= is_open;
        let says = !self.has_warned && failure.kind != Kind::Slow;
        self.has_warned |= says;
        if says { Say::It } else { Say::Nothing }
    }

    /// A run is over: the next one begins without a grudge, unless it follows at once.
    pub(super) fn forgive(&mut self, now: Instant) {
        let is_open = self.read.is_open || self.write.is_open;
        if is_open && now - *self.open_since.get_or_insert(now) < REST {
            return;
        }
        *self = Self::default();
    }

    fn gate(&self, direction: Direction) -> &Gate {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    fn gate_mut(&mut self, direction: Direction) -> &mut Gate {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

#[cfg(test)]
mod tests {
    use Direction::{Read, Write};

    use super::*;
    use crate::sys::clock;

    fn fail(breaker: &mut Breaker, direction: Direction, kind: Kind) -> Say {
        breaker.failed(direction, &Failure::new(kind, ""))
    }

    /// Failures of a kind in a row until nothing may be read or written any more.
    #[track_caller]
    fn check(kind: &Kind, direction: Direction, expected: (Option<u32>, Option<u32>)) {
        let mut breaker = Breaker::default();
        let mut counts = (None, None);
        for count in 1..=50 {
            let said = fail(&mut breaker, direction, kind.clone());
            assert_eq!(said == Say::It, count == 1, "{kind:?}: one warning, at once");
            let closed = |is_allowed: bool| (!is_allowed).then_some(count);
            counts.0 = counts.0.or(closed(breaker.allows(Read)));
            counts.1 = counts.1.or(closed(breaker.allows(Write)));
        }
        assert_eq!(counts, expected, "{kind:?} {direction:?}");
    }

    #[test]
    fn a_remote_that_was_of_no_use_is_asked_again_after_a_while() {
        let now = crate::sys::clock::instant();
        let mut breaker = Breaker::default();
        assert_eq!(fail(&mut breaker, Read, Kind::Unreachable), Say::It);
        for seconds in [0, 200, 299] {
            breaker.forgive(now + Duration::from_secs(seconds));
            assert!(!breaker.allows(Read), "after {seconds} s");
        }
        breaker.forgive(now + REST);
        assert!(breaker.allows(Read));
        assert_eq!(fail(&mut breaker, Read, Kind::Unreachable), Say::It);
    }

    #[test]
    fn a_run_with_a_few_failures_is_forgiven_at_once() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            fail(&mut breaker, Read, Kind::Overloaded);
        }
        breaker.forgive(crate::sys::clock::instant());
        fail(&mut breaker, Read, Kind::Overloaded);
        assert!(breaker.allows(Read));
    }

    #[test]
    fn a_remote_is_left_alone_after_as_many_failures_as_make_sense() {
        for kind in [
            Kind::Unreachable,
            Kind::TimedOut,
            Kind::NoCredentials,
            Kind::WrongCredentials,
            Kind::ExpiredCredentials,
            Kind::ClockSkewed,
            Kind::NoBucket,
            Kind::OtherRegion(None),
        ] {
            check(&kind, Read, (Some(1), Some(1)));
            check(&kind, Write, (Some(1), Some(1)));
        }
        for kind in [Kind::Overloaded, Kind::Interrupted, Kind::Garbled, Kind::Rejected] {
            check(&kind, Read, (Some(3), Some(3)));
            check(&kind, Write, (Some(3), Some(3)));
        }
        check(&Kind::Denied, Read, (Some(16), None));
        check(&Kind::Denied, Write, (None, Some(1)));
        check(&Kind::TooLarge, Write, (None, None));
    }

    #[test]
    fn an_answer_ends_a_row_of_failures() {
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            fail(&mut breaker, Read, Kind::Overloaded);
            fail(&mut breaker, Read, Kind::Overloaded);
            breaker.succeeded(Read);
        }
        assert!(breaker.allows(Read));
    }

    #[test]
    fn what_cannot_be_written_can_still_be_read() {
        let mut breaker = Breaker::default();
        assert_eq!(fail(&mut breaker, Write, Kind::Denied), Say::It);
        assert!(breaker.allows(Read) && !breaker.allows(Write));
        assert_eq!(fail(&mut breaker, Read, Kind::Denied), Say::It);
    }

    #[test]
    fn a_remote_that_is_down_is_spoken_of_once() {
        let mut breaker = Breaker::default();
        assert_eq!(fail(&mut breaker, Read, Kind::Unreachable), Say::It);
        for kind in [Kind::TimedOut, Kind::Overloaded, Kind::Denied] {
            assert_eq!(fail(&mut breaker, Write, kind), Say::Nothing);
        }
    }

    #[test]
    fn long_waits_make_an_end_though_each_had_an_answer() {
        let (bound, long) = (Duration::from_secs(5), Duration::from_secs(6));
        let mut now = clock::instant();
        let mut breaker = Breaker::default();
        let mut answer = |breaker: &mut Breaker, waited: Duration| {
            let begin = now;
            now += waited;
            breaker.answered(Wait { begin, end: now }, bound)
        };
        assert_eq!(answer(&mut breaker, Duration::ZERO), None);
        for waited in [long, long, Duration::ZERO, long, long] {
            assert_eq!(answer(&mut breaker, waited), None);
        }
        assert!(breaker.allows(Read));
        let failure = answer(&mut breaker, long).unwrap();
        assert_eq!(failure.kind, Kind::Slow);
        assert!(!breaker.allows(Read) && !breaker.allows(Write));
        assert_eq!(answer(&mut breaker, long), None, "it is said once");
    }

    #[test]
    fn those_who_waited_for_credentials_together_have_not_met_a_slow_remote() {
        let bound = Duration::from_secs(5);
        let begin = clock::instant();
        let mut breaker = Breaker::default();
        for millis in 6000..6016 {
            let end = begin + Duration::from_millis(millis);
            assert_eq!(breaker.answered(Wait { begin, end }, bound), None);
        }
        assert!(breaker.allows(Read));
    }

    #[test]
    fn what_is_too_large_says_nothing_of_the_rest() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            fail(&mut breaker, Write, Kind::TooLarge);
        }
        assert!(breaker.allows(Write));
        assert_eq!(fail(&mut breaker, Write, Kind::Denied), Say::It);
    }
}
