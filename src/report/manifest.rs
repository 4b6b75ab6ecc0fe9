//! `._qik/out/manifest.json`: how each runnable of the last run ended, for programs.
//!
//! While a command runs, what has not ended is `pending` there. A run that starts nothing leaves
//! the file alone if it says the same already.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Code, Diagnostic};
use crate::exec::{Event, Planned, Status};
use crate::sys::fs;
use crate::sys::unfinished::Unfinished;

/// The file, and what is known so far.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    unfinished: Unfinished,
    planned: Arc<[Planned]>,
    statuses: Vec<Status>,
    is_begun: bool,
    /// What else could not be written: the same is not said twice.
    told: Vec<String>,
}

/// The file's content.
#[derive(Debug, Serialize)]
struct Content<'a> {
    runnables: Vec<&'a str>,
    runnable_status: BTreeMap<&'a str, Word>,
    cmd_status: BTreeMap<&'a str, Word>,
    cached_runnables: Vec<&'a str>,
}

/// The words of the file, best first: a command has the worst of its runnables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Success,
    Pending,
    Skipped,
    Failed,
}

impl Manifest {
    /// In the folder of the output files.
    pub fn new(folder: &std::path::Path, unfinished: Unfinished) -> Self {
        Self {
            path: folder.join("manifest.json"),
            unfinished,
            planned: Arc::default(),
            statuses: Vec::new(),
            is_begun: false,
            told: Vec::new(),
        }
    }

    /// Takes note of an event; gives a warning if the file cannot be written.
    pub(super) fn event(&mut self, event: &Event) -> Option<Diagnostic> {
        match event {
            Event::RunStarted { runnables, .. } => {
                self.statuses = vec![Status::Pending; runnables.len()];
                self.planned = Arc::clone(runnables);
                None
            }
            Event::Started { .. } if !self.is_begun => {
                self.is_begun = true;
                // A folder that cannot be written to has its warning already, and one more comes.
                drop(self.write());
                None
            }
            Event::Ended { runnable, outcome } => {
                self.statuses[*runnable] = outcome.status;
                None
            }
            Event::Warning { diagnostic, .. } if diagnostic.code == Code::FileFailed => {
                self.told.push(diagnostic.message.clone());
                None
            }
            Event::RunEnded { .. } => {
                let failure = self.write().err().map(|error| error.diagnostic());
                failure.filter(|it| !self.told.contains(&it.message))
            }
            _ => None,
        }
    }

    /// Where there is no folder for it, whoever was to make that has said so.
    fn write(&self) -> fs::Result<bool> {
        let has_folder = self.path.parent().is_some_and(|folder| fs::stat(folder).is_ok());
        if !has_folder {
            return Ok(false);
        }
        self.unfinished
            .write_if_different(&self.path, render(&self.planned, &self.statuses).as_bytes())
    }
}

fn render(planned: &[Planned], statuses: &[Status]) -> String {
    let mut content = Content {
        runnables: Vec::new(),
        runnable_status: BTreeMap::new(),
        cmd_status: BTreeMap::new(),
        cached_runnables: Vec::new(),
    };
    for (planned, status) in planned.iter().zip(statuses) {
        let name = planned.name.as_str();
        let word = word(*status);
        content.runnables.push(name);
        content.runnable_status.insert(name, word);
        let worst = content.cmd_status.entry(&planned.command).or_insert(word);
        *worst = word.max(*worst);
        if status.is_cached() {
            content.cached_runnables.push(name);
        }
    }
    content.runnables.sort_unstable();
    content.cached_runnables.sort_unstable();
    let mut text = serde_json::to_string_pretty(&content).unwrap_or_default();
    text.push('\n');
    text
}

fn word(status: Status) -> Word {
    match status {
        Status::Pending => Word::Pending,
        Status::Succeeded | Status::Replayed => Word::Success,
        Status::Failed | Status::ReplayedFailure | Status::Interrupted => Word::Failed,
        Status::Skipped => Word::Skipped,
    }
}

#[cfg(test)]
mod tests {

    use super::super::summary::tests::{outcome, planned};
    use super::*;
    use crate::exec::{RunReason, RunSummary};

    #[track_caller]
    fn check(statuses: &[Status], expected: &str) {
        let planned: Vec<Planned> =
            (0..statuses.len()).map(|unit| planned(&format!("c#{unit}"), "")).collect();
        let content: serde_json::Value = serde_json::from_str(&render(&planned, statuses)).unwrap();
        assert_eq!(content["cmd_status"]["c"], expected);
    }

    #[test]
    fn a_command_has_the_worst_status_of_its_runnables() {
        use Status::{Failed, Interrupted, Pending, Replayed, Skipped, Succeeded};
        check(&[Succeeded, Replayed], "success");
        check(&[Succeeded, Pending], "pending");
        check(&[Skipped, Pending], "skipped");
        check(&[Skipped, Failed, Pending], "failed");
        check(&[Interrupted, Skipped], "failed");
    }

    #[test]
    fn the_file_tells_what_is_pending_and_is_left_alone_if_it_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let read = || fs::read_text(&folder.path().join("manifest.json")).unwrap();
        let run = |status: Status, has_started: bool| {
            let mut manifest =
                Manifest::new(folder.path(), Unfinished::new(folder.path().join("tmp")));
            let started = Event::Started { runnable: 0, worker: 1, reason: RunReason::Uncached };
            let runnables = vec![planned("b", ""), planned("a", "")];
            manifest.event(&Event::RunStarted { runnables: runnables.into(), worker_count: 1 });
            if has_started {
                manifest.event(&started);
                assert!(read().contains("pending"));
            }
            for runnable in 0..2 {
                manifest.event(&Event::Ended { runnable, outcome: outcome(status, 0) });
            }
            assert!(manifest.event(&Event::RunEnded { summary: RunSummary::default() }).is_none());
        };
        run(Status::Succeeded, true);
        assert!(!read().contains("pending"));
        run(Status::Replayed, false);
        insta::assert_snapshot!(read(), @r#"
        {
          "runnables": [
            "a",
            "b"
          ],
          "runnable_status": {
            "a": "success",
            "b": "success"
          },
          "cmd_status": {
            "a": "success",
            "b": "success"
          },
          "cached_runnables": [
            "a",
            "b"
          ]
        }
        "#);
        let modified =
            || fs::stat(&folder.path().join("manifest.json")).unwrap().modified().unwrap();
        let before = modified();
        run(Status::Replayed, false);
        assert_eq!(modified(), before);
    }
}
