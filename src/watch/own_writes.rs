//! Which changes of its inputs a command made itself. Pure.
//!
//! No system tells who wrote a file. What is known: which inputs differ between the start and the
//! end of a run, how often each was saved meanwhile, and what happened in earlier runs. A change
//! that may have been an editor's is acted on: a run too many is dull, an edit that is never
//! looked at is a lie. But what a command does every time must not start it for ever.
//!
//! - A command that declares `rewrites` has written what it was started for, as a formatter does.
//!   Another file that changed meanwhile was at rest before, where a formatter leaves it alone:
//!   that was somebody else.
//! - Of any other command, an input that has changed in each of its runs, three times or more, is
//!   its own. One that was left alone by any run is somebody else's, however often it changes: tests
//!   do not write what they test.
//! - Either way a file that was saved more often than last time was saved by two.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::RunnableName;

/// A file has changed in this many runs, and there was no other, before it counts as the
/// command's own: to save it in each of the first two is nothing special.
const RUN_COUNT_MIN: u32 = 3;

/// What became of a runnable's inputs while it ran.
#[derive(Debug)]
pub struct Observed<'a> {
    pub runnable: &'a RunnableName,
    /// Whether it declares to rewrite its own inputs.
    pub rewrites: bool,
    /// The inputs that it was started for; `None` if for none of them in particular.
    pub cause: Option<&'a BTreeSet<String>>,
    /// The inputs that changed while it ran, each with the number of saves that were seen.
    pub changed: &'a BTreeMap<String, u32>,
}

/// What commands have done to their own inputs so far.
#[derive(Debug, Default)]
pub struct Habits(BTreeMap<RunnableName, Habit>);

