//! What is warm, before there are threads that run commands: to make those, with all they need,
//! takes longer than a few lookups do.
//!
//! It ends at the first unit that is cold or that may take a while, and after a time in which
//! nobody misses a word. Nothing of the project is written, so a signal may end it as it ends any
//! program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::job::Run;
use super::turns::{Turn, Turns};
use super::unit::Pace;
use super::worker::look_up_chunk;
use crate::plan::{Action, Dep, Upstream};
use crate::sys::{clock, parallel};

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_millis(100);

/// So many units are worth a thread.
const UNITS_PER_THREAD_MIN: usize = 32;

/// Looks up what is warm.
pub(super) fn look_up(turns: &Arc<Turns>) {
    let job = &turns.run.job;
    let unit_count = job.graph.runnables.len();
    let thread_count = (unit_count / UNITS_PER_THREAD_MIN).clamp(1, job.worker_count.max(1));
    let end = clock::instant() + PATIENCE;
    let pass = Pass { turns, is_over: AtomicBool::new(false), end };
    parallel::together(thread_count, || {
        pass.take_turns();
        turns.wake();
    });
}

/// What the threads share.
struct Pass<'a> {
    turns: &'a Arc<Turns>,
    is_over: AtomicBool,
    end: Instant,
}

impl Pass<'_> {
    /// A thread's part, up to the first unit that it cannot deal with.
    fn take_turns(&self) {
        let run = &*self.turns.run;
        while let Some(turn) = self.turns.next(|| self.patience()) {
            let assignment = match turn {
                Turn::LookUp(assignment) => assignment,
                Turn::Finish(open) => return self.turns.leave(open),
            };
            let worker = assignment.worker;
            let goes_on = |unit| self.goes_on(run, unit);
            let tell = |message| self.turns.hear(message);
            match look_up_chunk(run, assignment, Pace::Quick, goes_on, tell) {
                None => self.turns.end(Some(worker), None),
                Some(open) => {
                    self.is_over.store(true, Ordering::Relaxed);
                    return self.turns.leave(open);
                }
            }
        }
    }

    /// Whether a unit is to be looked up now.
    fn goes_on(&self, run: &Run, unit: usize) -> bool {
        if !is_quick(run, unit) {
            self.is_over.store(true, Ordering::Relaxed);
        }
        self.patience().is_some()
    }

    /// What is left; `None` if the pass is over.
    fn patience(&self) -> Option<Duration> {
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        self.end.checked_duration_since(clock::instant())
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
