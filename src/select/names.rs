//! Which runnables are named: by command, module and space. Pure.

use super::Selectors;
use crate::error::{Error, Result};
use crate::plan::{Candidate, Planner};

/// Every module, space and cache that is selected by has to exist.
pub(super) fn check(planner: &Planner<'_>, selectors: &Selectors) -> Result<()> {
    let declarations = planner.declarations;
    let modules = selectors.modules.iter();
    let modules = modules.filter(|word| planner.spaces.find_module(word).is_none());
    let mut diagnostics: Vec<_> = modules.map(|word| declarations.unknown_module(word)).collect();
    let spaces = selectors.spaces.iter();
    diagnostics.extend(spaces.filter_map(|word| declarations.check_space(word).err()));
    let caches = selectors.caches.iter();
    diagnostics.extend(caches.filter_map(|word| declarations.check_cache(word).err()));
    Error::from_all(diagnostics).map_or(Ok(()), Err)
}

/// The candidates that are asked for, upstreams aside.
pub(super) fn choose<'a>(
    planner: &Planner<'a>,
    selectors: &Selectors,
) -> Result<Vec<Candidate<'a>>> {
    let mut candidates = Vec::new();
    if selectors.commands.is_empty() {
        for (name, command) in &planner.declarations.commands {
            if !command.is_hidden {
                candidates.extend(planner.expand(name)?);
            }
        }
        for name in planner.plain_plugin_commands() {
            candidates.extend(planner.expand(&name)?);
        }
    }
    let mut diagnostics = Vec::new();
    for word in &selectors.commands {
        match find(planner, word) {
            Ok(found) => candidates.extend(found),
            Err(error) => diagnostics.extend(error.diagnostics().to_vec()),
        }
    }
    if let Some(error) = Error::from_all(diagnostics) {
        return Err(error);
    }
    let modules = selectors.modules.iter().filter_map(|word| planner.spaces.find_module(word));
    let modules: Vec<_> = modules.map(|module| module.name.as_str()).collect();
    candidates.retain(|candidate| is_wanted(candidate, selectors, &modules));
    Ok(candidates)
}

fn is_wanted(candidate: &Candidate<'_>, selectors: &Selectors, modules: &[&str]) -> bool {
    let is_of_module = selectors.modules.is_empty()
        || candidate.module.is_some_and(|module| modules.contains(&module.name.as_str()));
    let is_of_space =
        selectors.spaces.is_empty() || selectors.spaces.contains(&candidate.space.name);
    is_of_module && is_of_space
}

/// The runnables that a word stands for: a command's, or the one of that very name, as `--ls`
/// prints it.
fn find<'a>(planner: &Planner<'a>, word: &str) -> Result<Vec<Candidate<'a>>> {
    let command = word.split(['@', '#', '?']).next().unwrap_or(word);
    if command != word
        && let Ok(candidates) = planner.expand(command)
        && let Some(named) = candidates.into_iter().find(|found| found.name.as_str() == word)
    {
        return Ok(vec![named]);
    }
    planner.expand(word)
}
