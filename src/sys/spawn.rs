//! `Command::new` with a mandatory working directory and a mandatory environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::Access;

use super::Env;

/// Where programs are sought if there is no `PATH`.
pub const PATH_DEFAULT: &str = "/bin:/usr/bin";

/// A program to be run in a folder with exactly this environment and no standard input.
#[expect(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn command(program: impl AsRef<OsStr>, folder: &Path, env: &Env) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().envs(env).stdin(Stdio::null());
    command
}

/// Becomes a program, which keeps this one's process, streams and terminal. Returns only if it
/// cannot be started.
pub fn replace(
    program: &Path,
    name: &OsStr,
    args: &[OsString],
    (folder, env): (&Path, &Env),
) -> io::Error {
    command(program, folder, env).arg0(name).args(args).stdin(Stdio::inherit()).exec()
}

/// The program that a name stands for in an environment; relative parts of `PATH` are below the
/// folder that the program is to run in.
pub fn find_program(name: impl AsRef<OsStr>, folder: &Path, env: &Env) -> Option<PathBuf> {
    let path =
        env.get(OsStr::new("PATH")).map_or(OsStr::new(PATH_DEFAULT), |path| path.as_os_str());
    std::env::split_paths(path)
        .map(|part| folder.join(part).join(name.as_ref()))
        .find(|program| program.is_file() && rustix::fs::access(program, Access::EXEC_OK).is_ok())
}
