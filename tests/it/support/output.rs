//! What a run of a program gave, with assertions that show all of it when they fail.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

/// An exit code and two streams.
#[derive(Debug)]
pub(crate) struct Output {
    command: String,
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// Runs a program to its end.
    #[must_use = "assert something of it"]
    pub(crate) fn of(command: &mut Command) -> Self {
        let shown = shown(command);
        let output = command.output().unwrap();
        Self::new(shown, output.status, output.stdout, output.stderr)
    }

    pub(super) fn new(
        command: String,
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
    ) -> Self {
        Self { command, code: status.code(), signal: status.signal(), stdout, stderr }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.dump());
        self
    }

    /// It failed, and not by a panic.
    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        let output = self.no_panic();
        assert!(output.code.is_some_and(|code| code != 0), "{}", output.dump());
        output
    }

    /// qik was not surprised.
    #[track_caller]
    pub(crate) fn no_panic(self) -> Self {
        let is_calm = !self.stderr().contains("panicked") && !self.stderr().contains("bug in qik");
        assert!(is_calm && self.signal.is_none() && self.code != Some(101), "{}", self.dump());
        self
    }

    /// It ended with an error of qik's own that has this code, and never by a panic.
    #[track_caller]
    pub(crate) fn errs(self, code: &str) -> Self {
        self.no_panic().exits(2).says(&format!("error[{code}]"))
    }

    /// stdout is exactly this text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert_eq!(self.stdout(), text, "{}", self.dump());
        self
    }

    /// stderr holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "stderr lacks {text:?}\n{}", self.dump());
        self
    }

    /// stdout holds this text.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.stdout().contains(text), "stdout lacks {text:?}\n{}", self.dump());
        self
    }

    /// Nothing was to be said on stderr but what every run says: no error and no warning.
    #[track_caller]
    pub(crate) fn warns_not(self) -> Self {
        let stderr = self.stderr();
        let is_calm = !stderr.contains("warning[") && !stderr.contains("error[");
        assert!(is_calm, "{}", self.dump());
        self
    }

    /// Neither stream holds this text.
    #[track_caller]
    pub(crate) fn lacks(self, text: &str) -> Self {
        let has = self.stdout().contains(text) || self.stderr().contains(text);
        assert!(!has, "{text:?} is there\n{}", self.dump());
        self
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// All of it, for a failing assertion.
    pub(crate) fn dump(&self) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let (code, signal) = (self.code, self.signal);
        format!(
            "$ {}\n[{code:?} {signal:?}]\n--- stdout\n{stdout}--- stderr\n{stderr}",
            self.command
        )
    }
}

/// A command line for people.
pub(super) fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
