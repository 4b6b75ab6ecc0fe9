//! The signs before lines: Unicode where the locale has it, else ASCII. Pure.

use anstyle::{AnsiColor, Style};

use crate::exec::Status;
use crate::sys::Sys;

/// A set of signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    pub(super) runs: &'static str,
    pub(super) cached: &'static str,
    pub(super) good: &'static str,
    pub(super) bad: &'static str,
    pub(super) skipped: &'static str,
    pub(super) ellipsis: &'static str,
    /// Of a bar: what is done, what is not.
    pub(super) bar: [&'static str; 2],
}

impl Marks {
    pub const UNICODE: Self = Self {
        runs: "▶",
        cached: "↺",
        good: "✓",
        bad: "✗",
        skipped: "○",
        ellipsis: "…",
        bar: ["━", "╌"],
    };

    pub const ASCII: Self = Self {
        runs: ">",
        cached: "=",
        good: "+",
        bad: "x",
        skipped: "-",
        ellipsis: "...",
        bar: ["#", "."],
    };

    /// What the locale can show: `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub fn new(sys: &Sys) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| sys.var(name));
        let locale = locale.unwrap_or_default().to_lowercase();
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        if is_utf8 { Self::UNICODE } else { Self::ASCII }
    }

    /// The sign of an ending.
    pub(super) fn of(&self, status: Status) -> &'static str {
        match status {
            Status::Pending => self.runs,
            Status::Succeeded => self.good,
            Status::Failed | Status::ReplayedFailure | Status::Interrupted => self.bad,
            Status::Replayed => self.cached,
            Status::Skipped => self.skipped,
        }
    }
}

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// The color of an ending.
pub(super) fn color(status: Status) -> Style {
    let color = match status {
        Status::Pending => AnsiColor::Blue,
        Status::Succeeded => AnsiColor::Green,
        Status::Replayed => AnsiColor::Cyan,
        Status::Failed | Status::ReplayedFailure | Status::Interrupted => AnsiColor::Red,
        Status::Skipped => AnsiColor::Yellow,
    };
    color.on_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::AbsPath;

    #[track_caller]
    fn check(env: &[(&str, &str)], expected: Marks) {
        let sys = Sys {
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            cwd: AbsPath::new("/").unwrap(),
            exe: "qik".into(),
            cpu_count: 1,
            veil: crate::sys::veil::Veil::default(),
        };
        assert_eq!(Marks::new(&sys), expected);
    }

    #[test]
    fn the_locale_decides() {
        check(&[("LANG", "C.UTF-8")], Marks::UNICODE);
        check(&[("LANG", "de_DE.utf8")], Marks::UNICODE);
        check(&[("LANG", "C")], Marks::ASCII);
        check(&[], Marks::ASCII);
    }

    #[test]
    fn the_stronger_variable_wins() {
        check(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], Marks::ASCII);
        check(&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], Marks::UNICODE);
    }
}
