//! A project's files → its declarations, or all that is wrong with them. Reads through the given
//! reader.

use toml::de::DeValue;

use super::check;
use super::decoder::Decoder;
use super::discover::ConfigFile;
use super::document::{self, Document, Table};
use super::legacy;
use super::module_file;
use super::root;
use super::schema::{Declarations, Module};
use crate::error::{Code, Diagnostic, Error, Result};
use crate::sys::parallel;

/// Reads a path relative to the project root, from disk or from a commit; `None` if there is no
/// such file.
pub type Reader<'r> = &'r (dyn Fn(&str) -> Result<Option<Vec<u8>>> + Sync);

/// So many modules are worth a thread that reads their files.
const MODULES_PER_THREAD_MIN: usize = 250;

/// A project as its files declare it.
#[derive(Debug, Clone)]
pub struct Project {
    pub declarations: Declarations,
    /// The file at the project root.
    pub file: ConfigFile,
    /// Every file that was read or looked for, relative to the project root, the root's first:
    /// a change of any may change the declarations.
    pub files: Vec<String>,
}

impl Project {
    /// The name of the file at the project root.
    pub fn file_name(&self) -> &'static str {
        self.file.name()
    }
}

/// Reads a project's file and those of its modules, many of these in up to so many threads.
///
/// The error holds everything that is wrong, in the order of the files and of their lines.
pub fn load(file: ConfigFile, read: Reader<'_>, thread_count_max: usize) -> Result<Project> {
    let name = file.name();
    let Some(bytes) = read(name)? else {
        return Err(Diagnostic::new(Code::ConfigNotFound, format!("there is no `{name}`")).into());
    };
    let source = document::read_source(name, bytes)?;
    let mut document = Document::parse(&source);
    let mut is_torn = document.is_torn();
    let mut decoder = Decoder::new(&source);
    let mut table = std::mem::take(&mut document.table);
    if file == ConfigFile::Pyproject {
        table = tool_table(table).unwrap_or_default();
    }
    let vars = legacy::take_vars(&mut table);
    legacy::lower_project(&mut table, &mut decoder);
    let mut declarations = root::decode(&table, vars.as_ref(), &mut decoder);
    let mut broken = std::mem::take(&mut decoder.broken);
    let mut diagnostics = document.join(decoder.diagnostics);

    let mut files = vec![name.to_owned()];
    let modules = declarations.modules().map(|(_, module)| module);
    let mut modules: Vec<(String, &Module)> =
        modules.filter_map(|module| Some((module_file::path(module)?, module))).collect();
    modules.sort_by(|(path, _), (other, _)| path.cmp(other));
    modules.dedup_by(|(path, _), (other, _)| path == other);
    let declared = parallel::map(&modules, MODULES_PER_THREAD_MIN, thread_count_max, |chunk| {
        chunk.iter().filter_map(|(path, module)| module_file::load(path, module, read)).collect()
    });
    files.extend(modules.into_iter().map(|(path, _)| path));
    for mut declared in declared {
        is_torn |= declared.is_torn;
        diagnostics.append(&mut declared.diagnostics);
        broken.extend(declared.broken);
        for (name, command) in declared.commands {
            if let Some(other) = declarations.commands.get(&name) {
                let message = format!("the command `{name}` is declared twice");
                let place = format!("also in `{}`", other.place.source.name);
                let diagnostic = Diagnostic::new(Code::NameInvalid, message).because(place);
                diagnostics.push(diagnostic.at(&command.place));
            } else {
                declarations.commands.insert(name, command);
            }
        }
    }
    // A syntax error may have swallowed names: what is missing then is its fault.
    if !is_torn {
        diagnostics.extend(check::check(&declarations, &broken));
    }
    sort(&mut diagnostics, &files);
    Error::from_all(diagnostics).map_or(Ok(Project { declarations, file, files }), Err)
}

/// The table `[tool.qik]` of a `pyproject.toml`.
pub(super) fn tool_table(mut pyproject: Table<'_>) -> Option<Table<'_>> {
    let DeValue::Table(mut tool) = pyproject.remove("tool")?.into_inner() else { return None };
    match tool.remove("qik")?.into_inner() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// Sorts by file, then by place.
fn sort(diagnostics: &mut [Diagnostic], files: &[String]) {
    diagnostics.sort_by_key(|diagnostic| {
        diagnostic.place.as_ref().map(|place| {
            let file = files.iter().position(|file| *file == place.source.name);
            (file, place.span.start)
        })
    });
}
