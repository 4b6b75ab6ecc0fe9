//! The environments of spaces as a world sees them: variables, distributions and their versions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::World;
use crate::error::{Code, Diagnostic, RunnableError};
use crate::paths::AbsPath;
use crate::plan::Runnable;
use crate::python::{Distributions, Listing, Pins, normalized, of_active, of_venv};
use crate::space::environment;
use crate::sys::{Env, fs};

/// What stands in a fingerprint for a file or distribution that is not there.
pub(super) const MISSING: &str = "missing";

/// Bound of a lock file; the largest have some ten thousand packages.
const LOCK_BYTES_MAX: u64 = 64 << 20;

/// What the configuration says of distributions.
#[derive(Debug, Clone, Default)]
pub struct PydistRules {
    /// Versions of what is not installed, by normalized name.
    pub versions: BTreeMap<String, String>,
    pub ignores_missing: bool,
    /// Imported module → distribution.
    pub modules: BTreeMap<String, String>,
    pub ignores_missing_modules: bool,
}

/// What makes the environments of spaces different: the virtual environment and the dotenv files.
pub(super) type EnvironmentKey = (Option<String>, Vec<String>);

fn key(runnable: &Runnable) -> EnvironmentKey {
    (runnable.venv.clone(), runnable.dotenv.clone())
}

impl World {
    /// The environment of a runnable's space: the process's, then its virtual environment, then
    /// its dotenv files.
    pub fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        let epoch = self.epoch();
        let key = key(runnable);
        if let Some(env) = self.lock().environments.get(&key) {
            return Ok(Arc::clone(env));
        }
        let (venv, dotenv) = (key.0.as_deref(), &key.1);
        let env = Arc::new(environment(self.env(), self.root(), venv, dotenv)?);
        self.remember(epoch, |seen| {
            seen.environments.insert(key, Arc::clone(&env));
        });
        Ok(env)
    }

    /// The folders in which a runnable's distributions are looked for.
    pub fn site_packages(&self, runnable: &Runnable) -> Vec<AbsPath> {
        self.site_folders(runnable).into_iter().filter_map(AbsPath::new).collect()
    }

    fn site_folders(&self, runnable: &Runnable) -> Vec<PathBuf> {
        if let Some(venv) = &runnable.venv {
            return of_venv(&self.root().join(venv), self.env(), self.root());
        }
        // A dotenv file may activate another environment; one that is missing fails the command.
        let env = self.environment(runnable);
        of_active(env.as_deref().unwrap_or(self.env()), self.root())
    }

    /// What is installed in the environment of a runnable's space.
    pub fn distributions(&self, runnable: &Runnable) -> Arc<Distributions> {
        let epoch = self.epoch();
        let key = key(runnable);
        if let Some(distributions) = self.lock().distributions.get(&key) {
            return Arc::clone(distributions);
        }
        let folders = self.site_folders(runnable);
        let distributions =
            Arc::new(Distributions::load(&folders, |folder| self.listing(folder, epoch)));
        self.remember(epoch, |seen| {
            seen.distributions.insert(key, Arc::clone(&distributions));
        });
        distributions
    }

    /// The version that a distribution counts as: that of what is installed, else the declared
    /// one, else the one that the space's lock pins, else that there is none, if that is allowed.
    pub(super) fn version(&self, runnable: &Runnable, name: &str) -> Result<String, RunnableError> {
        if let Some(version) = self.distributions(runnable).version(name) {
            return Ok(version);
        }
        let rules = self.pydist();
        if let Some(version) = rules.versions.get(&normalized(name)) {
            return Ok(version.clone());
        }
        if let Some(version) = self.pinned_version(runnable, name) {
            return Ok(version);
        }
        if rules.ignores_missing {
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

    /// The normalized names of the distributions that an import, dotted or not, is from in the
    /// environment of a runnable's space. None where a missing one is ignored.
    ///
    /// Modules of the project and of Python itself are the caller's business.
    pub fn distributions_of(
        &self,
        runnable: &Runnable,
        import: &str,
    ) -> Result<Vec<String>, RunnableError> {
        let found = self.distributions(runnable).distributions_of(import);
        if !found.is_empty() {
            return Ok(found);
        }
        let rules = self.pydist();
        // The longest declared part of the import decides.
        let mut prefixes = std::iter::successors(Some(import), |part| {
            part.rsplit_once('.').map(|(prefix, _)| prefix)
        });
        if let Some(name) = prefixes.find_map(|prefix| rules.modules.get(prefix)) {
            return Ok(vec![normalized(name)]);
        }
        if rules.ignores_missing_modules {
            return Ok(Vec::new());
        }
        let module = import.split('.').next().unwrap_or(import);
        Err(Diagnostic::new(
            Code::ModuleDistributionNotFound,
            format!("no distribution has the module `{module}`"),
        )
        .hint(format!(
            "install the one that has it, or name it: `[pydist.modules]` `{module} = \"…\"`"
        ))
        .hint("`[pydist]` `ignore-missing-modules = true` lets modules be absent")
        .into())
    }

    /// The version that the last of the space's files that has one pins.
    fn pinned_version(&self, runnable: &Runnable, name: &str) -> Option<String> {
        runnable.venv_files.iter().rev().find_map(|path| self.pins(path).version(name))
    }

    fn pins(&self, path: &str) -> Arc<Pins> {
        let epoch = self.epoch();
        if let Some(pins) = self.lock().pins.get(path) {
            return Arc::clone(pins);
        }
        let bytes = fs::read_start(self.root().join(path).as_path(), LOCK_BYTES_MAX);
        let pins = bytes.map(|bytes| Pins::parse(&String::from_utf8_lossy(&bytes)));
        let pins = Arc::new(pins.unwrap_or_default());
        self.remember(epoch, |seen| {
            seen.pins.insert(path.to_owned(), Arc::clone(&pins));
        });
        pins
    }

    fn listing(&self, folder: &Path, epoch: u64) -> Arc<Listing> {
        if let Some(listing) = self.lock().listings.get(folder) {
            return Arc::clone(listing);
        }
        let listing = Arc::new(Listing::of(folder));
        self.remember(epoch, |seen| {
            seen.listings.insert(folder.to_path_buf(), Arc::clone(&listing));
        });
        listing
    }
}
