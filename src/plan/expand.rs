//! A command → the runnables that it stands for: one for each module, or one. Pure.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{PluginCommand, RunnableName};
use crate::config::{Command, Declarations, Text, has_braces, names_module};
use crate::context::{Context, ModuleFields, Scope, Template};
use crate::error::Result;
use crate::space::{Module, Space, Spaces};

/// What planning reads.
#[derive(Debug)]
pub struct Planner<'a> {
    pub declarations: &'a Declarations,
    pub spaces: &'a Spaces,
    pub context: &'a Context,
    /// By text: the modules of a command share theirs.
    templates: RefCell<FxHashMap<String, Rc<Template>>>,
    /// By name, once one is asked for.
    modules: OnceCell<FxHashMap<&'a str, &'a Module>>,
}

/// A runnable before its templates are rendered: enough to select it by name.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub name: RunnableName,
    pub command: Cow<'a, str>,
    pub origin: Origin<'a>,
    pub space: &'a Space,
    /// The module it is parametrized over.
    pub module: Option<&'a Module>,
}

/// Where a candidate comes from.
#[derive(Debug, Clone)]
pub enum Origin<'a> {
    /// A command of `qik.toml`.
    Declared(&'a Command),
    /// One that a plugin adds.
    Plugin(PluginCommand<'a>),
}

impl<'a> Planner<'a> {
    /// A planner of what a project declares.
    pub fn new(declarations: &'a Declarations, spaces: &'a Spaces, context: &'a Context) -> Self {
        let (templates, modules) = (RefCell::default(), OnceCell::new());
        Self { declarations, spaces, context, templates, modules }
    }

    /// The runnables of a command, named as a user or a dep names it.
    pub fn expand(&self, word: &str) -> Result<Vec<Candidate<'a>>> {
        let command = self.declarations.resolve_command(word)?;
        let Some((command, declared)) = self.declarations.commands.get_key_value(command.as_ref())
        else {
            return self.expand_plugin(&command);
        };
        let own_space = match &declared.space {
            Some(space) => Some(self.find_space(space)?),
            None => None,
        };
        let candidate = |space: &'a Space, module: Option<&'a Module>| {
            let module_name = module.map(|module| module.name.as_str());
            let name = self.name(command, space, module_name);
            let origin = Origin::Declared(declared);
            Candidate { name, command: Cow::Borrowed(command), origin, space, module }
        };
        if !is_parametrized(declared) {
            let default = || self.spaces.find("default");
            return Ok(own_space
                .or_else(default)
                .map(|space| candidate(space, None))
                .into_iter()
                .collect());
        }
        let is_of_own = |space: &&Space| own_space.is_none_or(|own| own.name == space.name);
        let spaces = self.spaces.iter().filter(is_of_own);
        Ok(spaces
            .flat_map(|space| space.modules.iter().map(move |module| (space, module)))
            .map(|(space, module)| candidate(space, Some(module)))
            .collect())
    }

    /// The name of a runnable; the space is part of it where there are several.
    pub(super) fn name(&self, command: &str, space: &Space, module: Option<&str>) -> RunnableName {
        let space = self.spaces.are_several().then_some(space.name.as_str());
        RunnableName::new(command, space, module)
    }

    /// A rendered text of a command.
    pub(super) fn render(&self, text: &Text, module: Option<&Module>) -> Result<String> {
        if !has_braces(&text.value) {
            return Ok(text.value.clone());
        }
        let module = module.map(|module| ModuleFields {
            name: &module.name,
            dir: &module.dir,
            pyimport: &module.pyimport,
        });
        let scope = Scope { context: self.context, module };
        self.template(&text.value)
            .render(&scope)
            .map_err(|diagnostic| diagnostic.at(&text.place).into())
    }

    fn template(&self, text: &str) -> Rc<Template> {
        if let Some(template) = self.templates.borrow().get(text) {
            return Rc::clone(template);
        }
        let template = Rc::new(Template::parse(text));
        self.templates.borrow_mut().insert(text.to_owned(), Rc::clone(&template));
        template
    }

    /// The module whose fields a command's templates see: the one it is parametrized over, or
    /// the one whose file declares it.
    pub(super) fn module_of(&self, candidate: &Candidate<'a>) -> Option<&'a Module> {
        candidate.module.or_else(|| {
            let Origin::Declared(declared) = candidate.origin else { return None };
            let name = declared.module.as_deref()?;
            self.modules().get(name).copied()
        })
    }

    fn modules(&self) -> &FxHashMap<&'a str, &'a Module> {
        let by_name = || self.spaces.modules().map(|module| (module.name.as_str(), module));
        self.modules.get_or_init(|| by_name().collect())
    }

    pub(super) fn find_space(&self, text: &Text) -> Result<&'a Space> {
        let name = self.render(text, None)?;
        self.declarations.check_space(&name).map_err(|diagnostic| diagnostic.at(&text.place))?;
        Ok(self.spaces.find(&name).unwrap_or_else(|| unreachable!("declared spaces are resolved")))
    }
}

/// Whether a command makes a runnable for each module. A module's own commands do not: there the
/// fields are that module's.
fn is_parametrized(declared: &Command) -> bool {
    declared.module.is_none() && names_module(&declared.exec.value)
}
