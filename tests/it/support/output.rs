//! What a run of a program gave, with assertions that show all of it when they fail.

use std::process::Command;

/// An exit code and two streams.
#[derive(Debug)]
#[must_use = "assert something of it"]
pub struct Output {
    command: String,
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// Runs a program to its end.
    pub fn of(command: &mut Command) -> Self {
        let shown = format!("{command:?}");
        let output = command.output().unwrap();
        let (stdout, stderr) = (output.stdout, output.stderr);
        Self { command: shown, code: output.status.code(), stdout, stderr }
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.dump());
        self
    }

    /// It ended with an error of qik's own that has this code, and never by a panic.
    #[track_caller]
    pub fn errs(self, code: &str) -> Self {
        let output = self.exits(2).says(&format!("error[{code}]"));
        assert!(!output.stderr().contains("panicked"), "{}", output.dump());
        output
    }

    /// stdout is exactly this text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert_eq!(self.stdout(), text, "{}", self.dump());
        self
    }

    /// stderr holds this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "stderr lacks {text:?}\n{}", self.dump());
        self
    }

    /// Neither stream holds this text.
    #[track_caller]
    pub fn lacks(self, text: &str) -> Self {
        let has = self.stdout().contains(text) || self.stderr().contains(text);
        assert!(!has, "{text:?} is there\n{}", self.dump());
        self
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    fn dump(&self) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let code = self.code;
        format!("$ {}\n[{code:?}]\n--- stdout\n{stdout}--- stderr\n{stderr}", self.command)
    }
}
