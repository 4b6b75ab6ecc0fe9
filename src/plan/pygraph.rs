//! The commands of the import graph's plugin: `PLUGIN.build`, which makes the graph,
//! `PLUGIN.lock?pyimport=…`, one for each `pygraph` dep, and `PLUGIN.check`, one for each space
//! with a fence. Pure.
//!
//! What a module needs is an input of whoever depends on it directly, by the graph as it is when
//! that is looked at. The artifacts of these commands are for people, for other tools and for
//! `load` deps; nothing is decided by them.

use std::collections::{BTreeMap, BTreeSet};

use super::render::{CommandDep, Counts};
use super::{
    Action, Candidate, Dep, GraphTask, Origin, Planner, PluginCommand, Pyimport, Runnable,
    RunnableName,
};
use crate::config::{self, CacheWhen, PluginKind, PygraphOptions, Strictness, Text};
use crate::error::{Place, Result};
use crate::space::{FenceItem, Module, Space, Venv};

/// What is found and how it is written: another version of either is another result.
const FORMAT: &str = "import graph 1";

/// A command of the import graph's plugin.
#[derive(Debug, Clone)]
pub struct PygraphCommand<'a> {
    plugin: &'a str,
    options: &'a PygraphOptions,
    task: GraphTask,
    /// Where what it is about was asked for.
    place: Option<Place>,
}

