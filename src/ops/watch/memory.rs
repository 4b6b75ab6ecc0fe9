//! What is known of each runnable's latest result, and who is affected by what changed since.

use std::collections::{BTreeMap, BTreeSet};

use super::project::Project;
use super::round::Round;
use crate::exec::Status;
use crate::hash::Digest;
use crate::plan::{Graph, Runnable, RunnableId, RunnableName};
use crate::watch::{Bursts, Cause, Habits, Observed, closure};

/// Memory of a session.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The inputs that the latest result of a runnable stands for.
    known: BTreeMap<RunnableName, Digest>,
    habits: Habits,
    /// Skipped because of a failure upstream: they run when what failed runs again.
    owed: BTreeSet<RunnableName>,
    /// Rounds are stopped to be started anew: what was not done then is to be done.
    unfinished: BTreeSet<RunnableName>,
    /// Commands that rewrite their inputs, and whose results do not stand for an edit that was
    /// made meanwhile.
    forced: BTreeSet<RunnableName>,
}

/// Runnables that are affected, each with what it is affected by.
pub(super) type Affected = BTreeMap<RunnableId, Cause>;

impl Memory {
    /// Takes a round for known. Gives the runnables whose inputs somebody else changed meanwhile.
    pub(super) fn learn(&mut self, round: &Round, bursts: &Bursts) -> BTreeSet<RunnableName> {
        let mut again = BTreeSet::new();
        for (runnable, status) in round.graph.runnables.iter().zip(&round.statuses) {
            let name = &runnable.name;
            self.owed.remove(name);
            self.unfinished.remove(name);
            self.forced.remove(name);
            match status {
                Status::Skipped | Status::Interrupted | Status::Pending if round.is_stopped => {
                    self.note_unfinished(round, runnable, bursts);
                }
                Status::Skipped | Status::Interrupted | Status::Pending => {
                    self.owed.insert(name.clone());
                }
                Status::Succeeded | Status::Failed | Status::Replayed | Status::ReplayedFailure => {
                    if !self.learn_one(round, runnable, bursts) {
                        again.insert(name.clone());
                    }
                }
            }
        }
        again
    }

    /// Gives whether the result stands for the inputs as they were when the runnable had ended.
    fn learn_one(&mut self, round: &Round, runnable: &Runnable, bursts: &Bursts) -> bool {
        let record = round.recording.of(&runnable.name);
        let Some(before) = record.before else { return true };
        let after = record.after.unwrap_or_else(|| before.clone());
        let mut changed = before.changed(&after);
        changed.retain(|input| !record.artifacts.contains(input));
        let is_own = self.judge(round, runnable, changed, bursts).is_empty();
        let known = if is_own { after } else { before };
        self.known.insert(runnable.name.clone(), known.digest);
        if !is_own && runnable.rewrites {
            self.forced.insert(runnable.name.clone());
        }
        is_own
    }

    /// A command that was stopped may have written its own inputs by then, too.
    fn note_unfinished(&mut self, round: &Round, runnable: &Runnable, bursts: &Bursts) {
        self.unfinished.insert(runnable.name.clone());
        if let Some(before) = round.recording.of(&runnable.name).before {
            let changed = before.changed(&round.now(runnable));
            drop(self.judge(round, runnable, changed, bursts));
        }
    }

    fn judge(
        &mut self,
        round: &Round,
        runnable: &Runnable,
        changed: BTreeSet<String>,
        bursts: &Bursts,
    ) -> Vec<String> {
        let changed = with_bursts(changed, bursts);
        let observed = observed(round, runnable, &changed);
        let foreign = self.habits.foreign(&observed).into_iter().map(str::to_owned).collect();
        self.habits.note(&observed);
        foreign
    }

