//! What is warm, before there is a run loop: to make one, and to hand units over to its workers,
//! takes longer than a few lookups do.
//!
//! It ends at the first unit that is cold or that may take a while, and after a time in which
//! nobody misses a word. Nothing of the project is written, so a signal may end it as it ends any
//! program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::job::Run;
use super::run::Loop;
use super::scheduler::Assignment;
use super::unit::Pace;
use super::worker::{Message, Open, look_up_chunk};
use crate::plan::{Action, Dep, Upstream};
use crate::sys::{clock, parallel};

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_millis(100);

/// So many units are worth a thread.
const UNITS_PER_THREAD_MIN: usize = 32;

/// Looks up what is warm. Gives what the lookups have ended at.
pub(super) fn look_up(state: &mut Loop) -> Vec<Open> {
    let run = Arc::clone(&state.run);
    let unit_count = run.job.graph.runnables.len();
    let thread_count = (unit_count / UNITS_PER_THREAD_MIN).clamp(1, run.job.worker_count.max(1));
    let pass = Pass {
        turns: Mutex::new(Turns { state, busy_count: 0 }),
        changes: Condvar::new(),
        is_over: AtomicBool::new(false),
        end: clock::instant() + PATIENCE,
    };
    parallel::together(thread_count, || pass.take_turns(&run)).into_iter().flatten().collect()
}

/// What the threads share.
struct Pass<'a> {
    turns: Mutex<Turns<'a>>,
    /// Rings when a unit or a thread is done.
    changes: Condvar,
    is_over: AtomicBool,
    end: Instant,
}

struct Turns<'a> {
    state: &'a mut Loop,
    /// Threads that have an assignment.
    busy_count: usize,
}

impl<'a> Pass<'a> {
    /// A thread's part; gives the unit that it has ended at, if there is one.
    fn take_turns(&self, run: &Run) -> Option<Open> {
        while let Some(assignment) = self.next() {
            let worker = assignment.worker;
            let goes_on = |unit| self.goes_on(run, unit);
            let tell = |message| self.tell(message);
            let open = look_up_chunk(run, assignment, Pace::Quick, goes_on, tell);
            let mut turns = self.lock();
            turns.busy_count -= 1;
            if open.is_none() {
                turns.state.scheduler.release(worker);
            } else {
                self.is_over.store(true, Ordering::Relaxed);
            }
            drop(turns);
            self.changes.notify_all();
            if open.is_some() {
                return open;
            }
        }
        None
    }

    /// The next assignment, waited for as long as there may be one.
    fn next(&self) -> Option<Assignment> {
        let mut turns = self.lock();
        while !self.is_over() {
            if let Some(assignment) = turns.state.scheduler.assign() {
                turns.busy_count += 1;
                return Some(assignment);
            }
            if turns.busy_count == 0 {
                return None;
            }
            let patience = self.end.saturating_duration_since(clock::instant());
            let waited = self.changes.wait_timeout(turns, patience);
            (turns, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// Whether a unit is to be looked up now.
    fn goes_on(&self, run: &Run, unit: usize) -> bool {
        if !is_quick(run, unit) {
            self.is_over.store(true, Ordering::Relaxed);
        }
        !self.is_over()
    }

    fn tell(&self, message: Message) {
        self.lock().state.hear(message);
        self.changes.notify_all();
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || clock::instant() > self.end
    }

    fn lock(&self) -> MutexGuard<'_, Turns<'a>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nothing has to be waited for to look a unit up.
fn is_quick(run: &Run, unit: usize) -> bool {
    let runnable = run.runnable(unit);
    let store = runnable.cache.as_ref().and_then(|cache| run.job.stores.find(cache));
    // What is upstream and takes no part may have made anything; all else was looked at before.
    let is_known = |upstream: &Upstream| upstream.id.is_some() || upstream.artifacts.is_empty();
    matches!(runnable.action, Action::Shell)
        && runnable.upstreams.iter().all(is_known)
        && runnable.deps.iter().all(|dep| matches!(dep, Dep::Glob(_) | Dep::Const(_)))
        && store.is_none_or(|store| !store.is_remote())
}
