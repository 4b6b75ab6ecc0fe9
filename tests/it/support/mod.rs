//! The world of a test: a throwaway repository, a clean environment, a counter of real runs.

mod output;
mod project;

pub use output::Output;
pub use project::Project;
