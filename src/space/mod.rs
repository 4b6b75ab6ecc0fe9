//! Spaces resolved: modules with their folders and imports, environments with inheritance
//! followed. Pure but for [`dotenv`].

pub mod dotenv;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod module;
mod resolve;
mod venv;

pub use module::Module;
pub use resolve::{Space, Spaces};
pub use venv::Venv;
