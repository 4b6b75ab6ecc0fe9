//! A loaded project as it is watched: its selection, and how far its inputs reach.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::record::State;
use crate::error::{Diagnostic, Error, Result, RunnableError};
use crate::git::Worktree;
use crate::hash::{Reach, World};
use crate::ops::check;
use crate::ops::load::Loaded;
use crate::ops::probe::WorkspaceProbe;
use crate::ops::workspace::{Workspace, no_repository};
use crate::paths::AbsPath;
use crate::plan::{Graph, Runnable, RunnableId};
use crate::select;
use crate::sys::{Sys, fs};
use crate::watch::{Batch, Scope, inputs_in};

/// Content of the files of a configuration; `None` where there is none.
pub(super) type Configuration = BTreeMap<String, Option<Vec<u8>>>;

/// A project that is watched.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) loaded: Loaded,
    pub(super) workspace: Workspace,
    pub(super) worktree: Arc<Worktree>,
    /// The selection.
    pub(super) graph: Arc<Graph>,
    /// By runnable of the graph.
    pub(super) reaches: Vec<Reach>,
    pub(super) scope: Scope,
    /// Folders of distributions that appeared and are not complete yet.
    pub(super) installing: BTreeSet<AbsPath>,
    /// What kept the caches from answering when the selection was made.
    pub(super) warnings: Vec<Diagnostic>,
}

impl Project {
    /// Selects, and finds out what has to be watched for the selection.
    pub(super) fn open(loaded: Loaded, sys: &Sys) -> Result<Self> {
        let probe = WorkspaceProbe::new(&loaded, sys);
        let graph = select::apply(&loaded.planner(), &loaded.selectors(), &probe)?;
        let warnings = probe.take_warnings();
        check::patterns(&loaded, &graph)?;
        let workspace = probe.into_workspace()?;
        workspace.check_caches(&graph)?;
        let Some(worktree) = workspace.worktree.clone() else {
            let why = "`--watch` looks at the files that git tracks";
            return Err(no_repository(&loaded).because(why).into());
        };
        let reaches = reaches(&workspace.world, &graph);
        let files = &loaded.project.files;
        let root = &loaded.dirs.root;
        let scope = Scope::new(root, &worktree, &reaches, files)?;
        Ok(Self {
            graph: Arc::new(graph),
            loaded,
            workspace,
            worktree,
            reaches,
            scope,
            installing: BTreeSet::new(),
            warnings,
        })
    }

    pub(super) fn world(&self) -> &World {
        &self.workspace.world
    }

    /// A runnable's inputs as they are now.
    pub(super) fn now(&self, runnable: &Runnable) -> State {
        State::now(self.world(), runnable)
    }

    /// Has the files watched, too, that are to blame for an error: some may not be known yet.
    pub(super) fn blame(&mut self, error: &Error) -> Result<()> {
        let files = &mut self.loaded.project.files;
        for place in error.diagnostics().iter().filter_map(|found| found.place.as_ref()) {
            if !files.contains(&place.source.name) {
                files.push(place.source.name.clone());
            }
        }
        self.scope = self.new_scope()?;
        Ok(())
    }

    fn new_scope(&self) -> Result<Scope, RunnableError> {
        let (root, files) = (&self.loaded.dirs.root, &self.loaded.project.files);
        Scope::new(root, &self.worktree, &self.reaches, files)
    }

    /// Looks at the index, at `load` deps and at folders again, as far as the batch says that
    /// they may have changed, and adds to the batch what the index says. Gives whether something
    /// else is to be watched now.
    pub(super) fn refresh(&mut self, batch: &mut Batch) -> Result<bool> {
        if batch.is_plain() {
            // What is told to have changed is all that has: this only decides who runs. Whoever
            // is looked up in a cache is looked at again, whatever was told.
            self.world().forget_paths(batch.files.iter().map(Vec::as_slice));
        } else {
            self.world().forget_files();
        }
        let mut is_other = batch.has_folders;
        if batch.has_index || batch.is_anything {
            let index = self.worktree.index()?;
            let differences = self.scope.index().differences(&index);
            is_other |= !differences.is_empty();
            batch.files.extend(differences);
        }
        if !batch.settings.is_empty() || batch.has_folders {
            self.reaches = reaches(self.world(), &self.graph);
            is_other = true;
        }
        if batch.files.iter().any(|path| is_source(path)) {
            // What is imported may be of other distributions now.
            let reaches = reaches(self.world(), &self.graph);
            let pairs = || reaches.iter().zip(&self.reaches);
            is_other |= pairs().any(|(now, known)| now.distributions != known.distributions);
            self.reaches = reaches;
        }
        if is_other {
            let scope = self.new_scope()?;
            let unfinished = scope.unfinished_distributions();
            self.installing.extend(unfinished.difference(self.scope.folders()).cloned());
            self.scope = scope;
        }
        if !self.installing.is_empty() {
            // A distribution counts as installed when the last of its files is there.
            let unfinished = self.scope.unfinished_distributions();
            self.installing.retain(|folder| unfinished.contains(folder));
        }
        Ok(is_other)
    }

    /// The inputs of some runnables that are in a batch.
    pub(super) fn inputs_in(
        &self,
        batch: &Batch,
        runnables: impl Iterator<Item = RunnableId>,
    ) -> BTreeSet<String> {
        runnables.flat_map(|id| inputs_in(&self.reaches[id.0], &self.worktree, batch)).collect()
    }
}

fn is_source(path: &[u8]) -> bool {
    path.ends_with(b".py") || path.ends_with(b".pyi")
}

/// The content of the configuration's files now.
pub(super) fn configuration(loaded: &Loaded) -> Configuration {
    let root = &loaded.dirs.root;
    let read = |path: &String| (path.clone(), fs::read(root.join(path).as_path()).ok());
    loaded.project.files.iter().map(read).collect()
}

fn reaches(world: &World, graph: &Graph) -> Vec<Reach> {
    graph.runnables.iter().map(|runnable| world.reach(runnable)).collect()
}
