//! The runnables of the import graph's plugin, which no shell runs: their result is in the world,
//! and is written here. Blocks.

use super::job::Run;
use crate::error::RunnableError;
use crate::hash::GraphResult;
use crate::sys::fs;

/// What a unit gives, with its artifact in place.
pub(super) fn perform(run: &Run, unit: usize) -> Result<GraphResult, RunnableError> {
    let runnable = run.runnable(unit);
    let result = run.job.inputs.graph_result(runnable)?;
    if let (Some(text), Some(path)) = (&result.artifact, runnable.artifacts.first()) {
        let path = run.job.dirs.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_folder(folder.as_path())?;
        }
        let unfinished = &run.job.dirs.unfinished;
        unfinished.write_if_different(path.as_path(), text.as_bytes())?;
    }
    Ok(result)
}
