//! The Python of an environment, found by its files: `python3` on `PATH`, followed through links,
//! and pyenv's shims, which are scripts that stand for a version named elsewhere.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::paths::AbsPath;
use crate::sys::{Env, fs};

/// Bound of the small text files that are read here.
const TEXT_BYTES_MAX: u64 = 64 * 1024;

/// Where a Python is installed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub(super) prefix: PathBuf,
    /// As its library's folder is named, `3.12`; `None` if it cannot be told.
    pub(super) version: Option<String>,
    /// The settings of a virtual environment.
    pub(super) venv: Option<VenvSettings>,
}

/// What `pyvenv.cfg` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct VenvSettings {
    /// The folder of the Python that the environment was made with.
    pub(super) home: Option<PathBuf>,
    pub(super) sees_system: bool,
}

impl Interpreter {
    /// The one that `python3` means, run in a folder.
    pub(super) fn active(env: &Env, folder: &AbsPath) -> Option<Self> {
        let path = env.get(OsStr::new("PATH"))?;
        for part in std::env::split_paths(path) {
            let program = folder.as_path().join(part).join("python3");
            if !fs::is_file(&program) {
                continue;
            }
            match pyenv_root(&program, env) {
                None => return Self::of_program(&program),
                Some(root) => match pyenv_version(&root, env, folder) {
                    PyenvVersion::Prefix(prefix) => return Some(Self::of_prefix(prefix)),
                    // The next one on `PATH` is the system's.
                    PyenvVersion::System => {}
                    PyenvVersion::Unknown => return None,
                },
            }
        }
        None
    }

    /// The one below a prefix: a virtual environment, or conda's.
    pub(super) fn of_prefix(prefix: PathBuf) -> Self {
        if let Some((settings, version)) = read_settings(&prefix) {
            let version = version.or_else(|| linked_version(&prefix.join("bin/python3")));
            return Self { prefix, version, venv: Some(settings) };
        }
        let version = linked_version(&prefix.join("bin/python3"));
        Self { prefix, version, venv: None }
    }

    /// That of a program. A virtual environment's links are not followed: its library is its own.
    fn of_program(program: &Path) -> Option<Self> {
        let prefix = program.parent()?.parent()?;
        if fs::is_file(&prefix.join("pyvenv.cfg")) {
            return Some(Self::of_prefix(prefix.to_path_buf()));
        }
        let real = fs::resolve(program).ok()?;
        let name = real.file_name()?.to_str()?;
        // What is named otherwise decides at run time which Python it is.
        if !name.starts_with("python") && !name.starts_with("pypy") {
            return None;
        }
        let prefix = real.parent()?.parent()?.to_path_buf();
        Some(Self { prefix, version: version_of(name), venv: None })
    }
}

/// The `3.12` of `python3.12`.
fn version_of(program_name: &str) -> Option<String> {
    let version = program_name.strip_prefix("python")?;
    let is_version = version.contains('.') && version.starts_with("3.");
    is_version.then(|| version.to_owned())
}

fn linked_version(program: &Path) -> Option<String> {
    version_of(fs::resolve(program).ok()?.file_name()?.to_str()?)
}

/// `pyvenv.cfg`, with the version in it as a library's folder has it.
fn read_settings(prefix: &Path) -> Option<(VenvSettings, Option<String>)> {
    let bytes = fs::read_start(&prefix.join("pyvenv.cfg"), TEXT_BYTES_MAX).ok()?;
    Some(parse_settings(&String::from_utf8_lossy(&bytes)))
}

fn parse_settings(text: &str) -> (VenvSettings, Option<String>) {
    let mut settings = VenvSettings::default();
    let mut version = None;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    for (key, value) in pairs.map(|(key, value)| (key.trim().to_lowercase(), value.trim())) {
        match key.as_str() {
            "home" => settings.home = Some(PathBuf::from(value)),
            "include-system-site-packages" => {
                settings.sees_system = value.eq_ignore_ascii_case("true");
            }
            "version" | "version_info" => {
                let mut parts = value.split('.');
                let short = parts.next().zip(parts.next());
                version = short.map(|(major, minor)| format!("{major}.{minor}"));
            }
            _ => {}
        }
    }
    (settings, version)
}

/// What a shim of pyenv stands for.
#[derive(Debug, PartialEq, Eq)]
enum PyenvVersion {
    Prefix(PathBuf),
    System,
    Unknown,
}

/// Where pyenv keeps its versions, if a program is one of its shims.
fn pyenv_root(program: &Path, env: &Env) -> Option<PathBuf> {
    let shims = program.parent()?;
    if shims.file_name() != Some(OsStr::new("shims")) {
        return None;
    }
    let root = env.get(OsStr::new("PYENV_ROOT")).filter(|root| !root.is_empty());
    let above = shims.ancestors().skip(1).map(Path::to_path_buf);
    let mut roots = root.map(PathBuf::from).into_iter().chain(above);
    roots.find(|root| root.join("versions").is_dir() && shims.starts_with(root))
}

