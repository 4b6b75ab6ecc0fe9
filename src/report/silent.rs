//! `-v 0`: the exit code, and what qik itself could not do.

use super::Reporter;
use super::screen::Screen;
use crate::error::Severity;
use crate::exec::Event;

/// Shows next to nothing.
#[derive(Debug)]
pub(super) struct Silent(pub(super) Screen);

impl Reporter for Silent {
    fn wants_output(&self) -> bool {
        false
    }

    fn event(&mut self, event: &Event) {
        if let Event::Ended { outcome, .. } = event
            && let Some(error) = &outcome.error
        {
            self.0.say_diagnostic(error, Severity::Error);
        }
    }
}
