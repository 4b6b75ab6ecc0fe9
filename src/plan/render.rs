//! A candidate → a runnable: every template rendered, every default applied. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Candidate, Dep, Origin, Planner, Pyimport, Runnable, venv_folder};
use crate::config::{self, CacheWhen, Text};
use crate::context::Template;
use crate::error::Result;
use crate::space::{Module, Space, Venv};

/// What of an upstream is an input of the downstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Artifacts,
    /// The downstream has what counts from elsewhere.
    Nothing,
}

/// A command dep with its name rendered, before it is resolved to runnables.
#[derive(Debug, Clone)]
pub(super) struct CommandDep<'a> {
    pub(super) name: String,
    /// Where it is written; `None` for one that a plugin adds.
    pub(super) text: Option<&'a Text>,
    /// Only the runnables of this space.
    pub(super) space: Option<&'a str>,
    /// Only the runnable of the import graph for this module.
    pub(super) pyimport: Option<Pyimport>,
    pub(super) counts: Counts,
    pub(super) strictness: config::Strictness,
    pub(super) is_isolated: Option<bool>,
    /// Whether it is a base dep: those do not apply to the commands that they name.
    pub(super) is_base: bool,
}

impl<'a> Planner<'a> {
    /// The runnable of a candidate, its upstreams yet to be resolved.
    pub(super) fn render_runnable(
        &self,
        candidate: &Candidate<'a>,
    ) -> Result<(Runnable, Vec<CommandDep<'a>>)> {
        let declared = match &candidate.origin {
            Origin::Declared(declared) => *declared,
            Origin::Plugin(plugin) => return self.render_plugin(candidate, plugin),
        };
        let module = self.module_of(candidate);
        let defaults = &self.declarations.defaults;
        let base_deps: &[config::Dep] =
            if declared.deps.is_empty() { &[] } else { &self.declarations.base_deps };
        let mut deps = Vec::with_capacity(declared.deps.len() + base_deps.len());
        let mut locks = Vec::new();
        for dep in declared.deps.iter().chain(base_deps) {
            deps.extend(self.render_dep(dep, module)?);
            if let Some((name, text)) = self.pygraph_dep(dep, module)? {
                let pyimport = Pyimport { name, place: Some(text.place.clone()) };
                locks.extend(self.lock_dep(candidate.space, pyimport));
            }
        }
        let own = self.command_deps(&declared.deps, module, false);
        let base = self.command_deps(&self.declarations.base_deps, module, true);
        let mut command_deps = own.chain(base).collect::<Result<Vec<_>>>()?;
        command_deps.extend(locks);
        let mut venv = None;
        let mut of_venv = Vec::new();
        let venv_files = match &candidate.space.venv {
            Venv::Active { files } => self.render_all(files)?,
            Venv::Uv(uv) => {
                command_deps.extend(self.uv_upstreams(uv));
                venv = Some(venv_folder(&uv.space));
                of_venv = self.uv_declared(uv)?;
                vec![self.uv_lock(uv)?]
            }
        };
        let runnable = Runnable {
            name: candidate.name.clone(),
            command: candidate.command.clone().into_owned(),
            module: candidate.module.map(|module| module.name.clone()),
            space: candidate.space.name.clone(),
            exec: self.render(&declared.exec, module)?,
            secrets: self.secrets(declared, base_deps),
            action: Action::Shell,
            deps,
            upstreams: Vec::new(),
            artifacts: self.artifacts(candidate)?,
            dotenv: self.render_all(&candidate.space.dotenv)?,
            venv_files,
            stamp: None,
            requirements: Vec::new(),
            venv,
            declared: of_venv,
            env: BTreeMap::new(),
            needs: None,
            cache: self.cache(declared, module)?,
            cache_when: declared.cache_when.or(defaults.cache_when).unwrap_or(CacheWhen::Success),
            tags: declared.tags.clone(),
            is_hidden: declared.is_hidden,
            rewrites: declared.rewrites.unwrap_or(defaults.rewrites),
        };
        Ok((runnable, command_deps))
    }

