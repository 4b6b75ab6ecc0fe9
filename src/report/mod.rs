//! Events → people and machines. Decides nothing: a run is the same whoever watches it.
//!
//! A [`Reporter`] shows events; [`reporter`] chooses one. [`Reporting`] runs it on a thread of
//! its own at the receiving end of the channel, together with the [`Manifest`].

mod bars;
mod choice;
mod filter;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod json;
mod manifest;
mod marks;
mod plain;
mod progress;
mod reporting;
mod screen;
mod silent;
mod stream;
mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use choice::{Choice, Logger, Verbosity, reporter};
pub use manifest::Manifest;
pub use marks::Marks;
pub use reporting::{Reporter, Reporting};
pub use screen::Screen;
