//! Whole configurations: what loads, as what, and what is said of what does not.

mod discovery;
mod errors;
mod legacy;
mod seeds;
mod shapes;

use super::*;
use crate::error::{Result, Severity, render};

/// Loads files that are given by name and text.
fn load_files(files: &[(&str, &[u8])]) -> Result<Project> {
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        Ok(file.map(|(_, bytes)| bytes.to_vec()))
    };
    let is_pyproject = files.iter().any(|(name, _)| *name == "pyproject.toml");
    load(if is_pyproject { ConfigFile::Pyproject } else { ConfigFile::QikToml }, &read)
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

#[track_caller]
fn errors_of(files: &[(&str, &[u8])]) -> String {
    rendered(&load_files(files).map(|_| ()).expect_err("it loads"))
}

fn rendered(error: &crate::error::Error) -> String {
    let texts = error.diagnostics().iter().map(|diagnostic| render(diagnostic, Severity::Error));
    let text = texts.collect::<String>();
    anstream::adapter::strip_str(&text).to_string()
}
