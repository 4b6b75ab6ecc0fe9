//! One runnable, up to the start of its command: fingerprint → lookup → replay, or what has to
//! be known to run it. Blocks.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::ancestry;
use super::job::{Run, UnknownUpstream};
use super::orphans;
use super::output::Shown;
use super::{Event, Log, Outcome, RunReason, Status, output_path};
use crate::cache::{self, Claim, Hit, Key, Lookup, Miss, Restored, Store};
use crate::error::{Diagnostic, RunnableError, Severity, render};
use crate::hash::{Change, Fingerprint, diff};
use crate::paths::ProjectPath;
use crate::sys::timings::{COUNT, STAGE};
use crate::sys::{Env, fs};

/// So many files are worth a thread that writes them down.
const FILES_PER_THREAD_MIN: usize = 1000;

/// The exit code of a runnable that qik itself could not run.
pub(super) const CODE_ERROR: i32 = 2;

/// What a quick look reads at most of what there is to replay.
const QUICK_BYTES_MAX: u64 = 8 << 20;

/// How long a look may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Any,
    /// What is large, or to be brought back, is left for later.
    Quick,
}

/// What a look at the caches gave.
#[derive(Debug)]
pub(super) enum Looked {
    Ended(Outcome),
    Cold(Box<Cold>),
    /// Another process runs it, or brings its artifacts back.
    Busy,
    /// It may be warm, but takes longer than the look may.
    Later,
}

/// A runnable whose command is to be run now.
#[derive(Debug)]
pub(super) struct Cold {
    pub(super) unit: usize,
    pub(super) reason: RunReason,
    pub(super) env: Arc<Env>,
    /// Its inputs; `None` if its result is not to be stored.
    pub(super) before: Option<Box<Fingerprint>>,
    /// Held until its result is stored; `None` if it is never cached.
    pub(super) claim: Option<Claim>,
}

/// Why there is nothing to replay.
enum Unusable {
    Reason(RunReason, Option<Box<Fingerprint>>),
    Busy,
    Later,
    Error(RunnableError),
}

impl From<RunnableError> for Unusable {
    fn from(error: RunnableError) -> Self {
        Self::Error(error)
    }
}

/// Replays a runnable, or finds out why it must run, and claims it. Its upstreams have ended.
pub(super) fn look_up(run: &Run, unit: usize, pace: Pace) -> Looked {
    let mut claim = None;
    let looked = match find(run, unit, pace, &mut claim) {
        Ok(outcome) => return Looked::Ended(outcome),
        Err(Unusable::Busy) => return Looked::Busy,
        Err(Unusable::Later) => return Looked::Later,
        Err(Unusable::Error(error)) => Err(error),
        Err(Unusable::Reason(reason, before)) => run
            .job
            .inputs
            .environment(run.runnable(unit))
            .map(|env| Looked::Cold(Box::new(Cold { unit, reason, env, before, claim }))),
    };
    looked.unwrap_or_else(|error| Looked::Ended(failed(run, unit, CODE_ERROR, *error.0)))
}

/// The outcome of a runnable that did not get as far as running; the reason becomes its log.
pub(super) fn failed(run: &Run, unit: usize, code: i32, diagnostic: Diagnostic) -> Outcome {
    let diagnostic = Box::new(run.without_secrets(diagnostic));
    let text = anstream::adapter::strip_str(&render(&diagnostic, Severity::Error)).to_string();
    let log = run.outputs.write_text(&run.runnable(unit).name, &text);
    Outcome { status: Status::Failed, code, duration: None, log, error: Some(diagnostic) }
}

