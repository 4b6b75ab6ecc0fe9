//! Whom changes may affect, and who runs for them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Batch;
use crate::git::Worktree;
use crate::hash::Reach;
use crate::plan::{Graph, RunnableId};
use crate::select;

/// From here on it is cheaper to look at all inputs of everybody than to match each file with
/// everybody's patterns.
const MATCHED_COUNT_MAX: usize = 1000;

/// The inputs by which a runnable may be affected; `None` if it could be any.
pub type Cause = Option<BTreeSet<String>>;

/// The runnables that a batch may affect, each with those of its inputs that are in it. Whether
/// they changed is for their content to say.
pub fn candidates(
    reaches: &[Reach],
    worktree: &Worktree,
    batch: &Batch,
) -> BTreeMap<RunnableId, Cause> {
    let everybody =
        reaches.iter().enumerate().map(|(position, reach)| (RunnableId(position), reach));
    if batch.is_anything || batch.files.len() > MATCHED_COUNT_MAX {
        return everybody.map(|(id, _)| (id, None)).collect();
    }
    everybody
        .filter_map(|(id, reach)| {
            let touches_distributions = batch.has_distributions && !reach.distributions.is_empty();
            let inputs = inputs_in(reach, worktree, batch);
            let is_near = touches_distributions || !inputs.is_empty();
            is_near.then_some((id, (!touches_distributions).then_some(inputs)))
        })
        .collect()
}

fn inputs_in(reach: &Reach, worktree: &Worktree, batch: &Batch) -> BTreeSet<String> {
    let files = batch.files.iter().filter(|path| {
        let globs = reach.globs.as_ref();
        globs.is_some_and(|globs| globs.matches(path) || globs.matches_submodule(path))
    });
    let settings = reach.settings.iter().filter(|path| batch.settings.contains(*path));
    files.map(|path| super::input_name(worktree, path)).chain(settings.cloned()).collect()
}

/// What runs if these are affected: strict downstreams, and the upstreams of all of them.
pub fn closure(graph: &Graph, affected: BTreeSet<RunnableId>) -> BTreeSet<RunnableId> {
    select::with_streams(graph, affected, &graph.ids().collect())
}

/// A batch in a few words: the first files, and how many more there are.
pub fn summary<'a>(inputs: impl IntoIterator<Item = &'a str>) -> String {
    const NAMED_COUNT_MAX: usize = 2;
    let inputs: BTreeSet<&str> = inputs.into_iter().collect();
    let named: Vec<&str> = inputs.iter().take(NAMED_COUNT_MAX).copied().collect();
    let mut text = named.join(", ");
    if inputs.len() > NAMED_COUNT_MAX {
        text.push_str(&format!(" +{}", inputs.len() - NAMED_COUNT_MAX));
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