    /// The secret variables of which a command has fields, where it may.
    fn secrets(&self, declared: &config::Command, base_deps: &[config::Dep]) -> Vec<String> {
        if !self.context.has_secrets() {
            return Vec::new();
        }
        let mut texts = vec![&declared.exec];
        declared.deps.iter().chain(base_deps).for_each(|dep| push_consts(dep, &mut texts));
        let templates = texts.into_iter().map(|text| Template::parse(&text.value));
        let names = templates.flat_map(|template| {
            template.secrets(self.context).map(str::to_owned).collect::<Vec<_>>()
        });
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What makes the environment of a space: the folder of its virtual environment, relative to
    /// the project root, and its dotenv files.
    pub fn surroundings(&self, space: &Space) -> Result<(Option<String>, Vec<String>)> {
        let venv = match &space.venv {
            Venv::Active { .. } => None,
            Venv::Uv(uv) => Some(venv_folder(&uv.space)),
        };
        Ok((venv, self.render_all(&space.dotenv)?))
    }

    pub(super) fn render_all(&self, texts: &[Text]) -> Result<Vec<String>> {
        texts.iter().map(|text| self.render(text, None)).collect()
    }

    /// The cache of a command: none without deps of its own, else its own, the default, `local`.
    fn cache(&self, declared: &config::Command, module: Option<&Module>) -> Result<Option<String>> {
        if declared.deps.is_empty() {
            return Ok(None);
        }
        let text = declared.cache.as_ref().or(self.declarations.defaults.cache.as_ref());
        self.cache_of(text, module)
    }

    /// The cache that a text names; `local` without one.
    pub(super) fn cache_of(
        &self,
        text: Option<&Text>,
        module: Option<&Module>,
    ) -> Result<Option<String>> {
        let Some(text) = text else { return Ok(Some("local".to_owned())) };
        let name = self.render(text, module)?;
        self.declarations.check_cache(&name).map_err(|diagnostic| diagnostic.at(&text.place))?;
        Ok((name != "none").then_some(name))
    }

    pub(super) fn render_dep(
        &self,
        dep: &config::Dep,
        module: Option<&Module>,
    ) -> Result<Option<Dep>> {
        Ok(Some(match dep {
            config::Dep::Glob(text) => Dep::Glob(self.render(text, module)?),
            config::Dep::Const(text) => Dep::Const(self.render(text, module)?),
            config::Dep::Pydist(text) => Dep::Pydist(self.render(text, module)?),
            config::Dep::Pygraph(_) | config::Dep::PygraphOfModule(_) => {
                let rendered = self.pygraph_dep(dep, module)?;
                return Ok(rendered.map(|(name, text)| {
                    Dep::Pygraph(Pyimport { name, place: Some(text.place.clone()) })
                }));
            }
            config::Dep::Load { path, default } => Dep::Load {
                path: self.render(path, module)?,
                default: match default {
                    None => None,
                    Some(deps) => Some(
                        deps.iter()
                            .filter_map(|dep| self.render_dep(dep, module).transpose())
                            .collect::<Result<_>>()?,
                    ),
                },
            },
            config::Dep::Command { .. } => return Ok(None),
        }))
    }

    /// The dotted name of the module that 0.1's `module` dep names; any other name is taken for
    /// a dotted name itself.
    pub(super) fn module_import(&self, text: &Text, module: Option<&Module>) -> Result<String> {
        let name = self.render(text, module)?;
        let found = self.spaces.find_module(&name);
        Ok(found.map_or(name, |module| module.pyimport.clone()))
    }

    pub(super) fn command_deps(
        &self,
        deps: &'a [config::Dep],
        module: Option<&'a Module>,
        is_base: bool,
    ) -> impl Iterator<Item = Result<CommandDep<'a>>> {
        deps.iter().filter_map(move |dep| {
            let config::Dep::Command { name, strictness, is_isolated } = dep else { return None };
            let (strictness, is_isolated) = (*strictness, *is_isolated);
            Some(self.render(name, module).map(|rendered| CommandDep {
                name: rendered,
                text: Some(name),
                space: None,
                pyimport: None,
                counts: Counts::Artifacts,
                strictness,
                is_isolated,
                is_base,
            }))
        })
    }
}

fn push_consts<'d>(dep: &'d config::Dep, texts: &mut Vec<&'d Text>) {
    match dep {
        config::Dep::Const(text) => texts.push(text),
        config::Dep::Load { default, .. } => {
            default.iter().flatten().for_each(|dep| push_consts(dep, texts));
        }
        _ => {}
    }
}
