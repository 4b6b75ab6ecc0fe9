//! The run loop: scheduler, workers and signals. It owns the state; all others send messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::job::{Job, Run};
use super::keep::{Ended, conclude};
use super::output::{self, LogFile};
use super::process::{Surroundings, Task, run_command};
use super::scheduler::{Assignment, Scheduler};
use super::signals::{Listener, Request, Signals, suspend};
use super::steps::Steps;
use super::unit::{Cold, Looked, failed, look_up};
use super::{Event, EventSender, Outcome, Planned, RunSummary, Status};
use crate::error::{Code, Diagnostic, Result};
use crate::sys::clock;

/// How long commands may take to end after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// Threads that hash, look up and store; more would only wait for the same disk.
const BLOCKING_THREADS_MAX: usize = 64;

/// A worker tells what has ended at least this often, so that downstreams need not wait for the
/// end of its chunk.
const NEWS_INTERVAL: Duration = Duration::from_millis(1);

/// Messages that are dealt with before the scheduler is asked again.
const MESSAGES_AT_ONCE: usize = 64;

/// What workers tell the loop.
#[derive(Debug)]
enum Message {
    Ended(Vec<(usize, Outcome)>),
    GaveBack(Vec<usize>),
}

/// Runs all runnables of a job, in parallel, upstreams first.
///
/// Returns when no command runs any more. Errors are those of the machine that keep a run from
/// starting at all; whatever goes wrong later is in the events and in the summary's code.
pub fn run<S: Steps>(
    job: Job,
    steps: Arc<S>,
    signals: Signals,
    events: EventSender,
) -> Result<RunSummary> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(job.worker_count.clamp(1, BLOCKING_THREADS_MAX) + 1)
        .build()
        .map_err(|error| {
            Diagnostic::new(Code::SpawnFailed, "a run cannot be started").because(error.to_string())
        })?;
    let summary = runtime.block_on(async {
        let listener = signals.listen()?;
        Ok(drive(Arc::new(Run::new(job, steps, events)), listener).await)
    });
    // A lookup that hangs must not keep a stopped run alive.
    runtime.shutdown_background();
    summary
}

/// The loop's own state.
struct Loop<S: Steps> {
    run: Arc<Run<S>>,
    scheduler: Scheduler,
    workers: JoinSet<usize>,
    messages: UnboundedSender<Message>,
    statuses: Vec<Status>,
    /// The highest exit code so far.
    code: i32,
    saved: Duration,
    signal: Option<Signal>,
}

async fn drive<S: Steps>(run: Arc<Run<S>>, mut listener: Listener) -> RunSummary {
    let begin = clock::instant();
    let (messages, mut inbox) = unbounded_channel();
    let mut state = Loop::begin(run, messages);
    let grace = sleep(Duration::ZERO);
    tokio::pin!(grace);
    let mut batch = Vec::new();
    while !state.scheduler.is_done() || !state.workers.is_empty() {
        while let Some(assignment) = state.scheduler.assign() {
            let run = Arc::clone(&state.run);
            state.workers.spawn(work(run, assignment, state.messages.clone()));
        }
        let is_asked = state.run.stop.is_asked() && !state.run.stop.is_killed();
        tokio::select! {
            biased;
            request = listener.next() => {
                if state.obey(request) {
                    grace.as_mut().reset(tokio::time::Instant::now() + GRACE);
                }
            }
            () = &mut grace, if is_asked => state.kill(),
            _ = inbox.recv_many(&mut batch, MESSAGES_AT_ONCE) => {
                batch.drain(..).for_each(|message| state.hear(message));
            }
            Some(worker) = state.workers.join_next() => {
                state.hear_rest(&mut inbox);
                match worker {
                    Ok(worker) => state.scheduler.release(worker),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                }
            }
        }
    }
    state.end(begin).await
}

