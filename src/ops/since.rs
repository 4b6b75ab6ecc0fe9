//! What has changed since a ref: files, and the definitions of commands.

use std::collections::BTreeMap;

use super::load::Loaded;
use super::workspace::{Workspace, no_repository};
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::git::{Commit, Worktree};
use crate::plan::{Dep, Isolation, Planner, Runnable, RunnableName, build};
use crate::space::Spaces;
use crate::sys::Sys;

/// The difference between a commit and the work tree.
#[derive(Debug)]
pub(super) struct Changes {
    /// Changed paths, relative to the git root.
    pub(super) paths: Vec<Vec<u8>>,
    /// The definitions at the commit; `None` where no file of the configuration has changed.
    definitions: Option<BTreeMap<RunnableName, Runnable>>,
}

impl Changes {
    /// Whether the command's own definition has changed, or may have: consts count as changed
    /// with the file that holds them.
    pub(super) fn is_redefined(&self, runnable: &Runnable) -> bool {
        let Some(definitions) = &self.definitions else { return false };
        let has_const = runnable.deps.iter().any(|dep| matches!(dep, Dep::Const(_)));
        has_const
            || definitions
                .get(&runnable.name)
                .is_none_or(|before| !is_same_definition(before, runnable))
    }
}

fn is_same_definition(before: &Runnable, after: &Runnable) -> bool {
    let upstreams = |runnable: &Runnable| -> Vec<RunnableName> {
        runnable.upstreams.iter().map(|upstream| upstream.name.clone()).collect()
    };
    before.exec == after.exec
        && before.deps == after.deps
        && upstreams(before) == upstreams(after)
        && before.artifacts == after.artifacts
        && before.space == after.space
        && before.dotenv == after.dotenv
        && before.venv_files == after.venv_files
        && before.requirements == after.requirements
        && before.venv == after.venv
        && before.declared == after.declared
}

/// Compares the work tree with the commit that `--since` names.
pub(super) fn find(loaded: &Loaded, sys: &Sys, workspace: &Workspace) -> Result<Changes> {
    let (Some(repo), Some(worktree)) = (&workspace.repo, workspace.world.worktree()) else {
        return Err(no_repository(loaded).because("`--since` compares with a commit").into());
    };
    let reference = loaded.settings.selectors.since.as_deref().unwrap_or("HEAD");
    let commit = repo.resolve(reference)?;
    let paths = worktree.changed_since(&commit)?;
    let mut config_files = loaded.project.files.iter().map(|file| git_path(worktree, file));
    let is_config_changed = config_files.any(|file| paths.contains(&file));
    let definitions = is_config_changed.then(|| {
        // A configuration that could not be read then says nothing: all commands are new.
        definitions_at(loaded, sys, workspace, &commit).unwrap_or_default()
    });
    Ok(Changes { paths, definitions })
}

/// A path of the project relative to the git root.
fn git_path(worktree: &Worktree, path: &str) -> Vec<u8> {
    match worktree.prefix() {
        b"" => path.as_bytes().to_vec(),
        prefix => [prefix, path.as_bytes()].join(&b'/'),
    }
}

/// All runnables as they were defined at a commit.
fn definitions_at(
    loaded: &Loaded,
    sys: &Sys,
    workspace: &Workspace,
    commit: &Commit,
) -> Result<BTreeMap<RunnableName, Runnable>> {
    let Some(worktree) = workspace.world.worktree() else { return Ok(BTreeMap::new()) };
    let read = |path: &str| Ok(worktree.file_at(commit, &git_path(worktree, path))?);
    let project = config::load(loaded.project.file, &read, 1)?;
    let spaces = Spaces::new(&project.declarations);
    let profile = loaded.profile.as_deref();
    let context = Context::new(
        &project.declarations,
        &sys.env,
        profile,
        loaded.settings.fields(),
        &sys.veil,
    )?;
    let planner = Planner::new(&project.declarations, &spaces, &context);
    let mut definitions = BTreeMap::new();
    let of_plugins: Vec<String> = project.declarations.plugin_commands().collect();
    for command in project.declarations.commands.keys().chain(&of_plugins) {
        // Each command for itself: one that cannot be planned counts as changed.
        let Ok(candidates) = planner.expand(command) else { continue };
        let Ok(graph) = build(&planner, candidates, Isolation::Isolated) else { continue };
        definitions
            .extend(graph.runnables.into_iter().map(|runnable| (runnable.name.clone(), runnable)));
    }
    Ok(definitions)
}
