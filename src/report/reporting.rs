//! The receiving end of a run's events: a thread that hands them to a reporter.

use std::fmt::Debug;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Manifest;
use crate::exec::{Event, EventReceiver, EventSender, Received, event_channel};

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

/// A reporter at work.
#[derive(Debug)]
pub struct Reporting {
    thread: JoinHandle<()>,
    is_done: Receiver<()>,
}

impl Reporting {
    /// Starts the thread; the sender is for [`crate::exec::run`].
    pub fn start(reporter: Box<dyn Reporter>, manifest: Manifest) -> (EventSender, Self) {
        let (sender, receiver) = event_channel(reporter.wants_output());
        let (done, is_done) = channel();
        let thread = std::thread::spawn(move || {
            report(&receiver, reporter, manifest);
            // Whoever waited may have given up.
            let _ = done.send(());
        });
        (sender, Self { thread, is_done })
    }

    /// Waits until everything has been shown; of a run that was stopped, not for long.
    pub fn finish(self, was_stopped: bool) {
        if was_stopped && self.is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            return;
        }
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

fn report(receiver: &EventReceiver, mut reporter: Box<dyn Reporter>, mut manifest: Manifest) {
    let mut patience = Duration::ZERO;
    loop {
        match receiver.next(patience) {
            Received::Event(event) => {
                patience = Duration::ZERO;
                if let Some(diagnostic) = manifest.event(&event) {
                    let diagnostic = Box::new(diagnostic);
                    reporter.event(&Event::Warning { runnable: None, diagnostic });
                }
                reporter.event(&event);
                receiver.shown(&event);
                if matches!(event, Event::RunEnded { .. }) {
                    return;
                }
            }
            Received::Nothing => {
                reporter.idle();
                patience = IDLE_INTERVAL;
            }
            Received::Closed => return,
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
        let (sender, reporting) = Reporting::start(
            Box::new(Stuck),
            Manifest::new(
                folder.path(),
                crate::sys::unfinished::Unfinished::new(folder.path().join("tmp")),
            ),
        );
        sender.send(Event::RunEnded { summary: RunSummary::default() });
        reporting.finish(true);
    }
}
