//! What every verb begins with: find the project, read it, settle what is wanted.

use std::os::unix::ffi::OsStrExt as _;

use super::workspace::Ahead;
use crate::cli::Settings;
use crate::config::{self, Project};
use crate::context::{self, Context};
use crate::error::Result;
use crate::git;
use crate::paths::{AbsPath, WorkDirs};
use crate::plan::Planner;
use crate::select::Selectors;
use crate::space::{Space, Spaces};
use crate::sys::Sys;
use crate::sys::timings::STAGE;

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
    /// The project root relative to the git root, as bytes.
    pub(super) git_prefix: Vec<u8>,
    /// The folder that qik was called in, relative to the root; `None` outside of it.
    folder: Option<String>,
    /// What is opened meanwhile.
    pub(super) ahead: Ahead,
}

/// What will be asked of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What it declares, nothing else.
    Declarations,
    /// What its files hold, too.
    Files,
}

/// Loads the project of the working directory; what its purpose needs of git is read meanwhile
/// and after that, where that takes its time. `settle` makes the settings of the command line
/// and of a profile's.
pub fn load(
    sys: &Sys,
    purpose: Purpose,
    profile: Option<&str>,
    settle: impl FnOnce(context::Settings) -> Result<Settings>,
) -> Result<Loaded> {
    let _stage = tracing::info_span!(target: STAGE, "read the configuration").entered();
    let git_root = git::find_root(sys, &sys.cwd);
    let found = config::discover(&sys.cwd, git_root.as_ref())?;
    let root = found.root;
    let dirs = WorkDirs::new(root.clone());
    let has_much = || git_root.as_ref().is_some_and(git::has_much_to_read);
    let reads_ahead = purpose == Purpose::Files && has_much();
    let ahead = if reads_ahead { Ahead::begin(&dirs, sys) } else { Ahead::default() };
    // One processor is at work on that.
    let thread_count_max = sys.cpu_count - usize::from(reads_ahead);
    let project = config::load(found.file, &config::read_from_disk(&root), thread_count_max)?;
    let profile = profile.or_else(|| sys.var(context::PROFILE_VARIABLE));
    let settings = settle(context::profile_settings(&project.declarations, profile)?)?;
    let context =
        Context::new(&project.declarations, &sys.env, profile, settings.fields(), &sys.veil)?;
    tracing::debug!(%root, file = project.file_name(), "loaded the project");
    Ok(Loaded {
        spaces: Spaces::new(&project.declarations),
        folder: path_below(&root, &sys.cwd).and_then(|path| String::from_utf8(path).ok()),
        git_prefix: git_root.and_then(|top| path_below(&top, &root)).unwrap_or_default(),
        dirs,
        project,
        context,
        settings,
        profile: profile.map(str::to_owned),
        ahead,
    })
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // A thread that still waits for a remote would keep it until the process is gone.
        self.dirs.unfinished.leave();
    }
}

impl Loaded {
    /// Ends its use together with the process, which frees it all at once.
    pub fn end(self) {
        self.dirs.unfinished.leave();
        std::mem::forget(self);
    }

    pub fn planner(&self) -> Planner<'_> {
        Planner::new(&self.project.declarations, &self.spaces, &self.context)
    }

    /// What to select by; inside a space's root, that space, unless another is asked for.
    pub fn selectors(&self) -> Selectors {
        let mut selectors = self.settings.selectors.clone();
        if selectors.spaces.is_empty() {
            selectors.spaces.extend(self.working_space().map(|space| space.name.clone()));
        }
        selectors
    }

    /// The space whose root holds the working directory.
    pub(super) fn working_space(&self) -> Option<&Space> {
        self.spaces.working_space(self.folder.as_ref()?)
    }
}

/// A folder relative to one above it.
fn path_below(top: &AbsPath, folder: &AbsPath) -> Option<Vec<u8>> {
    let below = folder.as_path().strip_prefix(top.as_path()).ok()?;
    Some(below.as_os_str().as_bytes().to_vec())
}
