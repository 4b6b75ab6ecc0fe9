//! One runnable, after its command has ended: fingerprint again → store. Blocks.

use std::fs::File;

use super::job::Run;
use super::log_file::WrittenLog;
use super::process::Exit;
use super::{Outcome, Status};
use crate::cache::{self, Manifest, NewEntry};
use crate::error::{Code, Diagnostic};
use crate::hash::{ArtifactList, Change, Document, Fingerprint, diff};
use crate::sys::timings::STAGE;

/// Changes that a warning names.
const NAMED_COUNT_MAX: usize = 3;

/// A command that has ended, and what it wrote.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) log: WrittenLog,
    pub(super) wrote: Wrote,
}

/// What may be other than it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    /// Whatever a command likes to write.
    Anything,
    /// An artifact that git does not track: qik itself has done it.
    Artifact,
}

/// Makes the most of a command's end: its outcome, its artifacts for downstreams, and an entry.
///
/// `before` are its inputs when it started; without them nothing is stored.
pub(super) fn conclude(
    run: &Run,
    unit: usize,
    before: Option<&Fingerprint>,
    ended: Ended,
) -> Outcome {
    let _stage = tracing::info_span!(target: STAGE, "keep results").entered();
    let Ended { exit, log: WrittenLog { log, file }, wrote } = ended;
    match wrote {
        Wrote::Anything => run.forget_files(),
        Wrote::Artifact => run.forget_artifacts(),
    }
    let outcome = |status| Outcome {
        status,
        code: exit.code,
        duration: Some(exit.duration),
        log,
        error: None,
    };
    if run.stop.is_asked() {
        return outcome(Status::Interrupted);
    }
    if before.is_some() {
        run.note_unmatched(unit);
    }
    let artifacts = collect(run, unit, exit.code);
    if let Some(artifacts) = &artifacts {
        run.owners.take(&run.runnable(unit).name, &artifacts.to_list());
    }
    let file = file.map_err(|diagnostic| run.warn_once("output", Some(unit), diagnostic)).ok();
    if let (Some(before), Some(artifacts), Some(mut file)) = (before, &artifacts, file)
        && is_worth_keeping(run, unit, &exit)
    {
        store(run, unit, before, &mut Made { exit: &exit, artifacts, log: &mut file });
    }
    run.job.inputs.ended(run.runnable(unit));
    outcome(if exit.code == 0 { Status::Succeeded } else { Status::Failed })
}

/// What a command made; `None` if it cannot be told.
fn collect(run: &Run, unit: usize, code: i32) -> Option<Manifest> {
    let runnable = run.runnable(unit);
    match run.collect(&runnable.name, &runnable.artifacts) {
        Ok(artifacts) => {
            if code == 0 && !artifacts.unmatched.is_empty() {
                run.warn(Some(unit), unmatched(runnable.name.as_str(), &artifacts.unmatched));
            }
            Some(artifacts)
        }
        Err(diagnostic) => {
            run.warn(Some(unit), diagnostic.hint(format!("`{}` is not cached", runnable.name)));
            None
        }
    }
}

fn unmatched(name: &str, patterns: &[String]) -> Diagnostic {
    let patterns: Vec<String> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
    Diagnostic::new(
        Code::CacheFailed,
        format!("`{name}` succeeded, but nothing matches its artifacts {}", patterns.join(", ")),
    )
}

fn is_worth_keeping(run: &Run, unit: usize, exit: &Exit) -> bool {
    // A shell reports a signal that ended its own command in this way.
    let is_killed = exit.is_killed || (129..=128 + 64).contains(&exit.code);
    cache::is_worth_keeping(run.cache_when(unit), exit.code, is_killed)
}

/// What there is to be stored.
struct Made<'a> {
    exit: &'a Exit,
    artifacts: &'a Manifest,
    log: &'a mut File,
}

