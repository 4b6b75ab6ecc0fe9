//! Spaces resolved: modules with their folders and imports, environments with inheritance
//! followed. Pure but for [`dotenv`] and [`environment()`].

pub mod dotenv;
mod environment;
mod fence;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod module;
mod resolve;
mod venv;

pub use environment::{INSTALLED_FILE, environment};
pub use fence::FenceItem;
pub use module::Module;
pub use resolve::{Space, Spaces};
pub use venv::{UvVenv, Venv};
