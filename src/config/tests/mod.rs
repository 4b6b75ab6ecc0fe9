//! Whole configurations: what loads, as what, and what is said of what does not.

mod discovery;
mod legacy;
mod references;
mod robustness;
mod seeds;
mod shapes;
mod syntax;
mod values;

use super::*;
use crate::error::{Result, Severity, render};

/// Loads files that are given by name and text.
fn load_files(files: &[(&str, &[u8])]) -> Result<Project> {
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        Ok(file.map(|(_, bytes)| bytes.to_vec()))
    };
    let is_pyproject = files.iter().any(|(name, _)| *name == "pyproject.toml");
    load(if is_pyproject { ConfigFile::Pyproject } else { ConfigFile::QikToml }, &read, 2)
}

#[track_caller]
fn loaded(text: &str) -> Declarations {
    match load_files(&[("qik.toml", text.as_bytes())]) {
        Ok(project) => project.declarations,
        Err(error) => panic!("{}\nof\n{text}", rendered(&error)),
    }
}

/// What is said of a `qik.toml`.
#[track_caller]
fn errors(text: &str) -> String {
    errors_of(&[("qik.toml", text.as_bytes())])
}

/// The same, with a line for each error: code, place, message and hints.
#[track_caller]
fn brief(text: &str) -> String {
    let error = load_files(&[("qik.toml", text.as_bytes())]).map(|_| ()).expect_err("it loads");
    let line = |diagnostic: &crate::error::Diagnostic| {
        let start = diagnostic.place.as_ref().map_or(0, |place| place.span.start);
        let before = &text[..start];
        let line = before.split('\n').count();
        let column = start - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        let mut parts = vec![diagnostic.message.as_str()];
        parts.extend(diagnostic.hints.iter().map(String::as_str));
        format!("{} {line}:{column} {}\n", diagnostic.code.id(), parts.join("; "))
    };
    error.diagnostics().iter().map(line).collect()
}

#[track_caller]
fn errors_of(files: &[(&str, &[u8])]) -> String {
    rendered(&load_files(files).map(|_| ()).expect_err("it loads"))
}

fn rendered(error: &crate::error::Error) -> String {
    let texts = error.diagnostics().iter().map(|diagnostic| render(diagnostic, Severity::Error));
    let text = texts.collect::<String>();
    anstream::adapter::strip_str(&text).to_string()
}
