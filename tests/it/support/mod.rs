//! The world of a test: a throwaway repository, a clean environment, a counter of real runs.

mod output;
mod process;
mod project;
mod proxy;
mod s3;
mod terminal;
mod uv;

pub(crate) use output::Output;
pub(crate) use process::{Lifeline, Started, until};
pub(crate) use project::Project;
pub(crate) use proxy::Fault;
pub(crate) use s3::{Bucket, KEY, SECRET};
pub(crate) use terminal::Terminal;
