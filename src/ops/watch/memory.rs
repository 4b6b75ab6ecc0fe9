//! What is known of each runnable's latest result, and who is affected by what changed since.

use std::collections::{BTreeMap, BTreeSet};

use super::project::Project;
use super::record::State;
use super::round::Round;
use crate::exec::Status;
use crate::hash::Digest;
use crate::plan::{Graph, Runnable, RunnableId, RunnableName};
use crate::select;
use crate::watch::{Habits, Observed, Saves};

/// Memory of a session.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: BTreeMap<RunnableName, Known>,
    habits: Habits,
    /// Skipped because of a failure upstream: they run when what failed runs again.
    owed: BTreeSet<RunnableName>,
    /// Rounds are stopped to be started anew: what was not done then is to be done.
    unfinished: BTreeSet<RunnableName>,
    /// Commands that rewrite their inputs, and whose results do not stand for an edit that was
    /// made meanwhile.
    forced: BTreeSet<RunnableName>,
}

/// The inputs that the latest result of a runnable stands for.
#[derive(Debug)]
struct Known {
    digest: Digest,
    /// All of them, of a command that rewrites its inputs. To keep them of everybody would keep
    /// many an index in memory.
    state: Option<State>,
}

impl Known {
    fn new(runnable: &Runnable, state: State) -> Self {
        Self { digest: state.digest, state: runnable.rewrites.then_some(state) }
    }
}

/// Runnables that are affected.
pub(super) type Affected = BTreeSet<RunnableId>;

impl Memory {
    /// Takes a round for known. Gives the runnables whose inputs somebody else changed meanwhile.
    pub(super) fn learn(&mut self, round: &Round, saves: &Saves) -> BTreeSet<RunnableName> {
        let mut again = BTreeSet::new();
        for (runnable, status) in round.graph.runnables.iter().zip(&round.statuses) {
            let name = &runnable.name;
            self.owed.remove(name);
            self.unfinished.remove(name);
            self.forced.remove(name);
            match status {
                Status::Skipped | Status::Interrupted | Status::Pending if round.is_stopped => {
                    self.note_unfinished(round, runnable, saves);
                }
                Status::Skipped | Status::Interrupted | Status::Pending => {
                    self.owed.insert(name.clone());
                }
                Status::Succeeded | Status::Failed | Status::Replayed | Status::ReplayedFailure => {
                    if !self.learn_one(round, runnable, saves) {
                        again.insert(name.clone());
                    }
                }
            }
        }
        again
    }

    /// Gives whether the result stands for the inputs as they were when the runnable had ended.
    fn learn_one(&mut self, round: &Round, runnable: &Runnable, saves: &Saves) -> bool {
        let record = round.recording.of(&runnable.name);
        let Some(before) = record.before else { return true };
        let after = record.after.unwrap_or_else(|| before.clone());
        let mut changed = before.changed(&after);
        changed.retain(|input| !record.artifacts.contains(input));
        let is_own = self.judge(runnable, (&before, changed), saves).is_empty();
        let known = Known::new(runnable, if is_own { after } else { before });
        self.known.insert(runnable.name.clone(), known);
        if !is_own && runnable.rewrites {
            self.forced.insert(runnable.name.clone());
        }
        is_own
    }

    /// A command that was stopped may have written its own inputs by then, too.
    fn note_unfinished(&mut self, round: &Round, runnable: &Runnable, saves: &Saves) {
        self.unfinished.insert(runnable.name.clone());
        if let Some(before) = round.recording.of(&runnable.name).before {
            let changed = before.changed(&round.now(runnable));
            drop(self.judge(runnable, (&before, changed), saves));
        }
    }

