//! A worker: looks units up, runs the first that is cold, tells the loop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::graph_task;
use super::job::{ReadCaches, Run};
use super::keep::{Ended, Wrote, conclude};
use super::process::{Exit, NotStarted, Surroundings, Task, run_command};
use super::scheduler::Assignment;
use super::unit::{CODE_ERROR, Cold, Looked, Pace, failed, look_up};
use super::{Event, Outcome};
use crate::cache::Claim;
use crate::error::{Code, Diagnostic};
use crate::hash::{Fingerprint, GraphResult};
use crate::plan::Action;
use crate::sys::timings::COUNT;
use crate::sys::veil::Masker;
use crate::sys::{Env, clock};

/// A worker tells what has ended at least this often, so that downstreams need not wait for the
/// end of its chunk.
const NEWS_INTERVAL: Duration = Duration::from_millis(1);

/// A worker with more than its share gives back what it has not begun by then: others may be
/// free.
const AMPLE_TIME_MAX: Duration = Duration::from_millis(2);

/// How often it is looked whether another process is done with a runnable: cheap for us, and
/// hardly felt by whoever waits.
const CLAIM_INTERVAL: Duration = Duration::from_millis(25);

/// What workers tell the loop.
#[derive(Debug)]
pub(super) enum Message {
    Ended(Vec<(usize, Outcome)>),
    GaveBack(Vec<usize>),
    /// All that was told before is to be heard before the worker goes on.
    Heard(oneshot::Sender<()>),
}

/// A unit that lookups have ended at, and its worker.
#[derive(Debug)]
pub(super) struct Open {
    worker: usize,
    unit: usize,
    looked: Looked,
}

/// How a task of the loop's has ended.
#[derive(Debug)]
pub(super) enum Done {
    /// A worker is free again.
    Worked(usize),
    /// A worker's command has ended, and is to be concluded.
    Performed(usize, Box<Performed>),
    /// A command has been concluded, and so its worker is free, unless it was before.
    Concluded(Option<usize>),
}

/// A command that has ended, and what is held for it.
#[derive(Debug)]
pub(super) struct Performed {
    pub(super) unit: usize,
    before: Option<Box<Fingerprint>>,
    claim: Option<Claim>,
    ended: Ended,
}

/// A worker's part: looks its units up, and runs the first that is cold.
pub(super) async fn work(
    run: Arc<Run>,
    assignment: Assignment,
    messages: UnboundedSender<Message>,
) -> Done {
    let worker = assignment.worker;
    let open = {
        let (run, messages) = (Arc::clone(&run), messages.clone());
        blocking(move || {
            let goes_on = |_| !run.stop.is_asked();
            look_up_chunk(&run, assignment, Pace::Any, goes_on, |it| tell(&messages, it))
        })
        .await
    };
    match open {
        Some(open) => finish(run, open, messages).await,
        None => Done::Worked(worker),
    }
}

/// The rest of a worker's part: deals with the unit that its lookups have ended at.
pub(super) async fn finish(run: Arc<Run>, open: Open, messages: UnboundedSender<Message>) -> Done {
    let Open { worker, unit, looked } = open;
    // What ended before this one is shown before it.
    let (heard, is_heard) = oneshot::channel();
    tell(&messages, Message::Heard(heard));
    let _ = is_heard.await;
    let message = match settle(&run, unit, looked).await {
        Some(Looked::Cold(cold)) if !run.stop.is_asked() => {
            match run_cold(run, *cold, worker).await {
                Ok(performed) => return Done::Performed(worker, Box::new(performed)),
                Err(outcome) => Message::Ended(vec![(unit, outcome)]),
            }
        }
        Some(Looked::Ended(outcome)) => Message::Ended(vec![(unit, outcome)]),
        Some(Looked::Cold(_) | Looked::Busy | Looked::Later) | None => {
            Message::GaveBack(vec![unit])
        }
    };
    tell(&messages, message);
    Done::Worked(worker)
}

/// Makes the most of a command's end.
pub(super) async fn end(
    run: Arc<Run>,
    performed: Box<Performed>,
    worker: Option<usize>,
    messages: UnboundedSender<Message>,
) -> Done {
    let Performed { unit, before, claim, ended } = *performed;
    let outcome = blocking(move || {
        let outcome = conclude(&run, unit, before.as_deref(), ended);
        drop(claim);
        outcome
    })
    .await;
    tell(&messages, Message::Ended(vec![(unit, outcome)]));
    Done::Concluded(worker)
}

/// Waits until no other process runs the unit, then looks again, now for as long as it takes: it
/// may be warm by now. `None` if the run was stopped meanwhile.
async fn settle(run: &Arc<Run>, unit: usize, mut looked: Looked) -> Option<Looked> {
    let mut is_announced = false;
    while matches!(looked, Looked::Busy | Looked::Later) {
        let is_busy = matches!(looked, Looked::Busy);
        if is_busy && !std::mem::replace(&mut is_announced, true) {
            run.events.send(Event::Waiting { runnable: unit });
        }
        if run.stop.is_asked() {
            return None;
        }
        if is_busy {
            tokio::time::sleep(CLAIM_INTERVAL).await;
        }
        let run = Arc::clone(run);
        looked = blocking(move || {
            if is_busy {
                // The other process has changed files.
                run.forget_files();
            }
            look_up(&run, unit, Pace::Any)
        })
        .await;
    }
    Some(looked)
}

