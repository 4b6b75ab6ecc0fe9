//! The import graph of the project's Python modules, made without starting Python.
//!
//! Sources are scanned once per content; the rest is pure. *Architecture invariant:* a graph
//! depends on nothing but the files that it is made of and [`Rules`]: not on what is installed, so
//! that whoever asks says what a distribution has.

mod assemble;
mod builder;
mod closure;
mod codec;
mod fence;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod graph;
mod kept;
mod link;
mod names;
mod nesting;
mod place;
mod reading;
mod resolve;
mod route;
mod scan;
mod source;
mod standard;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod written;

pub use assemble::{Rules, below};
pub use builder::{Builder, Sources};
pub use closure::Closure;
pub use fence::{Crossing, Fenced};
pub use graph::{Graph, ModuleId};
pub use place::{fault_diagnostic, place_in};
pub use route::Step;
pub use written::{graph_text, lock_text};
