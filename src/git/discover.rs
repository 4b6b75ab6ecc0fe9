//! Where a repository is: the same answer as git's, mostly without starting git.
//!
//! The plain case, a `.git` of one's own with nothing unusual in its configuration, is settled by
//! looking, and what libgit2 finds to be no different (a submodule) by libgit2. Whatever else there
//! is (environment, other owners, bare repositories, a work tree elsewhere) git is asked about, and
//! its word is final.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::binary::{Git, failure, words};
use super::library;
use crate::error::{Code, Diagnostic};
use crate::paths::AbsPath;
use crate::sys::{Env, Sys, fs};

/// A configuration larger than this is git's to read.
const CONFIG_SIZE_BYTES_MAX: u64 = 1 << 20;

/// Variables that move a repository or its configuration.
const MOVING_VARIABLES: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"];

/// The folders of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// Of the work tree.
    pub(super) root: AbsPath,
    /// Of this work tree: a linked one has its own.
    pub(super) git_dir: AbsPath,
    /// Shared by all work trees.
    pub(super) common_dir: AbsPath,
}

/// The folder above which no `qik.toml` is looked for: the root of the work tree that a folder is
/// in, by looking upwards alone. It does not say that git can read the repository.
pub fn find_root(sys: &Sys, folder: &AbsPath) -> Option<AbsPath> {
    if let Some(tree) = sys.env.get(OsStr::new("GIT_WORK_TREE")) {
        let tree = sys.cwd.join(tree);
        let tree = fs::resolve(tree.as_path()).ok().and_then(AbsPath::new).unwrap_or(tree);
        if folder.as_path().starts_with(tree.as_path()) {
            return Some(tree);
        }
    }
    let found = walk(&sys.env, folder);
    if sys.env.contains_key(OsStr::new("GIT_DIR")) {
        let root = found.as_ref().and_then(|found| root_of_git_dir(&sys.env, folder, found));
        return Some(root.unwrap_or_else(|| folder.clone()));
    }
    match found {
        Some(Found::Marked { root, .. }) => Some(root),
        Some(Found::Bare(_)) | None => None,
    }
}

/// Whether a work tree's index takes longer to read than a thread to start. In doubt it does not.
pub fn has_much_to_read(root: &AbsPath) -> bool {
    const SIZE_BYTES_MIN: u64 = 512 * 1024;
    fs::stat(root.join(".git/index").as_path()).is_ok_and(|meta| meta.len() >= SIZE_BYTES_MIN)
}

/// The repository that a folder is in.
pub(super) fn discover(env: &Env, folder: &AbsPath) -> Result<Option<Site>, Diagnostic> {
    let found = walk(env, folder);
    if MOVING_VARIABLES.iter().any(|name| env.contains_key(OsStr::new(name))) {
        return ask(&Git::new(&with_work_tree(env, folder, found.as_ref()), folder), folder);
    }
    match found {
        None => Ok(None),
        Some(Found::Bare(folder)) => Err(no_work_tree(&folder)),
        Some(Found::Marked { root, git_dir }) => {
            let site = git_dir.filter(|git_dir| is_trusted(&root, git_dir));
            let site = site.and_then(|git_dir| {
                plain_site(&root, &git_dir).or_else(|| library_site(&root, &git_dir))
            });
            match site {
                Some(site) => Ok(Some(site)),
                None => ask(&Git::new(env, folder), folder),
            }
        }
    }
}

/// The environment, completed as its author meant it.
fn with_work_tree(env: &Env, folder: &AbsPath, found: Option<&Found>) -> Env {
    let mut env = env.clone();
    if !env.contains_key(OsStr::new("GIT_WORK_TREE"))
        && let Some(root) = found.and_then(|found| root_of_git_dir(&env, folder, found))
    {
        env.insert("GIT_WORK_TREE".into(), root.as_path().into());
    }
    env
}

/// Hooks set `GIT_DIR` alone and start in the root of the work tree. From a folder below, git
/// would take that folder for the root; what is meant is the tree whose `.git` it is.
fn root_of_git_dir(env: &Env, folder: &AbsPath, found: &Found) -> Option<AbsPath> {
    let Found::Marked { root, git_dir: Some(marked) } = found else { return None };
    let named = folder.join(env.get(OsStr::new("GIT_DIR"))?);
    let (named, marked) = (fs::resolve(named.as_path()), fs::resolve(marked.as_path()));
    (named.ok()? == marked.ok()?).then(|| root.clone())
}

