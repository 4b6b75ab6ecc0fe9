//! Names → what they stand for, or what they may have meant. Pure.

use std::borrow::Cow;

use super::decoder::listed;
use super::schema::{Declarations, Module, PluginKind};
use crate::error::{Code, Diagnostic};

/// The caches that need no declaration.
pub const BUILT_IN_CACHES: &[&str] = &["local", "repo", "none"];

impl Declarations {
    /// All modules with the names of their spaces, by space.
    pub fn modules(&self) -> impl Iterator<Item = (&str, &Module)> {
        self.spaces
            .iter()
            .flat_map(|(space, declared)| declared.modules.iter().map(|m| (space.as_str(), m)))
    }

    /// The full names of the commands that plugins add.
    pub fn plugin_commands(&self) -> impl Iterator<Item = String> {
        self.plugins.iter().flat_map(|(plugin, declared)| {
            declared.kind.commands().iter().map(move |command| format!("{plugin}.{command}"))
        })
    }

    /// The full names of the commands that install virtual environments.
    pub fn install_commands(&self) -> Vec<String> {
        let of_uv = self.plugins.iter().filter(|(_, it)| matches!(it.kind, PluginKind::Uv(_)));
        of_uv.map(|(plugin, _)| format!("{plugin}.install")).collect()
    }

    /// The full name of a command, as a user or a dep names it.
    ///
    /// `MODULE.COMMAND`, 0.1's form, means `MODULE/COMMAND`, also with dots for the slashes of
    /// the module. The errors have no place.
    pub fn resolve_command<'n>(&self, name: &'n str) -> Result<Cow<'n, str>, Diagnostic> {
        if self.commands.contains_key(name) || self.plugin_commands().any(|known| known == name) {
            return Ok(Cow::Borrowed(name));
        }
        let dotted = name.rsplit_once('.').and_then(|(prefix, command)| {
            let (_, module) = self.modules().find(|(_, module)| is_called(module, prefix))?;
            Some(format!("{}/{command}", module.name.value))
        });
        dotted
            .filter(|name| self.commands.contains_key(name))
            .map(Cow::Owned)
            .ok_or_else(|| self.unknown_command(name))
    }

    /// A space that must exist; the error has no place.
    pub fn check_space(&self, name: &str) -> Result<(), Diagnostic> {
        if self.spaces.contains_key(name) {
            return Ok(());
        }
        let message = format!("no space named `{name}`");
        Err(Diagnostic::new(Code::SpaceNotFound, message)
            .did_you_mean(name, self.spaces.keys().map(String::as_str))
            .hint(format!("the spaces are {}", listed(self.spaces.keys()))))
    }

    /// A cache that must exist; the error has no place.
    pub fn check_cache(&self, name: &str) -> Result<(), Diagnostic> {
        let known =
            || self.caches.keys().map(String::as_str).chain(BUILT_IN_CACHES.iter().copied());
        if known().any(|cache| cache == name) {
            return Ok(());
        }
        let names: Vec<&str> = known().collect();
        let message = format!("no cache named `{name}`");
        Err(Diagnostic::new(Code::CacheNotFound, message)
            .did_you_mean(name, known())
            .hint(format!("the caches are {}", listed(&names))))
    }

    fn unknown_command(&self, name: &str) -> Diagnostic {
        let plugin_commands: Vec<String> = self.plugin_commands().collect();
        let known = self.commands.keys().chain(&plugin_commands).map(String::as_str);
        let unknown = Diagnostic::new(Code::CommandNotFound, format!("no command named `{name}`"))
            .did_you_mean(name, known);
        if !unknown.hints.is_empty() {
            return unknown;
        }
        if let Some((module, _)) = name.rsplit_once('/') {
            return if self.modules().any(|(_, known)| known.name.value == module) {
                unknown
                    .hint(format!("the commands of `{module}` are in the `qik.toml` of its folder"))
            } else {
                self.unknown_module(module)
            };
        }
        match name.rsplit_once('.') {
            Some((prefix, _)) if self.plugins.contains_key(prefix) => {
                let known: Vec<&String> =
                    plugin_commands.iter().filter(|name| name.starts_with(prefix)).collect();
                unknown.hint(format!("the commands of `{prefix}` are {}", listed(known)))
            }
            Some((prefix, _)) if prefix.contains('.') => {
                let message = format!("`{prefix}` is neither a module nor a plugin");
                Diagnostic::new(Code::ModuleOrPluginNotFound, message)
                    .did_you_mean(prefix, self.modules().map(|(_, m)| m.name.value.as_str()))
                    .or_hint("`qik --ls` lists the commands")
            }
            Some((prefix, _)) => {
                let message = format!("no plugin named `{prefix}`");
                Diagnostic::new(Code::PluginNotFound, message)
                    .did_you_mean(prefix, self.plugins.keys().map(String::as_str))
                    .or_hint("`qik --ls` lists the commands; plugins are declared in `[plugins]`")
            }
            None => unknown,
        }
    }

    /// A module that does not exist. A path is no name where the module has another one.
    pub fn unknown_module(&self, name: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::ModuleNotFound, format!("no module named `{name}`"));
        match self.modules().find(|(_, module)| module.path.value == name) {
            Some((_, module)) => diagnostic
                .hint(format!("the module in that folder is named `{}`", module.name.value)),
            None => {
                diagnostic.did_you_mean(name, self.modules().map(|(_, m)| m.name.value.as_str()))
            }
        }
    }
}

/// Whether a module has this name, or has it with dots for slashes.
fn is_called(module: &Module, name: &str) -> bool {
    module.name.value == name || module.name.value.replace('/', ".") == name
}
