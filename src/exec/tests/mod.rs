//! Whole runs with real shells, over a world and a cache that are fakes.

mod caching;
mod commands;
pub(crate) mod project;
mod stopping;