/// The replayed outcome of a unit, or why it has to run. Whatever writes needs the claim.
fn find(
    run: &Run,
    unit: usize,
    pace: Pace,
    claim: &mut Option<Claim>,
) -> Result<Outcome, Unusable> {
    let runnable = run.runnable(unit);
    let Some(cache) = &runnable.cache else {
        return Err(Unusable::Reason(RunReason::Uncached, None));
    };
    let store = run.store(cache)?;
    let lists = match run.upstream_lists(unit) {
        Ok(lists) => lists,
        Err(UnknownUpstream) => return Err(Unusable::Reason(RunReason::NotKept, None)),
    };
    let before = {
        let _stage = tracing::info_span!(target: STAGE, "take fingerprints").entered();
        Box::new(run.job.inputs.fingerprint(runnable, lists)?)
    };
    if run.is_forced(unit) {
        claim_now(run, unit, claim)?;
        return Err(Unusable::Reason(RunReason::Forced, Some(before)));
    }
    let key = run.key(unit, before.digest());
    tracing::debug!(runnable = %runnable.name, digest = %key.digest, cache, "looks up");
    if let Some(outcome) = recall(run, unit, store, key) {
        return Ok(outcome);
    }
    let lookup = {
        let _stage = tracing::info_span!(target: STAGE, "look up").entered();
        store.lookup(key)
    };
    let is_absent = matches!(lookup, Lookup::Miss(Miss::Absent));
    let mut hit = usable(run, unit, lookup);
    if hit.as_ref().is_none_or(|hit| !hit.manifest().artifacts.is_empty()) {
        claim_now(run, unit, claim)?;
    }
    if is_absent {
        // Who had the claim before may have stored what we want.
        hit = usable(run, unit, store.look_again(key));
    }
    let unused = match hit.map(|hit| replay(run, unit, pace, (store, key), &hit)) {
        Some(Ok(outcome)) => return Ok(outcome),
        Some(Err(NotReplayed::Runs(reason))) => reason,
        Some(Err(NotReplayed::Later)) => return Err(Unusable::Later),
        None => None,
    };
    let reason = unused.unwrap_or_else(|| reason(run, unit, store, &before, is_absent));
    Err(Unusable::Reason(reason, Some(before)))
}

fn claim_now(run: &Run, unit: usize, claim: &mut Option<Claim>) -> Result<(), Unusable> {
    let runnable = run.runnable(unit);
    let env = run.job.inputs.environment(runnable)?;
    if !ancestry::holds(&env, &run.job.dirs.root, runnable.name.as_str()) {
        let claimed = run.job.claims.try_claim(&runnable.name).ok_or(Unusable::Busy)?;
        if let Some(warning) = orphans::end(&claimed, &run.job.dirs.root, &runnable.name) {
            run.warn(Some(unit), warning);
        }
        *claim = Some(claimed);
    }
    Ok(())
}

/// The entry that a lookup gave, if its exit code is one that is kept now.
fn usable(run: &Run, unit: usize, lookup: Lookup) -> Option<Hit> {
    let when = run.cache_when(unit);
    match lookup {
        Lookup::Hit(hit) => cache::is_worth_keeping(when, hit.code, false).then_some(*hit),
        Lookup::Miss(Miss::Absent) => None,
        Lookup::Miss(Miss::Damaged(diagnostic)) => {
            run.warn(Some(unit), diagnostic);
            None
        }
    }
}

/// Why there is no usable entry of these inputs.
fn reason(
    run: &Run,
    unit: usize,
    store: &dyn Store,
    before: &Fingerprint,
    is_absent: bool,
) -> RunReason {
    let runnable = run.runnable(unit);
    let latest = thread::scope(|scope| {
        if before.file_count() >= FILES_PER_THREAD_MIN {
            // Without a thread it is made when it is asked for.
            drop(thread::Builder::new().spawn_scoped(scope, || before.document()));
        }
        store.latest(&runnable.name, &runnable.command)
    });
    let Some(mut latest) = latest else {
        let has_run = fs::stat(&output_path(&run.job.dirs, &runnable.name)).is_ok();
        return if has_run { RunReason::NotStored } else { RunReason::FirstRun };
    };
    // It may be older than what it shows is secret.
    latest.hide(&run.job.veil);
    let mut changes = diff(&latest, before.document());
    if changes.is_empty() && is_absent && !before.inputs.secrets.is_empty() {
        // Nothing else is part of the digest and not of the document.
        changes.push(Change::Secret { names: before.inputs.secrets.clone() });
    }
    if changes.is_empty() { RunReason::NotKept } else { RunReason::Changed(changes) }
}

