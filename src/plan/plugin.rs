//! The commands that plugins add: a variant for each plugin that has some. Pure.

use std::borrow::Cow;

use super::pygraph::PygraphCommand;
use super::render::CommandDep;
use super::uv::UvCommand;
use super::{Candidate, Origin, Planner, Runnable};
use crate::config::PluginKind;
use crate::error::Result;
use crate::space::{Space, Venv};

/// A command of a plugin, for a space.
#[derive(Debug, Clone)]
pub enum PluginCommand<'a> {
    Uv(UvCommand<'a>),
    Pygraph(PygraphCommand<'a>),
}

impl<'a> Planner<'a> {
    /// The runnables of a plugin's command, given by its full name.
    pub(super) fn expand_plugin(&self, command: &str) -> Result<Vec<Candidate<'a>>> {
        let (plugin, step) = command.rsplit_once('.').unwrap_or((command, ""));
        let declared = self.declarations.plugins.get_key_value(plugin);
        match declared.map(|(plugin, declared)| (plugin, &declared.kind)) {
            Some((plugin, PluginKind::Uv(options))) => {
                let candidate = |space: &'a Space| {
                    let Venv::Uv(venv) = &space.venv else { return None };
                    let uv = UvCommand::new(plugin, step, options, venv)?;
                    // Who inherits an environment does not make it.
                    let is_own = venv.space == space.name;
                    is_own.then(|| self.plugin_candidate(command, space, PluginCommand::Uv(uv)))
                };
                Ok(self.spaces.iter().filter_map(candidate).collect())
            }
            Some((plugin, PluginKind::Pygraph(options))) => {
                self.expand_pygraph(plugin, options, step)
            }
            // It has caches, and no commands.
            Some((_, PluginKind::S3)) | None => Ok(Vec::new()),
        }
    }

    /// The commands of plugins that are part of "all".
    pub fn plain_plugin_commands(&self) -> impl Iterator<Item = String> {
        let is_graph = |kind: &PluginKind| matches!(kind, PluginKind::Pygraph(_));
        let plugins = self.declarations.plugins.iter();
        let of_graph = plugins.filter(move |(_, plugin)| is_graph(&plugin.kind));
        of_graph.map(|(name, _)| format!("{name}.check"))
    }

    pub(super) fn plugin_candidate(
        &self,
        command: &str,
        space: &'a Space,
        plugin: PluginCommand<'a>,
    ) -> Candidate<'a> {
        Candidate {
            name: self.name(command, space, None),
            command: Cow::Owned(command.to_owned()),
            origin: Origin::Plugin(plugin),
            space,
            module: None,
        }
    }

    /// The runnable of a plugin's command.
    pub(super) fn render_plugin(
        &self,
        candidate: &Candidate<'a>,
        plugin: &PluginCommand<'a>,
    ) -> Result<(Runnable, Vec<CommandDep<'a>>)> {
        match plugin {
            PluginCommand::Uv(command) => self.render_uv(candidate, command),
            PluginCommand::Pygraph(command) => self.render_pygraph(candidate, command),
        }
    }

    /// The artifact patterns of a candidate.
    pub(super) fn artifacts(&self, candidate: &Candidate<'a>) -> Result<Vec<String>> {
        match &candidate.origin {
            Origin::Declared(declared) => {
                let module = self.module_of(candidate);
                declared.artifacts.iter().map(|text| self.render(text, module)).collect()
            }
            Origin::Plugin(PluginCommand::Uv(command)) => self.uv_artifacts(command),
            Origin::Plugin(PluginCommand::Pygraph(command)) => {
                Ok(self.pygraph_artifact(candidate, command)?.into_iter().collect())
            }
        }
    }
}
