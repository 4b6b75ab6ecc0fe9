//! The threads of a run: whoever is free takes what is ready, does all there is to do for it, and
//! tells what has become of it. So the next command starts where the last one has ended, and
//! nothing is handed over unless somebody else is free.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::job::Run;
use super::run::State;
use super::runtime;
use super::scheduler::Assignment;
use super::unit::Pace;
use super::worker::{Message, Open, finish, look_up_chunk};
use crate::error::Diagnostic;
use crate::sys::parallel;

/// A run, and the threads that take turns at it.
#[derive(Debug)]
pub(super) struct Turns {
    pub(super) run: Arc<Run>,
    table: Mutex<Table>,
    /// Rings when somebody may take a turn, or nobody will any more.
    changes: Condvar,
    ended: Notify,
    thread_count_max: usize,
}

/// What the threads share.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) state: State,
    /// What the first pass has left: units with a worker each.
    open: Vec<Open>,
    /// Threads that have a turn.
    busy_count: usize,
    /// Threads that wait for one.
    idle_count: usize,
    /// Commands that are being concluded while their workers go on.
    concluding_count: usize,
    /// `None` as long as nobody may start one.
    threads: Option<Vec<JoinHandle<()>>>,
    panic: Option<Box<dyn Any + Send>>,
}

/// What a thread is to do next.
#[derive(Debug)]
pub(super) enum Turn {
    LookUp(Assignment),
    Finish(Open),
}

impl Table {
    /// Whether nothing is left to be done.
    pub(super) fn has_ended(&self) -> bool {
        self.state.scheduler.is_done() && self.busy_count == 0
    }

    fn has_turn(&self) -> bool {
        !self.open.is_empty() || self.state.scheduler.can_assign()
    }

    fn take(&mut self) -> Option<Turn> {
        let turn = match self.open.pop() {
            Some(open) => Turn::Finish(open),
            None => Turn::LookUp(self.state.scheduler.assign()?),
        };
        self.busy_count += 1;
        Some(turn)
    }
}

impl Turns {
    pub(super) fn new(state: State) -> Arc<Self> {
        Arc::new(Self {
            run: Arc::clone(&state.run),
            table: Mutex::new(Table {
                state,
                open: Vec::new(),
                busy_count: 0,
                idle_count: 0,
                concluding_count: 0,
                threads: None,
                panic: None,
            }),
            changes: Condvar::new(),
            ended: Notify::new(),
            thread_count_max: runtime::thread_count_max(),
        })
    }

    /// What a panicking thread was about to tell is told to whoever waits for the end.
    pub(super) fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next turn, waited for as long as there may be one and `patience` is left.
    pub(super) fn next(self: &Arc<Self>, patience: impl Fn() -> Option<Duration>) -> Option<Turn> {
        let mut table = self.lock();
        while let Some(patience) = patience() {
            if let Some(turn) = table.take() {
                self.pass_on(&mut table);
                return Some(turn);
            }
            if table.busy_count == 0 {
                // What somebody was to take may have been skipped since: the others wait for it.
                self.changes.notify_all();
                return None;
            }
            table.idle_count += 1;
            let waited = self.changes.wait_timeout(table, patience);
            (table, _) = waited.unwrap_or_else(PoisonError::into_inner);
            table.idle_count -= 1;
        }
        None
    }

    /// Ends a turn with what has become of its last unit, if that was not told; its worker is free
    /// unless it was before. Whoever ends a turn takes the next one, so nobody is woken for it.
    pub(super) fn end(&self, worker: Option<usize>, message: Option<Message>) {
        let mut table = self.lock();
        if let Some(message) = message {
            table.state.hear(message);
        }
        match worker {
            Some(worker) => table.state.scheduler.release(worker),
            None => table.concluding_count -= 1,
        }
        table.busy_count -= 1;
        if table.busy_count == 0 && !table.has_turn() {
            self.changes.notify_all();
            self.ended.notify_one();
        }
    }

    /// Ends a turn, and leaves a unit that its lookups have ended at to another one.
    pub(super) fn leave(&self, open: Open) {
        let mut table = self.lock();
        table.open.push(open);
        table.busy_count -= 1;
    }

