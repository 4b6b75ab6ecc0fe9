//! The two streams as reporters use them: commands' output to one, qik's words to the other, in
//! an order that makes sense where both are the same terminal.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use super::filter::Filter;
use super::marks::Marks;
use crate::error::{Diagnostic, Severity, render};
use crate::exec::Log;
use crate::sys::{fs, ui::Ui};

/// Logs are shown in pieces of this size.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// What is read of a log at first.
const SHORT_BYTES: usize = 4 * 1024;

/// Where reporters write.
///
/// A stream that nobody reads any more (`qik | head`) is written to no more; the run goes on.
pub struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    is_out_terminal: bool,
    /// Asked for its width each time: terminals are resized.
    terminal: Option<Ui>,
    /// Told when output is lost.
    ui: Option<Ui>,
    pub(super) marks: Marks,
    is_out_broken: bool,
    is_mid_line: bool,
}

impl Screen {
    /// stdout and stderr.
    pub fn new(ui: &Ui, marks: Marks) -> Self {
        Self {
            // Not through a filter for styles: commands' bytes are theirs.
            out: Box::new(io::stdout()),
            err: Box::new(ui.stderr()),
            is_out_terminal: ui.is_stdout_terminal,
            terminal: ui.is_live.then(|| ui.clone()),
            ui: Some(ui.clone()),
            marks,
            is_out_broken: false,
            is_mid_line: false,
        }
    }

    /// The width that lines are cut to; `None` where there is no terminal to wrap them.
    pub(super) fn columns(&self) -> Option<usize> {
        self.terminal.as_ref().map(Ui::columns)
    }

    /// Words of qik: whole lines, with styles.
    pub(super) fn say(&mut self, text: &str) {
        self.end_line();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let text = format!("{text}{end}");
        // There is nobody to tell that stderr fails.
        drop(self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush()));
    }

    pub(super) fn say_diagnostic(&mut self, diagnostic: &Diagnostic, severity: Severity) {
        self.say(&render(diagnostic, severity));
    }

    /// Bytes of a command, as they are.
    pub(super) fn show(&mut self, bytes: &[u8]) {
        if self.is_out_broken || bytes.is_empty() {
            return;
        }
        self.is_mid_line = bytes.last() != Some(&b'\n');
        let result = self.out.write_all(bytes).and_then(|()| self.out.flush());
        if let Err(error) = result {
            self.is_out_broken = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.ui.iter().for_each(Ui::note_lost_output);
                self.say_diagnostic(&crate::sys::ui::lost_output(&error), Severity::Error);
            }
        }
    }

    /// A log: as it is, or made fit for the terminal that shows it.
    pub(super) fn show_log(&mut self, log: &Log) {
        let mut filter = self.is_out_terminal.then(Filter::default);
        let mut shown = Vec::new();
        let read = for_each_piece(log, &mut |piece| match &mut filter {
            Some(filter) => {
                shown.clear();
                filter.push(piece, &mut shown);
                self.show(&shown);
            }
            None => self.show(piece),
        });
        if let Some(filter) = &mut filter {
            shown.clear();
            filter.finish(&mut shown);
            let is_mid_line = self.is_mid_line;
            self.show(&shown);
            self.is_mid_line = is_mid_line;
        }
        if let Err(error) = read {
            self.say_diagnostic(&error.diagnostic(), Severity::Warning);
        }
    }

    /// On a terminal, whatever comes next must not stand behind unfinished output.
    fn end_line(&mut self) {
        if self.is_mid_line && self.is_out_terminal {
            self.show(b"\n");
        }
        self.is_mid_line = false;
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("marks", &self.marks).finish_non_exhaustive()
    }
}

/// Reads a log from its beginning to its end, as far as it can be read.
pub(super) fn for_each_piece(log: &Log, take: &mut dyn FnMut(&[u8])) -> fs::Result<()> {
    let opened = match (&log.file, &log.path) {
        (Some(file), _) => Ok(Some(Arc::clone(file))),
        (None, Some(path)) => fs::open_plain(path).map(Arc::new).map(Some),
        (None, None) => Ok(None),
    };
    let read = opened.and_then(|file| file.map_or(Ok(()), |file| read_pieces(log, &file, take)));
    for piece in log.rest.chunks(PIECE_BYTES_MAX) {
        take(piece);
    }
    read
}

fn read_pieces(log: &Log, file: &File, take: &mut dyn FnMut(&[u8])) -> fs::Result<()> {
    let path = log.path.as_deref().unwrap_or(Path::new("the log"));
    // Most logs are short, and there may be thousands of them.
    let mut buffer = vec![0; SHORT_BYTES];
    let mut offset = 0;
    loop {
        match fs::verb("read", path, file.read_at(&mut buffer, offset))? {
            0 => return Ok(()),
            count => {
                take(&buffer[..count]);
                offset += count as u64;
                buffer.resize(PIECE_BYTES_MAX, 0);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written, to either stream, in order.
    #[derive(Debug, Clone, Default)]
    pub(in crate::report) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        pub(in crate::report) fn text(&self) -> String {
            self.bytes().escape_ascii().to_string().replace("\\n", "\n")
        }

        pub(in crate::report) fn bytes(&self) -> Vec<u8> {
            std::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A screen without colors whose streams go to one paper.
    pub(in crate::report) fn screen(is_terminal: bool) -> (Screen, Paper) {
        let paper = Paper::default();
        let screen = Screen {
            out: Box::new(paper.clone()),
            err: Box::new(anstream::StripStream::new(
                Box::new(paper.clone()) as Box<dyn Write + Send>
            )),
            is_out_terminal: is_terminal,
            terminal: None,
            ui: None,
            marks: Marks::ASCII,
            is_out_broken: false,
            is_mid_line: false,
        };
        (screen, paper)
    }

    fn log(bytes: &[u8]) -> Log {
        Log { rest: bytes.into(), ..Log::default() }
    }

    #[test]
    fn bytes_are_shown_as_they_are() {
        let (mut screen, paper) = screen(false);
        screen.show_log(&log(b"a\xff\x1b]0;t\x07[/nope]"));
        screen.say("next");
        assert_eq!(paper.text(), r"a\xff\x1b]0;t\x07[/nope]next".to_owned() + "\n");
    }

    #[test]
    fn on_a_terminal_logs_are_filtered_and_lines_ended() {
        let (mut screen, paper) = screen(true);
        screen.show_log(&log(b"a\x1b]0;t\x07\x1b[31mred"));
        screen.say("next");
        assert_eq!(paper.text(), "a\\x1b[31mred\\x1b[0m\nnext\n");
        screen.show_log(&log(b"\x1b[31mred\n"));
        screen.say("next");
        assert_eq!(paper.text(), "\\x1b[31mred\n\\x1b[0mnext\n");
    }

    #[test]
    fn a_reader_that_is_gone_is_no_trouble() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut screen, paper) = screen(false);
        screen.out = Box::new(Gone);
        screen.show(b"one");
        screen.show(b"two");
        screen.say("done");
        assert_eq!(paper.text(), "done\n");
    }
}
