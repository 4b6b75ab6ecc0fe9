//! The only folder that touches the machine, fenced by `.clippy.toml`.
//!
//! The environment, the working directory and the terminal are values that `main` builds once
//! and passes down; nothing below asks the process for them.

pub mod clock;
pub mod fault;
pub mod folder;
pub mod fs;
pub mod keys;
pub mod log;
pub mod memo;
pub mod parallel;
pub mod spawn;
pub mod timings;
pub mod ui;
pub mod unfinished;
pub mod veil;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::error::{Code, Diagnostic, Result};
use crate::paths::AbsPath;
use veil::Veil;

/// Variables by name.
pub type Env = BTreeMap<OsString, OsString>;

/// What a run knows of the machine.
#[derive(Debug, Clone)]
pub struct Sys {
    /// The process's environment at the start.
    pub env: Env,
    /// The working directory at the start.
    pub cwd: AbsPath,
    /// The program that runs, to be called back by git.
    pub exe: PathBuf,
    /// Processors that may be used.
    pub cpu_count: usize,
    /// What is shown and kept goes through it.
    pub veil: Veil,
}

impl Sys {
    /// Reads the machine; the only place that asks for these things.
    #[expect(clippy::disallowed_methods, reason = "this is where the machine becomes a value")]
    pub fn new() -> Result<Self> {
        let cwd = std::env::current_dir().map_err(|error| {
            Diagnostic::new(Code::FileFailed, "the working directory cannot be read")
                .because(error.to_string())
                .hint("change to a folder that exists")
        })?;
        let cwd = AbsPath::new(cwd).ok_or_else(|| {
            Diagnostic::new(Code::FileFailed, "the working directory has no absolute path")
        })?;
        Ok(Self {
            env: std::env::vars_os().collect(),
            cwd,
            exe: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("qik")),
            cpu_count: std::thread::available_parallelism().map_or(1, usize::from),
            veil: Veil::default(),
        })
    }

    /// An environment variable that is valid UTF-8 and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(OsStr::new(name)).and_then(|value| value.to_str()).filter(|v| !v.is_empty())
    }
}
