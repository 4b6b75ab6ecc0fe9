//! `:graph imports`: what imports a module and what it imports, or why a module needs another.

use std::io::{self, Write as _};

use super::load::Loaded;
use super::workspace;
use crate::cli::ExitCode;
use crate::error::{Code, Diagnostic, Result};
use crate::hash::{Imports, unknown_module};
use crate::plan::Pyimport;
use crate::pygraph::Step;
use crate::sys::{Sys, ui::Ui};

/// Prints imports, each as `FILE:LINE: IMPORTER imports IMPORTED`.
pub fn imports(
    loaded: &Loaded,
    (module, other): (&str, Option<&str>),
    sys: &Sys,
    ui: &Ui,
) -> Result<ExitCode> {
    let workspace = workspace::open(loaded, sys)?;
    let imports = workspace.world.all_imports()?;
    let graph = &imports.graph;
    let named = |name: &str| Pyimport { name: name.to_owned(), place: None };
    let steps = match other {
        None => {
            let mut steps = graph.find(module).map(|id| graph.imports_of(id)).unwrap_or_default();
            steps.extend(graph.importers_of(module));
            if steps.is_empty() && graph.find(module).is_none() {
                return Err(unknown_module(graph, &named(module)).into());
            }
            steps
        }
        Some(other) => {
            let from = graph.find(module);
            let from = from.ok_or_else(|| unknown_module(graph, &named(module)))?;
            if !graph.knows(other) {
                return Err(unknown_module(graph, &named(other)).into());
            }
            let Some(steps) = graph.route(from, other) else {
                let message =
                    format!("`{module}` does not import `{other}`, nor does what it imports");
                super::warn(ui, &[Diagnostic::new(Code::ImportNotFound, message)]);
                return Ok(ExitCode::Selected);
            };
            steps
        }
    };
    print(&imports, &steps, ui)?;
    Ok(ExitCode::Success)
}

fn print(imports: &Imports, steps: &[Step], ui: &Ui) -> Result<()> {
    let mut text = String::new();
    let mut lines: Vec<String> = steps.iter().map(|step| line(imports, step)).collect();
    lines.dedup();
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    let mut stdout = ui.stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let diagnostic = Diagnostic::new(Code::FileFailed, "cannot write the imports");
            Err(diagnostic.because(error.to_string()).into())
        }
        _ => Ok(()),
    }
}

fn line(imports: &Imports, step: &Step) -> String {
    let Step { importer, imported, place } = step;
    match place {
        Some((file, line)) => {
            format!("{}:{line}: {importer} imports {imported}", imports.path(*file))
        }
        None if imported.len() > importer.len() => format!("({imported} is in {importer})"),
        None => format!("({importer} is in {imported})"),
    }
}
