//! The terminal: what goes to stdout, what to stderr, with which colours, how wide.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::adapter::strip_bytes;
use anstream::{AutoStream, ColorChoice};

use super::Sys;
use super::veil::Veil;
use crate::error::{Code, Diagnostic};

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
    veil: Veil,
    /// Whether something did not get to stdout that somebody would have read.
    has_lost_output: Arc<AtomicBool>,
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
            veil: sys.veil.clone(),
            has_lost_output: Arc::default(),
        }
    }

    /// Writing to stdout has failed, and not because its reader has seen enough.
    pub fn note_lost_output(&self) {
        self.has_lost_output.store(true, Ordering::Relaxed);
    }

    /// Whether writing to stdout has failed in this way.
    pub fn has_lost_output(&self) -> bool {
        self.has_lost_output.load(Ordering::Relaxed)
    }

    /// Standard output, through which ANSI styles pass only if they are wanted.
    pub fn stdout(&self) -> impl Write + use<> {
        let is_colored = self.stdout_color != ColorChoice::Never;
        Styled { stream: io::stdout(), is_colored, veil: self.veil.clone() }
    }

    /// Standard error, through which ANSI styles pass only if they are wanted.
    pub fn stderr(&self) -> impl Write + use<> {
        let is_colored = self.is_stderr_colored();
        Styled { stream: io::stderr(), is_colored, veil: self.veil.clone() }
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

/// What is said where output is lost.
pub fn lost_output(error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::FileFailed, "stdout cannot be written to").because(error.to_string())
}

/// A stream that takes secrets out of what it is given, and styles where they are not wanted, and
/// passes each text on in one piece: a system call a text, not one between any two styles.
#[derive(Debug)]
struct Styled<S> {
    stream: S,
    is_colored: bool,
    veil: Veil,
}

impl<S: Write> Write for Styled<S> {
    /// Takes all of it or fails.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let shown = self.veil.hide(text);
        if self.is_colored {
            self.stream.write_all(&shown)?;
        } else {
            self.stream.write_all(&strip_bytes(&shown).into_vec())?;
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_taken_out_where_they_are_not_wanted() {
        for (is_colored, expected) in [(true, "\x1b[1mbold\x1b[0m é"), (false, "bold é")] {
            let mut styled = Styled { stream: Vec::new(), is_colored, veil: Veil::default() };
            styled.write_all("\x1b[1mbold\x1b[0m é".as_bytes()).unwrap();
            assert_eq!(styled.stream, expected.as_bytes());
        }
    }
}
