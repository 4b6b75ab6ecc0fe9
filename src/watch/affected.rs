//! Whom changes may affect, and what to call them. Pure.

use std::collections::BTreeSet;

use super::Batch;
use crate::git::Worktree;
use crate::hash::Reach;
use crate::plan::RunnableId;

/// With more files it is cheaper to look at all inputs of everybody than to match each file with
/// everybody's patterns.
const MATCHED_COUNT_MAX: usize = 256;

/// The runnables that a batch may affect. Whether it does is for the content of their inputs to
/// say.
pub fn candidates(reaches: &[Reach], batch: &Batch) -> BTreeSet<RunnableId> {
    let is_everybody = batch.is_anything || is_large(batch);
    let is_near = |reach: &Reach| {
        is_everybody
            || batch.has_distributions && !reach.distributions.is_empty()
            || batch.files.iter().any(|path| matches(reach, path))
            || reach.settings.iter().any(|path| batch.settings.contains(path))
    };
    let near = reaches.iter().enumerate().filter(|(_, reach)| is_near(reach));
    near.map(|(position, _)| RunnableId(position)).collect()
}

/// The inputs of a runnable that are in a batch.
pub fn inputs_in(reach: &Reach, worktree: &Worktree, batch: &Batch) -> BTreeSet<String> {
    let files = batch.files.iter().filter(|path| matches(reach, path));
    let settings = reach.settings.iter().filter(|path| batch.settings.contains(*path));
    files.map(|path| super::input_name(worktree, path)).chain(settings.cloned()).collect()
}

fn matches(reach: &Reach, path: &[u8]) -> bool {
    let globs = reach.globs.as_ref();
    globs.is_some_and(|globs| globs.matches(path) || globs.matches_submodule(path))
}

/// Whether a batch has too many files to match each with everybody's patterns.
pub fn is_large(batch: &Batch) -> bool {
    batch.files.len() > MATCHED_COUNT_MAX
}

/// A batch in a few words: the first files, and how many more there are.
pub fn summary<'a>(inputs: impl IntoIterator<Item = &'a str>) -> String {
    const NAMED_COUNT_MAX: usize = 2;
    let inputs: BTreeSet<&str> = inputs.into_iter().collect();
    let named: Vec<&str> = inputs.iter().take(NAMED_COUNT_MAX).copied().collect();
    let text = named.join(", ");
    if inputs.len() > NAMED_COUNT_MAX {
        return format!("{text} +{}", inputs.len() - NAMED_COUNT_MAX);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_cause_names_the_first_files() {
        assert_eq!(summary(["b", "a"]), "a, b");
        assert_eq!(summary(["e", "d", "c", "b", "a"]), "a, b +3");
        assert_eq!(summary([]), "");
    }
}
