//! The work tree and the caches of a loaded project, opened when something has to be looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::load::Loaded;
use super::remote;
use crate::cache::{Claims, Local, Publication, Publish, Shared, Store, Stores};
use crate::config::{CacheKind, PluginKind};
use crate::error::{Code, Diagnostic, Error, Place, Result};
use crate::git::{self, Repo, Worktree};
use crate::hash::{PydistRules, World};
use crate::paths::{ProjectPath, WorkDirs};
use crate::plan::Graph;
use crate::pygraph::{Builder, Rules};
use crate::python::normalized;
use crate::sys::Sys;
use crate::sys::unfinished::Unfinished;
use crate::sys::veil::Veil;

/// Bound of the local cache where none is set.
const CACHE_SIZE_BYTES_MAX: u64 = 10 << 30;

/// An opened project.
#[derive(Debug)]
pub(super) struct Workspace {
    /// `None` outside of a git repository.
    pub(super) repo: Option<Arc<Repo>>,
    pub(super) worktree: Option<Arc<Worktree>>,
    pub(super) world: Arc<World>,
    pub(super) stores: Stores,
    pub(super) claims: Claims,
    /// The declared caches that cannot be used, by name: no reason to fail for those who use
    /// others.
    unusable: BTreeMap<String, Error>,
    pub(super) veil: Veil,
}

impl Workspace {
    /// Nothing more is looked at: what was learned of the files is kept for other runs.
    pub(super) fn finish(&self) {
        self.world.keep_learned();
    }

    /// Fails if a runnable needs a cache that cannot be used.
    pub(super) fn check_caches(&self, graph: &Graph) -> Result<()> {
        let used = graph.runnables.iter().filter_map(|runnable| runnable.cache.as_ref());
        let used: BTreeSet<&String> = used.collect();
        let errors = used.into_iter().filter_map(|name| self.unusable.get(name));
        let diagnostics = errors.flat_map(Error::diagnostics).cloned().collect();
        Error::from_all(diagnostics).map_or(Ok(()), Err)
    }
}

/// A repository and the work tree of a project in it; none outside of one.
#[derive(Debug, Default)]
struct Opened {
    repo: Option<Arc<Repo>>,
    worktree: Option<Arc<Worktree>>,
}

fn open_worktree(dirs: &WorkDirs, sys: &Sys) -> Result<Opened> {
    let Some(repo) = Repo::discover(sys, &dirs.root)?.map(Arc::new) else {
        return Ok(Opened::default());
    };
    let worktree = Some(Arc::new(Worktree::of_project(Arc::clone(&repo), dirs)?));
    Ok(Opened { repo: Some(repo), worktree })
}

/// Opens the work tree and reads the index before somebody wants them, beside whatever else is
/// done first; what fails is told then.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<Option<JoinHandle<Option<Opened>>>>);

impl Ahead {
    pub(super) fn begin(dirs: &WorkDirs, sys: &Sys) -> Self {
        let (dirs, sys) = (dirs.clone(), sys.clone());
        let open = move || {
            let opened = open_worktree(&dirs, &sys).ok()?;
            opened.worktree.iter().for_each(|worktree| worktree.read_ahead());
            Some(opened)
        };
        Self(Mutex::new(thread::Builder::new().spawn(open).ok()))
    }

    /// What was opened, once; `None` if it is still to be done.
    fn take(&self) -> Option<Opened> {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        thread.join().ok().flatten()
    }
}

