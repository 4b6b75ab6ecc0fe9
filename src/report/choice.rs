//! Which reporter shows a run. Pure but for the streams that it opens.

use super::json::Json;
use super::marks::Marks;
use super::plain::Plain;
use super::progress::Progress;
use super::reporting::Reporter;
use super::screen::Screen;
use super::silent::Silent;
use super::stream::Stream;
use crate::sys::ui::Ui;

/// `--logger`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logger {
    Stdout,
    Progress,
    Json,
}

/// `--verbosity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing but the result.
    Silent,
    /// The output of failures, or of what is the only thing that runs.
    Normal,
    /// All output.
    Verbose,
}

/// What the choice depends on.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub logger: Option<Logger>,
    pub verbosity: Verbosity,
    pub worker_count: usize,
    pub runnable_count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json { has_output: bool },
    Silent,
    Stream { is_live: bool },
    Progress,
    Plain,
}

/// The reporter for a run.
pub fn reporter(choice: Choice, ui: &Ui, marks: Marks) -> Box<dyn Reporter> {
    let screen = Screen::new(ui, marks);
    match kind(choice, ui.is_live) {
        Kind::Json { has_output } => Box::new(Json::new(screen, has_output)),
        Kind::Silent => Box::new(Silent(screen)),
        Kind::Stream { is_live } => Box::new(Stream::new(screen, is_live)),
        Kind::Progress => Box::new(Progress::new(screen, choice.verbosity, ui.is_stderr_colored())),
        Kind::Plain => Box::new(Plain::new(screen, choice.verbosity)),
    }
}

fn kind(choice: Choice, is_terminal: bool) -> Kind {
    let is_alone = choice.worker_count == 1 || choice.runnable_count == 1;
    match choice.logger {
        Some(Logger::Json) => Kind::Json { has_output: choice.verbosity > Verbosity::Silent },
        _ if choice.verbosity == Verbosity::Silent => Kind::Silent,
        Some(Logger::Stdout) => Kind::Stream { is_live: is_alone },
        None if is_alone => Kind::Stream { is_live: true },
        Some(Logger::Progress) | None if is_terminal => Kind::Progress,
        Some(Logger::Progress) | None => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(logger: Option<Logger>, verbosity: Verbosity, counts: [usize; 2], expected: Kind) {
        let [worker_count, runnable_count] = counts;
        let choice = Choice { logger, verbosity, worker_count, runnable_count };
        assert_eq!(kind(choice, true), expected);
        let without_terminal = if expected == Kind::Progress { Kind::Plain } else { expected };
        assert_eq!(kind(choice, false), without_terminal);
    }

    #[test]
    fn one_thing_at_a_time_streams() {
        check(None, Verbosity::Normal, [4, 1], Kind::Stream { is_live: true });
        check(None, Verbosity::Normal, [1, 9], Kind::Stream { is_live: true });
        check(None, Verbosity::Normal, [4, 9], Kind::Progress);
        check(None, Verbosity::Verbose, [4, 9], Kind::Progress);
    }

    #[test]
    fn a_logger_that_was_asked_for_is_taken() {
        check(Some(Logger::Stdout), Verbosity::Normal, [4, 9], Kind::Stream { is_live: false });
        check(Some(Logger::Progress), Verbosity::Normal, [1, 1], Kind::Progress);
        check(Some(Logger::Json), Verbosity::Normal, [1, 1], Kind::Json { has_output: true });
    }

    #[test]
    fn silence_is_silence() {
        check(None, Verbosity::Silent, [4, 9], Kind::Silent);
        check(Some(Logger::Stdout), Verbosity::Silent, [1, 1], Kind::Silent);
        check(Some(Logger::Json), Verbosity::Silent, [1, 1], Kind::Json { has_output: false });
    }
}
