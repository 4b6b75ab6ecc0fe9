//! The world of a test: a throwaway repository, a clean environment, a counter of real runs.

mod output;
mod process;
mod project;

pub use output::Output;
pub use process::{Lifeline, Started, until};
pub use project::Project;