/// Stores a result, unless something else may have changed its inputs meanwhile.
fn store(run: &Run, unit: usize, before: &Fingerprint, made: &mut Made<'_>) {
    let runnable = run.runnable(unit);
    let cache = runnable.cache.as_deref().unwrap_or_default();
    let Some(store) = run.job.stores.find(cache) else { return };
    let Ok(lists) = run.upstream_lists(unit) else { return };
    let after = match run.job.inputs.fingerprint(runnable, lists) {
        Ok(after) => after,
        Err(error) => {
            let hint = format!("`{}` is not cached", runnable.name);
            return run.warn(Some(unit), error.0.hint(hint));
        }
    };
    let is_same = before.digest() == after.digest();
    let document = if is_same { before.document() } else { after.document() };
    if !is_same && !runnable.rewrites {
        let foreign = foreign_changes(before.document(), document, &made.artifacts.to_list());
        if !foreign.is_empty() {
            return run.warn(Some(unit), changed_meanwhile(runnable.name.as_str(), &foreign));
        }
    }
    // Looked at last: a command may have obeyed a signal that we heard of only now.
    if run.stop.is_asked() {
        return;
    }
    let entry = NewEntry {
        code: made.exit.code,
        duration: made.exit.duration,
        log: made.log,
        artifacts: made.artifacts,
        fingerprint: document,
    };
    tracing::debug!(runnable = %runnable.name, digest = %after.digest(), "stores");
    if let Err(diagnostic) = store.store(run.key(unit, after.digest()), entry) {
        run.warn_once(&format!("store {cache}"), Some(unit), diagnostic);
    }
}

/// The changes that are not the writing of a command's own artifacts.
fn foreign_changes(before: &Document, after: &Document, own: &ArtifactList) -> Vec<Change> {
    let is_own = |change: &Change| match change {
        Change::FileChanged { path }
        | Change::FileAdded { path }
        | Change::UpstreamArtifact { path, .. } => own.contains_key(path),
        _ => false,
    };
    let mut changes = diff(before, after);
    if changes.is_empty() {
        // The digests differ although no input does: no reason to trust either.
        changes.push(Change::Version);
    }
    changes.retain(|change| !is_own(change));
    changes
}

fn changed_meanwhile(name: &str, changes: &[Change]) -> Diagnostic {
    let mut causes: Vec<String> =
        changes.iter().take(NAMED_COUNT_MAX).map(ToString::to_string).collect();
    if changes.len() > NAMED_COUNT_MAX {
        causes.push(format!("{} more", changes.len() - NAMED_COUNT_MAX));
    }
    Diagnostic::new(
        Code::CacheFailed,
        format!("`{name}` is not cached: its inputs changed while it ran"),
    )
    .because(causes.join(", "))
    .hint(format!("if `{name}` itself rewrites them, set `rewrites = true` on it"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::hash::{Inputs, VERSION};

    fn document(files: &[(&str, &str)]) -> Document {
        let files = files.iter().map(|(path, id)| ((*path).to_owned(), (*id).to_owned())).collect();
        Document { version: VERSION, inputs: Inputs::default(), files }
    }

    #[track_caller]
    fn check(before: &[(&str, &str)], after: &[(&str, &str)], own: &[&str], expected: &[&str]) {
        let own: BTreeMap<_, _> =
            own.iter().map(|path| ((*path).to_owned(), String::new())).collect();
        let foreign = foreign_changes(&document(before), &document(after), &own);
        assert_eq!(foreign.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_command_may_write_its_own_artifacts() {
        check(&[("a", "1")], &[("a", "2")], &["a"], &[]);
        check(&[], &[("a", "2")], &["a"], &[]);
    }

    #[test]
    fn whatever_else_changes_is_foreign() {
        check(&[("a", "1")], &[("a", "2")], &["b"], &["`a` changed"]);
        check(&[("a", "1"), ("b", "1")], &[("a", "2"), ("b", "2")], &["b"], &["`a` changed"]);
        check(&[("a", "1")], &[], &["a"], &["`a` gone"]);
    }

    #[test]
    fn a_warning_names_the_first_changes() {
        let change = |path: &str| Change::FileChanged { path: path.to_owned() };
        let diagnostic = changed_meanwhile("lint", &["a", "b", "c", "d", "e"].map(change));
        assert_eq!(diagnostic.causes, ["`a` changed, `b` changed, `c` changed, 2 more"]);
    }
}
