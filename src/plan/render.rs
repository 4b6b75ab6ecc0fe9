//! A candidate → a runnable: every template rendered, every default applied. Pure.

use super::{Action, Candidate, Dep, Origin, Planner, Pyimport, Runnable};
use crate::config::{self, CacheWhen, Text};
use crate::error::Result;
use crate::space::{Module, Venv};

/// A command dep with its name rendered, before it is resolved to runnables.
#[derive(Debug, Clone)]
pub(super) struct CommandDep<'a> {
    pub(super) name: String,
    pub(super) text: &'a Text,
    pub(super) strictness: config::Strictness,
    pub(super) is_isolated: Option<bool>,
    /// Whether it is a base dep: those do not apply to the commands that they name.
    pub(super) is_base: bool,
}

/// What a runnable waits for.
#[derive(Debug, Clone)]
pub(super) enum Needed<'a> {
    Command(CommandDep<'a>),
    /// A certain runnable.
    Exact(Candidate<'a>, config::Strictness),
}

impl<'a> Planner<'a> {
    /// The runnable of a candidate, its upstreams yet to be resolved.
    pub(super) fn render_runnable(
        &self,
        candidate: &Candidate<'a>,
    ) -> Result<(Runnable, Vec<Needed<'a>>)> {
        let declared = match &candidate.origin {
            Origin::Declared(declared) => *declared,
            Origin::Plugin(command) => return self.render_plugin(candidate, command),
        };
        let module = self.module_of(candidate);
        let defaults = &self.declarations.defaults;
        let base_deps: &[config::Dep] =
            if declared.deps.is_empty() { &[] } else { &self.declarations.base_deps };
        let mut deps = Vec::new();
        let mut locks = Vec::new();
        for dep in declared.deps.iter().chain(base_deps) {
            deps.extend(self.render_dep(dep, module)?);
            if let Some((pyimport, _)) = self.pygraph_dep(dep, module)? {
                let lock = self.lock_task(candidate.space, &pyimport);
                locks.extend(lock.map(|lock| Needed::Exact(lock, config::Strictness::Strict)));
            }
        }
        let own = self.command_deps(&declared.deps, module, false);
        let base = self.command_deps(&self.declarations.base_deps, module, true);
        let needed = own.chain(base).map(|dep| dep.map(Needed::Command));
        let needed = needed.chain(locks.into_iter().map(Ok)).collect::<Result<_>>()?;
        let runnable = Runnable {
            name: candidate.name.clone(),
            command: candidate.command.to_string(),
            module: candidate.module.map(|module| module.name.clone()),
            space: candidate.space.name.clone(),
            exec: self.render(&declared.exec, module)?,
            action: Action::Shell,
            deps,
            upstreams: Vec::new(),
            artifacts: self.artifacts(candidate)?,
            dotenv: self.render_all(&candidate.space.dotenv)?,
            venv_files: match &candidate.space.venv {
                Venv::Active { files } => self.render_all(files)?,
                Venv::Uv { .. } => Vec::new(),
            },
            cache: self.cache(declared, module)?,
            cache_when: declared.cache_when.or(defaults.cache_when).unwrap_or(CacheWhen::Success),
            tags: declared.tags.clone(),
            is_hidden: declared.is_hidden,
            rewrites: declared.rewrites.unwrap_or(defaults.rewrites),
        };
        Ok((runnable, needed))
    }

    /// The artifact patterns of a candidate.
    pub(super) fn artifacts(&self, candidate: &Candidate<'a>) -> Result<Vec<String>> {
        match &candidate.origin {
            Origin::Declared(declared) => {
                let module = self.module_of(candidate);
                declared.artifacts.iter().map(|text| self.render(text, module)).collect()
            }
            Origin::Plugin(command) => Ok(self.render_plugin(candidate, command)?.0.artifacts),
        }
    }

    fn render_all(&self, texts: &[Text]) -> Result<Vec<String>> {
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

    pub(super) fn render_dep(&self, dep: &config::Dep, module: Option<&Module>) -> Result<Option<Dep>> {
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
                text: name,
                strictness,
                is_isolated,
                is_base,
            }))
        })
    }
}
