//! `--ls` and `--fail`: what is selected, without running it.

use std::io::{self, Write as _};

use super::check;
use super::load::Loaded;
use super::probe::WorkspaceProbe;
use super::run::select;
use crate::cli::ExitCode;
use crate::error::Result;
use crate::sys::Sys;
use crate::sys::ui::{Ui, lost_output};

/// Prints the names if asked to; the exit code tells whether there are any if asked to.
pub fn run(loaded: &Loaded, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let probe = WorkspaceProbe::new(loaded, sys);
    let graph = select(loaded, &probe)?;
    super::warn(ui, &probe.take_warnings());
    probe.finish();
    check::patterns(loaded, &graph)?;
    if loaded.settings.lists {
        let mut names: Vec<_> =
            graph.runnables.iter().map(|runnable| runnable.name.as_str()).collect();
        names.sort_unstable();
        let text: String = names.iter().flat_map(|name| [name, "\n"]).collect();
        let mut stdout = ui.stdout();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(lost_output(&error).into()),
            Ok(()) => {}
        }
    }
    let is_any_unwanted = loaded.settings.fails && !graph.runnables.is_empty();
    // The process is about to end, which frees it all at once.
    std::mem::forget((probe, graph));
    Ok(if is_any_unwanted { ExitCode::Selected } else { ExitCode::Success })
}
