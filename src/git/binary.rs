//! The git program: the one place that runs it, and that says what is wrong when it fails.
//!
//! It reads what only git can read rightly: refs in any storage, trees, attributes and filters,
//! indexes in parts. Nothing here goes through a shell, and no name of the user's stands where an
//! option could.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Output, Stdio};
use std::thread;

use crate::error::{Code, Diagnostic};
use crate::paths::{AbsPath, escape};
use crate::sys::{Env, spawn};

/// Variables that change what paths among the arguments mean, and exclude each other.
const PATHSPEC_VARIABLES: [&str; 4] =
    ["GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS", "GIT_NOGLOB_PATHSPECS"];

/// Variables that hold for one repository: a submodule is another.
const LOCAL_VARIABLES: [&str; 11] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Lines of git's own words that a diagnostic repeats.
const CAUSE_LINES_MAX: usize = 5;

/// git in a folder, with an environment.
#[derive(Debug, Clone)]
pub(super) struct Git {
    folder: AbsPath,
    env: Env,
}

impl Git {
    /// git with the environment as it is, but for what makes its words and locks predictable.
    pub(super) fn new(env: &Env, folder: &AbsPath) -> Self {
        let mut git = Self { folder: folder.clone(), env: env.clone() };
        for name in PATHSPEC_VARIABLES {
            git.env.remove(OsStr::new(name));
        }
        git.with("GIT_OPTIONAL_LOCKS", "0").with("LC_ALL", "C")
    }

    /// With one more variable.
    pub(super) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Without the variables that hold for one repository alone.
    pub(super) fn without_local_variables(mut self) -> Self {
        for name in LOCAL_VARIABLES {
            self.env.remove(OsStr::new(name));
        }
        self
    }

    /// The environment that git gets.
    pub(super) fn env(&self) -> &Env {
        &self.env
    }

    /// Runs git to its end; an exit code is not an error, a git that cannot be started is.
    pub(super) fn run<A: AsRef<OsStr>>(
        &self,
        args: &[A],
        input: &[u8],
    ) -> Result<Output, Diagnostic> {
        let mut command = spawn::command("git", self.folder.as_path(), &self.env);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let stdin = child.stdin.take();
        let output = thread::scope(|scope| {
            if let Some(mut stdin) = stdin {
                // A git that ends early does not read all of it, and says why by itself.
                let write = move || drop(stdin.write_all(input));
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, write) {
                    drop(child.kill());
                    drop(child.wait());
                    return Err(error);
                }
            }
            child.wait_with_output()
        });
        output.map_err(|error| self.not_started(&error))
    }

    /// The standard output of a git that has to succeed.
    pub(super) fn read<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Vec<u8>, Diagnostic> {
        let output = self.run(args, b"")?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failure(args, &output))
    }

    fn not_started(&self, error: &std::io::Error) -> Diagnostic {
        if error.kind() == ErrorKind::NotFound && self.folder.as_path().is_dir() {
            return Diagnostic::new(Code::GitFailed, "there is no `git` on the `PATH`")
                .hint("install git 2.25 or newer");
        }
        Diagnostic::new(Code::GitFailed, "git cannot be started").because(error.to_string())
    }
}

/// git said no: with which subcommand, and in its own words.
pub(super) fn failure<A: AsRef<OsStr>>(args: &[A], output: &Output) -> Diagnostic {
    let verb = args.iter().map(AsRef::as_ref).find(|arg| !arg.as_bytes().starts_with(b"-"));
    let verb = verb.map_or_else(String::new, |verb| escape(verb.as_bytes()).into_owned());
    let diagnostic = Diagnostic::new(Code::GitFailed, format!("`git {verb}` failed"));
    let diagnostic = words(&output.stderr).into_iter().fold(diagnostic, Diagnostic::because);
    if output.status.code() == Some(129) {
        return diagnostic.hint("install git 2.25 or newer");
    }
    diagnostic
}

/// What git wrote to stderr, without its own labels and hints.
pub(super) fn words(stderr: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(stderr)
        .lines()
        .map(|line| {
            ["fatal: ", "error: "]
                .iter()
                .fold(line, |line, label| line.strip_prefix(label).unwrap_or(line))
        })
        .filter(|line| !line.trim().is_empty() && !line.starts_with("hint:"))
        .map(str::to_owned)
        .take(CAUSE_LINES_MAX)
        .collect()
}
