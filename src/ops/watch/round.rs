//! One run of a session, on a thread of its own.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::project::Project;
use super::record::{Recording, State};
use super::session::Message;
use crate::error::Result;
use crate::exec::{self, InputSource, Job, ReadCaches, Request, RunSummary, Signals, Status};
use crate::ops::run;
use crate::plan::{Graph, Runnable, RunnableId, RunnableName};
use crate::sys::{Sys, parallel, ui::Ui};

/// A round, running or done.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) graph: Arc<Graph>,
    pub(super) recording: Arc<Recording>,
    /// By runnable, once it is done.
    pub(super) statuses: Vec<Status>,
    /// Whether it was stopped to be started anew.
    pub(super) is_stopped: bool,
    requests: UnboundedSender<Request>,
}

/// How a round ended: with a summary, an error of the machine's, or a bug.
pub(super) type RoundEnd = std::result::Result<Result<RunSummary>, Box<dyn Any + Send>>;

/// What a round is to do.
#[derive(Debug)]
pub(super) struct Orders {
    pub(super) set: BTreeSet<RunnableId>,
    /// Names of those that run whatever is in the caches; `None` for all.
    pub(super) forced: Option<BTreeSet<RunnableName>>,
}

impl Round {
    /// Starts a round; its end is a message.
    pub(super) fn start(
        project: &Project,
        orders: &Orders,
        messages: &Sender<Message>,
        (sys, ui): (&Sys, &Ui),
    ) -> Self {
        let graph = Arc::new(Graph::clone(&project.graph).restricted_to(&orders.set));
        let (loaded, workspace) = (&project.loaded, &project.workspace);
        let (world, root) = (Arc::clone(&workspace.world), loaded.dirs.root.clone());
        let recording = Arc::new(Recording::new(world, root));
        let inputs = Arc::clone(&recording) as Arc<dyn InputSource>;
        let job = Job {
            read_caches: read_caches(&graph, orders.forced.as_ref()),
            ..run::job(loaded, workspace, Arc::clone(&graph), inputs)
        };
        let (events, reporting) = run::reporting(&project.loaded, &graph, sys, ui);
        let (requests, received) = unbounded_channel();
        let sender = messages.clone();
        let started = parallel::start(move || {
            let end = catch_unwind(AssertUnwindSafe(|| {
                let reporting = reporting.start()?;
                let summary = exec::run(job, Signals::Sent(received), events)?;
                reporting.finish(summary.signal.is_some());
                Ok(summary)
            }));
            // The session may have ended meanwhile.
            drop(sender.send(Message::Ended(end)));
        });
        if let Err(error) = started {
            drop(messages.send(Message::Ended(Ok(Err(error.into())))));
        }
        let (statuses, is_stopped) = (Vec::new(), false);
        Self { graph, recording, statuses, is_stopped, requests }
    }

    /// Asks the run for something; one that has ended already does not mind.
    pub(super) fn ask(&self, request: Request) {
        let _ = self.requests.send(request);
    }

    /// A runnable's inputs as they are now.
    pub(super) fn now(&self, runnable: &Runnable) -> State {
        self.recording.now(runnable)
    }

    /// Whether something downstream of a runnable has not ended.
    pub(super) fn is_waited_for(&self, id: RunnableId) -> bool {
        let downstreams = self.graph.downstreams(None);
        let mut queue = downstreams[id.0].clone();
        let mut seen = BTreeSet::new();
        while let Some(downstream) = queue.pop() {
            if self.recording.of(&self.graph.runnable(downstream).name).after.is_none() {
                return true;
            }
            if seen.insert(downstream) {
                queue.extend(&downstreams[downstream.0]);
            }
        }
        false
    }
}

fn read_caches(graph: &Graph, forced: Option<&BTreeSet<RunnableName>>) -> ReadCaches {
    let Some(forced) = forced else { return ReadCaches::No };
    if forced.is_empty() {
        return ReadCaches::Yes;
    }
    let is_forced = |id: &RunnableId| forced.contains(&graph.runnable(*id).name);
    ReadCaches::NotFor(Arc::new(graph.ids().filter(is_forced).collect()))
}
