//! Text → typed declarations with places; no git, no process, no environment.

mod schema;

pub use schema::*;
