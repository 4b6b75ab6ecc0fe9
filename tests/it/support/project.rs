//! A throwaway git repository with a `qik.toml`, driven by the real binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Output, Started};

/// A repository with an environment of its own. `{tick NAME}` in a configuration counts a real
/// run of NAME outside of the repository, so that no test trusts the program's own words.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    folder: Arc<TempDir>,
    /// The git root.
    pub(crate) git_root: PathBuf,
    /// The folder of `qik.toml`.
    pub(crate) root: PathBuf,
    env: BTreeMap<String, String>,
}

impl Project {
    /// An empty repository on the branch `main`.
    pub(crate) fn new() -> Self {
        let project = Self::without_git();
        project.git(["init", "-q", "-b", "main"]);
        project
    }

    /// A repository with a committed `a.txt` and one cached command `hello` over these deps.
    pub(crate) fn hello(deps: &str) -> Self {
        let project = Self::new();
        project.toml(&format!("[commands.hello]\nexec = \"{{tick hello}}\"\ndeps = {deps}\n"));
        project.file("a.txt", "one\n").commit();
        project
    }

    /// An empty folder.
    pub(crate) fn without_git() -> Self {
        let folder = TempDir::with_prefix("qik-test-").unwrap();
        let base = folder.path().canonicalize().unwrap();
        let root = base.join("repo");
        for name in ["repo", "ticks", "home"] {
            fs::create_dir(base.join(name)).unwrap();
        }
        let home = base.join("home").display().to_string();
        let ticks = base.join("ticks").display().to_string();
        let path = std::env::var("PATH").unwrap();
        let env = [
            ("PATH", path.as_str()),
            ("HOME", home.as_str()),
            ("TMPDIR", home.as_str()),
            ("TICKS", ticks.as_str()),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("COLUMNS", "100"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "author"),
            ("GIT_AUTHOR_EMAIL", "author@example.com"),
            ("GIT_AUTHOR_DATE", "2024-01-01T00:00:00Z"),
            ("GIT_COMMITTER_NAME", "author"),
            ("GIT_COMMITTER_EMAIL", "author@example.com"),
            ("GIT_COMMITTER_DATE", "2024-01-01T00:00:00Z"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { folder: Arc::new(folder), git_root: root.clone(), root, env }
    }

    /// The project lies in this folder below the git root.
    #[must_use]
    pub(crate) fn below(mut self, folder: &str) -> Self {
        self.root = self.git_root.join(folder);
        fs::create_dir_all(&self.root).unwrap();
        self
    }

    /// Writes `qik.toml`.
    pub(crate) fn toml(&self, text: &str) -> &Self {
        self.toml_at("qik.toml", text)
    }

    /// Writes a configuration. `{tick NAME}` becomes a command that counts a run, `{wait FILE}`
    /// one that waits until a file is there, and fails if it never comes.
    pub(crate) fn toml_at(&self, path: &str, text: &str) -> &Self {
        let ticked = expand(text, "{tick ", |name| format!("echo x >> $TICKS/{name}"));
        let waiting = |file: &str| {
            let poll = format!("i=0; while [ ! -e {file} ] && [ $i -lt 1200 ]");
            format!("{poll}; do sleep 0.05; i=$((i+1)); done; [ -e {file} ]")
        };
        self.file(path, expand(&ticked, "{wait ", waiting))
    }

    /// Writes a file, in folders as needed.
    pub(crate) fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Makes a symlink.
    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        drop(fs::remove_file(&path));
        symlink(target, path).unwrap();
        self
    }

    /// Sets permission bits.
    pub(crate) fn chmod(&self, path: &str, mode: u32) -> &Self {
        fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Removes a file or a folder.
    pub(crate) fn remove(&self, path: impl AsRef<Path>) -> &Self {
        let path = self.root.join(path);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    /// Removes a file that may not be there.
    pub(crate) fn forget(&self, path: impl AsRef<Path>) -> &Self {
        drop(fs::remove_file(self.root.join(path)));
        self
    }

    /// A file's text.
    #[track_caller]
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.root.join(path);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// Adds and commits everything.
    pub(crate) fn commit(&self) -> &Self {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", "change"]);
        self
    }

    /// Runs git, which must succeed, in the git root; its stdout.
    #[track_caller]
    pub(crate) fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let output = self.command("git", &self.git_root).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git failed: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs git in the git root, however it ends.
    #[must_use = "assert something of it"]
    pub(crate) fn try_git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        Output::of(self.command("git", &self.git_root).args(args))
    }

    /// What the index lists below a path of the git root.
    pub(crate) fn tracked(&self, path: &str) -> Vec<String> {
        let listed = self.git(["ls-files", "--", path]);
        listed.lines().map(str::to_owned).collect()
    }

    /// A clone of what is committed; it counts its runs in the same place.
    #[must_use]
    pub(crate) fn clone_to(&self, name: &str) -> Self {
        let git_root = self.git_root.with_file_name(name);
        self.git([
            OsStr::new("clone"),
            OsStr::new("-q"),
            self.git_root.as_ref(),
            git_root.as_ref(),
        ]);
        self.at(git_root)
    }

    /// The same world with another git root.
    #[must_use]
    pub(crate) fn at(&self, git_root: PathBuf) -> Self {
        let below = self.root.strip_prefix(&self.git_root).unwrap();
        let root = if below == Path::new("") { git_root.clone() } else { git_root.join(below) };
        Self { git_root, root, ..self.clone() }
    }

    /// The same world with one more environment variable.
    #[must_use]
    pub(crate) fn env(&self, name: &str, value: &str) -> Self {
        let mut project = self.clone();
        project.env.insert(name.to_owned(), value.to_owned());
        project
    }

    /// The same world with one environment variable less.
    #[must_use]
    pub(crate) fn without_env(&self, name: &str) -> Self {
        let mut project = self.clone();
        project.env.remove(name);
        project
    }

    /// A variable of this world.
    pub(crate) fn variable(&self, name: &str) -> String {
        self.env[name].clone()
    }

    /// The folder that holds all of this world, outside of the repository.
    pub(crate) fn world(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// Whether a cached command runs now; either way it has to succeed.
    #[track_caller]
    pub(crate) fn reruns(&self, name: &str) -> bool {
        let before = self.runs(name);
        let output = self.qik([name]).ok();
        let count = self.runs(name) - before;
        assert!(count < 2, "{name} ran {count} times\n{}", output.dump());
        count == 1
    }

    /// Starts qik in the root.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Started {
        Started::of(&mut self.qik_command(args))
    }

    /// Runs a shell command in the root, with qik on its PATH.
    #[must_use = "assert something of it"]
    pub(crate) fn sh(&self, script: &str) -> Output {
        let folder = Path::new(env!("CARGO_BIN_EXE_qik")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), self.env["PATH"]);
        Output::of(self.command("sh", &self.root).args(["-c", script]).env("PATH", path))
    }

    /// Runs qik in the root.
    #[must_use = "assert something of it"]
    pub(crate) fn qik<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        self.qik_in("", args)
    }