impl<S: Steps> Loop<S> {
    fn begin(run: Arc<Run<S>>, messages: UnboundedSender<Message>) -> Self {
        if let Err(error) = output::create_folder(&run.job.dirs) {
            run.warn_once("output", None, error.diagnostic());
        }
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
            exec: runnable.exec.clone(),
        });
        let worker_count = run.job.worker_count;
        run.events.send(Event::RunStarted { runnables: planned.collect(), worker_count });
        Self {
            scheduler: Scheduler::new(&upstreams, worker_count),
            workers: JoinSet::new(),
            messages,
            statuses: vec![Status::Pending; runnables.len()],
            code: 0,
            saved: Duration::ZERO,
            signal: None,
            run,
        }
    }

    /// Gives whether the grace period begins.
    fn obey(&mut self, request: Request) -> bool {
        match request {
            Request::Stop(_) if self.signal.is_some() => self.kill(),
            Request::Stop(signal) => {
                self.signal = Some(signal);
                self.run.stop.ask();
                self.run.events.send(Event::Stopping { signal: signal.as_raw() });
                for unit in self.scheduler.stop() {
                    self.skip(unit);
                }
                self.run.groups.signal(signal);
                // A command that is paused could not obey.
                self.run.groups.signal(Signal::CONT);
                return true;
            }
            Request::Suspend => {
                self.run.groups.signal(Signal::STOP);
                suspend();
            }
            Request::Resume => self.run.groups.signal(Signal::CONT),
        }
        false
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

    fn hear(&mut self, message: Message) {
        match message {
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
        self.statuses[unit] = Status::Skipped;
        let outcome = Outcome {
            status: Status::Skipped,
            code: 0,
            duration: None,
            log: super::Log::default(),
            error: None,
        };
        self.run.events.send(Event::Ended { runnable: unit, outcome });
    }

    async fn end(self, begin: Instant) -> RunSummary {
        let steps = Arc::clone(&self.run.steps);
        if let Ok(warnings) = tokio::task::spawn_blocking(move || steps.finish()).await {
            for warning in warnings {
                self.run.warn(None, warning);
            }
        }
        let summary = RunSummary {
            statuses: self.statuses,
            code: self.signal.map_or(self.code, |signal| 128 + signal.as_raw()),
            duration: begin.elapsed(),
            saved: self.saved,
            signal: self.signal.map(Signal::as_raw),
        };
        self.run.events.send(Event::RunEnded { summary: summary.clone() });
        summary
    }
}

/// A worker's part: looks its units up, runs the first that is cold, and is free again.
async fn work<S: Steps>(
    run: Arc<Run<S>>,
    assignment: Assignment,
    messages: UnboundedSender<Message>,
) -> usize {
    let Assignment { worker, units } = assignment;
    let cold = {
        let (run, messages) = (Arc::clone(&run), messages.clone());
        blocking(move || look_up_chunk(&run, units, &messages)).await
    };
    if let Some(cold) = cold {
        let unit = cold.unit;
        if run.stop.is_asked() {
            tell(&messages, Message::GaveBack(vec![unit]));
        } else {
            let outcome = run_cold(run, *cold, worker).await;
            tell(&messages, Message::Ended(vec![(unit, outcome)]));
        }
    }
    worker
}

/// Looks units up one after the other until one is cold, and gives back the rest.
fn look_up_chunk<S: Steps>(
    run: &Run<S>,
    units: Vec<usize>,
    messages: &UnboundedSender<Message>,
) -> Option<Box<Cold>> {
    let mut news = Vec::new();
    let mut told_at = clock::instant();
    let mut cold = None;
    let mut units = units.into_iter();
    while !run.stop.is_asked()
        && cold.is_none()
        && let Some(unit) = units.next()
    {
        match look_up(run, unit) {
            Looked::Ended(outcome) => news.push((unit, outcome)),
            Looked::Cold(found) => cold = Some(found),
        }
        if told_at.elapsed() > NEWS_INTERVAL && !news.is_empty() {
            tell(messages, Message::Ended(std::mem::take(&mut news)));
            told_at = clock::instant();
        }
    }
    if !news.is_empty() {
        tell(messages, Message::Ended(news));
    }
    let rest: Vec<usize> = units.collect();
    if !rest.is_empty() {
        tell(messages, Message::GaveBack(rest));
    }
    cold
}

/// Runs a command and makes the most of its end.
async fn run_cold<S: Steps>(run: Arc<Run<S>>, cold: Cold, worker: usize) -> Outcome {
    let Cold { unit, reason, env, before } = cold;
    run.events.send(Event::Started { runnable: unit, worker, reason });
    let runnable = run.runnable(unit);
    let mut log = LogFile::create(&run.job.dirs, &runnable.name);
    let task = Task { runnable, unit, worker, root: &run.job.dirs.root, env };
    let surroundings = Surroundings { groups: &run.groups, events: &run.events, stop: &run.stop };
    let exit = match run_command(&task, surroundings, &mut log).await {
        Ok(exit) => exit,
        Err(error) => return failed(&run, unit, error.code, Box::new(error.diagnostic)),
    };
    if exit.is_leaky {
        run.warn(Some(unit), leaky(runnable.name.as_str()));
    }
    let ended = Ended { exit, log: log.finish() };
    blocking(move || conclude(&run, unit, before.as_deref(), ended)).await
}

fn leaky(name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::SpawnFailed,
        format!("`{name}` has ended, but a process that it started holds its output open"),
    )
    .hint("redirect the output of what is to stay in the background")
}

/// Runs what blocks on a thread of the pool; a panic there is a panic here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The loop outlives its workers, except in a panic, when nobody needs to be told.
fn tell(messages: &UnboundedSender<Message>, message: Message) {
    drop(messages.send(message));
}
