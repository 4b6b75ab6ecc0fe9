//! Every number that qik can end with.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// All that was selected succeeded.
    Success,
    /// `--fail`, and something is selected.
    Selected,
    /// An error of qik's own: configuration, usage, git.
    Error,
    /// The highest exit code of the run's commands (128 + n for one that signal n ended), or
    /// 130, 143, 129, 131 where SIGINT, SIGTERM, SIGHUP, SIGQUIT ended the run.
    Run(i32),
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        match code {
            ExitCode::Success => Self::SUCCESS,
            ExitCode::Selected => Self::from(1),
            ExitCode::Error => Self::from(2),
            ExitCode::Run(code) => Self::from(u8::try_from(code).unwrap_or(u8::MAX)),
        }
    }
}