impl<'a> Planner<'a> {
    pub(super) fn expand_pygraph(
        &self,
        plugin: &'a str,
        options: &'a PygraphOptions,
        step: &str,
    ) -> Result<Vec<Candidate<'a>>> {
        let task = |task: GraphTask, space: &'a Space| {
            self.task(PygraphCommand { plugin, options, task, place: None }, space)
        };
        Ok(match step {
            "build" => {
                let space = self.spaces.find(config::DEFAULT_SPACE);
                space.map(|space| task(GraphTask::Build, space)).into_iter().collect()
            }
            "check" => {
                let fenced = self.spaces.iter().filter(|space| space.fence.is_some());
                fenced.map(|space| task(GraphTask::Check, space)).collect()
            }
            _ => self.all_locks()?,
        })
    }

    /// The runnable that finds out what a module needs, for runnables of a space.
    pub(super) fn lock_candidate(&self, space: &str, pyimport: &Pyimport) -> Option<Candidate<'a>> {
        let (plugin, options) = self.graph_plugin()?;
        let task = GraphTask::Lock { pyimport: pyimport.name.clone() };
        let (space, place) = (self.spaces.find(space)?, pyimport.place.clone());
        Some(self.task(PygraphCommand { plugin, options, task, place }, space))
    }

    /// What a `pygraph` dep of a runnable of a space waits for.
    pub(super) fn lock_dep(&self, space: &'a Space, pyimport: Pyimport) -> Option<CommandDep<'a>> {
        let (plugin, _) = self.graph_plugin()?;
        let name = format!("{plugin}.lock");
        let pyimport = Some(pyimport);
        let strictness = Strictness::Strict;
        Some(CommandDep { pyimport, strictness, ..upstream(name, Some(&space.name)) })
    }

    /// The dotted name that a `pygraph` dep is on, and the text that says so.
    pub(super) fn pygraph_dep<'d>(
        &self,
        dep: &'d config::Dep,
        module: Option<&Module>,
    ) -> Result<Option<(String, &'d Text)>> {
        Ok(match dep {
            config::Dep::Pygraph(text) => Some((self.render(text, module)?, text)),
            config::Dep::PygraphOfModule(text) => Some((self.module_import(text, module)?, text)),
            _ => None,
        })
    }

    pub(super) fn render_pygraph(
        &self,
        candidate: &Candidate<'a>,
        command: &PygraphCommand<'a>,
    ) -> Result<(Runnable, Vec<CommandDep<'a>>)> {
        let PygraphCommand { plugin, task, .. } = command;
        let mut deps = Vec::new();
        for dep in &self.declarations.base_deps {
            if self.pygraph_dep(dep, None)?.is_none() {
                deps.extend(self.render_dep(dep, None)?);
            }
        }
        deps.push(own_dep(command, candidate.space));
        let base = self.command_deps(&self.declarations.base_deps, None, true);
        let mut upstreams: Vec<CommandDep<'a>> = base.collect::<Result<_>>()?;
        if *task != GraphTask::Build {
            upstreams.push(upstream(format!("{plugin}.build"), None));
        }
        let mut environment = self.space_environment(candidate.space, *task == GraphTask::Build)?;
        environment.declared.push(FORMAT.to_owned());
        upstreams.extend(environment.upstreams);
        let runnable = Runnable {
            name: candidate.name.clone(),
            command: candidate.command.to_string(),
            module: None,
            space: candidate.space.name.clone(),
            exec: String::new(),
            secrets: Vec::new(),
            action: Action::Graph(task.clone()),
            deps,
            upstreams: Vec::new(),
            artifacts: self.artifacts(candidate)?,
            dotenv: environment.dotenv,
            venv_files: environment.venv_files,
            requirements: Vec::new(),
            venv: environment.venv,
            declared: environment.declared,
            env: BTreeMap::new(),
            stamp: None,
            needs: None,
            cache: self.pygraph_cache(command)?,
            cache_when: CacheWhen::Success,
            tags: Vec::new(),
            is_hidden: *task != GraphTask::Check,
            rewrites: false,
        };
        Ok((runnable, upstreams))
    }

    /// Where a command of the plugin writes what it found out: among what is committed if its
    /// results are.
    pub(super) fn pygraph_artifact(
        &self,
        candidate: &Candidate<'a>,
        command: &PygraphCommand<'a>,
    ) -> Result<Option<String>> {
        let name = match &command.task {
            GraphTask::Build => "graph.json".to_owned(),
            GraphTask::Lock { pyimport } => {
                format!("lock.{pyimport}.{}.json", candidate.space.name).replace('/', "%2F")
            }
            GraphTask::Check => return Ok(None),
        };
        let is_shared = self.pygraph_cache(command)?.as_deref() == Some("repo");
        let folder = if is_shared { ".qik" } else { "._qik" };
        let path = format!("{folder}/artifacts/{}/{name}", candidate.command);
        Ok(Some(glob::Pattern::escape(&path)))
    }

    fn pygraph_cache(&self, command: &PygraphCommand<'a>) -> Result<Option<String>> {
        let options = command.options;
        let own = match command.task {
            GraphTask::Build => &options.build_cache,
            GraphTask::Lock { .. } => &options.lock_cache,
            GraphTask::Check => &options.check_cache,
        };
        let text = own.as_ref().or(options.cache.as_ref());
        self.cache_of(text.or(self.declarations.defaults.cache.as_ref()), None)
    }

    fn graph_plugin(&self) -> Option<(&'a str, &'a PygraphOptions)> {
        self.declarations.plugins.iter().find_map(|(name, plugin)| match &plugin.kind {
            PluginKind::Pygraph(options) => Some((name.as_str(), options)),
            PluginKind::Uv(_) | PluginKind::S3 => None,
        })
    }

    /// One for each `pygraph` dep of the project.
    fn all_locks(&self) -> Result<Vec<Candidate<'a>>> {
        let mut names: BTreeSet<RunnableName> = BTreeSet::new();
        let mut locks = Vec::new();
        for command in self.declarations.commands.keys() {
            for candidate in self.expand(command)? {
                for pyimport in self.pygraph_deps(&candidate)? {
                    let lock = self.lock_candidate(&candidate.space.name, &pyimport);
                    locks.extend(lock.filter(|lock| names.insert(lock.name.clone())));
                }
            }
        }
        Ok(locks)
    }

    fn pygraph_deps(&self, candidate: &Candidate<'a>) -> Result<Vec<Pyimport>> {
        let Origin::Declared(declared) = &candidate.origin else { return Ok(Vec::new()) };
        let module = self.module_of(candidate);
        let base: &[config::Dep] =
            if declared.deps.is_empty() { &[] } else { &self.declarations.base_deps };
        let mut found = Vec::new();
        for dep in declared.deps.iter().chain(base) {
            let named = self.pygraph_dep(dep, module)?;
            found.extend(
                named.map(|(name, text)| Pyimport { name, place: Some(text.place.clone()) }),
            );
        }
        Ok(found)
    }

    fn task(&self, command: PygraphCommand<'a>, space: &'a Space) -> Candidate<'a> {
        let step = match &command.task {
            GraphTask::Build => "build",
            GraphTask::Lock { .. } => "lock",
            GraphTask::Check => "check",
        };
        let pyimport = match &command.task {
            GraphTask::Lock { pyimport } => Some(pyimport.clone()),
            GraphTask::Build | GraphTask::Check => None,
        };
        let name = format!("{}.{step}", command.plugin);
        let mut candidate = self.plugin_candidate(&name, space, PluginCommand::Pygraph(command));
        if let Some(pyimport) = pyimport {
            candidate.name = candidate.name.with_argument("pyimport", &pyimport);
        }
        candidate
    }

    /// What the commands of a space run in; nothing for what is of no space.
    fn space_environment(&self, space: &'a Space, is_of_none: bool) -> Result<Environment<'a>> {
        let mut environment = Environment::default();
        if is_of_none {
            return Ok(environment);
        }
        environment.dotenv = self.render_all(&space.dotenv)?;
        match &space.venv {
            Venv::Active { files } => environment.venv_files = self.render_all(files)?,
            Venv::Uv(uv) => {
                environment.upstreams = self.uv_upstreams(uv);
                environment.venv = Some(super::venv_folder(&uv.space));
                environment.declared = self.uv_declared(uv)?;
                environment.venv_files = vec![self.uv_lock(uv)?];
            }
        }
        Ok(environment)
    }
}

/// What decides which distributions a command sees.
#[derive(Debug, Default)]
struct Environment<'a> {
    upstreams: Vec<CommandDep<'a>>,
    dotenv: Vec<String>,
    venv: Option<String>,
    venv_files: Vec<String>,
    declared: Vec<String>,
}

fn own_dep(command: &PygraphCommand<'_>, space: &Space) -> Dep {
    match &command.task {
        GraphTask::Build => Dep::PygraphFiles,
        GraphTask::Lock { pyimport } => {
            Dep::Pygraph(Pyimport { name: pyimport.clone(), place: command.place.clone() })
        }
        GraphTask::Check => {
            let item = |item: &FenceItem| Pyimport {
                name: item.pyimport.clone(),
                place: item.place.clone(),
            };
            Dep::PygraphFence(space.fence.iter().flatten().map(item).collect())
        }
    }
}

/// A dep on a command of the plugin, whose findings are taken from the graph itself.
fn upstream(name: String, space: Option<&str>) -> CommandDep<'_> {
    CommandDep {
        name,
        text: None,
        space,
        pyimport: None,
        counts: Counts::Nothing,
        strictness: Strictness::Lax,
        is_isolated: None,
        is_base: false,
    }
}
