//! What a session does when things have settled: it runs what is affected, or loads anew.

use std::collections::BTreeSet;

use super::memory::Affected;
use super::project::{Project, configuration};
use super::round::{Orders, Round};
use super::session::{Ask, Ending, Phase, Session};
use crate::cli::WatchMode;
use crate::error::{Code, Diagnostic, Result};
use crate::plan::RunnableName;
use crate::sys::clock;
use crate::watch::{Batch, Change, Next, Saves, Touch, candidates, input_name, is_large, summary};

/// So many rounds in a row may be stopped to be started anew before one is let to its end.
const RESTART_COUNT_MAX: usize = 20;

/// A configuration that changes while it is loaded is loaded again, but not for ever.
const LOAD_COUNT_MAX: usize = 3;

/// So often it is looked for what came before it was watched; then other things have their turn.
const LOOK_COUNT_MAX: usize = 3;

impl Session<'_> {
    /// Acts on what has settled.
    pub(super) fn advance(&mut self) {
        let now = clock::instant();
        if let Some(mut batch) = self.settle.take(|| self.project.scope.index_lock(), now) {
            if matches!(self.phase, Phase::Idle) {
                self.chain.note(&mut batch, self.source.delay(), now);
                self.act(batch, &BTreeSet::new());
            } else {
                self.keep(batch);
            }
        }
        if matches!(self.phase, Phase::Idle)
            && let Some(batch) = self.chain.wake(now)
        {
            self.act(batch, &BTreeSet::new());
        }
        let is_quiet = self.settle.is_empty();
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Settling { round, until } if until <= now && is_quiet => self.conclude(&round),
            phase => self.phase = phase,
        }
    }

    /// Keeps what changed during a round for when it has ended; or stops the round for it.
    fn keep(&mut self, batch: Batch) {
        let may_restart = self.restarts() && self.restart_count < RESTART_COUNT_MAX;
        let is_obsolete = may_restart && self.is_obsolete(&batch);
        self.pending.join(batch);
        if is_obsolete {
            self.stop(Ending::Anew);
        }
    }

    /// Whether a running round works on inputs, or for a configuration, that are no more.
    fn is_obsolete(&self, batch: &Batch) -> bool {
        let Phase::Running { round, ending: None } = &self.phase else { return false };
        if self.is_configured_anew(batch) {
            return true;
        }
        self.project.world().forget_files();
        round.graph.ids().any(|id| self.memory.is_obsolete(round, &self.saves, id))
    }

    /// A round is over and all that it wrote has been noticed.
    pub(super) fn conclude(&mut self, round: &Round) {
        let again = self.memory.learn(round, &self.saves);
        self.saves = Saves::default();
        self.chain.settle(clock::instant());
        let batch = std::mem::take(&mut self.pending);
        self.act(batch, &again);
    }

    /// Runs what a batch affects and what has to run again; nothing may be running.
    pub(super) fn act(&mut self, mut batch: Batch, again: &BTreeSet<RunnableName>) {
        batch.join(std::mem::take(&mut self.pending));
        if let Err(error) = self.look(&mut batch) {
            // It is looked at again with whatever is noticed next.
            self.pending.join(batch);
            self.show.error(&error);
            return self.show.idle();
        }
        if self.is_broken {
            return self.show.idle();
        }
        if let Some(ask) = self.asked.take() {
            self.chain.forget();
            self.show.rule(match ask {
                Ask::Rerun => "rerun",
                Ask::Force => "forced",
            });
            return self.begin_all(ask == Ask::Force);
        }
        let affected = self.affected(&batch, again);
        if affected.is_empty() {
            return self.show.idle();
        }
        match self.chain.decide() {
            Next::Round => {}
            Next::Rest => {
                self.chain.rest(batch, clock::instant());
                return self.show.idle();
            }
            Next::End => {
                self.memory.accept(&self.project, &affected);
                let warning = self.endless(&batch, &affected);
                self.show.warning(&warning);
                return self.show.idle();
            }
        }
        let cause = self.cause(&batch, &affected);
        self.show.rule(&cause);
        self.begin(&affected);
    }

    /// Brings the project, and what is watched of it, in line with what a batch may have changed,
    /// and adds to the batch what that turns up.
    pub(super) fn look(&mut self, batch: &mut Batch) -> Result<()> {
        // What broke it may be something else than a file of the configuration.
        let mut tries_again = self.is_broken && (batch.is_anything || self.asked.is_some());
        for _ in 0..LOOK_COUNT_MAX {
            if std::mem::take(&mut tries_again) || self.is_configured_anew(batch) {
                match self.load_again() {
                    Ok(()) => batch.is_anything = true,
                    Err(error) => self.show.error(&error),
                }
            }
            // What came before it was watched was noticed by nobody.
            if !self.project.refresh(batch)? || !self.sync() {
                return Ok(());
            }
        }
        self.settle.note(Change::Anything, Touch::Other, clock::instant());
        Ok(())
    }

    /// Who is affected by a batch; those who are to run again among them.
    fn affected(&mut self, batch: &Batch, again: &BTreeSet<RunnableName>) -> Affected {
        let project = &self.project;
        let mut found = candidates(&project.reaches, batch);
        if !project.installing.is_empty() {
            // They are looked at when the installation is complete.
            found.retain(|id| project.reaches[id.0].distributions.is_empty());
        }
        for id in project.graph.ids() {
            if again.contains(&project.graph.runnable(id).name) {
                found.insert(id);
            }
        }
        found.extend(self.memory.unfinished(&project.graph));
        self.memory.affected(project, found)
    }

    /// Runs the whole selection.
    pub(super) fn begin_all(&mut self, is_forced: bool) {
        let all = self.project.graph.ids().collect();
        if is_forced { self.start(&all, None) } else { self.begin(&all) }
    }

    fn begin(&mut self, affected: &Affected) {
        let graph = &self.project.graph;
        let runnables = affected.iter().map(|id| graph.runnable(*id));
        let forced = runnables.filter(|runnable| self.memory.is_forced(runnable));
        let forced = forced.map(|runnable| runnable.name.clone()).collect();
        let is_forced = self.project.loaded.settings.forces;
        self.start(affected, (!is_forced).then_some(forced));
    }

    fn start(&mut self, affected: &Affected, forced: Option<BTreeSet<RunnableName>>) {
        let set = self.memory.run_set(&self.project.graph, affected);
        let graph = &self.project.graph;
        if set.iter().any(|id| graph.runnable(*id).cache.is_some()) {
            self.project.world().forget_files();
        }
        let orders = Orders { set, forced };
        self.saves = Saves::default();
        self.show.clear();
        let round = Round::start(&self.project, &orders, &self.sender, (self.sys, self.ui));
        self.phase = Phase::Running { round, ending: None };
    }

    /// Loads the configuration and watches what it asks for. What is there in the end was loaded
    /// when all of it was watched already.
    fn load_again(&mut self) -> Result<()> {
        let mut loaded = Ok(());
        for _ in 0..LOAD_COUNT_MAX {
            self.sync();
            self.configuration = configuration(&self.project.loaded);
            let opened = (self.reload)().and_then(|loaded| Project::open(loaded, self.sys));
            loaded = opened.map(|project| {
                self.memory.forget_redefined(&self.project.graph, &project.graph);
                self.project = project;
            });
            if let Err(error) = &loaded {
                self.project.blame(error)?;
            }
            self.sync();
            if configuration(&self.project.loaded) == self.configuration {
                break;
            }
        }
        self.show_warnings();
        self.is_broken = loaded.is_err();
        loaded
    }

    /// Shows what kept the caches from answering when the selection was made.
    pub(super) fn show_warnings(&mut self) {
        for warning in std::mem::take(&mut self.project.warnings) {
            self.show.warning(&warning);
        }
    }

    /// Watches what the project asks for. Gives whether there is something new among it.
    pub(super) fn sync(&mut self) -> bool {
        let scope = &self.project.scope;
        let (is_more, warning) = self.source.sync(scope.folders(), || scope.files());
        if let Some(warning) = warning {
            self.show.warning(&warning);
        }
        is_more
    }

    /// Whether a file of the configuration has another content than when it was loaded.
    fn is_configured_anew(&self, batch: &Batch) -> bool {
        (batch.is_anything || !batch.configuration.is_empty())
            && configuration(&self.project.loaded) != self.configuration
    }

    /// Whether a round that works on what is no more is stopped.
    pub(super) fn restarts(&self) -> bool {
        self.project.loaded.settings.watch == Some(WatchMode::Restart)
    }

    fn cause(&self, batch: &Batch, affected: &Affected) -> String {
        let inputs = if is_large(batch) {
            let worktree = &self.project.worktree;
            batch.files.iter().map(|path| input_name(worktree, path)).collect()
        } else {
            self.project.inputs_in(batch, affected.iter().copied())
        };
        let inputs = if inputs.is_empty() { &batch.configuration } else { &inputs };
        match summary(inputs.iter().map(String::as_str)) {
            text if !text.is_empty() => text,
            _ if batch.has_distributions => "distributions".to_owned(),
            _ => "folders".to_owned(),
        }
    }

    fn endless(&self, batch: &Batch, affected: &Affected) -> Diagnostic {
        let names = affected.iter().map(|id| self.project.graph.runnable(*id).name.as_str());
        Diagnostic::new(
            Code::WatchLimited,
            format!("{}: not run again for what changed meanwhile", summary(names)),
        )
        .because(format!(
            "{} runs in a row changed {}",
            self.chain.length(),
            self.cause(batch, affected)
        ))
        .hint("press `r` or save a file to run again")
    }
}
