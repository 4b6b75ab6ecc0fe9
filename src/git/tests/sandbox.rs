//! A repository in a temporary folder that knows nothing of the machine's configuration.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::git::{FileSet, Patterns, Repo, Worktree};
use crate::paths::AbsPath;
use crate::sys::veil::Veil;
use crate::sys::{Env, Sys, fs, spawn};

pub(super) struct Sandbox {
    _folder: tempfile::TempDir,
    /// The root of the repository.
    pub(super) root: PathBuf,
    pub(super) env: Env,
}

impl Sandbox {
    /// An empty repository on `main`.
    pub(super) fn new() -> Self {
        let sandbox = Self::bare_folder();
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox
    }

    /// A folder, and no repository.
    pub(super) fn bare_folder() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let above = fs::resolve(folder.path()).expect("its path");
        let root = above.join("root");
        fs::create_folder(&root).expect("a folder");
        let path = Sys::new().expect("the machine").env.remove(OsStr::new("PATH"));
        let variables = [
            ("HOME", above.as_os_str()),
            ("PATH", path.as_deref().unwrap_or_default()),
            ("GIT_CONFIG_GLOBAL", OsStr::new("/dev/null")),
            ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
            ("GIT_CEILING_DIRECTORIES", above.as_os_str()),
            ("GIT_AUTHOR_NAME", OsStr::new("A")),
            ("GIT_AUTHOR_EMAIL", OsStr::new("a@example.org")),
            ("GIT_AUTHOR_DATE", OsStr::new("2024-01-01T00:00:00Z")),
            ("GIT_COMMITTER_NAME", OsStr::new("C")),
            ("GIT_COMMITTER_EMAIL", OsStr::new("c@example.org")),
            ("GIT_COMMITTER_DATE", OsStr::new("2024-01-01T00:00:00Z")),
        ];
        let variables = variables.into_iter();
        let env = variables.map(|(name, value)| (name.into(), value.to_os_string())).collect();
        Self { _folder: folder, root, env }
    }

    /// A repository with these files committed.
    pub(super) fn with_files(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox.commit();
        sandbox
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.insert(name.into(), value.into());
    }

    pub(super) fn path(&self, path: impl AsRef<OsStr>) -> PathBuf {
        self.root.join(Path::new(&path))
    }

    pub(super) fn write(&self, path: impl AsRef<OsStr>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_folder(path.parent().expect("a folder")).expect("a folder");
        fs::write_atomic(&path, text.as_ref()).expect("a file");
    }

    /// Writes into an existing file, which stays the same file.
    pub(super) fn overwrite(&self, path: &str, text: &str) {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new().write(true).truncate(true).open(self.path(path));
        file.expect("a file").write_all(text.as_bytes()).expect("written");
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(&self.path(path)).expect("removed");
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        self.remove(path);
        std::os::unix::fs::symlink(target, self.path(path)).expect("a symlink");
    }

    pub(super) fn chmod(&self, path: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(path), mode).expect("permissions");
    }

    /// Gives a file another time of modification, and its content nothing new.
    pub(super) fn touch(&self, path: &str) {
        let file = fs::open(&self.path(path)).expect("a file");
        let time =
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        file.set_modified(time).expect("a time");
    }

    pub(super) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    }

    pub(super) fn try_git(&self, args: &[&str]) -> std::process::Output {
        spawn::command("git", &self.root, &self.env).args(args).output().expect("git starts")
    }

    #[track_caller]
    pub(super) fn git(&self, args: &[&str]) -> String {
        let output = self.try_git(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(super) fn abs(&self, path: &str) -> AbsPath {
        AbsPath::new(self.path(path)).expect("an absolute path")
    }

    pub(super) fn root(&self) -> AbsPath {
        AbsPath::new(self.root.clone()).expect("an absolute path")
    }

    pub(super) fn sys(&self) -> Sys {
        Sys {
            env: self.env.clone(),
            cwd: self.root(),
            exe: "/bin/qik".into(),
            cpu_count: 2,
            veil: Veil::default(),
        }
    }

    #[track_caller]
    pub(super) fn repo(&self) -> Repo {
        Repo::discover(&self.sys(), &self.root()).expect("no error").expect("a repository")
    }

    #[track_caller]
    pub(super) fn worktree(&self) -> Worktree {
        Worktree::open(Arc::new(self.repo()), &self.root()).expect("a work tree")
    }

    /// All files, as a new process would see them: `MODE ID PATH`.
    #[track_caller]
    pub(super) fn files(&self) -> Vec<String> {
        lines(&all_files(&self.worktree()))
    }

    /// Expects what `git add -u` would put into the index.
    #[track_caller]
    pub(super) fn check_like_git(&self) {
        let (own, index) = (self.path(".git/index"), self.path(".git/index-of-the-oracle"));
        fs::write_atomic(&index, &fs::read(&own).expect("an index")).expect("a copy");
        // By this time git tells which files may have changed since the index was written.
        let modified = fs::stat(&own).expect("an index").modified().expect("a time");
        fs::open(&index).expect("the copy").set_modified(modified).expect("a copy that is mine");
        let mut env = self.env.clone();
        env.insert("GIT_INDEX_FILE".into(), index.into());
        let oracle =
            Self { _folder: tempfile::tempdir().expect("a folder"), root: self.root.clone(), env };
        oracle.git(&["add", "-u"]);
        let listing = oracle.git(&["ls-files", "-s", "-z"]);
        let expected: Vec<String> =
            listing.split_terminator('\0').map(|line| line.replacen(" 0\t", " ", 1)).collect();
        assert_eq!(self.files(), expected);
    }
}

pub(super) fn patterns(texts: &[&str]) -> Patterns {
    Patterns::parse(b"", texts.iter().copied()).expect("patterns")
}

#[track_caller]
pub(super) fn all_files(worktree: &Worktree) -> Arc<FileSet> {
    worktree.file_set(&patterns(&["."])).expect("a file set")
}

/// `MODE ID PATH` each.
pub(super) fn lines(set: &FileSet) -> Vec<String> {
    set.iter()
        .map(|(path, file)| {
            let path = String::from_utf8_lossy(&path).into_owned();
            format!("{} {} {path}", file.mode.as_str(), file.id)
        })
        .collect()
}

/// The paths alone.
pub(super) fn paths(set: &FileSet) -> Vec<String> {
    set.iter().map(|(path, _)| String::from_utf8_lossy(&path).into_owned()).collect()
}

/// A name of any bytes.
pub(super) fn bytes(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}
