//! Everything outside of the declarations that fingerprints are made of: files, dotenv and
//! requirements files, distributions. What was looked at is remembered until a command has run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::deps::{Expanded, expand};
use super::{Digest, Files, Fingerprint, Inputs};
use crate::error::{Code, Diagnostic, RunnableError};
use crate::git::{Patterns, Worktree};
use crate::paths::{AbsPath, ProjectPath};
use crate::plan::Runnable;
use crate::python::{Distributions, find_above_site_packages, find_site_packages, normalized};
use crate::space::dotenv;
use crate::sys::{Env, fs};

/// Artifacts of one upstream: escaped path → what it is.
pub type ArtifactList = BTreeMap<String, String>;

/// Leaves out the files of the repo cache.
const NOT_OUR_OWN: &str = ":(exclude,glob).qik/cache/**";

/// What stands in a fingerprint for a file or distribution that is not there.
const MISSING: &str = "missing";

/// The files, environments and distributions of a run.
#[derive(Debug)]
pub struct World {
    root: AbsPath,
    /// `None` outside of a git repository: nothing is cached there.
    worktree: Option<Arc<Worktree>>,
    /// The process's environment.
    env: Env,
    pydist: PydistRules,
    seen: Mutex<Seen>,
    /// Counts the times at which `seen` was forgotten, so that nothing that was looked at before
    /// is remembered after.
    epoch: AtomicU64,
}

/// What the configuration says of distributions.
#[derive(Debug, Clone, Default)]
pub struct PydistRules {
    /// Versions of what is not installed, by normalized name.
    pub versions: BTreeMap<String, String>,
    pub ignores_missing: bool,
}

/// What was looked at since a command last ran.
#[derive(Debug, Default)]
struct Seen {
    files: BTreeMap<Patterns, Files>,
    settings: BTreeMap<String, String>,
    environments: BTreeMap<Vec<String>, Arc<Env>>,
    distributions: Option<Arc<Distributions>>,
}

impl World {
    pub fn new(
        root: AbsPath,
        worktree: Option<Arc<Worktree>>,
        env: Env,
        pydist: PydistRules,
    ) -> Self {
        let seen = Mutex::default();
        Self { root, worktree, env, pydist, seen, epoch: AtomicU64::new(0) }
    }

    pub(super) fn root(&self) -> &AbsPath {
        &self.root
    }

    /// The folders in which distributions are looked for.
    pub fn site_packages(&self) -> Vec<AbsPath> {
        find_site_packages(&self.env).into_iter().filter_map(AbsPath::new).collect()
    }

    /// The folders above these, where they may come back.
    pub fn above_site_packages(&self) -> Vec<AbsPath> {
        find_above_site_packages(&self.env).into_iter().filter_map(AbsPath::new).collect()
    }

    /// The work tree; `None` outside of a git repository.
    pub fn worktree(&self) -> Option<&Worktree> {
        self.worktree.as_deref()
    }

