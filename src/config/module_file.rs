//! A `qik.toml` within a module: commands, and nothing else. Reads through the given reader.

use std::collections::BTreeMap;

use super::command;
use super::decoder::Decoder;
use super::document::{self, Document, Table};
use super::legacy;
use super::load::Reader;
use super::schema::{Command, Module};
use crate::error::{Code, Diagnostic, Error};

/// The name of a module's file, as of a project's.
pub(super) const NAME: &str = "qik.toml";

/// What the file of a module declares.
#[derive(Debug, Default)]
pub(super) struct ModuleFile {
    /// By full name.
    pub(super) commands: BTreeMap<String, Command>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Names that are there, but wrong.
    pub(super) broken: Vec<String>,
    /// Whether so much is wrong with its syntax that names may be missing.
    pub(super) is_torn: bool,
}

/// The path of a module's file; `None` for a module at the project root, whose file is the
/// project's.
pub(super) fn path(module: &Module) -> Option<String> {
    (module.path.value != ".").then(|| [&module.path.value, "/", NAME].concat())
}

/// Reads the file of a module, if there is one.
pub(super) fn load(path: &str, module: &Module, read: Reader<'_>) -> Option<ModuleFile> {
    let bytes = match read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return None,
        Err(error) => return Some(failed(&error)),
    };
    let source = match document::read_source(path, bytes) {
        Ok(source) => source,
        Err(diagnostic) => return Some(failed(&diagnostic.into())),
    };
    let mut document = Document::parse(&source);
    let mut decoder = Decoder::new(&source);
    let mut table = std::mem::take(&mut document.table);
    legacy::lower_commands(&mut table, &mut decoder);
    refuse_others(&table, &mut decoder);
    let commands = match table.get("commands") {
        Some(node) => command::decode_all(node, Some(&module.name.value), &mut decoder),
        None => Vec::new(),
    };
    let is_torn = document.is_torn();
    let in_module = |name: String| format!("{}/{name}", module.name.value);
    let broken = std::mem::take(&mut decoder.broken).into_iter().map(in_module).collect();
    let diagnostics = document.join(decoder.diagnostics);
    let commands = commands.into_iter().collect();
    Some(ModuleFile { commands, diagnostics, broken, is_torn })
}

fn failed(error: &Error) -> ModuleFile {
    let diagnostics = error.diagnostics().to_vec();
    ModuleFile { diagnostics, is_torn: true, ..ModuleFile::default() }
}

/// Notes what belongs into the project's file.
fn refuse_others(table: &Table<'_>, decoder: &mut Decoder<'_>) {
    for (key, _) in table.iter().filter(|(key, _)| key.get_ref() != "commands") {
        let message =
            format!("the file of a module can declare `commands` alone, not `{}`", key.get_ref());
        let diagnostic = Diagnostic::new(Code::ConfigInvalid, message)
            .did_you_mean(key.get_ref(), ["commands"])
            .hint(format!("move `{}` to the `{NAME}` of the project root", key.get_ref()));
        decoder.reject(diagnostic, key.span());
    }
}