/// Looks the units of an assignment up one after the other, until one is not warm or has failed,
/// and gives back the rest.
pub(super) fn look_up_chunk(
    run: &Run,
    Assignment { worker, units, is_ample }: Assignment,
    pace: Pace,
    goes_on: impl Fn(usize) -> bool,
    tell: impl Fn(Message),
) -> Option<Open> {
    let mut news = Vec::new();
    let begin = clock::instant();
    let mut told_at = begin;
    let mut open = None;
    let mut rest = units.as_slice();
    let mut is_announced =
        units.first().is_some_and(|first| goes_on(*first) && announce(run, *first, &units));
    while open.is_none()
        && let Some((&unit, others)) = rest.split_first()
        && goes_on(unit)
    {
        match look_up(run, unit, pace) {
            Looked::Ended(outcome) => {
                let is_success = outcome.status.is_success();
                news.push((unit, outcome));
                rest = others;
                if !is_success {
                    break;
                }
            }
            looked => {
                open = Some(Open { worker, unit, looked });
                rest = others;
            }
        }
        if is_ample && begin.elapsed() > AMPLE_TIME_MAX {
            break;
        }
        is_announced = is_announced || announce(run, unit, rest);
        if told_at.elapsed() > NEWS_INTERVAL && !news.is_empty() {
            tell(Message::Ended(std::mem::take(&mut news)));
            told_at = clock::instant();
        }
    }
    // First what may have waited for the one that ended last.
    if !rest.is_empty() {
        tell(Message::GaveBack(rest.to_vec()));
    }
    if !news.is_empty() {
        tell(Message::Ended(news));
    }
    open
}

/// Announces the lookups of units if those of one's cache have to wait for another machine, so
/// that they wait together; gives whether they do. Their fingerprints are taken once more when
/// their turn comes.
fn announce(run: &Run, one: usize, units: &[usize]) -> bool {
    let store_of = |unit: usize| {
        let cache = run.runnable(unit).cache.as_ref()?;
        run.job.stores.find(cache).filter(|store| store.looks_elsewhere())
    };
    if run.job.read_caches == ReadCaches::No || store_of(one).is_none() {
        return false;
    }
    // The inputs of those that follow another one are not known before that has ended.
    let follows = |unit: usize| {
        let upstreams = run.runnable(unit).upstreams.iter().filter_map(|upstream| upstream.id);
        upstreams.into_iter().any(|upstream| units.contains(&upstream.0))
    };
    for unit in units.iter().filter(|unit| !follows(**unit)) {
        if let Some(store) = store_of(*unit)
            && let Ok(lists) = run.upstream_lists(*unit)
            && let Ok(fingerprint) = run.job.inputs.fingerprint(run.runnable(*unit), lists)
        {
            store.expect(run.key(*unit, fingerprint.digest()));
        }
    }
    true
}

/// Runs a command; gives the outcome if it could not be started.
async fn run_cold(run: Arc<Run>, cold: Cold, worker: usize) -> Result<Performed, Outcome> {
    let Cold { unit, reason, env, before, claim } = cold;
    let runnable = run.runnable(unit);
    tracing::debug!(runnable = %runnable.name, worker, ?reason, "starts");
    run.events.send(Event::Started { runnable: unit, worker, reason });
    tracing::info!(target: COUNT, commands_run = 1_u64);
    let performed = match &runnable.action {
        Action::Shell => run_shell(&run, unit, worker, env, claim.as_ref()).await,
        Action::Graph(_) => run_graph_task(&run, unit).await,
    };
    match performed {
        Ok(ended) => Ok(Performed { unit, before, claim, ended }),
        Err(error) => Err(failed(&run, unit, error.code, error.diagnostic)),
    }
}

/// Has a shell run a command.
async fn run_shell(
    run: &Arc<Run>,
    unit: usize,
    worker: usize,
    env: Arc<Env>,
    claim: Option<&Claim>,
) -> Result<Ended, NotStarted> {
    let runnable = run.runnable(unit);
    let mut log = run.outputs.create(&runnable.name);
    let task = Task { runnable, unit, worker, root: &run.job.dirs.root, env, claim };
    let masker = Masker::new(&run.job.veil);
    let surroundings = Surroundings { groups: &run.groups, events: &run.events, stop: &run.stop };
    let exit = run_command(&task, surroundings, masker, &mut log).await?;
    if exit.is_leaky {
        run.warn(Some(unit), leaky(runnable.name.as_str()));
    }
    Ok(Ended { exit, log: log.finish(), wrote: Wrote::Anything })
}

/// Does what is to be done with the import graph.
async fn run_graph_task(run: &Arc<Run>, unit: usize) -> Result<Ended, NotStarted> {
    let begin = clock::instant();
    let result = {
        let run = Arc::clone(run);
        blocking(move || graph_task::perform(&run, unit)).await
    };
    let GraphResult { code, output, is_sure, .. } =
        result.map_err(|error| NotStarted { code: CODE_ERROR, diagnostic: *error.0 })?;
    let mut log = run.outputs.create(&run.runnable(unit).name);
    log.write(output.as_bytes());
    if run.events.wants_output() && !output.is_empty() {
        run.events.output(unit, output.as_bytes()).await;
    }
    let exit = Exit { code, is_killed: false, duration: begin.elapsed(), is_leaky: false };
    let is_private = run.runnable(unit).artifacts.iter().all(|path| path.starts_with("._qik/"));
    let wrote = if is_sure && is_private { Wrote::Artifact } else { Wrote::Anything };
    Ok(Ended { exit, log: log.finish(), wrote })
}

fn leaky(name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::SpawnFailed,
        format!("`{name}` has ended, but a process that it started holds its output open"),
    )
    .hint("redirect the output of what is to stay in the background")
}

/// Runs what blocks on a thread of the pool; a panic there is a panic here.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The loop outlives its workers, except in a panic, when nobody needs to be told.
fn tell(messages: &UnboundedSender<Message>, message: Message) {
    drop(messages.send(message));
}
