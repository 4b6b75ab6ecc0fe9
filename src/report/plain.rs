//! Progress without a terminal: a line for each runnable that has ended, then the output of what
//! failed.

use std::sync::Arc;

use super::marks::Marks;
use super::screen::Screen;
use super::stream::stopping;
use super::summary::{closing, ended, push_ended};
use super::text;
use super::{Reporter, Verbosity};
use crate::error::Severity;
use crate::exec::{Event, Outcome, Planned, RunReason, Status};

/// Shows lines.
#[derive(Debug)]
pub(super) struct Plain {
    screen: Screen,
    /// Lines that are not written yet: many endings at once are one write.
    lines: String,
    ledger: Ledger,
}

/// Logs of failures that are kept open until they are shown; those after them are opened by
/// name again. A process may have a thousand files open, and commands need some.
const OPEN_LOG_COUNT_MAX: usize = 100;

/// What has to be remembered until the end of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) verbosity: Verbosity,
    pub(super) planned: Arc<[Planned]>,
    reasons: Vec<Option<RunReason>>,
    failed: Vec<(usize, Outcome)>,
}

impl Ledger {
    pub(super) fn name(&self, runnable: usize) -> &str {
        self.planned[runnable].name.as_str()
    }

    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, planned: Arc::default(), reasons: Vec::new(), failed: Vec::new() }
    }

    pub(super) fn begin(&mut self, planned: &Arc<[Planned]>) {
        self.planned = Arc::clone(planned);
        self.reasons.resize_with(planned.len(), || None);
    }

    pub(super) fn start(&mut self, runnable: usize, reason: &RunReason) {
        self.reasons[runnable] = Some(reason.clone());
    }

    /// Appends the line of a runnable that has ended. Its output is to be shown now, or later if
    /// it is that of a failure.
    pub(super) fn end(
        &mut self,
        lines: &mut String,
        runnable: usize,
        outcome: &Outcome,
        marks: &Marks,
    ) {
        push_ended(lines, &self.planned[runnable], outcome, marks);
        if let Some(reason) = self.reasons[runnable].take() {
            lines.extend(["  (", &text::reason(&reason), ")"]);
        }
        lines.push('\n');
        if !self.shows_at_once() && is_failure(outcome) {
            let mut outcome = outcome.clone();
            if self.failed.len() >= OPEN_LOG_COUNT_MAX {
                outcome.log.file = None;
            }
            self.failed.push((runnable, outcome));
        }
    }

    pub(super) fn shows_at_once(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// The output of what failed.
    pub(super) fn show_failed(&mut self, screen: &mut Screen) {
        for (runnable, outcome) in std::mem::take(&mut self.failed) {
            screen.say(&ended(&self.planned[runnable], &outcome, &screen.marks));
            show(&outcome, screen);
        }
    }
}

/// What a runnable has to say: its log, or why it could not run.
pub(super) fn show(outcome: &Outcome, screen: &mut Screen) {
    match &outcome.error {
        Some(error) => screen.say_diagnostic(error, Severity::Error),
        None => screen.show_log(&outcome.log),
    }
}

fn is_failure(outcome: &Outcome) -> bool {
    matches!(outcome.status, Status::Failed | Status::ReplayedFailure)
}

impl Plain {
    pub(super) fn new(screen: Screen, verbosity: Verbosity) -> Self {
        Self { screen, lines: String::new(), ledger: Ledger::new(verbosity) }
    }

    fn flush(&mut self) {
        if !self.lines.is_empty() {
            self.screen.say(&std::mem::take(&mut self.lines));
        }
    }
}

impl Reporter for Plain {
    fn wants_output(&self) -> bool {
        false
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { runnables, .. } => self.ledger.begin(runnables),
            Event::Started { runnable, reason, .. } => self.ledger.start(*runnable, reason),
            Event::Waiting { runnable } => {
                self.flush();
                self.screen.say(&text::waiting(self.ledger.name(*runnable)));
            }
            Event::Replaying { .. } | Event::Output { .. } => {}
            Event::Ended { runnable, outcome } => {
                self.ledger.end(&mut self.lines, *runnable, outcome, &self.screen.marks);
                if self.ledger.shows_at_once() {
                    self.flush();
                    show(outcome, &mut self.screen);
                }
            }
            Event::Warning { diagnostic, .. } => {
                self.flush();
                self.screen.say_diagnostic(diagnostic, Severity::Warning);
            }
            Event::Stopping { signal } => {
                self.flush();
                self.screen.say(&stopping(*signal));
            }
            Event::RunEnded { summary } => {
                self.flush();
                self.ledger.show_failed(&mut self.screen);
                self.screen.say(&closing(&self.ledger.planned, summary, &self.screen.marks));
            }
        }
    }

    fn idle(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::super::screen::tests::screen;
    use super::super::summary::tests::{outcome, planned};
    use super::*;
    use crate::exec::{Log, RunSummary};

    #[track_caller]
    fn check(verbosity: Verbosity, expected: &str) {
        let (screen, paper) = screen(false);
        let mut plain = Plain::new(screen, verbosity);
        let runnables = vec![planned("bad", ""), planned("good", ""), planned("after", "")];
        plain.event(&Event::RunStarted { runnables: runnables.into(), worker_count: 2 });
        plain.event(&Event::Started { runnable: 0, worker: 1, reason: RunReason::Forced });
        let statuses = [Status::Failed, Status::Succeeded, Status::Skipped];
        for (runnable, text) in ["output-of-bad\n", "output-of-good\n", ""].iter().enumerate() {
            let log = Log { rest: text.as_bytes().into(), ..Log::default() };
            let code = i32::from(runnable == 0);
            let outcome = Outcome { log, ..outcome(statuses[runnable], code) };
            plain.event(&Event::Ended { runnable, outcome });
        }
        let summary = RunSummary { statuses: statuses.to_vec(), ..RunSummary::default() };
        plain.event(&Event::RunEnded { summary });
        assert_eq!(paper.text(), expected);
    }

    #[test]
    fn failures_show_their_output_at_the_end() {
        check(
            Verbosity::Normal,
            "x bad  exit 1  1.2s  (forced)\n+ good  1.2s\n- after  skipped  1.2s\n\
             x bad  exit 1  1.2s\noutput-of-bad\n\
             x failed: bad\n- skipped: after\n3 commands: 1 ran, 1 failed, 1 skipped in 0ms\n",
        );
    }

    #[test]
    fn verbosely_every_output_follows_its_line() {
        check(
            Verbosity::Verbose,
            "x bad  exit 1  1.2s  (forced)\noutput-of-bad\n+ good  1.2s\noutput-of-good\n\
             - after  skipped  1.2s\n\
             x failed: bad\n- skipped: after\n3 commands: 1 ran, 1 failed, 1 skipped in 0ms\n",
        );
    }
}
