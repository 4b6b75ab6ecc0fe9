//! Which file makes a folder the project root. Reads the disk.

use super::document::{self, Document, FILE_BYTES_MAX};
use super::load::tool_table;
use crate::error::{Code, Diagnostic, Result};
use crate::paths::AbsPath;
use crate::sys::folder::Folder;
use crate::sys::fs;

/// The file that declares a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigFile {
    QikToml,
    /// 0.1: the table `[tool.qik]` of a `pyproject.toml`.
    Pyproject,
}

impl ConfigFile {
    pub fn name(self) -> &'static str {
        match self {
            Self::QikToml => "qik.toml",
            Self::Pyproject => "pyproject.toml",
        }
    }
}

/// Where a project is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The folder of the file: the project root.
    pub root: AbsPath,
    pub file: ConfigFile,
}

/// The outermost `qik.toml` from the working directory up to the git root, else the outermost
/// `pyproject.toml` there with a `[tool.qik]`.
pub fn discover(cwd: &AbsPath, git_root: Option<&AbsPath>) -> Result<Found> {
    let folders = folders_upwards(cwd, git_root);
    for file in [ConfigFile::QikToml, ConfigFile::Pyproject] {
        if let Some(root) = folders.iter().rfind(|folder| declares(folder, file)) {
            return Ok(Found { root: root.clone(), file });
        }
    }
    Err(not_found(&folders).into())
}

/// Reads files below a project root from disk, for [`super::load()`].
pub fn read_from_disk(root: &AbsPath) -> impl Fn(&str) -> Result<Option<Vec<u8>>> {
    let folder = Folder::open(root.as_path());
    move |path| {
        // Most modules have no file, which costs less to see than to try.
        if folder.as_ref().is_ok_and(|folder| folder.lacks(path.as_bytes())) {
            return Ok(None);
        }
        let path = root.join(path);
        // One byte more than is allowed shows that there is more.
        let bytes = fs::read_start(path.as_path(), FILE_BYTES_MAX as u64 + 1);
        Ok(fs::optional(bytes)?)
    }
}

/// The working directory and the folders above it, none above the git root.
fn folders_upwards(cwd: &AbsPath, git_root: Option<&AbsPath>) -> Vec<AbsPath> {
    let mut folders = vec![cwd.clone()];
    while let Some(folder) = folders.last()
        && Some(folder) != git_root
        && let Some(parent) = folder.parent()
    {
        folders.push(parent);
    }
    folders
}

fn declares(folder: &AbsPath, file: ConfigFile) -> bool {
    let path = folder.join(file.name());
    if !fs::is_file(path.as_path()) {
        return false;
    }
    match file {
        ConfigFile::QikToml => true,
        ConfigFile::Pyproject => has_tool_table(&path),
    }
}

/// Whether a `pyproject.toml` has a `[tool.qik]`. One that cannot be read is somebody else's.
fn has_tool_table(path: &AbsPath) -> bool {
    let Ok(bytes) = fs::read_start(path.as_path(), FILE_BYTES_MAX as u64) else { return false };
    let Ok(source) = document::read_source(ConfigFile::Pyproject.name(), bytes) else {
        return false;
    };
    tool_table(Document::parse(&source).table).is_some()
}

fn not_found(folders: &[AbsPath]) -> Diagnostic {
    let name = ConfigFile::QikToml.name();
    let (Some(cwd), Some(top)) = (folders.first(), folders.last()) else {
        return Diagnostic::new(Code::ConfigNotFound, format!("there is no `{name}`"));
    };
    let message = match folders {
        [_] => format!("there is no `{name}` in `{cwd}`"),
        _ => format!("there is no `{name}` in `{cwd}` or above it, up to `{top}`"),
    };
    let mut diagnostic = Diagnostic::new(Code::ConfigNotFound, message);
    for folder in folders {
        let path = folder.join(name);
        if fs::stat(path.as_path()).is_ok() {
            diagnostic = diagnostic.because(format!("`{path}` is not a file"));
        }
    }
    diagnostic.hint(format!(
        "write a `{name}` to begin with:\n[commands.hello]\nexec = \"echo hello\"\ndeps = [\"*.md\"]"
    ))
}
