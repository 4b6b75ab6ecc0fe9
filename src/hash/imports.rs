//! What the import graph says of a runnable's inputs: files, distributions, and what crosses a
//! fence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deps::Expanded;
use super::installed::MISSING;
use super::{Digest, Files, World};
use crate::error::{Code, Diagnostic, RunnableError, nearest};
use crate::git::{FileMode, FileSet};
use crate::plan::{Pyimport, Runnable};
use crate::pygraph::{
    Closure, Fenced, Graph, ModuleId, Rules, Sources, below, fault_diagnostic, place_in,
};
use crate::python::normalized;
use crate::sys::fs;

/// The import graph with the files that it is made of.
#[derive(Debug)]
pub struct Imports {
    pub graph: Arc<Graph>,
    files: Files,
    /// Paths of files that are no more, which the graph has for modules all the same.
    gone: Vec<String>,
}

/// What a module needs.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) imports: Arc<Imports>,
    pub(super) closure: Closure,
    pub(super) files: Files,
    /// Those of the files that are symlinks: what they lead to counts as well.
    pub(super) links: Vec<String>,
}

/// What is found for a runnable of the import graph's plugin.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) files: Files,
    pub(super) consts: Vec<String>,
}

impl Imports {
    fn new(graph: Arc<Graph>, files: Files, gone: Vec<String>) -> Self {
        Self { graph, files, gone }
    }

    fn set(&self) -> Option<&Arc<FileSet>> {
        self.files.set.as_ref()
    }

    /// The path of a file of the graph.
    pub fn path(&self, file: u32) -> String {
        let count = self.set().map_or(0, |set| set.len());
        let path = self.set().and_then(|set| set.path(file as usize));
        let gone = (file as usize).checked_sub(count).and_then(|at| self.gone.get(at));
        match path {
            Some(path) => String::from_utf8_lossy(&path).into_owned(),
            None => gone.cloned().unwrap_or_default(),
        }
    }

    fn part(&self, positions: &[u32]) -> Option<Arc<FileSet>> {
        let positions = positions.iter().map(|position| *position as usize);
        self.set().map(|set| Arc::new(set.part(positions)))
    }
}

impl World {
    /// The import graph as the files are now.
    pub fn imports(&self) -> Result<Arc<Imports>, RunnableError> {
        let epoch = self.epoch();
        if let Some(imports) = &self.lock().imports {
            return Ok(Arc::clone(imports));
        }
        let imports = Arc::new(self.imports_with(Vec::new())?);
        self.remember(epoch, |seen| seen.imports = Some(Arc::clone(&imports)));
        Ok(imports)
    }

    fn imports_with(&self, gone: Vec<String>) -> Result<Imports, RunnableError> {
        let Some(builder) = &self.imports else { return Err(no_plugin().into()) };
        let files = self.files(&source_globs(builder.rules()))?;
        let Some(set) = &files.set else {
            let message = "the import graph is made of the files that git tracks";
            return Err(Diagnostic::new(Code::RepositoryNotFound, message)
                .hint("`git init` makes a repository")
                .into());
        };
        let sources = Sources { set, digest: files.digest.as_bytes(), gone: &gone };
        let graph = builder.graph(sources, &[])?;
        Ok(Imports::new(graph, files, gone))
    }

    /// The import graph with all that somebody asks of it: `ask` gives what it found out, and the
    /// files whose imports it lacked.
    pub(super) fn ask<T>(
        &self,
        mut imports: Arc<Imports>,
        ask: impl Fn(&Graph) -> Result<(T, Vec<u32>), Diagnostic>,
    ) -> Result<(Arc<Imports>, T), RunnableError> {
        loop {
            let (found, unscanned) = ask(&imports.graph)?;
            let (Some(builder), Some(set)) = (&self.imports, imports.set()) else {
                return Ok((imports, found));
            };
            if unscanned.is_empty() {
                return Ok((imports, found));
            }
            let epoch = self.epoch();
            let Imports { files, gone, .. } = &*imports;
            let sources = Sources { set, digest: files.digest.as_bytes(), gone };
            let graph = builder.graph(sources, &unscanned)?;
            let is_current = gone.is_empty();
            imports = Arc::new(Imports::new(graph, files.clone(), gone.clone()));
            if is_current {
                let imports = Arc::clone(&imports);
                self.remember(epoch, |seen| seen.imports = Some(imports));
            }
        }
    }

    /// The import graph with the imports of every file.
    pub fn all_imports(&self) -> Result<Arc<Imports>, RunnableError> {
        let (imports, ()) = self.ask(self.imports()?, |graph| Ok(((), graph.unscanned())))?;
        Ok(imports)
    }

