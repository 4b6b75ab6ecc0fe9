//! One runnable, up to the start of its command: fingerprint → lookup → replay, or what has to
//! be known to run it. Blocks.

use std::sync::Arc;

use super::job::{Run, UnknownUpstream};
use super::output;
use super::steps::{Found, Restored, Steps, StoredResult as _};
use super::{Event, Log, Outcome, RunReason, Status};
use crate::error::{Diagnostic, RunnableError, Severity, render};
use crate::hash::{Fingerprint, diff};
use crate::sys::Env;

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
enum Miss {
    Reason(RunReason, Option<Box<Fingerprint>>),
    Error(RunnableError),
}

impl From<RunnableError> for Miss {
    fn from(error: RunnableError) -> Self {
        Self::Error(error)
    }
}

/// Replays a runnable, or finds out why it must run. Its upstreams have ended.
pub(super) fn look_up<S: Steps>(run: &Run<S>, unit: usize) -> Looked {
    let looked = match find(run, unit) {
        Ok(outcome) => return Looked::Ended(outcome),
        Err(Miss::Error(error)) => Err(error),
        Err(Miss::Reason(reason, before)) => run
            .steps
            .environment(run.runnable(unit))
            .map(|env| Looked::Cold(Box::new(Cold { unit, reason, env, before }))),
    };
    looked.unwrap_or_else(|error| Looked::Ended(failed(run, unit, CODE_ERROR, error.0)))
}

/// The outcome of a runnable that did not get as far as running; the reason becomes its log.
pub(super) fn failed<S: Steps>(
    run: &Run<S>,
    unit: usize,
    code: i32,
    diagnostic: Box<Diagnostic>,
) -> Outcome {
    let text = anstream::adapter::strip_str(&render(&diagnostic, Severity::Error)).to_string();
    let log = output::write_text(&run.job.dirs, &run.runnable(unit).name, &text);
    Outcome { status: Status::Failed, code, duration: None, log, error: Some(diagnostic) }
}

/// The replayed outcome of a unit, or why it has to run.
fn find<S: Steps>(run: &Run<S>, unit: usize) -> Result<Outcome, Miss> {
    let runnable = run.runnable(unit);
    if runnable.cache.is_none() {
        return Err(Miss::Reason(RunReason::Uncached, None));
    }
    let lists = match run.upstream_lists(unit) {
        Ok(lists) => lists,
        Err(UnknownUpstream) => return Err(Miss::Reason(RunReason::NotKept, None)),
    };
    let before = Box::new(run.steps.fingerprint(runnable, lists)?);
    if run.is_forced(unit) {
        return Err(Miss::Reason(RunReason::Forced, Some(before)));
    }
    let hit = match run.steps.lookup(runnable, before.digest()) {
        Found::Hit(hit) => Some(hit),
        Found::Absent => None,
        Found::Damaged(diagnostic) => {
            run.warn(Some(unit), diagnostic);
            None
        }
    };
    let when = run.job.cache_when.unwrap_or(runnable.cache_when);
    let replayed = hit
        .filter(|hit| run.steps.is_worth_keeping(when, hit.code(), false))
        .and_then(|hit| replay(run, unit, &hit));
    replayed.ok_or_else(|| Miss::Reason(reason(run, unit, &before), Some(before)))
}

/// Why there is no usable entry of these inputs.
fn reason<S: Steps>(run: &Run<S>, unit: usize, before: &Fingerprint) -> RunReason {
    let Some(latest) = run.steps.latest(run.runnable(unit)) else { return RunReason::FirstRun };
    let changes = diff(&latest, &before.to_document());
    if changes.is_empty() { RunReason::NotKept } else { RunReason::Changed(changes) }
}

/// Log and artifacts of a hit, brought back; `None` with a warning if they cannot be.
fn replay<S: Steps>(run: &Run<S>, unit: usize, hit: &S::Hit) -> Option<Outcome> {
    run.events.send(Event::Replaying { runnable: unit });
    match try_replay(run, unit, hit) {
        Ok((log, restored)) => {
            if restored.has_written {
                run.steps.forget_files();
            }
            run.publish_artifacts(unit, Some(&restored.artifacts));
            run.steps.ended(run.runnable(unit));
            let code = hit.code();
            let status = if code == 0 { Status::Replayed } else { Status::ReplayedFailure };
            Some(Outcome { status, code, duration: hit.duration(), log, error: None })
        }
        Err(diagnostic) => {
            // A restore that stopped half way has written, too.
            run.steps.forget_files();
            let name = &run.runnable(unit).name;
            run.warn(Some(unit), diagnostic.hint(format!("`{name}` runs instead")));
            None
        }
    }
}

fn try_replay<S: Steps>(
    run: &Run<S>,
    unit: usize,
    hit: &S::Hit,
) -> Result<(Log, Restored<S::Artifacts>), Diagnostic> {
    let path = output::path(&run.job.dirs, &run.runnable(unit).name);
    let log = output::replay(path, hit)?;
    Ok((log, run.steps.restore(hit)?))
}
