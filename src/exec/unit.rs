//! One runnable, up to the start of its command: fingerprint → lookup → replay, or what has to
//! be known to run it. Blocks.

use std::sync::Arc;

use super::job::{ReadCaches, Run, UnknownUpstream};
use super::{Event, Log, Outcome, RunReason, Status, output_path};
use crate::cache::{self, Hit, Lookup, Miss, Restored, Store};
use crate::error::{Diagnostic, RunnableError, Severity, render};
use crate::hash::{Fingerprint, diff};
use crate::sys::{Env, fs};

/// The exit code of a runnable that qik itself could not run.
const CODE_ERROR: i32 = 2;

/// What a look at the caches gave.
#[derive(Debug)]
pub(super) enum Looked {
    Ended(Outcome),
    Cold(Box<Cold>),
}

/// A runnable whose command is to be run now.
#[derive(Debug)]
pub(super) struct Cold {
    pub(super) unit: usize,
    pub(super) reason: RunReason,
    pub(super) env: Arc<Env>,
    /// Its inputs; `None` if its result is not to be stored.
    pub(super) before: Option<Box<Fingerprint>>,
}

/// Why there is nothing to replay.
enum Unusable {
    Reason(RunReason, Option<Box<Fingerprint>>),
    Error(RunnableError),
}

impl From<RunnableError> for Unusable {
    fn from(error: RunnableError) -> Self {
        Self::Error(error)
    }
}

/// Replays a runnable, or finds out why it must run. Its upstreams have ended.
pub(super) fn look_up(run: &Run, unit: usize) -> Looked {
    let looked = match find(run, unit) {
        Ok(outcome) => return Looked::Ended(outcome),
        Err(Unusable::Error(error)) => Err(error),
        Err(Unusable::Reason(reason, before)) => run
            .job
            .inputs
            .environment(run.runnable(unit))
            .map(|env| Looked::Cold(Box::new(Cold { unit, reason, env, before }))),
    };
    looked.unwrap_or_else(|error| Looked::Ended(failed(run, unit, CODE_ERROR, error.0)))
}

/// The outcome of a runnable that did not get as far as running; the reason becomes its log.
pub(super) fn failed(run: &Run, unit: usize, code: i32, diagnostic: Box<Diagnostic>) -> Outcome {
    let text = anstream::adapter::strip_str(&render(&diagnostic, Severity::Error)).to_string();
    let log = run.outputs.write_text(&run.runnable(unit).name, &text);
    Outcome { status: Status::Failed, code, duration: None, log, error: Some(diagnostic) }
}

/// The replayed outcome of a unit, or why it has to run.
fn find(run: &Run, unit: usize) -> Result<Outcome, Unusable> {
    let runnable = run.runnable(unit);
    let Some(cache) = &runnable.cache else {
        return Err(Unusable::Reason(RunReason::Uncached, None));
    };
    let store = run.store(cache)?;
    let lists = match run.upstream_lists(unit) {
        Ok(lists) => lists,
        Err(UnknownUpstream) => return Err(Unusable::Reason(RunReason::NotKept, None)),
    };
    let before = Box::new(run.job.inputs.fingerprint(runnable, lists)?);
    if run.job.read_caches == ReadCaches::No {
        return Err(Unusable::Reason(RunReason::Forced, Some(before)));
    }
    let hit = look_into(run, unit, store, &before);
    let replayed = hit.and_then(|hit| replay(run, unit, &hit));
    replayed.ok_or_else(|| Unusable::Reason(reason(run, unit, store, &before), Some(before)))
}

/// The entry of some inputs, if its exit code is one that is kept now.
fn look_into(run: &Run, unit: usize, store: &dyn Store, before: &Fingerprint) -> Option<Hit> {
    let when = run.cache_when(unit);
    match store.lookup(run.key(unit, before.digest())) {
        Lookup::Hit(hit) => cache::is_worth_keeping(when, hit.code, false).then_some(*hit),
        Lookup::Miss(Miss::Absent) => None,
        Lookup::Miss(Miss::Damaged(diagnostic)) => {
            run.warn(Some(unit), diagnostic);
            None
        }
    }
}

/// Why there is no usable entry of these inputs.
fn reason(run: &Run, unit: usize, store: &dyn Store, before: &Fingerprint) -> RunReason {
    let runnable = run.runnable(unit);
    let Some(latest) = store.latest(&runnable.name, &runnable.command) else {
        let has_run = fs::stat(&output_path(&run.job.dirs, &runnable.name)).is_ok();
        return if has_run { RunReason::NotStored } else { RunReason::FirstRun };
    };
    let changes = diff(&latest, &before.to_document());
    if changes.is_empty() { RunReason::NotKept } else { RunReason::Changed(changes) }
}

/// Log and artifacts of a hit, brought back; `None` with a warning if they cannot be.
fn replay(run: &Run, unit: usize, hit: &Hit) -> Option<Outcome> {
    run.events.send(Event::Replaying { runnable: unit });
    match try_replay(run, unit, hit) {
        Ok((log, restored)) => {
            if restored == Restored::Files {
                run.job.inputs.forget_files();
            }
            run.publish_artifacts_on_disk(unit);
            let status = if hit.code == 0 { Status::Replayed } else { Status::ReplayedFailure };
            Some(Outcome { status, code: hit.code, duration: hit.duration, log, error: None })
        }
        Err(diagnostic) => {
            // A restore that stopped half way has written, too.
            run.job.inputs.forget_files();
            let name = &run.runnable(unit).name;
            run.warn(Some(unit), diagnostic.hint(format!("`{name}` runs instead")));
            None
        }
    }
}

fn try_replay(run: &Run, unit: usize, hit: &Hit) -> Result<(Log, Restored), Diagnostic> {
    let log = run.outputs.replay(&run.runnable(unit).name, hit)?;
    Ok((log, hit.restore(&run.job.dirs.root)?))
}
