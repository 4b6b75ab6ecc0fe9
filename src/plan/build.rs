//! Selected candidates → the graph of them and of what is upstream. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use super::render::{CommandDep, Counts};
use super::{Candidate, Graph, Planner, Runnable, RunnableId, RunnableName, Upstream, cycle};
use crate::config::Dep;
use crate::error::{Diagnostic, Error, Result};

/// Whether upstreams join a run for the sake of what is downstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// They do.
    Joined,
    /// `--isolated`: they take part only if they are selected anyway.
    Isolated,
}

/// The graph of the candidates with all their upstreams; an error names a cycle, or every
/// template and name that cannot be resolved.
pub fn build<'a>(
    planner: &Planner<'a>,
    selected: Vec<Candidate<'a>>,
    isolation: Isolation,
) -> Result<Graph> {
    let mut builder = Builder {
        planner,
        isolation,
        base_named: base_named(planner),
        graph: Graph { runnables: Vec::with_capacity(selected.len()) },
        ids: FxHashMap::default(),
        queue: VecDeque::with_capacity(selected.len()),
        expanded: BTreeMap::new(),
        diagnostics: Vec::new(),
    };
    builder.ids.reserve(selected.len());
    for candidate in selected {
        builder.join(candidate);
    }
    while let Some(candidate) = builder.queue.pop_front() {
        builder.add(&candidate);
    }
    if let Some(error) = Error::from_all(builder.diagnostics) {
        return Err(error);
    }
    let Builder { mut graph, ids, .. } = builder;
    let upstreams = graph.runnables.iter_mut().flat_map(|runnable| &mut runnable.upstreams);
    for upstream in upstreams.filter(|upstream| upstream.id.is_none()) {
        // Nobody has asked for it to join, but it may be selected anyway.
        upstream.id = ids.get(&upstream.name).copied();
    }
    cycle::check(&graph, planner.declarations)?;
    Ok(graph)
}

struct Builder<'p, 'a> {
    planner: &'p Planner<'a>,
    isolation: Isolation,
    /// Commands that base deps name, and all that is upstream of these.
    base_named: BTreeSet<String>,
    /// In the order of the ids.
    graph: Graph,
    ids: FxHashMap<RunnableName, RunnableId>,
    /// Those that have an id and are not rendered yet, in the order of the ids.
    queue: VecDeque<Candidate<'a>>,
    expanded: BTreeMap<String, Expanded<'a>>,
    diagnostics: Vec<Diagnostic>,
}

/// The runnables of a command that is a dep.
struct Expanded<'a> {
    all: Vec<Candidate<'a>>,
    /// Their positions by the modules that they are for.
    by_module: BTreeMap<Option<&'a str>, Vec<usize>>,
}

impl<'a> Expanded<'a> {
    fn new(all: Vec<Candidate<'a>>) -> Self {
        let mut by_module = BTreeMap::<_, Vec<usize>>::new();
        for (position, candidate) in all.iter().enumerate() {
            let module = candidate.module.map(|module| module.name.as_str());
            by_module.entry(module).or_default().push(position);
        }
        Self { all, by_module }
    }

    /// The same module's where both sides have modules, else all of them.
    fn of_module(&self, module: Option<&str>) -> Vec<&Candidate<'a>> {
        if module.is_none() {
            return self.all.iter().collect();
        }
        let sides = [None, module].into_iter().filter_map(|side| self.by_module.get(&side));
        let mut positions: Vec<usize> = sides.flatten().copied().collect();
        positions.sort_unstable();
        positions.into_iter().map(|position| &self.all[position]).collect()
    }
}

impl<'a> Builder<'_, 'a> {
    /// Gives a candidate its place in the graph, once.
    fn join(&mut self, candidate: Candidate<'a>) -> RunnableId {
        if let Some(id) = self.ids.get(&candidate.name) {
            return *id;
        }
        let next = RunnableId(self.ids.len());
        self.ids.insert(candidate.name.clone(), next);
        self.queue.push_back(candidate);
        next
    }

    fn add(&mut self, candidate: &Candidate<'a>) {
        match self.planner.render_runnable(candidate) {
            Ok((runnable, deps)) => {
                let mut runnable = runnable;
                for dep in deps {
                    if let Err(error) = self.add_edge(&mut runnable, candidate, &dep) {
                        self.note(&error);
                    }
                }
                self.graph.runnables.push(runnable);
            }
            Err(error) => self.note(&error),
        }
    }

    /// The same declaration is rendered once a module: one diagnostic for it is enough.
    fn note(&mut self, error: &Error) {
        for diagnostic in error.diagnostics() {
            if !self.diagnostics.contains(diagnostic) {
                self.diagnostics.push(diagnostic.clone());
            }
        }
    }

    fn add_edge(
        &mut self,
        runnable: &mut Runnable,
        candidate: &Candidate<'a>,
        dep: &CommandDep<'a>,
    ) -> Result<()> {
        if dep.is_base && self.base_named.contains(candidate.command.as_ref()) {
            return Ok(());
        }
        let joins = match dep.is_isolated {
            Some(is_isolated) => !is_isolated,
            None => self.isolation == Isolation::Joined,
        };
        for upstream in self.upstream_candidates(candidate, dep)? {
            runnable.upstreams.push(Upstream {
                name: upstream.name.clone(),
                strictness: dep.strictness,
                artifacts: match dep.counts {
                    Counts::Artifacts => self.planner.artifacts(&upstream)?,
                    Counts::Nothing => Vec::new(),
                },
                id: joins.then(|| self.join(upstream)),
            });
        }
        Ok(())
    }

    /// The candidates that a dep of another one stands for.
    fn upstream_candidates(
        &mut self,
        candidate: &Candidate<'a>,
        dep: &CommandDep<'a>,
    ) -> Result<Vec<Candidate<'a>>> {
        if let (Some(pyimport), Some(space)) = (&dep.pyimport, dep.space) {
            return Ok(self.planner.lock_candidate(space, pyimport).into_iter().collect());
        }
        if !self.expanded.contains_key(&dep.name) {
            let expanded = self.planner.expand(&dep.name).map_err(|error| {
                let at = |diagnostic: &Diagnostic| match (&diagnostic.place, dep.text) {
                    (None, Some(text)) => diagnostic.clone().at(&text.place),
                    _ => diagnostic.clone(),
                };
                let located = error.diagnostics().iter().map(at).collect();
                Error::from_all(located).unwrap_or(error)
            })?;
            self.expanded.insert(dep.name.clone(), Expanded::new(expanded));
        }
        let module = candidate.module.map(|module| module.name.as_str());
        let of_module = self.expanded[&dep.name].of_module(module);
        let is_of_space =
            |upstream: &&Candidate<'a>| dep.space.is_none_or(|space| upstream.space.name == space);
        Ok(of_module.into_iter().filter(is_of_space).cloned().collect())
    }
}

/// The commands that base deps name, and what is upstream of these: for them the base command
/// deps do not hold, or each project with a base command would be a cycle.
fn base_named(planner: &Planner<'_>) -> BTreeSet<String> {
    let names = |deps: &[Dep]| -> Vec<String> {
        deps.iter()
            .filter_map(|dep| match dep {
                Dep::Command { name, .. } => Some(name),
                _ => None,
            })
            .filter_map(|text| planner.render(text, None).ok())
            .collect()
    };
    let mut found = BTreeSet::new();
    let mut queue = names(&planner.declarations.base_deps);
    while let Some(name) = queue.pop() {
        if let Some(command) = planner.declarations.commands.get(&name)
            && found.insert(name)
        {
            queue.extend(names(&command.deps));
        }
    }
    found
}
