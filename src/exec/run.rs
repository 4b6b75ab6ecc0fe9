//! A run: its state, which threads take turns at (`turns.rs`), its signals and its end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::job::{Job, Run};
use super::runtime;
use super::scheduler::Scheduler;
use super::signals::{Listener, Request, Signals, suspend};
use super::turns::Turns;
use super::worker::Message;
use super::{Event, EventSender, Log, Outcome, Planned, RunSummary, Status, first_pass};
use crate::cache::Stores;
use crate::error::{Diagnostic, Result};
use crate::sys::{clock, parallel};

/// How long commands may take to end after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// How long killed commands may take to be gone, and lookups under way to end; they are left
/// behind otherwise.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Runs all runnables of a job, in parallel, upstreams first.
///
/// Returns when no command runs any more. Errors are those of the machine that keep a run from
/// starting at all; whatever goes wrong later is in the events and in the summary's code.
pub fn run(job: Job, signals: Signals, events: EventSender) -> Result<RunSummary> {
    begin(job, signals, events).finish()
}

/// A run that has begun.
#[derive(Debug)]
pub struct Begun {
    turns: Arc<Turns>,
    signals: Signals,
}

/// Begins a run: looks up what is quickly known to be warm, unless signals are sent, for there is
/// nobody yet to receive them; those of the process still end it by themselves.
pub fn begin(job: Job, signals: Signals, events: EventSender) -> Begun {
    let turns = Turns::new(State::begin(Arc::new(Run::new(job, events))));
    match signals {
        Signals::Sent(_) => {}
        Signals::Process | Signals::Never => first_pass::look_up(&turns),
    }
    Begun { turns, signals }
}

impl Begun {
    /// Whether nothing is left to be done that takes time, nor anything to be waited for.
    pub fn has_ended(&self) -> bool {
        self.turns.lock().has_ended() && !self.turns.run.job.stores.are_remote()
    }

    /// Does the rest of a run.
    ///
    /// # Errors
    /// The machine does not let it start.
    pub fn finish(self) -> Result<RunSummary> {
        let is_done = self.has_ended();
        let Self { turns, signals } = self;
        if is_done {
            let warnings = turns.run.job.stores.finish();
            let state = &mut turns.lock().state;
            state.warn_at_end(warnings);
            return Ok(state.end());
        }
        let runtime = runtime::new()?;
        let _last_rites = turns.run.groups.last_rites();
        let listener = {
            let _within = runtime.enter();
            signals.listen()?
        };
        if !turns.lock().has_ended() {
            // Not within the runtime: one that is to be another thread's cannot be dropped there.
            turns.start()?;
        }
        let summary = runtime.block_on(drive(&turns, listener));
        // A lookup that hangs must not keep a stopped run alive.
        runtime.shutdown_background();
        turns.join_threads();
        Ok(summary)
    }
}

/// Waits for the end of a run, and for signals meanwhile.
async fn drive(turns: &Turns, mut listener: Listener) -> RunSummary {
    let grace = sleep(Duration::ZERO);
    tokio::pin!(grace);
    let mut is_stopping = false;
    while !turns.lock().has_ended() {
        tokio::select! {
            biased;
            request = listener.next() => {
                let patience = turns.lock().state.obey(request);
                if let Some(patience) = patience {
                    grace.as_mut().reset(Instant::now() + patience);
                    is_stopping = true;
                }
            }
            () = &mut grace, if is_stopping => {
                if turns.run.stop.is_killed() {
                    break;
                }
                turns.lock().state.kill();
                grace.as_mut().reset(Instant::now() + LAST_PATIENCE);
            }
            () = turns.until_ended() => {}
        }
    }
    settle(turns, &mut listener).await;
    turns.lock().state.end()
}

/// The caches are finished; whatever has not ended in a killed run never will.
async fn settle(turns: &Turns, listener: &mut Listener) {
    if turns.run.stop.is_killed() {
        turns.lock().state.interrupt();
        return;
    }
    let warnings = match finish_aside(&turns.run.job.stores) {
        Ok((thread, mut finished)) => loop {
            // It may wait for another machine: a signal still ends that.
            tokio::select! {
                biased;
                warnings = &mut finished => break warnings.unwrap_or_else(|_| panic_of(thread)),
                request = listener.next() => drop(turns.lock().state.obey(request)),
            }
        },
        // Without a thread they are finished here, and no signal is heard meanwhile.
        Err(_) => turns.run.job.stores.finish(),
    };
    turns.lock().state.warn_at_end(warnings);
}

/// Finishes the caches in a thread of its own, which tells their warnings.
fn finish_aside(
    stores: &Stores,
) -> Result<(JoinHandle<()>, oneshot::Receiver<Vec<Diagnostic>>), Diagnostic> {
    let (teller, finished) = oneshot::channel();
    let stores = stores.clone();
    let thread = parallel::start(move || drop(teller.send(stores.finish())))?;
    Ok((thread, finished))
}

/// Goes on with the panic of a thread that has told nothing.
fn panic_of<T: Default>(thread: JoinHandle<()>) -> T {
    thread.join().map_or_else(|panic| std::panic::resume_unwind(panic), |()| T::default())
}

