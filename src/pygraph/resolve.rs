//! What an import statement names: a module of ours, or something from elsewhere. Pure.

use rustc_hash::FxHashMap;

use super::graph::{Graph, ModuleId, NONE};
use super::standard::is_standard;

/// What an import leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'n> {
    /// A module, with all that is below it.
    Module(ModuleId),
    /// The code of a module, where more was named than there is.
    Code(ModuleId),
    /// A top-level name that is not ours.
    External(&'n str),
    /// A folder of ours without code, or something from elsewhere of that name.
    Either(ModuleId, &'n str),
    /// Python itself, or nothing that there is.
    Nothing,
}

/// Where an import begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Importer {
    pub(super) module: ModuleId,
    /// The file is the module's `__init__`.
    pub(super) is_init: bool,
}

/// The modules of a graph by name.
pub(super) struct Lookup<'g> {
    graph: &'g Graph,
    /// By the module above, or [`NONE`], and the last part of the name.
    by_name: FxHashMap<(u32, &'g str), u32>,
}

/// A dotted name as far as it leads.
struct Walk {
    /// The last module there is on the way.
    at: Option<ModuleId>,
    is_whole: bool,
}

impl<'g> Lookup<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        let named = |id: ModuleId| ((graph.module(id).parent, graph.part(id)), id.0);
        Self { graph, by_name: graph.ids().map(named).collect() }
    }

    /// What `import MODULE`, or `from MODULE import NAME`, of a level leads to.
    pub(super) fn resolve<'n>(
        &self,
        importer: Importer,
        (level, module, name): (u32, &'n str, Option<&str>),
    ) -> Target<'n> {
        if level == 0 {
            return self.resolve_absolute(module, name);
        }
        let Some(base) = self.above(importer, level) else { return Target::Nothing };
        let walk = self.walk(Some(base), module);
        let Some(at) = walk.at else { return Target::Nothing };
        if !walk.is_whole {
            return Target::Code(at);
        }
        match name.and_then(|name| self.find(Some(at), name)) {
            Some(found) if self.has_code(found) || !self.has_code(at) => Target::Module(found),
            _ => Target::Module(at),
        }
    }

    fn resolve_absolute<'n>(&self, module: &'n str, name: Option<&str>) -> Target<'n> {
        let top = module.split('.').next().unwrap_or(module);
        let external = || {
            if is_standard(top) { Target::Nothing } else { Target::External(top) }
        };
        let Walk { at: Some(mut at), mut is_whole } = self.walk(None, module) else {
            return external();
        };
        if is_whole
            && let Some(found) = name.and_then(|name| self.find(Some(at), name))
            && (self.has_code(found) || !self.has_code(at))
        {
            at = found;
        } else if name.is_some() && !self.has_code(at) {
            is_whole = false;
        }
        match (is_whole, self.has_code(at)) {
            (true, true) => Target::Module(at),
            (true, false) if is_standard(top) => Target::Module(at),
            (true, false) => Target::Either(at, top),
            // A regular package hides what is of its name elsewhere.
            (false, _) if self.is_rooted(at) => Target::Code(at),
            (false, _) => external(),
        }
    }

    /// The package that so many dots stand for; `None` beyond the top.
    fn above(&self, importer: Importer, level: u32) -> Option<ModuleId> {
        let ups = if importer.is_init { level - 1 } else { level };
        (0..ups).try_fold(importer.module, |at, _| self.graph.above(at).next())
    }

    fn find(&self, parent: Option<ModuleId>, name: &str) -> Option<ModuleId> {
        let parent = parent.map_or(NONE, |parent| parent.0);
        self.by_name.get(&(parent, name)).copied().map(ModuleId)
    }

    fn walk(&self, from: Option<ModuleId>, dotted: &str) -> Walk {
        let mut at = from;
        for part in dotted.split('.').filter(|part| !part.is_empty()) {
            match self.find(at, part) {
                Some(found) => at = Some(found),
                None => return Walk { at, is_whole: false },
            }
        }
        Walk { at, is_whole: true }
    }

    /// A module with a file of its own, which a mere folder has not.
    fn has_code(&self, module: ModuleId) -> bool {
        !self.graph.files(module).is_empty()
    }

    /// Whether the top-level module above is one with code.
    fn is_rooted(&self, module: ModuleId) -> bool {
        self.has_code(self.graph.above(module).last().unwrap_or(module))
    }
}

#[cfg(test)]
mod tests {
    use super::super::assemble::{Rules, assemble};
    use super::*;

    const FILES: &[&str] = &[
        "app/__init__.py",
        "app/main.py",
        "app/sub/__init__.py",
        "app/sub/deep.py",
        "app/data/x.py",
        "space/inner/mod.py",
        "script.py",
        "json/__init__.py",
        "redis/health.py",
        "typed.pyi",
        "both/__init__.py",
        "both.py",
    ];

    /// The importer is `app.sub.deep`, or its package with a `/` in front.
    #[track_caller]
    fn check(statement: &str, expected: &str) {
        let graph = assemble(&Rules { roots: vec![String::new()], ..Rules::default() }, FILES);
        let lookup = Lookup::new(&graph);
        let (is_init, statement) = match statement.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, statement),
        };
        let module = graph.find(if is_init { "app.sub" } else { "app.sub.deep" }).unwrap();
        let (from, name) = statement.split_once(' ').unwrap_or((statement, ""));
        let module_name = from.trim_start_matches('.');
        let level = u32::try_from(from.len() - module_name.len()).unwrap();
        let name = Some(name).filter(|name| !name.is_empty());
        let found = match lookup.resolve(Importer { module, is_init }, (level, module_name, name)) {
            Target::Module(id) => graph.name(id).to_owned(),
            Target::Code(id) => format!("code of {}", graph.name(id)),
            Target::External(name) => format!("external {name}"),
            Target::Either(id, name) => format!("{} or external {name}", graph.name(id)),
            Target::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found, expected, "{statement}");
    }

    #[test]
    fn absolute_imports() {
        check("app.main", "app.main");
        check("app main", "app.main");
        check("app VALUE", "app");
        check("app.main VALUE", "app.main");
        check("app.gone", "code of app");
        check("app.gone x", "code of app");
        check("app data", "app");
        check("app.data.x", "app.data.x");
        check("app.data x", "app.data.x");
        check("script", "script");
        check("typed Thing", "typed");
        check("both", "both");
    }

    #[test]
    fn relative_imports() {
        check(". x", "app.sub");
        check(".deep x", "app.sub.deep");
        check(".. main", "app.main");
        check("..main VALUE", "app.main");
        check("..gone x", "code of app");
        check("... x", "nothing");
        check("..... x", "nothing");
        check("/. deep", "app.sub.deep");
        check("/.. main", "app.main");
        check("/... main", "nothing");
    }

    #[test]
    fn what_is_not_ours() {
        check("numpy.linalg norm", "external numpy");
        check("os.path join", "nothing");
        // Ours goes before Python's own.
        check("json", "json");
    }

    #[test]
    fn folders_without_code_may_be_somebody_elses() {
        check("space.inner.mod", "space.inner.mod");
        check("space.inner mod", "space.inner.mod");
        check("redis", "redis or external redis");
        check("redis Client", "external redis");
        check("redis.client", "external redis");
        check("redis health", "redis.health");
    }
}
