//! Spaces resolved: modules with their folders and imports, environments with inheritance
//! followed. Pure but for [`dotenv`].

pub mod dotenv;
mod fence;
mod module;
mod resolve;
mod venv;

pub use fence::FenceItem;
pub use module::Module;
pub use resolve::{Space, Spaces};
pub use venv::Venv;
