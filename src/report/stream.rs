//! `--logger stdout`: a header, the output, a footer. While the command runs if nothing else can
//! run beside it, else as a block when it has ended, so that no two outputs mix.

use std::sync::Arc;

use super::Reporter;
use super::screen::Screen;
use super::summary::{closing, ended, header};
use super::text;
use crate::error::Severity;
use crate::exec::{Event, Outcome, Planned, RunReason};

/// Shows all output.
#[derive(Debug)]
pub(super) struct Stream {
    screen: Screen,
    is_live: bool,
    planned: Arc<[Planned]>,
    /// Why those run that run, until their header is shown.
    reasons: Vec<Option<RunReason>>,
}

impl Stream {
    pub(super) fn new(screen: Screen, is_live: bool) -> Self {
        Self { screen, is_live, planned: Arc::default(), reasons: Vec::new() }
    }

    fn head(&mut self, runnable: usize, reason: &RunReason) {
        let marks = self.screen.marks;
        let line = header(&self.planned[runnable], reason, &marks, self.screen.columns());
        self.screen.say(&line);
    }

    fn end(&mut self, runnable: usize, outcome: &Outcome) {
        let marks = self.screen.marks;
        let reason = self.reasons[runnable].take();
        let has_run = reason.is_some();
        let line = ended(&self.planned[runnable], outcome, &marks);
        match reason {
            Some(_) if self.is_live => {}
            Some(reason) => self.head(runnable, &reason),
            // Replayed: there is one line, and what it stands for follows.
            None => self.screen.say(&line),
        }
        if let Some(error) = &outcome.error {
            self.screen.say_diagnostic(error, Severity::Error);
        } else if !(self.is_live && has_run) {
            self.screen.show_log(&outcome.log);
        }
        if has_run {
            self.screen.say(&line);
        }
    }
}

impl Reporter for Stream {
    fn wants_output(&self) -> bool {
        self.is_live
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { runnables, .. } => {
                self.planned = Arc::clone(runnables);
                self.reasons.resize_with(runnables.len(), || None);
            }
            Event::Started { runnable, reason, .. } => {
                if self.is_live {
                    self.head(*runnable, reason);
                }
                self.reasons[*runnable] = Some(reason.clone());
            }
            Event::Waiting { runnable } => {
                let name = self.planned[*runnable].name.as_str();
                self.screen.say(&text::waiting(name));
            }
            Event::Output { bytes, .. } => self.screen.show(bytes),
            Event::Ended { runnable, outcome } => self.end(*runnable, outcome),
            Event::Warning { diagnostic, .. } => {
                self.screen.say_diagnostic(diagnostic, Severity::Warning);
            }
            Event::Stopping { signal } => self.screen.say(&stopping(*signal)),
            Event::Replaying { .. } => {}
            Event::RunEnded { summary } if self.planned.len() == 1 => {
                if let Some(signal) = summary.signal {
                    self.screen.say(&format!("ended by {}", text::signal(signal)));
                }
            }
            Event::RunEnded { summary } => {
                let lines = closing(&self.planned, summary, &self.screen.marks);
                self.screen.say(&lines);
            }
        }
    }
}

/// What is said while commands are told to end.
pub(super) fn stopping(signal: i32) -> String {
    format!("{}: commands are ending; once more kills them", text::signal(signal))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::screen::tests::screen;
    use super::super::summary::tests::{outcome, planned};
    use super::*;
    use crate::exec::{Log, RunSummary, Status};

    fn with_log(outcome: Outcome, bytes: &[u8]) -> Outcome {
        Outcome { log: Log { rest: bytes.into(), ..Log::default() }, ..outcome }
    }

    fn started(runnable: usize) -> Event {
        Event::Started { runnable, worker: 1, reason: RunReason::FirstRun }
    }

    #[track_caller]
    fn check(is_live: bool, events: &[Event], expected: &str) {
        let (screen, paper) = screen(false);
        let mut stream = Stream::new(screen, is_live);
        let runnables = vec![planned("a", "run a"), planned("b", "run b")];
        stream.event(&Event::RunStarted { runnables: runnables.into(), worker_count: 1 });
        for event in events {
            stream.event(event);
        }
        assert_eq!(paper.text(), expected);
    }

    #[test]
    fn live_output_stands_between_header_and_footer() {
        let output = |bytes: &[u8]| Event::Output { runnable: 0, bytes: bytes.into() };
        check(
            true,
            &[
                started(0),
                output(b"one\n"),
                output(b"two\n"),
                Event::Ended { runnable: 0, outcome: with_log(outcome(Status::Failed, 3), b"no") },
                Event::Ended {
                    runnable: 1,
                    outcome: with_log(outcome(Status::Replayed, 0), b"b\n"),
                },
                Event::RunEnded {
                    summary: RunSummary {
                        statuses: vec![Status::Failed, Status::Replayed],
                        duration: Duration::from_millis(7),
                        ..RunSummary::default()
                    },
                },
            ],
            "> a  run a  (first run)\none\ntwo\nx a  exit 3  1.2s\n= b  cached\nb\n\
             x failed: a\n2 commands: 1 cached, 1 failed in 7ms\n",
        );
    }

    #[test]
    fn outputs_of_commands_side_by_side_are_blocks() {
        check(
            false,
            &[
                started(0),
                started(1),
                Event::Ended {
                    runnable: 1,
                    outcome: with_log(outcome(Status::Succeeded, 0), b"b\n"),
                },
                Event::Ended {
                    runnable: 0,
                    outcome: with_log(outcome(Status::Succeeded, 0), b"a\n"),
                },
            ],
            "> b  run b  (first run)\nb\n+ b  1.2s\n> a  run a  (first run)\na\n+ a  1.2s\n",
        );
    }

    #[test]
    fn what_could_not_run_says_why_once() {
        use crate::error::{Code, Diagnostic};
        let error = Diagnostic::new(Code::DotenvNotFound, "`.env` is missing");
        let outcome =
            Outcome { error: Some(Box::new(error)), duration: None, ..outcome(Status::Failed, 2) };
        check(
            true,
            &[Event::Ended { runnable: 0, outcome: with_log(outcome, b"the same") }],
            "x a  could not run\nerror[space2]: `.env` is missing\nmore: docs/errors.md#space2\n",
        );
    }
}
