//! Where the active environment keeps its distributions.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::sys::{Env, fs};

/// The folders of installed distributions of the active environment, first one first:
/// `VIRTUAL_ENV`, else `CONDA_PREFIX`, else the prefix of the `python3` on `PATH`.
pub fn find(env: &Env) -> Vec<PathBuf> {
    let named = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
    let prefix = named("VIRTUAL_ENV").or_else(|| named("CONDA_PREFIX")).map(PathBuf::from);
    prefix.or_else(|| python_prefix(env)).map(|prefix| below(&prefix)).unwrap_or_default()
}

/// The folder above the `bin` of the first `python3` on `PATH`. A virtual environment's is taken
/// as it is, any other one after following links: that is where the library lies.
fn python_prefix(env: &Env) -> Option<PathBuf> {
    let path = env.get(OsStr::new("PATH"))?;
    let python = std::env::split_paths(path)
        .map(|folder| folder.join("python3"))
        .find(|program| program.is_file())?;
    let prefix = python.parent()?.parent()?;
    if prefix.join("pyvenv.cfg").is_file() {
        return Some(prefix.to_path_buf());
    }
    let real = python.canonicalize().ok()?;
    real.parent()?.parent().map(Path::to_path_buf)
}

/// `lib*/pythonX.Y/{site,dist}-packages` below a prefix, and Debian's shared folder.
fn below(prefix: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for lib in ["lib", "lib64", "local/lib"] {
        for python in fs::list(&prefix.join(lib)).unwrap_or_default() {
            let name = python.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if name.starts_with("python3") {
                let folders = ["site-packages", "dist-packages"].map(|name| python.join(name));
                found.extend(folders.into_iter().filter(|folder| folder.is_dir()));
            }
        }
    }
    found
}