/// What is known of a run, and decided by that.
#[derive(Debug)]
pub(super) struct State {
    pub(super) run: Arc<Run>,
    pub(super) scheduler: Scheduler,
    statuses: Vec<Status>,
    /// The highest exit code so far.
    code: i32,
    saved: Duration,
    signal: Option<Signal>,
    begin: std::time::Instant,
    /// Whoever still has something to tell is not heard any more.
    is_over: bool,
}

impl State {
    pub(super) fn begin(run: Arc<Run>) -> Self {
        let runnables = &run.job.graph.runnables;
        let upstreams: Vec<Vec<usize>> = runnables
            .iter()
            .map(|runnable| {
                runnable.upstreams.iter().filter_map(|up| up.id).map(|id| id.0).collect()
            })
            .collect();
        let planned = runnables.iter().map(|runnable| Planned {
            name: runnable.name.clone(),
            command: runnable.command.clone(),
            exec: run.job.veil.hide_text(&runnable.exec).into_owned(),
        });
        let worker_count = run.job.worker_count;
        run.events.send(Event::RunStarted { runnables: planned.collect(), worker_count });
        if let Some(diagnostic) = run.outputs.failure() {
            run.warn_once("output", None, diagnostic.clone());
        }
        Self {
            scheduler: Scheduler::new(&upstreams, worker_count),
            statuses: vec![Status::Pending; runnables.len()],
            code: 0,
            saved: Duration::ZERO,
            signal: None,
            begin: clock::instant(),
            is_over: false,
            run,
        }
    }

    /// Gives the time until something harder is done, if it is counted from now.
    pub(super) fn obey(&mut self, request: Request) -> Option<Duration> {
        match request {
            Request::Stop(_) if self.run.stop.is_killed() => {}
            Request::Stop(_) if self.signal.is_some() => {
                self.kill();
                return Some(LAST_PATIENCE);
            }
            Request::Stop(signal) => {
                self.signal = Some(signal);
                self.run.stop.ask();
                self.run.job.stores.hurry();
                self.run.events.send(Event::Stopping { signal: signal.as_raw() });
                for unit in self.scheduler.stop() {
                    self.skip(unit);
                }
                self.run.groups.signal(signal);
                // A command that is paused could not obey.
                self.run.groups.signal(Signal::CONT);
                return Some(GRACE);
            }
            Request::Suspend => {
                self.run.groups.signal(Signal::STOP);
                suspend();
            }
            Request::Resume => self.run.groups.signal(Signal::CONT),
        }
        None
    }

    pub(super) fn kill(&mut self) {
        for unit in self.scheduler.stop() {
            self.skip(unit);
        }
        self.run.stop.kill();
        self.run.groups.signal(Signal::KILL);
    }

    pub(super) fn hear(&mut self, message: Message) {
        match message {
            _ if self.is_over => {}
            Message::Ended(ended) => {
                for (unit, outcome) in ended {
                    self.conclude(unit, outcome);
                }
            }
            Message::GaveBack(units) => {
                for unit in self.scheduler.give_back(units) {
                    self.skip(unit);
                }
            }
        }
    }

    fn conclude(&mut self, unit: usize, outcome: Outcome) {
        self.statuses[unit] = outcome.status;
        self.code = self.code.max(outcome.code);
        if outcome.status.is_cached() {
            self.saved += outcome.duration.unwrap_or_default();
        }
        let is_success = outcome.status.is_success();
        self.run.events.send(Event::Ended { runnable: unit, outcome });
        if is_success {
            self.scheduler.succeed(unit);
        } else {
            for skipped in self.scheduler.fail(unit) {
                self.skip(skipped);
            }
        }
    }

    fn skip(&mut self, unit: usize) {
        self.leave(unit, Status::Skipped);
    }

    /// A unit ends without a result.
    fn leave(&mut self, unit: usize, status: Status) {
        self.statuses[unit] = status;
        let outcome = Outcome { status, code: 0, duration: None, log: Log::default(), error: None };
        self.run.events.send(Event::Ended { runnable: unit, outcome });
    }

    /// Whatever has not ended by now never will.
    fn interrupt(&mut self) {
        self.is_over = true;
        for unit in 0..self.statuses.len() {
            if self.statuses[unit] == Status::Pending {
                self.leave(unit, Status::Interrupted);
            }
        }
    }

    fn warn_at_end(&self, warnings: Vec<Diagnostic>) {
        for warning in warnings {
            self.run.warn(None, warning);
        }
        self.run.warn_of_unmatched();
    }

    fn end(&mut self) -> RunSummary {
        let summary = RunSummary {
            statuses: std::mem::take(&mut self.statuses),
            code: self.signal.map_or(self.code, |signal| 128 + signal.as_raw()),
            duration: self.begin.elapsed(),
            saved: self.saved,
            signal: self.signal.map(Signal::as_raw),
        };
        self.run.events.send(Event::RunEnded { summary: summary.clone() });
        summary
    }
}
