//! One file per verb, each a thin script over the folders below.

mod check;
pub mod graph;
pub mod list;
pub mod load;
pub mod merge_driver;
mod probe;
pub mod qikx;
mod remote;
pub mod run;
mod since;
pub mod watch;
mod workspace;

use std::io::Write as _;

use crate::error::{Diagnostic, Severity, render};
use crate::sys::ui::Ui;

/// Says what qik does instead, where no run reports it.
fn warn(ui: &Ui, warnings: &[Diagnostic]) {
    for warning in warnings {
        // A closed stderr is no reason to stop.
        drop(ui.stderr().write_all(render(warning, Severity::Warning).as_bytes()));
    }
}
