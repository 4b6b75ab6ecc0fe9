//! Where the active environment keeps its distributions.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::sys::{Env, fs};

/// The folders of installed distributions of the active environment, first one first:
/// `VIRTUAL_ENV`, else `CONDA_PREFIX`, else the prefix of the `python3` on `PATH`.
pub fn find(env: &Env) -> Vec<PathBuf> {
    let prefix = named_prefix(env).or_else(|| python_prefix(env));
    prefix.map(|prefix| below(&prefix)).unwrap_or_default()
}

/// The folders above those that [`find`] gives, or would give once they are there: of an
/// environment that is named, since it is made anew now and then.
pub fn find_above(env: &Env) -> Vec<PathBuf> {
    let Some(prefix) = named_prefix(env) else { return Vec::new() };
    let parent = prefix.parent().map(Path::to_path_buf);
    let local = prefix.join("local");
    let (libs, pythons): (Vec<_>, Vec<_>) = pythons(&prefix).unzip();
    let all = parent.into_iter().chain([prefix, local]).chain(libs).chain(pythons.concat());
    all.collect()
}

fn named_prefix(env: &Env) -> Option<PathBuf> {
    let named = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
    named("VIRTUAL_ENV").or_else(|| named("CONDA_PREFIX")).map(PathBuf::from)
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
    let folders =
        |python: PathBuf| ["site-packages", "dist-packages"].map(|name| python.join(name));
    let all = pythons(prefix).flat_map(|(_, pythons)| pythons).flat_map(folders);
    all.filter(|folder| folder.is_dir()).collect()
}

/// The folders of libraries below a prefix, each with the `pythonX.Y` in it.
fn pythons(prefix: &Path) -> impl Iterator<Item = (PathBuf, Vec<PathBuf>)> {
    let is_python = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.starts_with("python3")
    };
    ["lib", "lib64", "local/lib"].into_iter().map(move |lib| {
        let lib = prefix.join(lib);
        let listed = fs::list(&lib).unwrap_or_default();
        (lib, listed.into_iter().filter(is_python).collect())
    })
}
