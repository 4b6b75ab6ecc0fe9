//! The default verb: select → run → report.

use std::sync::Arc;

use super::load::Loaded;
use super::probe::WorkspaceProbe;
use super::steps::ProjectSteps;
use super::workspace::{Workspace, no_repository};
use crate::cache;
use crate::cli::ExitCode;
use crate::error::{Diagnostic, Error, Result};
use crate::exec::{self, Job, ReadCaches, Signals};
use crate::plan::Graph;
use crate::report::{Choice, Manifest, Marks, Reporting, reporter};
use crate::select;
use crate::sys::{Sys, ui::Ui};

/// Runs what is selected.
pub fn run(loaded: &Loaded, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let probe = WorkspaceProbe::new(loaded, sys);
    let mut graph = select::apply(&loaded.planner(), &loaded.selectors(), &probe)?;
    super::warn(ui, &probe.take_warnings());
    check_artifacts(&graph)?;
    let workspace = probe.into_workspace()?;
    workspace.check_caches(&graph)?;
    if workspace.repo.is_none() {
        uncache(loaded, &mut graph, ui);
    }
    let settings = &loaded.settings;
    let choice = Choice {
        logger: settings.logger,
        verbosity: settings.verbosity,
        worker_count: settings.worker_count,
        runnable_count: graph.runnables.len(),
    };
    let Workspace { world, stores, .. } = workspace;
    let steps = Arc::new(ProjectSteps { dirs: loaded.dirs.clone(), world, stores });
    let job = Job {
        graph: Arc::new(graph),
        dirs: loaded.dirs.clone(),
        worker_count: settings.worker_count,
        read_caches: if settings.forces { ReadCaches::No } else { ReadCaches::Yes },
        cache_when: settings.cache_when,
    };
    let manifest = Manifest::new(exec::output_folder(&loaded.dirs).as_path());
    let (events, reporting) = Reporting::start(reporter(choice, ui, Marks::new(sys)), manifest);
    let summary = exec::run(job, steps, Signals::Process, events)?;
    reporting.finish(summary.signal.is_some());
    Ok(ExitCode::Run(summary.code))
}

/// What can be known to be wrong before anything runs.
fn check_artifacts(graph: &Graph) -> Result<()> {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for runnable in &graph.runnables {
        for pattern in &runnable.artifacts {
            let Err(diagnostic) = cache::check_pattern(pattern) else { continue };
            let diagnostic = diagnostic.because(format!("`{}` declares it", runnable.command));
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
    }
    Error::from_all(diagnostics).map_or(Ok(()), Err)
}

/// Outside of a repository nothing can be known of the files: everything runs.
fn uncache(loaded: &Loaded, graph: &mut Graph, ui: &Ui) {
    let mut has_cached = false;
    for runnable in &mut graph.runnables {
        has_cached |= runnable.cache.take().is_some();
    }
    if has_cached {
        let warning = no_repository(loaded).because("so nothing is cached");
        super::warn(ui, &[warning]);
    }
}
