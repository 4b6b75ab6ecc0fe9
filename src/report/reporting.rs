//! The receiving end of a run's events, which hands them to a reporter.

use std::fmt::Debug;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Manifest;
use crate::error::Result;
use crate::exec::{Event, EventReceiver, EventSender, Received, event_channel};
use crate::sys::parallel;

/// How often a reporter may draw while nothing happens.
const IDLE_INTERVAL: Duration = Duration::from_millis(100);

/// A run that a signal has ended does not wait longer for a terminal that takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows what happens. A stream that cannot be written to is its own affair.
pub trait Reporter: Debug + Send {
    /// Whether it shows output while commands run.
    fn wants_output(&self) -> bool;

    fn event(&mut self, event: &Event);

    /// Nothing is waiting to be shown: time to draw, or to write what was held back.
    fn idle(&mut self) {}
}

/// A reporter and its way to what happens.
#[derive(Debug)]
pub struct Reporting(State);

#[derive(Debug)]
enum State {
    Waiting(Box<Desk>),
    Started { thread: JoinHandle<()>, is_done: Receiver<()> },
}

/// All that a reporter works with.
#[derive(Debug)]
struct Desk {
    receiver: EventReceiver,
    reporter: Box<dyn Reporter>,
    manifest: Manifest,
}

impl Reporting {
    /// A reporter that has not started; the sender is for [`crate::exec::begin`].
    pub fn new(reporter: Box<dyn Reporter>, manifest: Manifest) -> (EventSender, Self) {
        let (sender, receiver) = event_channel(reporter.wants_output());
        (sender, Self(State::Waiting(Box::new(Desk { receiver, reporter, manifest }))))
    }

    /// Shows what happens, from now on, on a thread of its own.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(self) -> Result<Self> {
        let State::Waiting(desk) = self.0 else { return Ok(self) };
        let (done, is_done) = channel();
        let thread = parallel::start(move || {
            desk.report();
            // Whoever waited may have given up.
            let _ = done.send(());
        })?;
        Ok(Self(State::Started { thread, is_done }))
    }

    /// Returns when everything has been shown; of a run that was stopped, before long.
    pub fn finish(self, was_stopped: bool) {
        match self.0 {
            State::Waiting(desk) => desk.report(),
            State::Started { thread, is_done } => {
                if was_stopped && is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    return;
                }
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

impl Desk {
    /// Shows what happens until there is nothing more.
    fn report(mut self) {
        let mut patience = Duration::ZERO;
        loop {
            match self.receiver.next(patience) {
                Received::Event(event) => {
                    patience = Duration::ZERO;
                    if let Some(diagnostic) = self.manifest.event(&event) {
                        let diagnostic = Box::new(diagnostic);
                        self.reporter.event(&Event::Warning { runnable: None, diagnostic });
                    }
                    self.reporter.event(&event);
                    self.receiver.shown(&event);
                    if matches!(event, Event::RunEnded { .. }) {
                        return;
                    }
                }
                Received::Nothing => {
                    self.reporter.idle();
                    patience = IDLE_INTERVAL;
                }
                Received::Closed => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::RunSummary;

    #[derive(Debug)]
    struct Stuck;

    impl Reporter for Stuck {
        fn wants_output(&self) -> bool {
            true
        }

        fn event(&mut self, _: &Event) {
            loop {
                std::thread::park();
            }
        }
    }

    #[test]
    fn a_stopped_run_does_not_wait_for_a_terminal_that_takes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, reporting) = Reporting::new(
            Box::new(Stuck),
            Manifest::new(
                folder.path(),
                crate::sys::unfinished::Unfinished::new(folder.path().join("tmp")),
            ),
        );
        let reporting = reporting.start().unwrap();
        sender.send(Event::RunEnded { summary: RunSummary::default() });
        reporting.finish(true);
    }
}