    /// The fingerprint of a runnable as things are now. `upstreams` are the artifacts of all its
    /// upstreams, by runnable name.
    pub fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        let expanded = expand(&self.root, runnable)?;
        let mut settings = BTreeMap::new();
        for path in settings_of(runnable, &expanded) {
            settings.insert(path.to_owned(), self.setting(path)?);
        }
        let mut distributions = BTreeMap::new();
        for name in &expanded.distributions {
            distributions.insert(normalized(name), self.version(name)?);
        }
        let inputs = Inputs {
            runnable: runnable.name.as_str().to_owned(),
            exec: runnable.exec.clone(),
            deps: expanded.declared.clone(),
            artifacts: runnable.artifacts.clone(),
            space: runnable.space.clone(),
            consts: expanded.consts.clone(),
            settings,
            distributions,
            upstreams,
        };
        Ok(Fingerprint { files: self.files(&expanded)?, inputs })
    }

    /// The environment of a runnable's space: the process's, then its dotenv files.
    pub fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        let epoch = self.epoch();
        if let Some(env) = self.lock().environments.get(&runnable.dotenv) {
            return Ok(Arc::clone(env));
        }
        let mut env = self.env.clone();
        for path in &runnable.dotenv {
            dotenv::apply(&mut env, &self.root, path)?;
        }
        let env = Arc::new(env);
        self.remember(epoch, |seen| {
            seen.environments.insert(runnable.dotenv.clone(), Arc::clone(&env));
        });
        Ok(env)
    }

    /// A command has run, or has written: what was seen may no longer hold.
    pub fn forget_files(&self) {
        let mut seen = self.lock();
        self.epoch.fetch_add(1, Ordering::AcqRel);
        *seen = Seen::default();
        drop(seen);
        if let Some(worktree) = &self.worktree {
            worktree.forget();
        }
    }

    /// These files, given relative to the git root, have been written, and nothing else has.
    pub fn forget_paths<'p>(&self, paths: impl IntoIterator<Item = &'p [u8]>) {
        let mut seen = self.lock();
        self.epoch.fetch_add(1, Ordering::AcqRel);
        *seen = Seen::default();
        drop(seen);
        if let Some(worktree) = &self.worktree {
            worktree.forget_paths(paths);
        }
    }

    /// Whether a change of these files, given relative to the git root, is one of the runnable's
    /// inputs.
    pub fn is_affected_by(
        &self,
        runnable: &Runnable,
        paths: &[Vec<u8>],
    ) -> Result<bool, RunnableError> {
        let Some(worktree) = &self.worktree else { return Ok(false) };
        let expanded = expand(&self.root, runnable)?;
        let globs = patterns(worktree, &expanded.globs)?;
        let settings: Vec<_> =
            settings_of(runnable, &expanded).map(|path| format!(":(literal){path}")).collect();
        let settings = Patterns::parse(worktree.prefix(), settings.iter().map(String::as_str))?;
        Ok(paths.iter().any(|path| globs.matches(path) || settings.matches(path)))
    }

    /// Whether git tracks a file; in doubt it does.
    pub fn is_tracked(&self, path: &ProjectPath) -> bool {
        self.worktree.as_ref().is_some_and(|worktree| worktree.is_tracked(path).unwrap_or(true))
    }

    /// The glob deps of a runnable that match no file: typing errors, perhaps.
    pub fn unmatched_globs(&self, runnable: &Runnable) -> Vec<String> {
        let (Some(worktree), Ok(expanded)) = (&self.worktree, expand(&self.root, runnable)) else {
            return Vec::new();
        };
        let is_unmatched = |glob: &String| {
            let patterns = patterns(worktree, std::slice::from_ref(glob));
            let set = patterns.ok().and_then(|patterns| worktree.file_set(&patterns).ok());
            set.is_some_and(|set| set.is_empty())
        };
        expanded.globs.into_iter().filter(is_unmatched).collect()
    }

    fn files(&self, expanded: &Expanded) -> Result<Files, RunnableError> {
        let (Some(worktree), false) = (&self.worktree, expanded.globs.is_empty()) else {
            return Ok(Files::new(None));
        };
        let epoch = self.epoch();
        let patterns = patterns(worktree, &expanded.globs)?;
        if let Some(files) = self.lock().files.get(&patterns) {
            return Ok(files.clone());
        }
        let files = Files::new(Some(worktree.file_set(&patterns)?));
        self.remember(epoch, |seen| {
            seen.files.insert(patterns, files.clone());
        });
        Ok(files)
    }

    fn setting(&self, path: &str) -> Result<String, RunnableError> {
        let epoch = self.epoch();
        if let Some(digest) = self.lock().settings.get(path) {
            return Ok(digest.clone());
        }
        let bytes = fs::optional(fs::read(self.root.join(path).as_path()))?;
        let digest = bytes.map_or(MISSING.to_owned(), |bytes| Digest::of(&bytes).to_hex());
        self.remember(epoch, |seen| {
            seen.settings.insert(path.to_owned(), digest.clone());
        });
        Ok(digest)
    }

    fn version(&self, name: &str) -> Result<String, RunnableError> {
        if let Some(version) = self.distributions().version(name) {
            return Ok(version.to_owned());
        }
        if let Some(version) = self.pydist.versions.get(&normalized(name)) {
            return Ok(version.clone());
        }
        if self.pydist.ignores_missing {
            return Ok(MISSING.to_owned());
        }
        Err(Diagnostic::new(
            Code::DistributionNotFound,
            format!("the distribution `{name}` is not installed"),
        )
        .hint(format!("install it, or set its version: `[pydist.versions]` `{name} = \"…\"`"))
        .hint("`[pydist]` `ignore-missing = true` lets distributions be absent")
        .into())
    }

    fn distributions(&self) -> Arc<Distributions> {
        let epoch = self.epoch();
        if let Some(distributions) = &self.lock().distributions {
            return Arc::clone(distributions);
        }
        let folders: Vec<PathBuf> = find_site_packages(&self.env);
        let distributions = Arc::new(Distributions::load(&folders));
        self.remember(epoch, |seen| seen.distributions = Some(Arc::clone(&distributions)));
        distributions
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Remembers what was looked at, unless a command has run meanwhile.
    fn remember(&self, epoch: u64, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.lock();
        if self.epoch() == epoch {
            change(&mut seen);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files whose content counts whether git tracks them or not.
pub(super) fn settings_of<'a>(
    runnable: &'a Runnable,
    expanded: &'a Expanded,
) -> impl Iterator<Item = &'a str> {
    let paths = runnable.dotenv.iter().chain(&runnable.venv_files).chain(&expanded.loaded);
    paths.map(String::as_str)
}

/// The patterns of glob deps. What the repo cache writes is never an input: a store would be a
/// change of its own.
pub(super) fn patterns(worktree: &Worktree, globs: &[String]) -> Result<Patterns, Diagnostic> {
    if globs.is_empty() {
        return Patterns::parse(worktree.prefix(), []);
    }
    let globs = globs.iter().map(String::as_str);
    Patterns::parse(worktree.prefix(), globs.chain([NOT_OUR_OWN]))
}