    /// Whether somebody waits for a turn.
    #[cfg(test)]
    pub(super) fn has_idle(&self) -> bool {
        self.lock().idle_count > 0
    }

    /// Has all who wait look at their patience again.
    pub(super) fn wake(&self) {
        self.changes.notify_all();
    }

    /// Hears what has become of units while a turn goes on.
    pub(super) fn hear(self: &Arc<Self>, message: Message) {
        let mut table = self.lock();
        table.state.hear(message);
        self.pass_on(&mut table);
    }

    /// Makes a worker free before the result of its command is stored, if that may take long and
    /// nobody loses by it: with one worker one thing happens at a time, what follows may be more
    /// urgent than all else, and what is not stored must not become more and more.
    pub(super) fn release_early(self: &Arc<Self>, worker: usize, unit: usize) -> bool {
        let worker_count = self.run.job.worker_count;
        if self.run.runnable(unit).artifacts.is_empty() || worker_count == 1 {
            return false;
        }
        let mut table = self.lock();
        if table.concluding_count >= worker_count || table.state.scheduler.is_awaited(unit) {
            return false;
        }
        table.concluding_count += 1;
        table.state.scheduler.release(worker);
        self.pass_on(&mut table);
        true
    }

    /// Wakes a thread if there is a turn for it, or starts one.
    fn pass_on(self: &Arc<Self>, table: &mut Table) {
        if !table.has_turn() {
            return;
        }
        if table.idle_count > 0 {
            self.changes.notify_one();
        } else if table.threads.as_ref().is_some_and(|it| it.len() < self.thread_count_max) {
            // Where there are no more threads, those that are there do it all.
            drop(self.start_thread(table));
        }
    }

    /// Starts the first thread; it starts others as they are needed.
    ///
    /// # Errors
    /// The system has none left, or no open files.
    pub(super) fn start(self: &Arc<Self>) -> Result<(), Diagnostic> {
        let mut table = self.lock();
        table.threads = Some(Vec::new());
        self.start_thread(&mut table)
    }

    fn start_thread(self: &Arc<Self>, table: &mut Table) -> Result<(), Diagnostic> {
        let Some(threads) = &mut table.threads else { return Ok(()) };
        let runtime = runtime::of_thread()?;
        let turns = Arc::clone(self);
        threads.push(parallel::start(move || {
            let work = AssertUnwindSafe(|| turns.take_turns(&runtime));
            if let Err(panic) = catch_unwind(work) {
                turns.lock().panic = Some(panic);
                turns.ended.notify_one();
            }
        })?);
        Ok(())
    }

    fn take_turns(self: &Arc<Self>, runtime: &Runtime) {
        while let Some(turn) = self.next(|| Some(Duration::MAX)) {
            let (open, worker) = match turn {
                Turn::Finish(open) => (Some(open), None),
                Turn::LookUp(assignment) => {
                    let worker = assignment.worker;
                    let goes_on = |_| !self.run.stop.is_asked();
                    let tell = |message| self.hear(message);
                    let open = look_up_chunk(&self.run, assignment, Pace::Any, goes_on, tell);
                    (open, Some(worker))
                }
            };
            match open {
                Some(open) => {
                    let (message, worker) = finish(self, open, runtime);
                    self.end(worker, Some(message));
                }
                None => self.end(worker, None),
            }
        }
    }

    /// Waits until all turns have ended. A panic in one is a panic here, once all commands are
    /// killed.
    pub(super) async fn until_ended(&self) {
        self.ended.notified().await;
        let panic = self.lock().panic.take();
        if let Some(panic) = panic {
            self.lock().state.kill();
            std::panic::resume_unwind(panic);
        }
    }

    /// Waits for threads that have nothing left to do; those of a killed run may hang.
    pub(super) fn join_threads(&self) {
        let threads = self.lock().threads.take().unwrap_or_default();
        if !self.run.stop.is_killed() {
            for thread in threads {
                drop(thread.join());
            }
        }
    }
}