    /// Whether a runnable of a running round works on inputs that somebody else has changed since.
    pub(super) fn is_obsolete(&self, round: &Round, bursts: &Bursts, id: RunnableId) -> bool {
        let runnable = round.graph.runnable(id);
        let record = round.recording.of(&runnable.name);
        let Some(before) = record.before else { return false };
        let is_done = record.after.is_some();
        if is_done && !round.is_waited_for(id) {
            // Its turn comes when the round has ended.
            return false;
        }
        let mut changed = record.after.unwrap_or(before).changed(&round.now(runnable));
        changed.retain(|input| !record.artifacts.contains(input));
        let changed = with_bursts(changed, bursts);
        if is_done {
            return !changed.is_empty();
        }
        !self.habits.foreign(&observed(round, runnable, &changed)).is_empty()
    }

    /// Those of the candidates whose inputs are not what their latest result stands for.
    pub(super) fn affected(&self, project: &Project, candidates: Affected) -> Affected {
        let is_affected = |runnable: &Runnable| {
            let is_known = self.known.get(&runnable.name) == Some(&project.now(runnable).digest);
            !is_known || self.unfinished.contains(&runnable.name)
        };
        candidates.into_iter().filter(|(id, _)| is_affected(project.graph.runnable(*id))).collect()
    }

    /// Takes the inputs of these as they are for what their latest result stands for.
    pub(super) fn accept(&mut self, project: &Project, affected: &Affected) {
        for id in affected.keys() {
            let runnable = project.graph.runnable(*id);
            self.known.insert(runnable.name.clone(), project.now(runnable).digest);
        }
    }

    /// All that runs for these: with strict downstreams and upstreams, and with what is owed.
    pub(super) fn run_set(&self, graph: &Graph, affected: &Affected) -> BTreeSet<RunnableId> {
        let mut set = closure(graph, affected.keys().copied().collect());
        for id in graph.topological() {
            let runnable = graph.runnable(id);
            let runs = |upstream: RunnableId| set.contains(&upstream);
            if self.owed.contains(&runnable.name)
                && runnable.upstreams.iter().filter_map(|upstream| upstream.id).any(runs)
            {
                set.insert(id);
            }
        }
        closure(graph, set)
    }

    pub(super) fn is_forced(&self, runnable: &Runnable) -> bool {
        self.forced.contains(&runnable.name)
    }

    /// The runnables of a round that was stopped to be started anew.
    pub(super) fn unfinished(&self, graph: &Graph) -> Affected {
        let is_unfinished = |id: &RunnableId| self.unfinished.contains(&graph.runnable(*id).name);
        graph.ids().filter(is_unfinished).map(|id| (id, None)).collect()
    }

    /// The configuration was loaded anew: what ran under another definition says nothing now.
    pub(super) fn forget_redefined(&mut self, before: &Graph, after: &Graph) {
        let definitions: BTreeMap<_, _> = after
            .runnables
            .iter()
            .map(|runnable| (&runnable.name, (&runnable.exec, runnable.rewrites)))
            .collect();
        for runnable in &before.runnables {
            let name = &runnable.name;
            let is_same = definitions.get(name) == Some(&(&runnable.exec, runnable.rewrites));
            if !is_same {
                self.habits.forget(name);
            }
            if !definitions.contains_key(name) {
                self.known.remove(name);
                self.owed.remove(name);
                self.unfinished.remove(name);
                self.forced.remove(name);
            }
        }
    }
}

fn with_bursts(inputs: BTreeSet<String>, bursts: &Bursts) -> BTreeMap<String, u32> {
    inputs.into_iter().map(|input| (input.clone(), bursts.of(&input))).collect()
}

fn observed<'a>(
    round: &'a Round,
    runnable: &'a Runnable,
    changed: &'a BTreeMap<String, u32>,
) -> Observed<'a> {
    Observed {
        runnable: &runnable.name,
        rewrites: runnable.rewrites,
        cause: round.causes.get(&runnable.name).and_then(Option::as_ref),
        changed,
    }
}
