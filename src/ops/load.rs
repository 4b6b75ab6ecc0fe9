//! What every verb begins with: find the project, read it, settle what is wanted.

use crate::cli::Settings;
use crate::config::{self, Project};
use crate::context::{self, Context};
use crate::error::Result;
use crate::git;
use crate::paths::{AbsPath, WorkDirs};
use crate::plan::Planner;
use crate::select::Selectors;
use crate::space::Spaces;
use crate::sys::Sys;

/// A project with the settings of this run.
#[derive(Debug)]
pub struct Loaded {
    pub dirs: WorkDirs,
    pub project: Project,
    pub spaces: Spaces,
    pub context: Context,
    pub settings: Settings,
    /// The profile that is used.
    pub profile: Option<String>,
    /// The folder that qik was called in, relative to the root; `None` outside of it.
    folder: Option<String>,
}

/// Loads the project of the working directory. `settle` makes the settings of the command line
/// and of a profile's.
pub fn load(
    sys: &Sys,
    profile: Option<&str>,
    settle: impl FnOnce(context::Settings) -> Result<Settings>,
) -> Result<Loaded> {
    let git_root = git::find_root(sys, &sys.cwd);
    let found = config::discover(&sys.cwd, git_root.as_ref())?;
    let root = found.root;
    let project = config::load(found.file, &config::read_from_disk(&root))?;
    let profile = profile.or_else(|| sys.var(context::PROFILE_VARIABLE));
    let settings = settle(context::profile_settings(&project.declarations, profile)?)?;
    let context = Context::new(&project.declarations, &sys.env, profile, settings.fields())?;
    Ok(Loaded {
        spaces: Spaces::new(&project.declarations),
        folder: folder_below(&root, &sys.cwd),
        dirs: WorkDirs::new(root),
        project,
        context,
        settings,
        profile: profile.map(str::to_owned),
    })
}

impl Loaded {
    pub fn planner(&self) -> Planner<'_> {
        Planner {
            declarations: &self.project.declarations,
            spaces: &self.spaces,
            context: &self.context,
        }
    }

    /// What to select by; inside a space's root, that space, unless another is asked for.
    pub fn selectors(&self) -> Selectors {
        let settings = &self.settings;
        let mut spaces = settings.spaces.clone();
        if spaces.is_empty()
            && let Some(folder) = &self.folder
            && let Some(space) = self.spaces.working_space(folder)
        {
            spaces.push(space.name.clone());
        }
        Selectors {
            commands: settings.commands.clone(),
            modules: settings.modules.clone(),
            spaces,
            tags: settings.tags.clone(),
            caches: settings.caches.clone(),
            cache_status: settings.cache_status,
            since: settings.since.is_some(),
            isolation: settings.isolation,
        }
    }
}

fn folder_below(root: &AbsPath, folder: &AbsPath) -> Option<String> {
    let below = folder.as_path().strip_prefix(root.as_path()).ok()?;
    below.to_str().map(str::to_owned)
}