/// Why a hit was not replayed.
enum NotReplayed {
    /// It runs instead; why, where no warning says it.
    Runs(Option<RunReason>),
    Later,
}

/// The outcome of a result that was replayed before, if nothing of it has been touched since.
fn recall(run: &Run, unit: usize, store: &dyn Store, key: Key<'_>) -> Option<Outcome> {
    if run.job.graph.runnables.len() < cache::RECALL_COUNT_MIN {
        return None;
    }
    let _stage = tracing::info_span!(target: STAGE, "recall").entered();
    let name = &run.runnable(unit).name;
    let replayed = store.recall(key)?;
    let code = i32::from(replayed.code);
    let log = run.outputs.recall(name, replayed.output)?;
    if !cache::is_worth_keeping(run.cache_when(unit), code, false) {
        return None;
    }
    tracing::info!(target: COUNT, entries_recalled = 1_u64);
    run.events.send(Event::Replaying { runnable: unit });
    let duration = replayed.duration_ms.map(Duration::from_millis);
    Some(replayed_outcome(run, unit, code, duration, log))
}

/// The outcome of a replay.
fn replayed_outcome(
    run: &Run,
    unit: usize,
    code: i32,
    duration: Option<Duration>,
    log: Log,
) -> Outcome {
    run.job.inputs.ended(run.runnable(unit));
    let status = if code == 0 { Status::Replayed } else { Status::ReplayedFailure };
    Outcome { status, code, duration, log, error: None }
}

/// Log and artifacts of a hit, brought back.
fn replay(
    run: &Run,
    unit: usize,
    pace: Pace,
    (store, key): (&dyn Store, Key<'_>),
    hit: &Hit,
) -> Result<Outcome, NotReplayed> {
    let _stage = tracing::info_span!(target: STAGE, "replay").entered();
    if pace == Pace::Quick && !is_at_hand(run, hit) {
        return Err(NotReplayed::Later);
    }
    run.events.send(Event::Replaying { runnable: unit });
    let name = &run.runnable(unit).name;
    if let Err(conflict) = run.owners.claim(name, &hit.manifest().to_list()) {
        run.warn(Some(unit), conflict.diagnostic(name).hint(format!("`{name}` runs instead")));
        return Err(NotReplayed::Runs(None));
    }
    match try_replay(run, unit, pace, hit) {
        Ok((_, Restored::Spared(path))) => {
            // A file that git tracks may hold somebody's work, and only the command can tell.
            let path = path.escaped().into_owned();
            let reason = RunReason::Changed(vec![Change::FileChanged { path }]);
            Err(NotReplayed::Runs(Some(reason)))
        }
        Ok((shown, restored)) => {
            if restored == Restored::Files {
                run.forget_files();
            }
            if let Some(stamp) = shown.held {
                store.learn(key, hit, stamp);
            }
            Ok(replayed_outcome(run, unit, hit.code, hit.duration, shown.log))
        }
        Err(diagnostic) => {
            // A restore that stopped half way has written, too.
            run.forget_files();
            run.warn(Some(unit), diagnostic.hint(format!("`{name}` runs instead")));
            Err(NotReplayed::Runs(None))
        }
    }
}

/// Whether there is little to look at, and nothing to be brought back. An error comes again where
/// it can be told.
fn is_at_hand(run: &Run, hit: &Hit) -> bool {
    hit.size() <= QUICK_BYTES_MAX && hit.is_in_place(&run.job.dirs.root).unwrap_or(false)
}

fn try_replay(
    run: &Run,
    unit: usize,
    pace: Pace,
    hit: &Hit,
) -> Result<(Shown, Restored), Diagnostic> {
    let shown = run.outputs.replay(&run.runnable(unit).name, hit)?;
    if pace == Pace::Quick {
        return Ok((shown, Restored::Nothing));
    }
    let is_spared = |path: &ProjectPath| run.job.inputs.is_tracked(path);
    Ok((shown, hit.restore(&run.job.dirs.root, &is_spared)?))
}
