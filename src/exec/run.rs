//! The run loop: scheduler, workers and signals. It owns the state, which only the first pass has
//! before it; all others send messages.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::job::{Job, Run};
use super::runtime;
use super::scheduler::Scheduler;
use super::signals::{Listener, Request, Signals, suspend};
use super::worker::{self, Done, Message, Open, blocking};
use super::{Event, EventSender, Log, Outcome, Planned, RunSummary, Status, first_pass};
use crate::error::{Diagnostic, Result};
use crate::sys::clock;

/// How long commands may take to end after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// How long killed commands may take to be gone, and lookups under way to end; they are left
/// behind otherwise.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Threads that hash, look up and store; more would only wait for the same disk.
const BLOCKING_THREADS_MAX: usize = 64;

/// Messages that are dealt with before the scheduler is asked again.
const MESSAGES_AT_ONCE: usize = 64;

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
    state: Loop,
    inbox: UnboundedReceiver<Message>,
    signals: Signals,
    open: Vec<Open>,
}

/// Begins a run: looks up what is quickly known to be warm, unless signals are sent, for there is
/// nobody yet to receive them; those of the process still end it by themselves.
pub fn begin(job: Job, signals: Signals, events: EventSender) -> Begun {
    let (messages, inbox) = unbounded_channel();
    let mut state = Loop::begin(Arc::new(Run::new(job, events)), messages);
    let open = match signals {
        Signals::Sent(_) => Vec::new(),
        Signals::Process | Signals::Never => first_pass::look_up(&mut state),
    };
    Begun { state, inbox, signals, open }
}

impl Begun {
    /// Whether nothing is left to be done that takes time, nor anything to be waited for.
    pub fn has_ended(&self) -> bool {
        self.state.has_ended() && self.open.is_empty() && !self.state.run.job.stores.are_remote()
    }

    /// Does the rest of a run.
    ///
    /// # Errors
    /// The machine does not let it start.
    pub fn finish(mut self) -> Result<RunSummary> {
        if self.has_ended() {
            let warnings = self.state.run.job.stores.finish();
            self.state.warn_at_end(warnings);
            return Ok(self.state.end());
        }
        let worker_count = self.state.run.job.worker_count.clamp(1, BLOCKING_THREADS_MAX);
        let runtime = runtime::new(2 * worker_count)?;
        let summary = runtime.block_on(async {
            let listener = self.signals.listen()?;
            for open in self.open {
                self.state.start(|run, messages| worker::finish(run, open, messages));
            }
            Ok(drive(self.state, self.inbox, listener).await)
        });
        // A lookup that hangs must not keep a stopped run alive.
        runtime.shutdown_background();
        summary
    }
}

/// The loop's own state.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) run: Arc<Run>,
    pub(super) scheduler: Scheduler,
    tasks: JoinSet<Done>,
    /// Commands that are being concluded.
    concluding_count: usize,
    messages: UnboundedSender<Message>,
    statuses: Vec<Status>,
    /// The highest exit code so far.
    code: i32,
    saved: Duration,
    signal: Option<Signal>,
    begin: std::time::Instant,
}

async fn drive(
    mut state: Loop,
    mut inbox: UnboundedReceiver<Message>,
    mut listener: Listener,
) -> RunSummary {
    let grace = sleep(Duration::ZERO);
    tokio::pin!(grace);
    let mut batch = Vec::new();
    while !state.has_ended() {
        while let Some(assignment) = state.scheduler.assign() {
            state.start(|run, messages| worker::work(run, assignment, messages));
        }
        tokio::select! {
            biased;
            request = listener.next() => {
                if let Some(patience) = state.obey(request) {
                    grace.as_mut().reset(Instant::now() + patience);
                }
            }
            () = &mut grace, if state.signal.is_some() => {
                if state.run.stop.is_killed() {
                    break;
                }
                state.kill();
                grace.as_mut().reset(Instant::now() + LAST_PATIENCE);
            }
            _ = inbox.recv_many(&mut batch, MESSAGES_AT_ONCE) => {
                batch.drain(..).for_each(|message| state.hear(message));
            }
            Some(done) = state.tasks.join_next() => {
                state.hear_rest(&mut inbox);
                match done {
                    Ok(done) => state.go_on(done),
                    Err(error) => {
                        state.kill();
                        std::panic::resume_unwind(error.into_panic())
                    }
                }
            }
        }
    }
    state.settle(&mut listener).await;
    state.end()
}