    /// Remembers what became of a runnable's inputs since they were as given. Gives the changes
    /// that were not its own.
    fn judge(
        &mut self,
        runnable: &Runnable,
        (before, changed): (&State, BTreeSet<String>),
        saves: &Saves,
    ) -> Vec<String> {
        let changed = with_saves(changed, saves);
        let cause = self.cause(runnable, before);
        let observed = observed(runnable, cause.as_ref(), &changed);
        let foreign = self.habits.foreign(&observed).into_iter().map(str::to_owned).collect();
        self.habits.note(&observed);
        foreign
    }

    /// What had changed when a command that rewrites its inputs was started; `None` if there is
    /// nothing to compare with.
    fn cause(&self, runnable: &Runnable, before: &State) -> Option<BTreeSet<String>> {
        let known = self.known.get(&runnable.name)?;
        Some(known.state.as_ref()?.changed(before))
    }

    /// Whether a runnable of a running round works on inputs that somebody else has changed since.
    pub(super) fn is_obsolete(&self, round: &Round, saves: &Saves, id: RunnableId) -> bool {
        let runnable = round.graph.runnable(id);
        let record = round.recording.of(&runnable.name);
        let Some(before) = record.before else { return false };
        let is_done = record.after.is_some();
        if is_done && !round.is_waited_for(id) {
            // Its turn comes when the round has ended.
            return false;
        }
        let since = record.after.as_ref().unwrap_or(&before);
        let mut changed = since.changed(&round.now(runnable));
        changed.retain(|input| !record.artifacts.contains(input));
        let changed = with_saves(changed, saves);
        if is_done {
            return !changed.is_empty();
        }
        let cause = self.cause(runnable, &before);
        !self.habits.foreign(&observed(runnable, cause.as_ref(), &changed)).is_empty()
    }

    /// Those of the candidates whose inputs are not what their latest result stands for.
    pub(super) fn affected(&self, project: &Project, mut candidates: Affected) -> Affected {
        candidates.retain(|id| {
            let runnable = project.graph.runnable(*id);
            let known = self.known.get(&runnable.name).map(|known| known.digest);
            self.unfinished.contains(&runnable.name) || known != Some(project.now(runnable).digest)
        });
        candidates
    }

    /// Takes the inputs of these as they are for what their latest result stands for.
    pub(super) fn accept(&mut self, project: &Project, affected: &Affected) {
        for id in affected {
            let runnable = project.graph.runnable(*id);
            let known = Known::new(runnable, project.now(runnable));
            self.known.insert(runnable.name.clone(), known);
        }
    }

    /// All that runs for these: with strict downstreams and upstreams, and with what is owed.
    pub(super) fn run_set(&self, graph: &Graph, affected: &Affected) -> BTreeSet<RunnableId> {
        let all = graph.ids().collect();
        let mut set = select::with_streams(graph, affected.clone(), &all);
        for id in graph.topological() {
            let runnable = graph.runnable(id);
            let runs = |upstream: RunnableId| set.contains(&upstream);
            if self.owed.contains(&runnable.name)
                && runnable.upstreams.iter().filter_map(|upstream| upstream.id).any(runs)
            {
                set.insert(id);
            }
        }
        select::with_upstreams(graph, set, &all)
    }

    pub(super) fn is_forced(&self, runnable: &Runnable) -> bool {
        self.forced.contains(&runnable.name)
    }

    /// The runnables of a round that was stopped to be started anew.
    pub(super) fn unfinished(&self, graph: &Graph) -> Affected {
        let is_unfinished = |id: &RunnableId| self.unfinished.contains(&graph.runnable(*id).name);
        graph.ids().filter(is_unfinished).collect()
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

fn with_saves(inputs: BTreeSet<String>, saves: &Saves) -> BTreeMap<String, u32> {
    inputs.into_iter().map(|input| (input.clone(), saves.of(&input))).collect()
}

fn observed<'a>(
    runnable: &'a Runnable,
    cause: Option<&'a BTreeSet<String>>,
    changed: &'a BTreeMap<String, u32>,
) -> Observed<'a> {
    let (name, rewrites) = (&runnable.name, runnable.rewrites);
    Observed { runnable: name, rewrites, cause, changed }
}
