//! Where a runnable's inputs are looked for: whatever else changes leaves its fingerprint alone.

use super::World;
use super::deps::{Expanded, expand};
use super::imports::source_globs;
use super::world::{patterns, settings_of};
use crate::git::Patterns;
use crate::paths::AbsPath;
use crate::plan::{Dep, Runnable};
use crate::python::normalized;

/// What a change has to be near to, to be a change of a runnable's inputs.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Patterns of tracked files; `None` if it has none.
    pub globs: Option<Patterns>,
    /// Files whose content counts whether git tracks them or not, relative to the project root.
    pub settings: Vec<String>,
    /// Normalized names.
    pub distributions: Vec<String>,
    /// The folders in which distributions are looked for; none if there are no distributions.
    pub site_packages: Vec<AbsPath>,
    /// The folders above these, where they may come back.
    pub above_site_packages: Vec<AbsPath>,
}

impl World {
    /// How far a runnable's inputs reach as things are now: the files of its `load` deps say.
    pub fn reach(&self, runnable: &Runnable) -> Reach {
        let expanded = expand(self.root(), runnable).unwrap_or_else(|_| unreadable(runnable));
        let sources = self.imports.as_ref().filter(|_| !expanded.is_without_imports());
        let sources = sources.map(|builder| source_globs(builder.rules())).unwrap_or_default();
        let all: Vec<String> = expanded.globs.iter().chain(&sources).cloned().collect();
        let worktree = self.worktree().filter(|_| !all.is_empty());
        // A pattern that is none matches nothing; the run says what is wrong with it.
        let globs = worktree.and_then(|worktree| patterns(worktree, &all).ok());
        let settings = settings_of(runnable, &expanded).map(str::to_owned).collect();
        let mut distributions: Vec<String> =
            expanded.distributions.iter().map(|name| normalized(name)).collect();
        distributions.extend(self.imported_distributions(runnable, &expanded));
        let (site_packages, above_site_packages) = if distributions.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            (self.site_packages(runnable), self.above_site_packages())
        };
        Reach { globs, settings, distributions, site_packages, above_site_packages }
    }
}

/// The deps of a runnable whose `load` deps cannot be read: their files may be yet to come.
fn unreadable(runnable: &Runnable) -> Expanded {
    let mut expanded = Expanded::default();
    for dep in &runnable.deps {
        match dep {
            Dep::Glob(pattern) => expanded.globs.push(pattern.clone()),
            Dep::Pydist(name) => expanded.distributions.push(name.clone()),
            Dep::Load { path, .. } => expanded.loaded.push(path.clone()),
            Dep::Pygraph(pyimport) => expanded.pyimports.push(pyimport.clone()),
            Dep::PygraphFiles => expanded.has_sources = true,
            Dep::PygraphFence(items) => expanded.fence = Some(items.clone()),
            Dep::Const(_) => {}
        }
    }
    expanded
}
