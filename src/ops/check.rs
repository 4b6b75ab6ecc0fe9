//! Patterns of the selected commands, checked once their templates are rendered and before
//! anything runs, with the places where they are written.

use super::load::Loaded;
use crate::cache;
use crate::config::{self, Text};
use crate::error::{Diagnostic, Error, Result};
use crate::git::Patterns;
use crate::plan::{Dep, Graph, Runnable};

/// Fails with every pattern that is none.
pub(super) fn patterns(loaded: &Loaded, graph: &Graph) -> Result<()> {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for runnable in &graph.runnables {
        for (pattern, text) in artifacts(loaded, runnable) {
            note(&mut diagnostics, cache::check_pattern(pattern), text);
        }
        for (pattern, text) in globs(loaded, runnable) {
            note(&mut diagnostics, Patterns::check(&loaded.git_prefix, pattern), text);
        }
    }
    Error::from_all(diagnostics).map_or(Ok(()), Err)
}

/// A pattern of a parametrized command is noted once, not once a module.
fn note(diagnostics: &mut Vec<Diagnostic>, checked: Result<(), Diagnostic>, text: &Text) {
    if let Err(diagnostic) = checked {
        let diagnostic = diagnostic.at(&text.place);
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
}

fn artifacts<'a>(
    loaded: &'a Loaded,
    runnable: &'a Runnable,
) -> impl Iterator<Item = (&'a str, &'a Text)> {
    let declared = loaded.project.declarations.commands.get(&runnable.command);
    let texts = declared.into_iter().flat_map(|command| &command.artifacts);
    runnable.artifacts.iter().map(String::as_str).zip(texts)
}

/// The globs of a runnable are rendered from its own deps, then the base deps, in their order.
fn globs<'a>(
    loaded: &'a Loaded,
    runnable: &'a Runnable,
) -> impl Iterator<Item = (&'a str, &'a Text)> {
    let declarations = &loaded.project.declarations;
    let own = declarations.commands.get(&runnable.command).into_iter();
    let deps = own.flat_map(|command| &command.deps).chain(&declarations.base_deps);
    let texts = deps.filter_map(|dep| match dep {
        config::Dep::Glob(text) => Some(text),
        _ => None,
    });
    let globs = runnable.deps.iter().filter_map(|dep| match dep {
        Dep::Glob(pattern) => Some(pattern.as_str()),
        _ => None,
    });
    globs.zip(texts)
}
