//! What the commands of the import graph's plugin give: the graph, what a module needs, and what
//! crosses a fence.

use std::collections::BTreeSet;

use super::World;
use super::deps::expand;
use crate::error::{Diagnostic, RunnableError, Severity, render};
use crate::plan::{Action, GraphTask, Pyimport, Runnable};
use crate::pygraph::{Crossing, fault_diagnostic, graph_text, lock_text};
use crate::python::normalized;

/// What a runnable of the import graph's plugin gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphResult {
    pub code: i32,
    pub output: String,
    /// The content of its artifact.
    pub artifact: Option<String>,
    /// Every file was read as the fingerprint has it: there is no need to look again.
    pub is_sure: bool,
}

impl World {
    /// What a runnable of the import graph's plugin gives, as things are now.
    pub fn graph_result(&self, runnable: &Runnable) -> Result<GraphResult, RunnableError> {
        let Action::Graph(task) = &runnable.action else { return Ok(GraphResult::default()) };
        match task {
            GraphTask::Build => self.built(),
            GraphTask::Lock { pyimport } => self.locked(runnable, pyimport),
            GraphTask::Check => {
                let expanded = expand(self.root(), runnable)?;
                self.checked(runnable, expanded.fence.as_deref().unwrap_or_default())
            }
        }
    }

    fn built(&self) -> Result<GraphResult, RunnableError> {
        let (imports, closure) = self.ask(self.imports()?, |graph| {
            let closure = graph.closure(graph.regular());
            let unscanned = closure.unscanned.clone();
            Ok((closure, unscanned))
        })?;
        let path = |file: u32| imports.path(file);
        let of_fault = |fault| fault_diagnostic(&imports.graph, fault, (self.root(), &path));
        let broken: Vec<Diagnostic> = imports.graph.regular_faults().filter_map(of_fault).collect();
        if broken.is_empty() {
            let artifact = Some(graph_text(&imports.graph, &closure));
            let is_sure = imports.graph.is_sure();
            return Ok(GraphResult { artifact, is_sure, ..GraphResult::default() });
        }
        let output = broken.iter().map(plain).collect();
        Ok(GraphResult { code: 1, output, ..GraphResult::default() })
    }

    fn locked(&self, runnable: &Runnable, pyimport: &str) -> Result<GraphResult, RunnableError> {
        let needs = self.needs(&Pyimport { name: pyimport.to_owned(), place: None })?;
        let imports = &needs.imports;
        let mut distributions = BTreeSet::new();
        for (name, ..) in needs.closure.externals(&imports.graph) {
            distributions
                .extend(self.providers(runnable, name).iter().map(|name| normalized(name)));
        }
        let path = |file: u32| imports.path(file);
        let text = lock_text(&imports.graph, &needs.closure, &distributions, path);
        let is_sure = imports.graph.is_sure();
        Ok(GraphResult { artifact: Some(text), is_sure, ..GraphResult::default() })
    }

    fn checked(
        &self,
        runnable: &Runnable,
        items: &[Pyimport],
    ) -> Result<GraphResult, RunnableError> {
        let (imports, fenced) = self.fenced(runnable, items)?;
        let space = &runnable.space;
        self.refuse_faults(&imports, &fenced.faults)?;
        let mut output = String::new();
        for (kind, crossings) in [("internal", &fenced.internal), ("external", &fenced.external)] {
            if !crossings.is_empty() {
                let count = crossings.len();
                let word = if count == 1 { "violation" } else { "violations" };
                let line = |crossing: &Crossing| {
                    let Crossing { file, line, importer, imported } = crossing;
                    format!("{}:{line}: {importer} imports {imported}\n", imports.path(*file))
                };
                output.extend([format!("{count} {kind} import {word} of the space `{space}`\n")]);
                output.extend(crossings.iter().map(line));
            }
        }
        let is_clean = output.is_empty();
        if is_clean {
            let count = fenced.import_count;
            output = format!("no import violations in {count} imports of the space `{space}`\n");
        }
        let is_sure = imports.graph.is_sure();
        Ok(GraphResult { code: i32::from(!is_clean), output, artifact: None, is_sure })
    }
}

/// A diagnostic as the output of a command.
fn plain(diagnostic: &Diagnostic) -> String {
    anstream::adapter::strip_str(&render(diagnostic, Severity::Error)).to_string()
}