/// `PYENV_VERSION`, else the nearest `.python-version`, else pyenv's own choice.
fn pyenv_version(root: &Path, env: &Env, folder: &AbsPath) -> PyenvVersion {
    let named = env.get(OsStr::new("PYENV_VERSION")).and_then(|value| value.to_str());
    let named = named.filter(|value| !value.is_empty()).map(str::to_owned);
    let files = folder.as_path().ancestors().map(|folder| folder.join(".python-version"));
    let mut files = files.chain([root.join("version")]);
    let chosen = named.or_else(|| {
        files.find_map(|file| {
            let bytes = fs::read_start(&file, TEXT_BYTES_MAX).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        })
    });
    let chosen = chosen.unwrap_or_else(|| "system".to_owned());
    let without_comments = chosen.lines().map(|line| line.split('#').next().unwrap_or_default());
    let words = without_comments.flat_map(|line| line.split([':', ' ', '\t', '\r']));
    for name in words.filter(|word| !word.is_empty()) {
        if name == "system" {
            return PyenvVersion::System;
        }
        if let Some(prefix) = find_version(&root.join("versions"), name) {
            return PyenvVersion::Prefix(prefix);
        }
    }
    PyenvVersion::Unknown
}

/// A version by its name, else the newest that it is the beginning of.
fn find_version(versions: &Path, name: &str) -> Option<PathBuf> {
    let exact = versions.join(name);
    if exact.join("bin/python3").exists() {
        return Some(exact);
    }
    let begins = format!("{name}.");
    let newest = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix(&begins)?;
        let numbers: Result<Vec<u32>, _> = name.split('.').map(str::parse).collect();
        numbers.ok()
    };
    let listed = fs::list(versions).unwrap_or_default();
    listed.into_iter().filter(|path| newest(path).is_some()).max_by_key(newest)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_folder(path.parent().unwrap()).unwrap();
        fs::write_atomic(path, text.as_bytes()).unwrap();
    }

    #[track_caller]
    fn check_pyenv(version_file: &str, versions: &[&str], expected: &PyenvVersion) {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        for version in versions {
            write(&root.join(format!("versions/{version}/bin/python3")), "");
        }
        write(&root.join("project/.python-version"), version_file);
        let folder = AbsPath::new(root.join("project/below")).unwrap();
        let expected = match expected {
            PyenvVersion::Prefix(name) => &PyenvVersion::Prefix(root.join("versions").join(name)),
            other => other,
        };
        assert_eq!(&pyenv_version(root, &Env::new(), &folder), expected, "{version_file:?}");
    }

    #[test]
    fn a_shim_stands_for_the_version_that_is_named_nearby() {
        let versions = ["3.9.1", "3.11.7", "3.11.10", "tools"];
        let prefix = |name: &str| PyenvVersion::Prefix(PathBuf::from(name));
        check_pyenv("3.9.1\n", &versions, &prefix("3.9.1"));
        check_pyenv("# pinned\n3.11 # newest\n", &versions, &prefix("3.11.10"));
        check_pyenv("tools\n3.9.1\n", &versions, &prefix("tools"));
        check_pyenv("3.12.0 3.9.1\n", &versions, &prefix("3.9.1"));
        check_pyenv("system\n", &versions, &PyenvVersion::System);
        check_pyenv("3.12.0\n", &versions, &PyenvVersion::Unknown);
    }

    #[test]
    fn settings_of_virtual_environments_are_read_in_every_dialect() {
        let (settings, version) = parse_settings(
            "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.7\n",
        );
        assert_eq!((settings.sees_system, version.as_deref()), (true, Some("3.11")));
        assert_eq!(settings.home.as_deref(), Some(Path::new("/usr/bin")));
        let (settings, version) = parse_settings("uv = 0.9\nversion_info = 3.13.1\n");
        assert_eq!((settings.sees_system, version.as_deref()), (false, Some("3.13")));
    }

    #[test]
    fn links_of_a_program_are_followed_to_where_its_library_is() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        write(&root.join("opt/python/bin/python3.12"), "");
        fs::create_folder(&root.join("bin")).unwrap();
        symlink("python3.12", root.join("opt/python/bin/python3")).unwrap();
        symlink(root.join("opt/python/bin/python3"), root.join("bin/python3")).unwrap();
        let env = Env::from([("PATH".into(), root.join("bin").into())]);
        let folder = AbsPath::new(&root).unwrap();
        let expected = Interpreter {
            prefix: root.join("opt/python"),
            version: Some("3.12".to_owned()),
            venv: None,
        };
        assert_eq!(Interpreter::active(&env, &folder), Some(expected));
    }

    #[test]
    fn what_decides_at_run_time_is_not_guessed() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        write(&root.join("bin/mise"), "");
        fs::create_folder(&root.join("shims")).unwrap();
        symlink(root.join("bin/mise"), root.join("shims/python3")).unwrap();
        let env = Env::from([("PATH".into(), root.join("shims").into())]);
        assert_eq!(Interpreter::active(&env, &AbsPath::new(root).unwrap()), None);
    }
}