    /// Runs qik in a folder below the root.
    #[must_use = "assert something of it"]
    pub(crate) fn qik_in<A: AsRef<OsStr>>(
        &self,
        folder: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Output {
        let mut command = self.qik_command(args);
        Output::of(command.current_dir(self.root.join(folder)))
    }

    /// qik, ready to be started in the root.
    pub(crate) fn qik_command<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_qik"), &self.root);
        command.args(args);
        command
    }

    /// A program with the environment of this world.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().envs(&self.env).stdin(Stdio::null());
        command
    }

    /// The selected names.
    #[track_caller]
    pub(crate) fn ls<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Vec<String> {
        let mut command = self.qik_command(args);
        let output = Output::of(command.arg("--ls")).ok();
        output.stdout().lines().map(str::to_owned).collect()
    }

    /// How many times `{tick NAME}` has run.
    pub(crate) fn runs(&self, name: &str) -> usize {
        let path = self.folder.path().join("ticks").join(name);
        fs::read(path).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count())
    }
}

/// Replaces every `OPENING NAME}` by what is made of NAME.
fn expand(text: &str, opening: &str, make: impl Fn(&str) -> String) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(opening) {
        let (name, tail) = after.split_once('}').unwrap();
        expanded.push_str(before);
        expanded.push_str(&make(name));
        rest = tail;
    }
    expanded.push_str(rest);
    expanded
}
