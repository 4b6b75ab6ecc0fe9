//! A worker: looks units up, runs the first that is cold, tells the loop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::job::Run;
use super::keep::{Ended, conclude};
use super::output::LogFile;
use super::process::{Surroundings, Task, run_command};
use super::scheduler::Assignment;
use super::steps::Steps;
use super::unit::{Cold, Looked, failed, look_up};
use super::{Event, Outcome};
use crate::error::{Code, Diagnostic};
use crate::sys::clock;

/// A worker tells what has ended at least this often, so that downstreams need not wait for the
/// end of its chunk.
const NEWS_INTERVAL: Duration = Duration::from_millis(1);

/// What workers tell the loop.
#[derive(Debug)]
pub(super) enum Message {
    Ended(Vec<(usize, Outcome)>),
    GaveBack(Vec<usize>),
}

/// A worker's part: looks its units up, runs the first that is cold, and is free again.
pub(super) async fn work<S: Steps>(
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
