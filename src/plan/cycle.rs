//! Runnables that wait for each other, shown as the path from one back to itself. Pure.

use super::{Graph, RunnableId};
use crate::config::Declarations;
use crate::error::{Code, Diagnostic, Result};

/// Fails with the first cycle there is. Linear in edges.
pub(super) fn check(graph: &Graph, declarations: &Declarations) -> Result<()> {
    let Some(path) = find(graph) else { return Ok(()) };
    let names: Vec<_> = path.iter().map(|id| graph.runnable(*id).name.as_str()).collect();
    let mut diagnostic =
        Diagnostic::new(Code::GraphCycle, format!("a cycle: {}", names.join(" -> ")))
            .because("each of these commands waits for the next one")
            .hint("remove one of the `command` deps");
    let first = path.first().map(|id| &graph.runnable(*id).command);
    if let Some(command) = first.and_then(|name| declarations.commands.get(name)) {
        diagnostic = diagnostic.at(&command.place);
    }
    Err(diagnostic.into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Done,
}

/// A depth-first walk on a stack of its own, so that no chain is too long.
fn find(graph: &Graph) -> Option<Vec<RunnableId>> {
    let mut marks = vec![Mark::New; graph.runnables.len()];
    for start in graph.ids() {
        let mut path = Vec::new();
        if marks[start.0] == Mark::New {
            marks[start.0] = Mark::OnPath;
            path.push((start, 0));
        }
        while let Some((id, position)) = path.last_mut() {
            let upstreams = &graph.runnable(*id).upstreams;
            let Some(upstream) = upstreams.get(*position) else {
                marks[id.0] = Mark::Done;
                path.pop();
                continue;
            };
            *position += 1;
            let Some(next) = upstream.id else { continue };
            match marks[next.0] {
                Mark::Done => {}
                Mark::New => {
                    marks[next.0] = Mark::OnPath;
                    path.push((next, 0));
                }
                Mark::OnPath => {
                    let ids = path.iter().map(|(id, _)| *id);
                    return Some(ids.skip_while(|id| *id != next).chain([next]).collect());
                }
            }
        }
    }
    None
}