    /// What a module needs, as things are now.
    pub(super) fn needs(&self, pyimport: &Pyimport) -> Result<Arc<Needs>, RunnableError> {
        let epoch = self.epoch();
        if let Some(needs) = self.lock().needs.get(&pyimport.name) {
            return Ok(Arc::clone(needs));
        }
        let (imports, closure) = self.ask(self.imports()?, |graph| {
            let id = graph.find(&pyimport.name);
            let closure = graph.closure([id.ok_or_else(|| unknown_module(graph, pyimport))?]);
            let unscanned = closure.unscanned.clone();
            Ok((closure, unscanned))
        })?;
        self.refuse_faults(&imports, &closure.faults)?;
        let files = imports.part(&closure.files).map_or_else(Files::none, |set| self.hashed(set));
        let links = files.set.iter().flat_map(|set| set.iter());
        let links = links.filter(|(_, file)| file.mode == FileMode::Symlink);
        let links = links.map(|(path, _)| String::from_utf8_lossy(&path).into_owned()).collect();
        let needs = Arc::new(Needs { imports, closure, files, links });
        self.remember(epoch, |seen| {
            seen.needs.insert(pyimport.name.clone(), Arc::clone(&needs));
        });
        Ok(needs)
    }

    /// The versions of all that a module imports from elsewhere.
    pub(super) fn add_versions(
        &self,
        runnable: &Runnable,
        needs: &Needs,
        versions: &mut BTreeMap<String, String>,
    ) -> Result<(), RunnableError> {
        let imports = &needs.imports;
        for (name, is_required, place) in needs.closure.externals(&imports.graph) {
            let distributions = self.providers(runnable, name);
            for distribution in &distributions {
                versions.insert(normalized(distribution), self.version(runnable, distribution)?);
            }
            if !distributions.is_empty() {
                continue;
            }
            if is_required && !self.pydist().ignores_missing_modules {
                return Err(self.unknown_distribution(imports, name, place).into());
            }
            versions.insert(normalized(name), MISSING.to_owned());
        }
        Ok(())
    }

    /// The distributions that have a top-level name, or are said to.
    pub(super) fn providers(&self, runnable: &Runnable, name: &str) -> Vec<String> {
        let installed = self.distributions(runnable).distributions_of(name);
        match self.pydist().modules.get(name) {
            Some(declared) if installed.is_empty() => vec![normalized(declared)],
            _ => installed,
        }
    }

    fn unknown_distribution(
        &self,
        imports: &Imports,
        name: &str,
        (file, line, column): (u32, u32, u32),
    ) -> Diagnostic {
        let path = imports.path(file);
        let diagnostic = Diagnostic::new(
            Code::ModuleDistributionNotFound,
            format!("no distribution has the import `{name}` of `{path}:{line}:{column}`"),
        )
        .hint(format!("install it, or name its distribution: `[pydist.modules]` `{name} = \"…\"`"))
        .hint("`[pydist]` `ignore-missing-modules = true` lets imports be of no distribution");
        let diagnostic = match self.untracked(name) {
            Some(path) => diagnostic.hint(format!("if `{path}` is what is meant, `git add` it"))
                .hint("if a command makes it, depend on that, and put `# qik: ignore` behind the import"),
            None => diagnostic,
        };
        match place_in(self.root(), &path, (line, column)) {
            Some(place) => diagnostic.at(&place),
            None => diagnostic,
        }
    }

    /// A module of that name that lies in the project, and that git does not track.
    fn untracked(&self, name: &str) -> Option<String> {
        let roots = &self.imports.as_ref()?.rules().roots;
        let below = |root: &String| match root.as_str() {
            "" | "." => [format!("{name}.py"), name.to_owned()],
            root => [format!("{root}/{name}.py"), format!("{root}/{name}")],
        };
        roots.iter().flat_map(below).find(|path| fs::stat(self.root().join(path).as_path()).is_ok())
    }

    pub(super) fn refuse_faults(
        &self,
        imports: &Imports,
        faults: &[usize],
    ) -> Result<(), Diagnostic> {
        let path = |file: u32| imports.path(file);
        let first = faults
            .first()
            .and_then(|fault| fault_diagnostic(&imports.graph, *fault, (self.root(), &path)));
        first.map_or(Ok(()), Err)
    }

    /// The inputs of a runnable of the plugin that is not about one module.
    pub(super) fn findings_of(
        &self,
        runnable: &Runnable,
        expanded: &Expanded,
    ) -> Result<Findings, RunnableError> {
        let rules = self.imports.as_ref().map(|builder| format!("{:?}", builder.rules()));
        let mut consts: Vec<String> = rules.into_iter().collect();
        let Some(items) = &expanded.fence else {
            let imports = self.imports()?;
            return Ok(Findings { files: imports.files.clone(), consts });
        };
        let (imports, fenced) = self.fenced(runnable, items)?;
        let files = imports.part(&fenced.files).map_or_else(Files::none, |set| self.hashed(set));
        // What is imported counts by what it is: ours within the fence, ours, or somebody's.
        let crossings = format!("{:?} {:?}", fenced.internal, fenced.external);
        consts.push(Digest::of(crossings.as_bytes()).to_hex());
        Ok(Findings { files, consts })
    }

    pub(super) fn fenced(
        &self,
        runnable: &Runnable,
        items: &[Pyimport],
    ) -> Result<(Arc<Imports>, Fenced), RunnableError> {
        let imports = self.imports()?;
        let path = |file: u32| imports.path(file);
        self.ask(Arc::clone(&imports), |graph| {
            let ids = fence_ids(graph, items, path)?;
            let fenced = graph.fenced(&ids, |name| !self.providers(runnable, name).is_empty());
            let unscanned = fenced.unscanned.clone();
            Ok((fenced, unscanned))
        })
    }