impl Loop {
    fn begin(run: Arc<Run>, messages: UnboundedSender<Message>) -> Self {
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
            tasks: JoinSet::new(),
            concluding_count: 0,
            messages,
            statuses: vec![Status::Pending; runnables.len()],
            code: 0,
            saved: Duration::ZERO,
            signal: None,
            begin: clock::instant(),
            run,
        }
    }

    fn has_ended(&self) -> bool {
        self.scheduler.is_done() && self.tasks.is_empty()
    }

    /// Begins a task: a worker's part, or what is left to be done after a command's end.
    fn start<F>(&mut self, work: impl FnOnce(Arc<Run>, UnboundedSender<Message>) -> F)
    where
        F: Future<Output = Done> + Send + 'static,
    {
        self.tasks.spawn(work(Arc::clone(&self.run), self.messages.clone()));
    }

    /// A task has ended.
    fn go_on(&mut self, done: Done) {
        match done {
            Done::Worked(worker) => self.scheduler.release(worker),
            Done::Performed(worker, performed) => {
                let is_held = self.is_held(performed.unit);
                if !is_held {
                    self.scheduler.release(worker);
                }
                self.concluding_count += 1;
                let worker = is_held.then_some(worker);
                self.start(|run, messages| worker::end(run, performed, worker, messages));
            }
            Done::Concluded(worker) => {
                self.concluding_count -= 1;
                if let Some(worker) = worker {
                    self.scheduler.release(worker);
                }
            }
        }
    }

    /// Whether a worker is to wait until its command is concluded: with one worker one thing
    /// happens at a time, what follows may be more urgent than all else, and what is not
    /// concluded must not become more and more.
    fn is_held(&self, unit: usize) -> bool {
        let worker_count = self.run.job.worker_count;
        worker_count == 1
            || self.concluding_count >= worker_count
            || self.scheduler.is_awaited(unit)
    }

    /// Gives the time until something harder is done, if it is counted from now.
    fn obey(&mut self, request: Request) -> Option<Duration> {
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

    fn kill(&mut self) {
        self.run.stop.kill();
        self.run.groups.signal(Signal::KILL);
    }

    fn hear_rest(&mut self, inbox: &mut UnboundedReceiver<Message>) {
        while let Ok(message) = inbox.try_recv() {
            self.hear(message);
        }
    }

    pub(super) fn hear(&mut self, message: Message) {
        match message {
            Message::Ended(ended) => {
                for (unit, outcome) in ended {
                    self.conclude(unit, outcome);
                }
            }
            // A worker that is gone need not know.
            Message::Heard(heard) => drop(heard.send(())),
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

    /// Whatever has not ended by now never will, or the caches are finished.
    async fn settle(&mut self, listener: &mut Listener) {
        if self.run.stop.is_killed() {
            for unit in 0..self.statuses.len() {
                if self.statuses[unit] == Status::Pending {
                    self.leave(unit, Status::Interrupted);
                }
            }
            return;
        }
        let stores = self.run.job.stores.clone();
        let finishing = blocking(move || stores.finish());
        tokio::pin!(finishing);
        // It may wait for another machine: a signal still ends that.
        let warnings = loop {
            tokio::select! {
                biased;
                warnings = &mut finishing => break warnings,
                request = listener.next() => drop(self.obey(request)),
            }
        };
        self.warn_at_end(warnings);
    }

    fn warn_at_end(&self, warnings: Vec<Diagnostic>) {
        for warning in warnings {
            self.run.warn(None, warning);
        }
        self.run.warn_of_unmatched();
    }

    fn end(self) -> RunSummary {
        let summary = RunSummary {
            statuses: self.statuses,
            code: self.signal.map_or(self.code, |signal| 128 + signal.as_raw()),
            duration: self.begin.elapsed(),
            saved: self.saved,
            signal: self.signal.map(Signal::as_raw),
        };
        self.run.events.send(Event::RunEnded { summary: summary.clone() });
        summary
    }
}
