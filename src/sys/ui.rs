//! The terminal: what goes to stdout, what to stderr, with which colours, how wide.

use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};

use super::Sys;

/// Columns where the terminal does not tell.
const COLUMNS_DEFAULT: usize = 80;

/// The two streams and what they can show.
///
/// stdout carries the commands' output and data (`--ls`); stderr carries qik's own words.
#[derive(Debug, Clone)]
pub struct Ui {
    stdout_color: ColorChoice,
    stderr_color: ColorChoice,
    /// Whether stderr is a terminal that can redraw lines.
    pub is_live: bool,
    /// Whether stdout is a terminal.
    pub is_stdout_terminal: bool,
    columns: Option<usize>,
}

impl Ui {
    /// Asks the streams and the usual variables: `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`,
    /// `TERM=dumb`, `COLUMNS`.
    pub fn new(sys: &Sys) -> Self {
        let is_dumb = sys.var("TERM").is_some_and(|term| term == "dumb");
        Self {
            stdout_color: AutoStream::choice(&io::stdout()),
            stderr_color: AutoStream::choice(&io::stderr()),
            is_live: io::stderr().is_terminal() && !is_dumb,
            is_stdout_terminal: io::stdout().is_terminal(),
            columns: sys.var("COLUMNS").and_then(|text| text.parse().ok()).filter(|n| *n > 0),
        }
    }

    /// Standard output, through which ANSI styles pass only if they are wanted.
    pub fn stdout(&self) -> impl Write + use<> {
        AutoStream::new(io::stdout(), self.stdout_color)
    }

    /// Standard error, through which ANSI styles pass only if they are wanted.
    pub fn stderr(&self) -> impl Write + use<> {
        AutoStream::new(io::stderr(), self.stderr_color)
    }

    /// Whether styles reach stderr.
    pub fn is_stderr_colored(&self) -> bool {
        self.stderr_color != ColorChoice::Never
    }

    /// The width of the terminal.
    pub fn columns(&self) -> usize {
        self.columns
            .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
            .unwrap_or(COLUMNS_DEFAULT)
    }
}
