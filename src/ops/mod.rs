//! One file per verb, each a thin script over the folders below.

mod check;
pub mod list;
pub mod load;
pub mod merge_driver;
mod probe;
pub mod run;
mod since;
pub mod watch;
mod workspace;
