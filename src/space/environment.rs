//! The variables that the commands of a space see.

use std::ffi::{OsStr, OsString};

use super::dotenv;
use crate::error::{Code, Diagnostic, RunnableError};
use crate::paths::AbsPath;
use crate::sys::{Env, fs, spawn};

/// What the installation of a virtual environment ends with: a file that says what is in it.
pub const INSTALLED_FILE: &str = ".qik-installed";

/// The process's environment, then the virtual environment in a folder below the root, if there
/// is one, then the dotenv files in their order.
pub fn environment(
    process: &Env,
    root: &AbsPath,
    venv: Option<&str>,
    dotenv: &[String],
) -> Result<Env, RunnableError> {
    let mut env = process.clone();
    if let Some(folder) = venv {
        activate(&mut env, &root.join(folder)).map_err(|missing| {
            Diagnostic::new(
                Code::VenvNotFound,
                format!("there is no virtual environment in `{folder}`"),
            )
            .because(missing)
            .hint("`qik :x --install` makes the virtual environments")
        })?;
    }
    for path in dotenv {
        dotenv::apply(&mut env, root, path)?;
    }
    Ok(env)
}

/// Does what a virtual environment's own `activate` does. Fails with what is missing.
fn activate(env: &mut Env, venv: &AbsPath) -> Result<(), String> {
    let programs = venv.join("bin");
    let python = programs.join("python");
    if !python.as_path().exists() {
        return Err(format!("`{python}` is not there, or leads nowhere"));
    }
    if !fs::is_file(venv.join(INSTALLED_FILE).as_path()) {
        return Err("its installation has not come to an end".to_owned());
    }
    let path = env.get(OsStr::new("PATH")).cloned();
    let path = path.unwrap_or_else(|| OsString::from(spawn::PATH_DEFAULT));
    let parts = [programs.as_path().to_path_buf()].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(parts)
        .map_err(|_| format!("`{programs}` has a `:`, which `PATH` cannot hold"))?;
    env.insert("PATH".into(), path);
    env.insert("VIRTUAL_ENV".into(), venv.as_path().into());
    env.remove(OsStr::new("PYTHONHOME"));
    Ok(())
}
