//! qik: a command runner that knows by content, through git, what has changed.

pub mod config;
pub mod error;
pub mod git;
pub mod hash;
pub mod paths;
pub mod plan;
pub mod sys;
