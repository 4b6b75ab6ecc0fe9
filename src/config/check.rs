//! Declarations against each other: names that must exist, and exist once. Pure.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::braces;
use super::circles;
use super::decoder::listed;
use super::misplaced;
use super::schema::{
    Command, Constraint, Declarations, Dep, Fence, FenceItem, PluginKind, Text, Venv,
};
use super::vars::not_of_kind;
use crate::error::{Code, Diagnostic, Located};

/// Everything that is wrong between declarations. `broken` are names whose declaration is wrong
/// in itself, which has been said already.
pub(super) fn check(declarations: &Declarations, broken: &BTreeSet<String>) -> Vec<Diagnostic> {
    let mut checks = Checks { declarations, broken, diagnostics: Vec::new() };
    declarations.commands.values().for_each(|command| checks.command(command));
    checks.deps(&declarations.base_deps);
    checks.cache(declarations.defaults.cache.as_ref());
    checks.venv(declarations.defaults.venv.as_ref());
    checks.spaces();
    checks.modules();
    checks.plugins();
    checks.profiles();
    checks.diagnostics.extend(misplaced::find(declarations));
    checks.diagnostics.extend(circles::find(declarations));
    checks.diagnostics
}

struct Checks<'d> {
    declarations: &'d Declarations,
    broken: &'d BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Checks<'_> {
    fn command(&mut self, command: &Command) {
        self.deps(&command.deps);
        self.cache(command.cache.as_ref());
        self.space(command.space.as_ref());
    }

    fn deps(&mut self, deps: &[Dep]) {
        for dep in deps {
            match dep {
                Dep::Command { name, .. } => {
                    self.name(Some(name), |known, name| known.resolve_command(name).map(drop));
                }
                Dep::Pygraph(text) | Dep::PygraphOfModule(text) => self.pygraph(text),
                Dep::Glob(_) | Dep::Const(_) | Dep::Pydist(_) | Dep::Load { .. } => {}
            }
        }
    }

    fn pygraph(&mut self, text: &Text) {
        if !self.has_plugin(|kind| matches!(kind, PluginKind::Pygraph(_))) {
            let message = "a dependency of type `pygraph` needs the plugin `qik.pygraph`";
            let hint = "add `pygraph = \"qik.pygraph\"` to `[plugins]`";
            let diagnostic = Diagnostic::new(Code::DepTypeInvalid, message).hint(hint);
            self.diagnostics.push(diagnostic.at(&text.place));
        }
    }

    fn has_plugin(&self, is_wanted: impl Fn(&PluginKind) -> bool) -> bool {
        self.declarations.plugins.values().any(|plugin| is_wanted(&plugin.kind))
    }

    fn cache(&mut self, cache: Option<&Text>) {
        self.name(cache, Declarations::check_cache);
    }

    fn space(&mut self, space: Option<&Text>) {
        self.name(space, Declarations::check_space);
    }

    /// A name that must stand for something, unless it is a template: then it shows later.
    fn name(
        &mut self,
        name: Option<&Text>,
        check: impl FnOnce(&Declarations, &str) -> Result<(), Diagnostic>,
    ) {
        let Some(text) = name else { return };
        let Some(name) = braces::as_literal(&text.value) else { return };
        if self.is_broken(&name) {
            return;
        }
        if let Err(diagnostic) = check(self.declarations, &name) {
            self.diagnostics.push(diagnostic.at(&text.place));
        }
    }

    /// Whether a name, or what it begins with, has a declaration that is wrong.
    fn is_broken(&self, name: &str) -> bool {
        let prefix = name.rsplit_once(['/', '.']).map(|(prefix, _)| prefix);
        self.broken.contains(name) || prefix.is_some_and(|prefix| self.broken.contains(prefix))
    }

    fn spaces(&mut self) {
        for space in self.declarations.spaces.values() {
            self.venv(space.venv.as_ref());
            if let Some(Fence::Items(items)) = &space.fence {
                for item in items {
                    if let FenceItem::Space(name) = item {
                        self.space(Some(name));
                    }
                }
            }
        }
    }

    fn venv(&mut self, venv: Option<&Venv>) {
        match venv {
            Some(Venv::Space(name)) => self.space(Some(name)),
            Some(Venv::Uv { reqs, constraint, .. }) => {
                self.constraint(constraint.as_ref());
                let needs_uv = !self.has_plugin(|kind| matches!(kind, PluginKind::Uv(_)));
                if let (true, Some(reqs)) = (needs_uv, reqs.first()) {
                    let message = "a `venv` of type `uv` needs the plugin `qik.uv`";
                    let hint = "add `uv = \"qik.uv\"` to `[plugins]`";
                    let diagnostic = Diagnostic::new(Code::VenvTypeInvalid, message).hint(hint);
                    self.diagnostics.push(diagnostic.at(&reqs.place));
                }
            }
            Some(Venv::Reqs(_) | Venv::Active { .. }) | None => {}
        }
    }

    fn constraint(&mut self, constraint: Option<&Constraint>) {
        if let Some(Constraint::Space(name)) = constraint {
            self.space(Some(name));
        }
    }

    /// A module has one space, one name and one folder.
    fn modules(&mut self) {
        let mut modules: Vec<_> = self.declarations.modules().map(|(_, module)| module).collect();
        modules.sort_by_key(|module| module.path.place.span.start);
        let mut names = FxHashSet::default();
        let mut paths = FxHashMap::default();
        for module in modules {
            let name = &module.name;
            if !names.insert(&name.value) {
                self.twice(format!("the module `{}` is declared twice", name.value), name);
            } else if let Some(other) = paths.insert(&module.path.value, &name.value) {
                let path = &module.path;
                self.twice(
                    format!("the folder `{}` is the module `{other}` already", path.value),
                    path,
                );
            }
        }
    }

    fn twice(&mut self, message: String, text: &Text) {
        self.diagnostics.push(Diagnostic::new(Code::NameInvalid, message).at(&text.place));
    }

    fn plugins(&mut self) {
        let mut plugins: Vec<_> = self.declarations.plugins.iter().collect();
        plugins.sort_by_key(|(_, plugin)| plugin.place.span.start);
        let mut names = BTreeMap::new();
        for (name, plugin) in plugins {
            let pyimport = plugin.kind.pyimport();
            if let Some(other) = names.insert(pyimport, name) {
                let message = format!("`{other}` is the plugin `{pyimport}` already");
                let diagnostic = Diagnostic::new(Code::NameInvalid, message).at(&plugin.place);
                self.diagnostics.push(diagnostic);
            }
            let caches = match &plugin.kind {
                PluginKind::Pygraph(options) => vec![
                    options.cache.as_ref(),
                    options.build_cache.as_ref(),
                    options.lock_cache.as_ref(),
                    options.check_cache.as_ref(),
                ],
                PluginKind::Uv(options) => {
                    self.constraint(options.constraint.as_ref());
                    vec![options.cache.as_ref()]
                }
                PluginKind::S3 => Vec::new(),
            };
            for cache in caches {
                self.cache(cache);
            }
        }
    }

    /// The variables that profiles give values to exist, and the values are of their type.
    fn profiles(&mut self) {
        let vars = &self.declarations.vars;
        for namespaces in self.declarations.profiles.values() {
            for (name, Located { value, place }) in namespaces.get("project").into_iter().flatten()
            {
                let Some(var) = self.declarations.var(name) else {
                    let names: Vec<&str> = vars.iter().map(|var| var.name.value.as_str()).collect();
                    let message = format!("no context variable named `{name}`");
                    let diagnostic = Diagnostic::new(Code::VariableNotFound, message)
                        .did_you_mean(name, names.iter().copied())
                        .hint(format!("the variables are {}", listed(&names)));
                    self.diagnostics.push(diagnostic.at(place));
                    continue;
                };
                if var.kind.cast(value.clone()).is_none() {
                    let label = format!("`{name}`");
                    let shown = (!var.is_secret).then_some(value);
                    self.diagnostics.push(not_of_kind(var.kind, shown, &label, place));
                }
            }
        }
    }
}
