//! A worker's part: looks units up, runs the first that is cold, makes the most of its end.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::graph_task;
use super::job::{ReadCaches, Run};
use super::keep::{Ended, Wrote, conclude};
use super::process::{Exit, NotStarted, Surroundings, Task, run_command};
use super::scheduler::Assignment;
use super::turns::Turns;
use super::unit::{CODE_ERROR, Cold, Looked, Pace, failed, look_up};
use super::{Event, Outcome};
use crate::error::{Code, Diagnostic};
use crate::hash::GraphResult;
use crate::plan::Action;
use crate::sys::clock;
use crate::sys::timings::COUNT;
use crate::sys::veil::Masker;

/// A worker tells what has ended at least this often, so that downstreams need not wait for the
/// end of its chunk.
const NEWS_INTERVAL: Duration = Duration::from_millis(1);

/// A worker with more than its share gives back what it has not begun by then: others may be
/// free.
const AMPLE_TIME_MAX: Duration = Duration::from_millis(2);

/// How often it is looked whether another process is done with a runnable: cheap for us, and
/// hardly felt by whoever waits.
const CLAIM_INTERVAL: Duration = Duration::from_millis(25);

/// What is told of units.
#[derive(Debug)]
pub(super) enum Message {
    Ended(Vec<(usize, Outcome)>),
    GaveBack(Vec<usize>),
}

/// A unit that lookups have ended at, and its worker.
#[derive(Debug)]
pub(super) struct Open {
    worker: usize,
    unit: usize,
    looked: Looked,
}

/// Deals with the unit that lookups have ended at. Gives what has become of it, and the worker,
/// unless it is free already.
pub(super) fn finish(
    turns: &Arc<Turns>,
    open: Open,
    runtime: &Runtime,
) -> (Message, Option<usize>) {
    let Open { worker, unit, looked } = open;
    let run = &*turns.run;
    let ended = |outcome| Message::Ended(vec![(unit, outcome)]);
    let cold = match settle(run, unit, looked) {
        Some(Looked::Cold(cold)) if !run.stop.is_asked() => *cold,
        Some(Looked::Ended(outcome)) => return (ended(outcome), Some(worker)),
        Some(Looked::Cold(_) | Looked::Busy | Looked::Later) | None => {
            return (Message::GaveBack(vec![unit]), Some(worker));
        }
    };
    match perform(run, &cold, worker, runtime) {
        Ok(performed) => {
            let is_free = turns.release_early(worker, unit);
            let outcome = conclude(run, unit, cold.before.as_deref(), performed);
            (ended(outcome), (!is_free).then_some(worker))
        }
        Err(error) => (ended(failed(run, unit, error.code, error.diagnostic)), Some(worker)),
    }
}

/// Waits until no other process runs the unit, then looks again, now for as long as it takes: it
/// may be warm by now. `None` if the run was stopped meanwhile.
fn settle(run: &Run, unit: usize, mut looked: Looked) -> Option<Looked> {
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
            thread::sleep(CLAIM_INTERVAL);
            // The other process has changed files.
            run.forget_files();
        }
        looked = look_up(run, unit, Pace::Any);
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

/// Runs a command to its end.
fn perform(run: &Run, cold: &Cold, worker: usize, runtime: &Runtime) -> Result<Ended, NotStarted> {
    let runnable = run.runnable(cold.unit);
    let reason = cold.reason.clone();
    tracing::debug!(runnable = %runnable.name, worker, ?reason, "starts");
    run.events.send(Event::Started { runnable: cold.unit, worker, reason });
    tracing::info!(target: COUNT, commands_run = 1_u64);
    match &runnable.action {
        Action::Shell => run_shell(run, cold, worker, runtime),
        Action::Graph(_) => run_graph_task(run, cold.unit, runtime),
    }
}

/// Has a shell run a command.
fn run_shell(
    run: &Run,
    cold: &Cold,
    worker: usize,
    runtime: &Runtime,
) -> Result<Ended, NotStarted> {
    let unit = cold.unit;
    let runnable = run.runnable(unit);
    let mut log = run.outputs.create(&runnable.name);
    let (env, claim) = (Arc::clone(&cold.env), cold.claim.as_ref());
    let task = Task { runnable, unit, worker, root: &run.job.dirs.root, env, claim };
    let masker = Masker::new(&run.job.veil);
    let surroundings = Surroundings { groups: &run.groups, events: &run.events, stop: &run.stop };
    let exit = runtime.block_on(run_command(&task, surroundings, masker, &mut log))?;
    if exit.is_leaky {
        run.warn(Some(unit), leaky(runnable.name.as_str()));
    }
    Ok(Ended { exit, log: log.finish(), wrote: Wrote::Anything })
}

/// Does what is to be done with the import graph.
fn run_graph_task(run: &Run, unit: usize, runtime: &Runtime) -> Result<Ended, NotStarted> {
    let begin = clock::instant();
    let result = graph_task::perform(run, unit);
    let GraphResult { code, output, is_sure, .. } =
        result.map_err(|error| NotStarted { code: CODE_ERROR, diagnostic: *error.0 })?;
    let mut log = run.outputs.create(&run.runnable(unit).name);
    log.write(output.as_bytes());
    if run.events.wants_output() && !output.is_empty() {
        runtime.block_on(run.events.output(unit, output.as_bytes()));
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
