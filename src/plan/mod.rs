//! Declarations × modules × spaces → runnables → graph. Pure.
//!
//! Planning is driven by demand: only commands that are selected, and what is upstream of them,
//! are expanded and rendered, so that a value that another command lacks is no error, and one
//! command of a thousand costs one.

mod build;
mod cycle;
mod expand;
mod name;
mod plugin;
mod pygraph;
mod render;
mod runnable;
#[cfg(test)]
mod tests;
mod uv;

pub use build::{Isolation, build};
pub use expand::{Candidate, Origin, Planner};
pub use name::RunnableName;
pub use plugin::PluginCommand;
pub use runnable::{
    Action, Dep, Graph, GraphTask, NeededProgram, Pyimport, Runnable, RunnableId, Upstream,
};
pub use uv::venv_folder;
