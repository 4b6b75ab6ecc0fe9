//! The commands of the import graph's plugin as runnables: `PLUGIN.build`, which makes the graph,
//! `PLUGIN.lock?pyimport=…`, one for each `pygraph` dep, and `PLUGIN.check`, one for each space
//! with a fence. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::render::Needed;
use super::{
    Action, Candidate, Dep, GraphTask, Origin, Planner, Pyimport, Runnable, RunnableName,
};
use crate::config::{self, CacheWhen, PluginKind, PygraphOptions, Strictness, Text};
use crate::error::{Code, Diagnostic, Result};
use crate::space::{FenceItem, Module, Space};

/// Where the plugin's artifacts are, for those who share them through the repo cache and for
/// others.
const FOLDERS: [(&str, &str); 2] = [("repo", ".qik"), ("", "._qik")];

/// A command of the import graph's plugin.
#[derive(Debug, Clone)]
pub struct PluginCommand<'a> {
    /// The plugin's name.
    pub(super) plugin: &'a str,
    pub(super) options: &'a PygraphOptions,
    pub(super) task: GraphTask,
}

impl<'a> Planner<'a> {
    /// The runnables of a plugin's command.
    pub(super) fn expand_plugin(&self, command: &str) -> Result<Vec<Candidate<'a>>> {
        let of_graph = self.graph_plugin().and_then(|(plugin, options)| {
            let word = command.strip_prefix(plugin)?.strip_prefix('.')?;
            Some((plugin, options, word))
        });
        match of_graph {
            Some((plugin, options, "build")) => Ok(self.build_task(plugin, options)),
            Some((_, _, "lock")) => self.all_locks(),
            Some((plugin, options, "check")) => Ok(self.check_tasks(plugin, options)),
            _ => Err(unsupported(command).into()),
        }
    }

    /// The commands of plugins that are part of "all".
    pub fn plain_plugin_commands(&self) -> impl Iterator<Item = String> {
        self.graph_plugin().into_iter().map(|(plugin, _)| format!("{plugin}.check"))
    }

    /// All commands that make runnables by themselves.
    pub fn commands(&self) -> impl Iterator<Item = String> {
        let of_graph = self.graph_plugin().into_iter();
        let of_graph = of_graph.flat_map(|(plugin, _)| {
            ["build", "lock", "check"].map(|word| format!("{plugin}.{word}"))
        });
        self.declarations.commands.keys().cloned().chain(of_graph)
    }

    /// The runnable that finds out what a module needs, for a runnable of a space.
    pub(super) fn lock_task(&self, space: &'a Space, pyimport: &str) -> Option<Candidate<'a>> {
        let (plugin, options) = self.graph_plugin()?;
        let task = GraphTask::Lock { pyimport: pyimport.to_owned() };
        Some(self.task(PluginCommand { plugin, options, task }, space))
    }

    /// A plugin command's runnable, and what it waits for.
    pub(super) fn render_plugin(
        &self,
        candidate: &Candidate<'a>,
        command: &PluginCommand<'a>,
    ) -> Result<(Runnable, Vec<Needed<'a>>)> {
        let PluginCommand { plugin, options, task } = command;
        let own_cache = match task {
            GraphTask::Build => &options.build_cache,
            GraphTask::Lock { .. } => &options.lock_cache,
            GraphTask::Check => &options.check_cache,
        };
        let cache = own_cache.as_ref().or(options.cache.as_ref());
        let cache = self.cache_of(cache.or(self.declarations.defaults.cache.as_ref()), None)?;
        let folder = FOLDERS.iter().find(|(name, _)| cache.as_deref() == Some(name));
        let folder = format!("{}/artifacts/{}", folder.unwrap_or(&FOLDERS[1]).1, candidate.command);
        let space = &candidate.space.name;
        let mut deps = Vec::new();
        for dep in &self.declarations.base_deps {
            if !matches!(dep, config::Dep::Pygraph(_) | config::Dep::PygraphOfModule(_)) {
                deps.extend(self.render_dep(dep, None)?);
            }
        }
        let (own, artifacts) = match task {
            GraphTask::Build => (Dep::PygraphFiles, vec![format!("{folder}/graph.json")]),
            GraphTask::Lock { pyimport } => {
                (Dep::pygraph(pyimport), vec![format!("{folder}/lock.{pyimport}.{space}.json")])
            }
            GraphTask::Check => {
                let items = candidate.space.fence.iter().flatten();
                let item = |item: &FenceItem| Pyimport {
                    name: item.pyimport.clone(),
                    place: item.place.clone(),
                };
                (Dep::PygraphFence(items.map(item).collect()), Vec::new())
            }
        };
        deps.push(own);
        let mut needed: Vec<Needed<'a>> = self
            .command_deps(&self.declarations.base_deps, None, true)
            .map(|dep| dep.map(Needed::Command))
            .collect::<Result<_>>()?;
        if *task != GraphTask::Build {
            let build = self.build_task(plugin, options);
            needed.extend(build.into_iter().map(|build| Needed::Exact(build, Strictness::Lax)));
        }
        let runnable = Runnable {
            name: candidate.name.clone(),
            command: candidate.command.to_string(),
            module: None,
            space: space.clone(),
            exec: String::new(),
            action: Action::Graph(task.clone()),
            deps,
            upstreams: Vec::new(),
            artifacts,
            dotenv: Vec::new(),
            venv_files: Vec::new(),
            cache,
            cache_when: CacheWhen::Success,
            tags: Vec::new(),
            is_hidden: *task != GraphTask::Check,
            rewrites: false,
        };
        Ok((runnable, needed))
    }

    fn graph_plugin(&self) -> Option<(&'a str, &'a PygraphOptions)> {
        self.declarations.plugins.iter().find_map(|(name, plugin)| match &plugin.kind {
            PluginKind::Pygraph(options) => Some((name.as_str(), options)),
            PluginKind::Uv(_) | PluginKind::S3 => None,
        })
    }

    fn build_task(&self, plugin: &'a str, options: &'a PygraphOptions) -> Vec<Candidate<'a>> {
        let command = || PluginCommand { plugin, options, task: GraphTask::Build };
        let space = self.spaces.find(config::DEFAULT_SPACE);
        space.map(|space| self.task(command(), space)).into_iter().collect()
    }

    fn check_tasks(&self, plugin: &'a str, options: &'a PygraphOptions) -> Vec<Candidate<'a>> {
        let command = || PluginCommand { plugin, options, task: GraphTask::Check };
        let fenced = self.spaces.iter().filter(|space| space.fence.is_some());
        fenced.map(|space| self.task(command(), space)).collect()
    }

    /// One for each `pygraph` dep of the project.
    fn all_locks(&self) -> Result<Vec<Candidate<'a>>> {
        let mut names: BTreeSet<RunnableName> = BTreeSet::new();
        let mut locks = Vec::new();
        for command in self.declarations.commands.keys() {
            for candidate in self.expand(command)? {
                for pyimport in self.pygraph_deps(&candidate)? {
                    let lock = self.lock_task(candidate.space, &pyimport);
                    locks.extend(lock.filter(|lock| names.insert(lock.name.clone())));
                }
            }
        }
        Ok(locks)
    }

    fn pygraph_deps(&self, candidate: &Candidate<'a>) -> Result<Vec<String>> {
        let Origin::Declared(declared) = &candidate.origin else { return Ok(Vec::new()) };
        let module = self.module_of(candidate);
        let base: &[config::Dep] =
            if declared.deps.is_empty() { &[] } else { &self.declarations.base_deps };
        let mut found = Vec::new();
        for dep in declared.deps.iter().chain(base) {
            found.extend(self.pygraph_dep(dep, module)?.map(|(pyimport, _)| pyimport));
        }
        Ok(found)
    }

    /// The dotted name that a `pygraph` dep is on.
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

    fn task(&self, command: PluginCommand<'a>, space: &'a Space) -> Candidate<'a> {
        let (word, pyimport) = match &command.task {
            GraphTask::Build => ("build", None),
            GraphTask::Lock { pyimport } => ("lock", Some(pyimport)),
            GraphTask::Check => ("check", None),
        };
        let name = format!("{}.{word}", command.plugin);
        let space_name = self.spaces.are_several().then_some(space.name.as_str());
        let mut runnable_name = RunnableName::new(&name, space_name, None);
        if let Some(pyimport) = pyimport {
            runnable_name = runnable_name.with_argument("pyimport", pyimport);
        }
        Candidate {
            name: runnable_name,
            command: Cow::Owned(name),
            origin: Origin::Plugin(command),
            space,
            module: None,
        }
    }
}

/// A command of a plugin that qik does not have yet.
fn unsupported(command: &str) -> Diagnostic {
    Diagnostic::new(Code::NotSupported, format!("`{command}` is not in this version of qik"))
        .because("the commands of this plugin are not there yet")
}
