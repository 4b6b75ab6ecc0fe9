//! The default verb: select → run → report.

use std::sync::Arc;

use super::check;
use super::load::Loaded;
use super::probe::WorkspaceProbe;
use super::workspace::{Workspace, no_repository};
use crate::cli::ExitCode;
use crate::error::Result;
use crate::exec::{self, EventSender, InputSource, Job, ReadCaches, Signals};
use crate::plan::Graph;
use crate::report::{Choice, Manifest, Marks, Reporting, reporter};
use crate::select;
use crate::sys::timings::STAGE;
use crate::sys::{Sys, ui::Ui};

/// The exit code of a run that went well, but not to its reader.
const CODE_ERROR: i32 = 2;

/// Runs what is selected.
pub fn run(loaded: &Loaded, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let probe = WorkspaceProbe::new(loaded, sys);
    let mut graph = select(loaded, &probe)?;
    super::warn(ui, &probe.take_warnings());
    check::patterns(loaded, &graph)?;
    let workspace = probe.into_workspace()?;
    workspace.check_caches(&graph)?;
    if workspace.repo.is_none() {
        uncache(loaded, &mut graph, ui);
    }
    let (events, mut reporting) = reporting(loaded, &graph, sys, ui);
    let world = Arc::clone(&workspace.world);
    let graph = Arc::new(graph);
    let job = job(loaded, &workspace, Arc::clone(&graph), world);
    let summary = {
        let _stage = tracing::info_span!(target: STAGE, "run").entered();
        workspace.world.look_ahead(&job.graph.runnables);
        let begun = exec::begin(job, Signals::Process, events);
        if !begun.has_ended() {
            reporting = reporting.start()?;
        }
        begun.finish()?
    };
    workspace.finish();
    reporting.finish(summary.signal.is_some());
    // The process is about to end, which frees it all at once.
    std::mem::forget((workspace, graph));
    // Whoever reads it would take what came for all of it.
    let code = if ui.has_lost_output() { summary.code.max(CODE_ERROR) } else { summary.code };
    Ok(ExitCode::Run(code))
}

/// What the selectors leave of all runnables.
pub(super) fn select(loaded: &Loaded, probe: &WorkspaceProbe<'_>) -> Result<Graph> {
    let _stage = tracing::info_span!(target: STAGE, "select").entered();
    select::apply(&loaded.planner(), &loaded.selectors(), probe)
}

/// A run of a graph as the settings want it.
pub(super) fn job(
    loaded: &Loaded,
    workspace: &Workspace,
    graph: Arc<Graph>,
    inputs: Arc<dyn InputSource>,
) -> Job {
    let settings = &loaded.settings;
    Job {
        graph,
        dirs: loaded.dirs.clone(),
        claims: workspace.claims.clone(),
        inputs,
        stores: workspace.stores.clone(),
        worker_count: settings.worker_count,
        read_caches: if settings.forces { ReadCaches::No } else { ReadCaches::Yes },
        cache_when: settings.cache_when,
        veil: workspace.veil.clone(),
    }
}

/// Whoever shows a run of a graph as the settings want it.
pub(super) fn reporting(
    loaded: &Loaded,
    graph: &Graph,
    sys: &Sys,
    ui: &Ui,
) -> (EventSender, Reporting) {
    let settings = &loaded.settings;
    let choice = Choice {
        logger: settings.logger,
        verbosity: settings.verbosity,
        worker_count: settings.worker_count,
        runnable_count: graph.runnables.len(),
    };
    let manifest =
        Manifest::new(&exec::output_folder(&loaded.dirs), loaded.dirs.unfinished.clone());
    Reporting::new(reporter(choice, ui, Marks::new(sys)), manifest)
}

/// Outside of a repository nothing can be known of the files: everything runs.
fn uncache(loaded: &Loaded, graph: &mut Graph, ui: &Ui) {
    let mut has_cached = false;
    for runnable in &mut graph.runnables {
        has_cached |= runnable.cache.take().is_some();
    }
    if has_cached {
        let warning = no_repository(loaded)
            .because("without git nothing is known of the files, so nothing is cached");
        super::warn(ui, &[warning]);
    }
}
