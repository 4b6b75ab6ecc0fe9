//! A command → the runnables that it stands for: one for each module, or one. Pure.

use std::borrow::Cow;

use super::plugin::PluginCommand;
use super::RunnableName;
use crate::config::{Command, Declarations, Text};
use crate::context::{Context, ModuleFields, Scope, Template};
use crate::error::Result;
use crate::space::{Module, Space, Spaces};

/// What planning reads.
#[derive(Debug, Clone, Copy)]
pub struct Planner<'a> {
    pub declarations: &'a Declarations,
    pub spaces: &'a Spaces,
    pub context: &'a Context,
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

/// Who declares a runnable's command.
#[derive(Debug, Clone)]
pub enum Origin<'a> {
    /// The project.
    Declared(&'a Command),
    Plugin(PluginCommand<'a>),
}

impl<'a> Planner<'a> {
    /// The runnables of a command, named as a user or a dep names it.
    pub fn expand(&self, word: &str) -> Result<Vec<Candidate<'a>>> {
        let command = self.declarations.resolve_command(word)?;
        let known = self.declarations.commands.get_key_value(&command);
        let Some((command, declared)) = known else { return self.expand_plugin(&command) };
        let own_space = match &declared.space {
            Some(space) => Some(self.find_space(space)?),
            None => None,
        };
        let candidate = |space: &'a Space, module: Option<&'a Module>| {
            let space_name = self.spaces.are_several().then_some(space.name.as_str());
            let module_name = module.map(|module| module.name.as_str());
            let name = RunnableName::new(command, space_name, module_name);
            let (command, origin) = (Cow::Borrowed(command.as_str()), Origin::Declared(declared));
            Candidate { name, command, origin, space, module }
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

    /// A rendered text of a command.
    pub(super) fn render(&self, text: &Text, module: Option<&Module>) -> Result<String> {
        let module = module.map(|module| ModuleFields {
            name: &module.name,
            dir: &module.dir,
            pyimport: &module.pyimport,
        });
        let scope = Scope { context: self.context, module };
        Template::parse(&text.value)
            .render(&scope)
            .map_err(|diagnostic| diagnostic.at(&text.place).into())
    }

    /// The module whose fields a command's templates see: the one it is parametrized over, or
    /// the one whose file declares it.
    pub(super) fn module_of(&self, candidate: &Candidate<'a>) -> Option<&'a Module> {
        let declaring = match &candidate.origin {
            Origin::Declared(declared) => declared.module.as_deref(),
            Origin::Plugin(_) => None,
        };
        candidate.module.or_else(|| {
            let name = declaring?;
            self.spaces.modules().find(|module| module.name == name)
        })
    }

    fn find_space(&self, text: &Text) -> Result<&'a Space> {
        let name = self.render(text, None)?;
        self.declarations.check_space(&name).map_err(|diagnostic| diagnostic.at(&text.place))?;
        Ok(self.spaces.find(&name).unwrap_or_else(|| unreachable!("declared spaces are resolved")))
    }
}

/// Whether a command makes a runnable for each module. A module's own commands do not: there the
/// fields are that module's.
fn is_parametrized(declared: &Command) -> bool {
    declared.module.is_none() && Template::parse(&declared.exec.value).names_module()
}