#[derive(Debug, Default)]
struct Habit {
    run_count: u32,
    inputs: BTreeMap<String, Input>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Input {
    changed_count: u32,
    /// In the latest run in which it changed.
    save_count: u32,
}

impl Habits {
    /// The changes that were not the command's own: reasons to run it again.
    pub fn foreign<'a>(&self, observed: &Observed<'a>) -> Vec<&'a str> {
        let none = Habit::default();
        let habit = self.0.get(observed.runnable).unwrap_or(&none);
        let is_foreign = |(input, saves): &(&String, &u32)| {
            let before = habit.inputs.get(*input).copied().unwrap_or_default();
            // A change that was seen by nobody is one all the same.
            let saves = (**saves).max(1);
            if observed.rewrites {
                let is_meant = observed.cause.is_none_or(|cause| cause.contains(*input));
                return !is_meant || saves > before.save_count.max(1);
            }
            let run_count = habit.run_count + 1;
            let is_each_time = before.changed_count + 1 == run_count && run_count >= RUN_COUNT_MIN;
            !is_each_time || saves > before.save_count
        };
        observed.changed.iter().filter(is_foreign).map(|(input, _)| input.as_str()).collect()
    }

    /// Remembers a run.
    pub fn note(&mut self, observed: &Observed<'_>) {
        let habit = self.0.entry(observed.runnable.clone()).or_default();
        habit.run_count += 1;
        for (input, saves) in observed.changed {
            let input = habit.inputs.entry(input.clone()).or_default();
            input.changed_count += 1;
            input.save_count = (*saves).max(1);
        }
    }

    /// A command has another definition: what it did before says nothing.
    pub fn forget(&mut self, runnable: &RunnableName) {
        self.0.remove(runnable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one command again and again; each run's changed inputs with their saves, and
    /// whether it is to run again for them.
    #[derive(Default)]
    struct World {
        habits: Habits,
        rewrites: bool,
    }

    impl World {
        #[track_caller]
        fn check(&mut self, cause: Option<&[&str]>, changed: &[(&str, u32)], foreign: &[&str]) {
            let cause: Option<BTreeSet<String>> =
                cause.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let changed: BTreeMap<String, u32> =
                changed.iter().map(|(name, saves)| ((*name).to_owned(), *saves)).collect();
            let runnable = RunnableName::new("x", None, None);
            let observed = Observed {
                runnable: &runnable,
                rewrites: self.rewrites,
                cause: cause.as_ref(),
                changed: &changed,
            };
            assert_eq!(self.habits.foreign(&observed), foreign);
            self.habits.note(&observed);
        }
    }

    #[test]
    fn a_command_that_writes_each_time_runs_twice_more_and_stops() {
        let mut world = World::default();
        world.check(None, &[("log", 1)], &["log"]);
        world.check(Some(&["log"]), &[("log", 1)], &["log"]);
        world.check(Some(&["log"]), &[("log", 1)], &[]);
        world.check(Some(&["a"]), &[("log", 1)], &[]);
    }

    #[test]
    fn an_undeclared_formatter_runs_until_it_changes_nothing() {
        let mut world = World::default();
        world.check(None, &[("a", 1)], &["a"]);
        world.check(Some(&["a"]), &[], &[]);
        world.check(Some(&["a"]), &[("a", 1)], &["a"]);
        world.check(Some(&["a"]), &[], &[]);
    }

    #[test]
    fn edits_during_runs_that_write_nothing_are_all_acted_on() {
        let mut world = World::default();
        world.check(None, &[], &[]);
        for _ in 0..50 {
            world.check(Some(&["a"]), &[("a", 1)], &["a"]);
        }
    }

    #[test]
    fn an_edit_beside_an_own_write_is_seen() {
        let mut world = World::default();
        world.check(None, &[("log", 1)], &["log"]);
        world.check(None, &[("log", 1)], &["log"]);
        world.check(Some(&["log"]), &[("log", 1)], &[]);
        world.check(Some(&["a"]), &[("log", 1), ("a", 1)], &["a"]);
    }

    #[test]
    fn an_edit_of_a_file_that_the_command_also_writes_is_seen_once() {
        let mut world = World::default();
        world.check(None, &[("log", 1)], &["log"]);
        world.check(None, &[("log", 1)], &["log"]);
        world.check(Some(&["log"]), &[("log", 1)], &[]);
        world.check(Some(&["a"]), &[("log", 2)], &["log"]);
        world.check(Some(&["log"]), &[("log", 1)], &[]);
        world.check(Some(&["a"]), &[("log", 2)], &["log"]);
    }

    #[test]
    fn a_declared_formatter_runs_once() {
        let mut world = World { rewrites: true, ..World::default() };
        world.check(None, &[("a", 1), ("b", 1)], &[]);
        world.check(Some(&["a"]), &[("a", 1)], &[]);
        world.check(Some(&["a"]), &[("a", 0)], &[]);
    }

    #[test]
    fn a_file_saved_while_a_declared_formatter_runs_for_another_is_seen() {
        let mut world = World { rewrites: true, ..World::default() };
        world.check(None, &[], &[]);
        world.check(Some(&["a"]), &[("a", 1), ("b", 1)], &["b"]);
        world.check(Some(&["b"]), &[("b", 1)], &[]);
        world.check(Some(&["a"]), &[("a", 1), ("b", 1)], &["b"]);
    }

    #[test]
    fn a_second_save_of_what_a_declared_formatter_formats_is_seen() {
        let mut world = World { rewrites: true, ..World::default() };
        world.check(None, &[], &[]);
        world.check(Some(&["a"]), &[("a", 2)], &["a"]);
        world.check(Some(&["a"]), &[("a", 1)], &[]);
    }

    #[test]
    fn another_definition_has_no_past() {
        let mut world = World::default();
        world.check(None, &[("log", 1)], &["log"]);
        world.check(None, &[("log", 1)], &["log"]);
        world.check(None, &[("log", 1)], &[]);
        world.habits.forget(&RunnableName::new("x", None, None));
        world.check(None, &[("log", 1)], &["log"]);
    }
}
