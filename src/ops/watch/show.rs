//! What a session says between its rounds: a rule with time and cause, and a quiet idle line.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

use crate::error::{Diagnostic, Error, Severity, render};
use crate::report::{Logger, Verbosity};
use crate::sys::{Sys, clock, ui::Ui};

const DIM: Style = Style::new().dimmed();
const RULE: Style = AnsiColor::Cyan.on_default();

/// The offset of local time is asked for again after this long: summer may have begun.
const OFFSET_AGE_MAX: Duration = Duration::from_mins(15);

/// Columns of the shortest line at the end of a rule.
const TAIL_LENGTH_MIN: usize = 3;

/// Says what goes on.
#[derive(Debug)]
pub(super) struct Show {
    ui: Ui,
    sys: Sys,
    is_silent: bool,
    has_keys: bool,
    line: &'static str,
    /// Whether the idle line is the last that was written.
    is_idle: bool,
    /// Seconds east of Greenwich, and when that was asked.
    offset: Option<(i64, Instant)>,
}

impl Show {
    pub(super) fn new(
        sys: &Sys,
        ui: &Ui,
        (logger, verbosity): (Option<Logger>, Verbosity),
    ) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| sys.var(name));
        let locale = locale.unwrap_or_default().to_lowercase();
        Self {
            ui: ui.clone(),
            sys: sys.clone(),
            is_silent: verbosity == Verbosity::Silent || logger == Some(Logger::Json),
            has_keys: false,
            line: if locale.contains("utf-8") || locale.contains("utf8") { "─" } else { "-" },
            is_idle: false,
            offset: None,
        }
    }

    pub(super) fn has_keys(&mut self) {
        self.has_keys = true;
    }

    /// The line between two rounds: `── 14:03:22 ── a/x.py, b/y.py +3 ──────`.
    pub(super) fn rule(&mut self, cause: &str) {
        self.clear();
        if self.is_silent {
            return;
        }
        let text = rule(&self.local_time(), cause, self.line, self.ui.columns());
        self.write(&format!("\n{RULE}{text}{RULE:#}\n"));
    }

    /// The line at the end, while nothing happens. On a terminal it goes when something does.
    pub(super) fn idle(&mut self) {
        if self.is_silent || self.is_idle {
            return;
        }
        let keys = if self.has_keys { "  r rerun · f force · q quit" } else { "" };
        let keys = if self.line == "-" { keys.replace('·', "-") } else { keys.to_owned() };
        let end = if self.ui.is_live { "" } else { "\n" };
        self.write(&format!("{DIM}waiting for changes{keys}{DIM:#}{end}"));
        self.is_idle = true;
        // Asked for now, while nobody waits for it.
        self.local_time();
    }

    /// Takes the idle line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_idle) && self.ui.is_live {
            self.write("\r\x1b[K");
        }
    }

    pub(super) fn error(&mut self, error: &Error) {
        self.clear();
        for diagnostic in error.diagnostics() {
            self.write(&render(diagnostic, Severity::Error));
        }
    }

    pub(super) fn warning(&mut self, diagnostic: &Diagnostic) {
        self.clear();
        self.write(&render(diagnostic, Severity::Warning));
    }

    /// A closed stderr is no reason to stop.
    fn write(&self, text: &str) {
        let mut stderr = self.ui.stderr();
        drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
    }

    fn local_time(&mut self) -> String {
        let now = clock::instant();
        let offset = match self.offset {
            Some((offset, asked_at)) if now - asked_at < OFFSET_AGE_MAX => offset,
            _ => clock::local_offset(&self.sys),
        };
        let asked_at = self.offset.filter(|(known, _)| *known == offset).map_or(now, |(_, at)| at);
        self.offset = Some((offset, asked_at));
        time_of_day(clock::since_epoch(clock::wall()), offset)
    }
}

/// `14:03:22`, of a time since the epoch where local time is so many seconds ahead.
fn time_of_day(since_epoch: Duration, offset: i64) -> String {
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or_default() + offset;
    let second = seconds.rem_euclid(24 * 60 * 60);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

fn rule(time: &str, cause: &str, line: &str, columns: usize) -> String {
    let head = format!("{line}{line} {time} {line}{line} ");
    let room = columns.saturating_sub(head.chars().count() + 1 + TAIL_LENGTH_MIN);
    let printable = |c: char| if c.is_control() { '?' } else { c };
    let cause: String = cause.chars().map(printable).take(room).collect();
    let taken = head.chars().count() + cause.chars().count() + 1;
    let tail = line.repeat(columns.saturating_sub(taken).max(TAIL_LENGTH_MIN));
    format!("{head}{cause} {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(seconds: u64, offset: i64, expected: &str) {
        assert_eq!(time_of_day(Duration::from_secs(seconds), offset), expected);
    }

    #[test]
    fn time_is_local() {
        check_time(0, 0, "00:00:00");
        check_time(86_399, 0, "23:59:59");
        check_time(50_602, 7200, "16:03:22");
        check_time(3_600, -7200, "23:00:00");
    }

    #[test]
    fn a_rule_is_as_wide_as_the_terminal() {
        assert_eq!(rule("14:03:22", "a.py", "-", 30), "-- 14:03:22 -- a.py ----------");
        assert_eq!(rule("14:03:22", "a/long/path.py", "-", 24), "-- 14:03:22 -- a/lon ---");
        assert_eq!(rule("14:03:22", "a\x1b", "-", 0), "-- 14:03:22 --  ---");
    }
}