    /// Those of some changed paths, relative to the git root, that the imports of a runnable lead
    /// to. Files that are gone count as long as something imports them.
    pub(super) fn imported_paths<'p>(
        &self,
        expanded: &Expanded,
        paths: &'p [Vec<u8>],
    ) -> Result<BTreeSet<&'p Vec<u8>>, RunnableError> {
        let (Some(worktree), false) = (self.worktree(), expanded.is_without_imports()) else {
            return Ok(BTreeSet::new());
        };
        let of_source = |path: &&Vec<u8>| path.ends_with(b".py") || path.ends_with(b".pyi");
        let changed: BTreeMap<String, &Vec<u8>> = paths
            .iter()
            .filter(of_source)
            .map(|path| (String::from_utf8_lossy(&worktree.project_path(path)).into_owned(), path))
            .collect();
        let here = self.imports()?;
        let there: BTreeSet<Vec<u8>> = here
            .set()
            .iter()
            .flat_map(|set| set.iter())
            .map(|(path, _)| path.into_owned())
            .collect();
        let gone = changed.keys().filter(|path| !there.contains(path.as_bytes())).cloned();
        let gone: Vec<String> = gone.collect();
        let imports = if gone.is_empty() { here } else { Arc::new(self.imports_with(gone)?) };
        if expanded.has_sources {
            return Ok(changed.into_values().collect());
        }
        let path = |file: u32| imports.path(file);
        let (imports, files) = self.ask(Arc::clone(&imports), |graph| {
            let named = expanded.pyimports.iter().filter_map(|it| graph.find(&it.name));
            let mut closure = graph.closure(named);
            let ids = fence_ids(graph, expanded.fence.as_deref().unwrap_or_default(), path);
            let fenced = graph.fenced(&ids.unwrap_or_default(), |_| true);
            closure.files.extend(fenced.files);
            closure.unscanned.extend(fenced.unscanned);
            Ok((closure.files, closure.unscanned))
        })?;
        let found = files.into_iter().filter_map(|file| changed.get(&imports.path(file)).copied());
        Ok(found.collect())
    }

    /// Names of the distributions that a runnable's imports lead to, as far as they can be told.
    pub(super) fn imported_distributions(
        &self,
        runnable: &Runnable,
        expanded: &Expanded,
    ) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for pyimport in &expanded.pyimports {
            let Ok(needs) = self.needs(pyimport) else { continue };
            for (name, ..) in needs.closure.externals(&needs.imports.graph) {
                let providers = self.providers(runnable, name);
                found.insert(normalized(name));
                found.extend(providers.iter().map(|name| normalized(name)));
            }
        }
        found
    }
}

impl Expanded {
    pub(super) fn is_without_imports(&self) -> bool {
        self.pyimports.is_empty() && !self.has_sources && self.fence.is_none()
    }
}

/// The patterns of all source files.
pub(super) fn source_globs(rules: &Rules) -> Vec<String> {
    let globs = rules.roots.iter().flat_map(|root| {
        let root = match root.as_str() {
            "" | "." => String::new(),
            root => format!("{}/", escaped(root)),
        };
        ["py", "pyi"].map(|extension| format!(":(glob){root}**/*.{extension}"))
    });
    globs.collect()
}

/// A folder's path as a pattern of itself.
fn escaped(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// The modules that a fence holds.
fn fence_ids(
    graph: &Graph,
    items: &[Pyimport],
    path: impl Fn(u32) -> String,
) -> Result<Vec<ModuleId>, Diagnostic> {
    let mut ids: Vec<ModuleId> = Vec::new();
    for item in items {
        if let Some(folder) = item.name.strip_suffix('/') {
            ids.extend(graph.tops_in(|file| below(&path(file), folder).is_some()));
            continue;
        }
        match graph.find(&item.name) {
            Some(id) => ids.push(id),
            // A module of a space need not be of Python.
            None if item.place.is_none() => {}
            None => return Err(unknown_module(graph, item)),
        }
    }
    Ok(ids)
}

fn no_plugin() -> Diagnostic {
    Diagnostic::new(Code::PluginNotFound, "`pygraph` deps need the plugin `qik.pygraph`")
        .hint("add `pygraph = \"qik.pygraph\"` to `[plugins]`")
}

/// What to say of a module that is not there.
pub fn unknown_module(graph: &Graph, pyimport: &Pyimport) -> Diagnostic {
    let name = &pyimport.name;
    let names: Vec<&str> = graph.tops().into_iter().map(|id| graph.name(id)).collect();
    let diagnostic =
        Diagnostic::new(Code::ImportNotFound, format!("there is no Python module `{name}`"));
    let near = nearest(name, names.iter().copied());
    let diagnostic = match near {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic
            .hint("the import graph has the modules that git tracks, below `defaults.python-path`"),
    };
    match &pyimport.place {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}