/// Opens the repository, the work tree and the caches. Reads nothing that was not read before.
pub(super) fn open(loaded: &Loaded, sys: &Sys) -> Result<Workspace> {
    let root = &loaded.dirs.root;
    let Opened { repo, worktree } = match loaded.ahead.take() {
        Some(opened) => opened,
        None => open_worktree(&loaded.dirs, sys)?,
    };
    let pydist = pydist_rules(loaded);
    let mut world = World::new(root.clone(), worktree.clone(), sys, pydist);
    if let Some(builder) = graph_builder(loaded, sys) {
        world = world.with_imports(builder);
    }
    let size_bytes_max = loaded.project.declarations.defaults.cache_size_bytes_max;
    let local = Local::new(&loaded.dirs, size_bytes_max.unwrap_or(CACHE_SIZE_BYTES_MAX));
    let local = Arc::new(local);
    let mut stores: BTreeMap<String, Arc<dyn Store>> =
        BTreeMap::from([("local".to_owned(), Arc::clone(&local) as Arc<dyn Store>)]);
    if let Some(worktree) = &worktree {
        let publish = publisher(Arc::clone(worktree), loaded.dirs.unfinished.clone(), sys);
        let shared = Shared::new(&loaded.dirs, Arc::clone(&local), publish);
        stores.insert("repo".to_owned(), Arc::new(shared));
    }
    let mut unusable = BTreeMap::new();
    for (name, cache) in &loaded.project.declarations.caches {
        let CacheKind::S3(declared) = &cache.kind;
        match remote::open(loaded, sys, &local, (name, declared)) {
            Ok(remote) => drop(stores.insert(name.clone(), Arc::new(remote))),
            Err(error) => drop(unusable.insert(name.clone(), error)),
        }
    }
    let claims = match (&repo, &worktree) {
        (Some(repo), Some(worktree)) => {
            Claims::in_git(&loaded.dirs, repo.git_dir(), worktree.prefix())
        }
        _ => Claims::new(&loaded.dirs),
    };
    let (world, stores, veil) = (Arc::new(world), Stores::new(stores), sys.veil.clone());
    Ok(Workspace { repo, worktree, world, stores, claims, unusable, veil })
}

/// What makes new files of the repo cache known to git: called once a run, with all of them.
fn publisher(worktree: Arc<Worktree>, unfinished: Unfinished, sys: &Sys) -> Publish {
    let exe = sys.exe.clone();
    Box::new(move |results: &[Publication]| {
        let repo = worktree.repo();
        let attributes = git::ensure_attributes(repo.root(), worktree.prefix(), &unfinished);
        let driver = git::ensure_merge_driver(repo, &exe);
        let mut paths = vec![attributes_path(worktree.prefix())];
        for result in results {
            paths.extend_from_slice(&result.files);
            let is_known = |path| worktree.is_tracked(path).unwrap_or_default();
            if result.is_new || !result.files.iter().all(is_known) {
                paths.extend_from_slice(&result.artifacts);
            }
        }
        let staged = git::intent_to_add(&worktree, &paths);
        [attributes.err(), driver.err(), staged.err()].into_iter().flatten().collect()
    })
}

/// `.gitattributes` at the git root, from a project that may lie below it.
fn attributes_path(prefix: &[u8]) -> ProjectPath {
    let depth = prefix.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).count();
    ProjectPath::from_bytes([b"../".repeat(depth).as_slice(), b".gitattributes"].concat())
}

/// What makes the import graph, where the project has its plugin.
fn graph_builder(loaded: &Loaded, sys: &Sys) -> Option<Builder> {
    let declarations = &loaded.project.declarations;
    let options = declarations.plugins.values().find_map(|plugin| match &plugin.kind {
        PluginKind::Pygraph(options) => Some(options),
        PluginKind::Uv(_) | PluginKind::S3 => None,
    })?;
    let python_path = declarations.defaults.python_path.iter();
    let places: BTreeMap<String, Place> =
        python_path.map(|root| (root.value.clone(), root.place.clone())).collect();
    let mut roots: Vec<String> = places.keys().cloned().collect();
    if roots.is_empty() {
        roots.push(".".to_owned());
    }
    let rules = Rules {
        roots,
        ignores_type_checking: options.ignores_type_checking,
        ignores_pydists: options.ignores_pydists,
    };
    Some(Builder::new(&loaded.dirs, rules, places, sys.cpu_count))
}

fn pydist_rules(loaded: &Loaded) -> PydistRules {
    let pydist = &loaded.project.declarations.pydist;
    let versions = pydist.versions.iter();
    PydistRules {
        versions: versions.map(|(name, text)| (normalized(name), text.value.clone())).collect(),
        ignores_missing: pydist.ignores_missing,
        modules: pydist
            .modules
            .iter()
            .map(|(module, text)| (module.clone(), text.value.clone()))
            .collect(),
        ignores_missing_modules: pydist.ignores_missing_modules,
    }
}

/// What to say where there is no repository.
pub(super) fn no_repository(loaded: &Loaded) -> Diagnostic {
    Diagnostic::new(
        Code::RepositoryNotFound,
        format!("`{}` is not in a git repository", loaded.dirs.root),
    )
    .hint("`git init` makes one")
}
