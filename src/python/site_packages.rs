//! Where an environment keeps its distributions, in the order in which Python looks there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::interpreter::Interpreter;
use crate::paths::AbsPath;
use crate::sys::{Env, fs};

/// The folders of the active environment: `VIRTUAL_ENV`, else `CONDA_PREFIX`, else that of the
/// `python3` on `PATH`. `root` is where Python would be started.
pub fn of_active(env: &Env, root: &AbsPath) -> Vec<PathBuf> {
    let interpreter = match named_prefix(env) {
        Some(prefix) => Some(Interpreter::of_prefix(root.as_path().join(prefix))),
        None => Interpreter::active(env, root),
    };
    let mut folders = python_path(env, root);
    folders.extend(interpreter.iter().flat_map(|it| of_interpreter(it, env)));
    existing(folders)
}

/// The folders above those that [`of_active`] gives, or would give once they are there: of an
/// environment that is named, since it is made anew now and then.
pub fn above_active(env: &Env, root: &AbsPath) -> Vec<PathBuf> {
    let Some(prefix) = named_prefix(env).map(|prefix| root.as_path().join(prefix)) else {
        return Vec::new();
    };
    let libraries = libraries(&prefix, None);
    let mut folders: Vec<PathBuf> = prefix.parent().map(Path::to_path_buf).into_iter().collect();
    for lib in ["lib", "lib64"].map(|lib| prefix.join(lib)) {
        folders.extend(libraries.iter().map(|library| lib.join(library)));
        folders.push(lib);
    }
    folders.push(prefix);
    folders
}

fn named_prefix(env: &Env) -> Option<&Path> {
    variable(env, "VIRTUAL_ENV").or_else(|| variable(env, "CONDA_PREFIX"))
}

/// The folders of a virtual environment that need not be the active one.
pub fn of_venv(venv: &AbsPath, env: &Env, root: &AbsPath) -> Vec<PathBuf> {
    let mut folders = python_path(env, root);
    folders.extend(of_interpreter(&Interpreter::of_prefix(venv.as_path().to_path_buf()), env));
    existing(folders)
}

fn variable<'e>(env: &'e Env, name: &str) -> Option<&'e Path> {
    env.get(OsStr::new(name)).filter(|value| !value.is_empty()).map(Path::new)
}

/// What stands before everything else.
fn python_path(env: &Env, root: &AbsPath) -> Vec<PathBuf> {
    let value = env.get(OsStr::new("PYTHONPATH")).filter(|value| !value.is_empty());
    let parts = value.into_iter().flat_map(std::env::split_paths);
    parts
        .filter(|part| !part.as_os_str().is_empty())
        .map(|part| root.as_path().join(part))
        .collect()
}

fn of_interpreter(interpreter: &Interpreter, env: &Env) -> Vec<PathBuf> {
    let Interpreter { prefix, version, venv } = interpreter;
    let libraries = libraries(prefix, version.as_deref());
    let Some(venv) = venv else {
        return [of_user(env, &libraries), of_system(prefix, &libraries)].concat();
    };
    let mut folders = of_own(prefix, &libraries);
    if venv.sees_system
        && let Some(base) = venv.home.as_deref().and_then(Path::parent)
    {
        folders.extend(of_user(env, &libraries));
        folders.extend(of_system(base, &libraries));
    }
    folders
}

