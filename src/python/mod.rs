//! Python environments, inspected without starting Python.

mod dist;
mod site_packages;

pub use dist::{Distributions, normalized};
pub use site_packages::{find as find_site_packages, find_above as find_above_site_packages};
