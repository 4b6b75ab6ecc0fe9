//! `Command::new` with a mandatory working directory and a mandatory environment.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Env;

/// A program to be run in a folder with exactly this environment and no standard input.
#[expect(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn command(program: impl AsRef<OsStr>, folder: &Path, env: &Env) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().envs(env).stdin(Stdio::null());
    command
}