#[derive(Debug)]
enum Found {
    /// A `.git` stands in this folder; `None` if it is a file that leads nowhere.
    Marked { root: AbsPath, git_dir: Option<AbsPath> },
    /// The folder is itself what `.git` is elsewhere.
    Bare(AbsPath),
}

/// The nearest repository upwards, within the file system and below the ceilings.
fn walk(env: &Env, folder: &AbsPath) -> Option<Found> {
    let crosses = env.get(OsStr::new("GIT_DISCOVERY_ACROSS_FILESYSTEM"));
    let crosses = crosses.is_some_and(|value| matches!(value.as_bytes(), b"1" | b"true"));
    let device = |folder: &AbsPath| fs::stat(folder.as_path()).ok().map(|meta| meta.dev());
    let first_device = device(folder);
    let ceilings = ceilings(env);
    let mut folder = folder.clone();
    loop {
        if let Some(found) = look_in(&folder) {
            return Some(found);
        }
        folder = folder.parent()?;
        let is_ceiling = ceilings.iter().any(|ceiling| ceiling == folder.as_path());
        if is_ceiling || (!crosses && device(&folder) != first_device) {
            return None;
        }
    }
}

fn ceilings(env: &Env) -> Vec<PathBuf> {
    let Some(value) = env.get(OsStr::new("GIT_CEILING_DIRECTORIES")) else { return Vec::new() };
    let paths = value.as_bytes().split(|byte| *byte == b':').filter(|path| !path.is_empty());
    paths
        .map(|path| Path::new(OsStr::from_bytes(path)))
        .map(|path| fs::resolve(path).unwrap_or_else(|_| path.to_path_buf()))
        .collect()
}

fn look_in(folder: &AbsPath) -> Option<Found> {
    let marker = folder.join(".git");
    if let Ok(meta) = fs::stat_target(marker.as_path()) {
        if meta.is_file() {
            return Some(Found::Marked { root: folder.clone(), git_dir: follow(folder, &marker) });
        }
        if is_git_dir(&marker) {
            return Some(Found::Marked { root: folder.clone(), git_dir: Some(marker) });
        }
    }
    is_git_dir(folder).then(|| Found::Bare(folder.clone()))
}

/// Where a `.git` file leads.
fn follow(folder: &AbsPath, marker: &AbsPath) -> Option<AbsPath> {
    let text = fs::read_bounded(marker.as_path(), CONFIG_SIZE_BYTES_MAX).ok()?;
    let path = text.strip_prefix(b"gitdir: ")?;
    let end = path.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'))? + 1;
    let git_dir = fs::resolve(folder.join(OsStr::from_bytes(&path[..end])).as_path()).ok()?;
    AbsPath::new(git_dir).filter(is_git_dir)
}

fn is_git_dir(folder: &AbsPath) -> bool {
    let has = |name: &str| fs::stat(folder.join(name).as_path()).is_ok();
    has("HEAD") && (has("commondir") || (has("objects") && has("refs")))
}

/// Whether all that makes a repository is the user's own: otherwise git decides.
fn is_trusted(root: &AbsPath, git_dir: &AbsPath) -> bool {
    let is_own = |path: &AbsPath| fs::stat(path.as_path()).is_ok_and(|meta| fs::is_own(&meta));
    [root, &root.join(".git"), git_dir].into_iter().all(is_own)
}

/// The site, if there is nothing unusual about it.
fn plain_site(root: &AbsPath, git_dir: &AbsPath) -> Option<Site> {
    let common_dir = match fs::read(git_dir.join("commondir").as_path()) {
        Ok(text) => {
            let path = text.trim_ascii_end();
            AbsPath::new(fs::resolve(git_dir.join(OsStr::from_bytes(path)).as_path()).ok()?)?
        }
        Err(_) => git_dir.clone(),
    };
    let config =
        fs::read_bounded(common_dir.join("config").as_path(), CONFIG_SIZE_BYTES_MAX).ok()?;
    let is_plain =
        is_plain_config(&config) && fs::stat(git_dir.join("config.worktree").as_path()).is_err();
    is_plain.then(|| Site { root: root.clone(), git_dir: git_dir.clone(), common_dir })
}

