//! git's configuration as libgit2 reads it, put together from the files that git would read.
//!
//! libgit2 has its own idea of where these files are, taken from the process and not from
//! [`Env`]; so they are named to it one by one. For the whole machine only the file in `/etc` is
//! known: a git that was built for another folder (Homebrew's, Xcode's) reads that as well, and
//! what is set there is not seen here. At worst a touched file then counts as changed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel};

use super::discover::Site;
use super::library::Library;
use crate::sys::{Env, fs};

/// Variables that hold settings themselves.
const COMMAND_VARIABLES: [&str; 2] = ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"];

/// The configuration of the whole machine.
const SYSTEM_FILE: &str = "/etc/gitconfig";

/// A snapshot of the configuration of a work tree; `None` where only git can tell.
pub(super) fn load(site: &Site, env: &Env, library: &Library) -> Option<Config> {
    if COMMAND_VARIABLES.iter().any(|name| env.contains_key(OsStr::new(name))) {
        return None;
    }
    let user_files = user_files(site, env);
    let mut config = compose(site, &user_files).ok()?;
    let is_set =
        |pattern| config.entries(Some(pattern)).is_ok_and(|mut found| found.next().is_some());
    if !is_set(r"^includeif\.") {
        return config.snapshot().ok();
    }
    // Files included on conditions are only found by a repository, which reads libgit2's files.
    // It does not know conditions on remotes.
    let own_files = [Config::find_system(), Config::find_xdg(), Config::find_global()];
    let is_same = own_files.into_iter().flatten().eq(user_files.into_iter().map(|(_, path)| path));
    if !is_same || is_set(r"^includeif\.hasconfig:") {
        return None;
    }
    library.ask(|repository| repository.config()?.snapshot())
}

fn compose(site: &Site, user_files: &[(ConfigLevel, PathBuf)]) -> Result<Config, git2::Error> {
    let mut config = Config::new()?;
    for (level, path) in user_files {
        config.add_file(path, *level, false)?;
    }
    let local = site.common_dir.join("config");
    if fs::is_file(local.as_path()) {
        config.add_file(local.as_path(), ConfigLevel::Local, false)?;
    }
    let own = site.git_dir.join("config.worktree");
    let has_own = config.get_bool("extensions.worktreeconfig").unwrap_or(false);
    if has_own && fs::is_file(own.as_path()) {
        config.add_file(own.as_path(), ConfigLevel::Worktree, false)?;
    }
    Ok(config)
}

/// The files outside of the repository that are there, in git's order.
fn user_files(site: &Site, env: &Env) -> Vec<(ConfigLevel, PathBuf)> {
    let variable = |name: &str| env.get(OsStr::new(name));
    let is_on = |value: &OsStr| {
        value.to_str().is_some_and(|value| Config::parse_bool(value).unwrap_or(true))
    };
    let mut files = Vec::new();
    if !variable("GIT_CONFIG_NOSYSTEM").is_some_and(|value| is_on(value)) {
        let path = variable("GIT_CONFIG_SYSTEM").map(PathBuf::from);
        files.push((ConfigLevel::System, path.unwrap_or_else(|| SYSTEM_FILE.into())));
    }
    if let Some(path) = variable("GIT_CONFIG_GLOBAL") {
        files.push((ConfigLevel::Global, path.into()));
    } else {
        let xdg = xdg_folder(env).map(|folder| folder.join("config"));
        files.extend(xdg.map(|path| (ConfigLevel::XDG, path)));
        let home = home(env).map(|home| home.join(".gitconfig"));
        files.extend(home.map(|path| (ConfigLevel::Global, path)));
    }
    let files = files.into_iter().map(|(level, path)| (level, site.root.as_path().join(path)));
    files.filter(|(_, path)| fs::is_file(path)).collect()
}

/// The folder of the user's own files for git, other than `~/.gitconfig`.
pub(super) fn xdg_folder(env: &Env) -> Option<PathBuf> {
    let folder = env.get(OsStr::new("XDG_CONFIG_HOME")).filter(|folder| !folder.is_empty());
    let folder = folder.map(PathBuf::from).or_else(|| Some(home(env)?.join(".config")));
    folder.map(|folder| folder.join("git"))
}

/// What `~` stands for.
pub(super) fn home(env: &Env) -> Option<&Path> {
    env.get(OsStr::new("HOME")).filter(|home| !home.is_empty()).map(Path::new)
}
