//! Python environments, inspected without starting Python: where distributions lie, which there
//! are, in which version, and whose an imported module is.
//!
//! `site_packages` and `interpreter` find the folders, `listing` lists one, `distributions` puts
//! them in Python's order, `modules` maps imports; `pins` reads versions from lock files.

mod distributions;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod interpreter;
mod listing;
mod modules;
mod name;
mod pins;
mod pth;
mod requirements;
mod site_packages;

pub use distributions::Distributions;
pub use listing::Listing;
pub use name::normalized;
pub use pins::Pins;
pub use requirements::requirement_files;
pub use site_packages::{above_active, of_active, of_venv};