/// The site, if libgit2 finds its work tree where its `.git` stands, as that of a submodule does.
fn library_site(root: &AbsPath, git_dir: &AbsPath) -> Option<Site> {
    let repository = library::open(git_dir.as_path()).ok()?;
    let common_dir = AbsPath::new(fs::resolve(repository.commondir()).ok()?)?;
    let is_here = !repository.is_bare() && library::is_same(repository.workdir(), root.as_path());
    is_here.then(|| Site { root: root.clone(), git_dir: git_dir.clone(), common_dir })
}

/// Whether no line can make the repository bare or move its work tree. Errs towards asking git.
pub(super) fn is_plain_config(config: &[u8]) -> bool {
    config.split(|byte| *byte == b'\n').all(|line| {
        let line = line.to_ascii_lowercase();
        let line: Vec<u8> = line.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let has = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
        !(has(b"worktree") || has(b"include") || (has(b"bare") && line != b"bare=false"))
    })
}

/// git's own answer.
fn ask(git: &Git, folder: &AbsPath) -> Result<Option<Site>, Diagnostic> {
    let args = ["rev-parse", "--show-toplevel"];
    let output = git.run(&args, b"")?;
    if !output.status.success() {
        return match refusal(&output.stderr, folder) {
            Refusal::NoRepository => Ok(None),
            Refusal::Because(diagnostic) => Err(*diagnostic),
            Refusal::Unknown => Err(failure(&args, &output)),
        };
    }
    let root = path_line(folder, output.stdout);
    let folder_of = |option: &str| -> Result<AbsPath, Diagnostic> {
        Ok(path_line(folder, git.read(&["rev-parse", option])?))
    };
    Ok(Some(Site {
        root,
        git_dir: folder_of("--absolute-git-dir")?,
        common_dir: folder_of("--git-common-dir")?,
    }))
}

fn path_line(folder: &AbsPath, mut line: Vec<u8>) -> AbsPath {
    line.pop_if(|last| *last == b'\n');
    let path = folder.join(std::ffi::OsString::from_vec(line));
    fs::resolve(path.as_path()).ok().and_then(AbsPath::new).unwrap_or(path)
}

enum Refusal {
    NoRepository,
    Because(Box<Diagnostic>),
    Unknown,
}

fn refusal(stderr: &[u8], folder: &AbsPath) -> Refusal {
    let text = String::from_utf8_lossy(stderr);
    if text.contains("must be run in a work tree") {
        return Refusal::Because(Box::new(no_work_tree(folder)));
    }
    if let Some((_, rest)) = text.split_once("dubious ownership in repository at '") {
        let root = rest.split('\'').next().unwrap_or_default();
        let diagnostic = words(stderr).into_iter().take(1).fold(
            Diagnostic::new(
                Code::GitFailed,
                format!("git does not trust `{root}`, which another user owns"),
            ),
            Diagnostic::because,
        );
        let root = String::from_utf8_lossy(&super::quote::sh_quoted(root.as_bytes())).into_owned();
        return Refusal::Because(Box::new(
            diagnostic.hint(format!("git config --global --add safe.directory {root}")),
        ));
    }
    if text.contains("not a git repository (or any") {
        return Refusal::NoRepository;
    }
    Refusal::Unknown
}

fn no_work_tree(folder: &AbsPath) -> Diagnostic {
    Diagnostic::new(
        Code::RepositoryNotFound,
        format!("`{folder}` is in a bare repository or in git's own folder, not in a work tree"),
    )
    .hint("change to a work tree; `git worktree list` shows them")
}

#[cfg(test)]
mod tests {
    use super::is_plain_config;

    #[test]
    fn only_a_config_that_moves_nothing_is_plain() {
        assert!(is_plain_config(b"[core]\n\tbare = false\n\tfilemode = true\n"));
        assert!(!is_plain_config(b"[core]\n\tbare = true\n"));
        assert!(!is_plain_config(b"[core] bare\n"));
        assert!(!is_plain_config(b"[core]\n\tWorkTree = ../x\n"));
        assert!(!is_plain_config(b"[include]\n\tpath = x\n"));
    }
}