/// The names of the library's folder, as `python3.12`: the one of the version, or, where that is
/// not known or not there, all that there are.
fn libraries(prefix: &Path, version: Option<&str>) -> Vec<String> {
    if let Some(version) = version {
        let name = format!("python{version}");
        if ["lib", "lib64"].iter().any(|lib| prefix.join(lib).join(&name).is_dir()) {
            return vec![name];
        }
    }
    let listed = ["lib", "lib64"].map(|lib| fs::list(&prefix.join(lib)).unwrap_or_default());
    let names = listed.iter().flatten().filter_map(|path| path.file_name()?.to_str());
    let is_library =
        |name: &&str| ["python3.", "pypy3."].iter().any(|begin| name.starts_with(begin));
    let mut names: Vec<String> = names.filter(is_library).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn of_own(prefix: &Path, libraries: &[String]) -> Vec<PathBuf> {
    let folders = libraries.iter().flat_map(|library| {
        ["lib", "lib64"].map(|lib| prefix.join(lib).join(library).join("site-packages"))
    });
    folders.collect()
}

/// Debian has folders of its own for what it packages, one of them for every version.
fn of_system(prefix: &Path, libraries: &[String]) -> Vec<PathBuf> {
    let shared = prefix.join("lib/python3/dist-packages");
    if shared.is_dir() {
        let own = |lib| {
            let lib = prefix.join(lib);
            libraries.iter().map(move |library| lib.join(library).join("dist-packages"))
        };
        return own("local/lib").chain([shared]).chain(own("lib")).collect();
    }
    let local = ["local/lib64", "local/lib"];
    let local = libraries
        .iter()
        .flat_map(|library| local.map(|lib| prefix.join(lib).join(library).join("site-packages")));
    local.chain(of_own(prefix, libraries)).collect()
}

/// What a user has installed for themselves.
fn of_user(env: &Env, libraries: &[String]) -> Vec<PathBuf> {
    if variable(env, "PYTHONNOUSERSITE").is_some() {
        return Vec::new();
    }
    let base = variable(env, "PYTHONUSERBASE").map(Path::to_path_buf);
    let base = base.or_else(|| Some(variable(env, "HOME")?.join(".local")));
    let Some(base) = base else { return Vec::new() };
    libraries.iter().map(|library| base.join("lib").join(library).join("site-packages")).collect()
}

/// Those that are there, each once: `lib64` is often a link to `lib`.
fn existing(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found: Vec<(PathBuf, PathBuf)> = Vec::new();
    for folder in folders {
        if let Ok(real) = fs::resolve(&folder)
            && real.is_dir()
            && found.iter().all(|(_, other)| *other != real)
        {
            found.push((folder, real));
        }
    }
    found.into_iter().map(|(folder, _)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes files and folders (those that end in `/`), and gives the folders that are found,
    /// relative to the root, as the environment has them.
    fn found(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Vec<String> {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        for (path, text) in files {
            let file = root.join(path);
            if path.ends_with('/') {
                fs::create_folder(&file).unwrap();
            } else {
                fs::create_folder(file.parent().unwrap()).unwrap();
                let text = text.replace("ROOT", root.to_str().unwrap());
                fs::write_atomic(&file, text.as_bytes()).unwrap();
            }
        }
        let value = |text: &str| text.replace("ROOT", root.to_str().unwrap()).into();
        let env = variables.iter().map(|(name, text)| ((*name).into(), value(text))).collect();
        let folders = of_active(&env, &AbsPath::new(&root).unwrap());
        let below = |path: PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        folders.into_iter().map(below).collect()
    }

    #[test]
    fn a_virtual_environment_has_its_own_library_alone() {
        let files = [
            ("venv/pyvenv.cfg", "home = ROOT/usr/bin\nversion = 3.11.7\n"),
            ("venv/lib/python3.11/site-packages/", ""),
            ("venv/lib/python3.10/site-packages/", ""),
            ("usr/lib/python3.11/site-packages/", ""),
            ("home/.local/lib/python3.11/site-packages/", ""),
        ];
        let variables = [("VIRTUAL_ENV", "ROOT/venv"), ("HOME", "ROOT/home")];
        assert_eq!(found(&files, &variables), ["venv/lib/python3.11/site-packages"]);
    }

    #[test]
    fn a_virtual_environment_may_see_the_system() {
        let files = [
            (
                "venv/pyvenv.cfg",
                "home = ROOT/usr/bin\ninclude-system-site-packages = true\nversion = 3.11.7\n",
            ),
            ("venv/lib/python3.11/site-packages/", ""),
            ("usr/lib/python3.11/site-packages/", ""),
            ("home/.local/lib/python3.11/site-packages/", ""),
        ];
        let variables = [("VIRTUAL_ENV", "ROOT/venv"), ("HOME", "ROOT/home")];
        let expected = [
            "venv/lib/python3.11/site-packages",
            "home/.local/lib/python3.11/site-packages",
            "usr/lib/python3.11/site-packages",
        ];
        assert_eq!(found(&files, &variables), expected);
    }

    #[test]
    fn debian_has_folders_of_its_own() {
        let files = [
            ("usr/bin/python3", ""),
            ("usr/lib/python3.11/", ""),
            ("usr/local/lib/python3.11/dist-packages/", ""),
            ("usr/local/lib/python3.11/site-packages/", ""),
            ("usr/lib/python3/dist-packages/", ""),
        ];
        let expected = ["usr/local/lib/python3.11/dist-packages", "usr/lib/python3/dist-packages"];
        assert_eq!(found(&files, &[("PATH", "ROOT/none:ROOT/usr/bin")]), expected);
    }

    #[test]
    fn the_python_path_and_the_users_own_come_first() {
        let files = [
            ("usr/bin/python3", ""),
            ("usr/lib/python3.12/site-packages/", ""),
            ("usr/lib64/python3.12/site-packages/", ""),
            ("base/lib/python3.12/site-packages/", ""),
            ("near/", ""),
        ];
        let variables = [
            ("PATH", "ROOT/usr/bin"),
            ("PYTHONUSERBASE", "ROOT/base"),
            ("PYTHONPATH", "near:ROOT/none"),
        ];
        let expected = [
            "near",
            "base/lib/python3.12/site-packages",
            "usr/lib/python3.12/site-packages",
            "usr/lib64/python3.12/site-packages",
        ];
        assert_eq!(found(&files, &variables), expected);
        let without = [variables[0], ("HOME", "ROOT"), ("PYTHONNOUSERSITE", "1")];
        assert_eq!(found(&files, &without), expected[2..]);
    }

    #[test]
    fn conda_is_found_by_its_variable() {
        let files = [("conda/lib/python3.12/site-packages/", ""), ("usr/bin/python3", "")];
        let variables = [("CONDA_PREFIX", "ROOT/conda"), ("PATH", "ROOT/usr/bin")];
        assert_eq!(found(&files, &variables), ["conda/lib/python3.12/site-packages"]);
        assert_eq!(found(&files, &[]), [""; 0]);
    }
}
