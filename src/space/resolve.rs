//! Declared spaces → spaces with defaults applied and inheritance followed. Pure.

use std::collections::BTreeMap;

use super::fence::{FenceItem, resolve_fence};
use super::module::strip_folder;
use super::{Module, Venv};
use crate::config::{self, Declarations, PluginKind, Text};

/// A space.
#[derive(Debug, Clone)]
pub struct Space {
    pub name: String,
    pub modules: Vec<Module>,
    /// Later files win.
    pub dotenv: Vec<Text>,
    pub venv: Venv,
    /// What its Python modules may import; `None` if anything.
    pub fence: Option<Vec<FenceItem>>,
    /// The folder in which this space is selected by default, relative to the project root.
    root: Option<String>,
}

/// All spaces of a project, by name.
#[derive(Debug, Clone)]
pub struct Spaces(BTreeMap<String, Space>);

impl Spaces {
    /// The spaces of checked declarations.
    pub fn new(declarations: &Declarations) -> Self {
        let defaults = &declarations.defaults;
        let python_path: Vec<&str> =
            defaults.python_path.iter().map(|root| root.value.as_str()).collect();
        let is_uv = |kind: &PluginKind| matches!(kind, PluginKind::Uv(_));
        let has_uv = declarations.plugins.values().any(|plugin| is_uv(&plugin.kind));
        let spaces = declarations.spaces.iter().map(|(name, declared)| {
            let modules = declared.modules.iter();
            let (venv, owner) = follow_venv(declarations, name);
            let space = Space {
                name: name.clone(),
                modules: modules.map(|module| Module::new(module, &python_path)).collect(),
                dotenv: declared.dotenv.as_ref().unwrap_or(&defaults.dotenv).clone(),
                venv: Venv::new(venv, owner, has_uv),
                fence: resolve_fence(declarations, name, &python_path),
                root: declared.root.as_ref().map(|root| root.value.clone()),
            };
            (name.clone(), space)
        });
        Self(spaces.collect())
    }

    pub fn find(&self, name: &str) -> Option<&Space> {
        self.0.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Space> {
        self.0.values()
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All modules of all spaces.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.0.values().flat_map(|space| &space.modules)
    }

    /// The module that a user's word stands for: its name, else its name with dots for slashes.
    pub fn find_module(&self, word: &str) -> Option<&Module> {
        let named = self.modules().find(|module| module.name == word);
        named.or_else(|| self.modules().find(|module| module.is_dotted(word)))
    }

    /// Whether runnables have to say their space: there is more than `default`.
    pub fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// The space whose root holds a folder, given relative to the project root; the innermost
    /// where roots are nested.
    pub fn working_space(&self, folder: &str) -> Option<&Space> {
        let holds = |space: &&Space| {
            space.root.as_deref().is_some_and(|root| strip_folder(folder, root).is_some())
        };
        self.iter().filter(holds).max_by_key(|space| space.root.as_ref().map(String::len))
    }
}

/// A space's own virtual environment, or the one it inherits, with the space that declares it.
fn follow_venv<'a>(
    declarations: &'a Declarations,
    name: &'a str,
) -> (Option<&'a config::Venv>, &'a str) {
    let mut owner = name;
    // The check of the declarations has excluded circles; the bound keeps even one finite.
    for _ in 0..=declarations.spaces.len() {
        let own = declarations.spaces.get(owner).and_then(|space| space.venv.as_ref());
        match own.or(declarations.defaults.venv.as_ref()) {
            Some(config::Venv::Space(next)) => owner = &next.value,
            venv => return (venv, owner),
        }
    }
    (None, owner)
}
