//! What is said at the end, and the line of one runnable. Pure.

use std::fmt::Write as _;

use super::marks::{BOLD, DIM, Marks, color};
use super::text;
use crate::exec::{Outcome, Planned, RunReason, RunSummary, Status};

/// An `exec` that would have fewer columns than this is left out of a header.
const EXEC_LENGTH_MIN: usize = 8;

/// The line before the output of a command that runs: `▶ lint  ruff check a  (first run)`.
pub(super) fn header(
    planned: &Planned,
    reason: &RunReason,
    marks: &Marks,
    columns: Option<usize>,
) -> String {
    let name = text::printable(planned.name.as_str());
    let reason = text::reason(reason);
    let mut exec = text::first_line(&planned.exec, marks.ellipsis);
    if let Some(columns) = columns {
        // Mark, name, exec, reason in parentheses, and what is between them.
        let taken = 2 + name.chars().count() + 2 + 4 + reason.chars().count();
        let room = columns.saturating_sub(taken);
        exec = if room < EXEC_LENGTH_MIN {
            String::new()
        } else {
            text::cut(&exec, room, marks.ellipsis)
        };
    }
    let gap = if exec.is_empty() { "" } else { "  " };
    let (style, mark) = (color(Status::Pending), marks.runs);
    format!("{style}{mark}{style:#} {BOLD}{name}{BOLD:#}{gap}{exec}  {DIM}({reason}){DIM:#}")
}

/// The line of a runnable that has ended: `✓ lint  1.2s`, `↺ lint  cached`, `✗ lint  exit 1`.
pub(super) fn ended(planned: &Planned, outcome: &Outcome, marks: &Marks) -> String {
    let mut line = String::new();
    push_ended(&mut line, planned, outcome, marks);
    line
}

/// Appends this line, without its end, to others.
pub(super) fn push_ended(lines: &mut String, planned: &Planned, outcome: &Outcome, marks: &Marks) {
    let (style, mark) = (color(outcome.status), marks.of(outcome.status));
    let name = text::printable(planned.name.as_str());
    push(lines, format_args!("{style}{mark}{style:#} {BOLD}{name}{BOLD:#}"));
    if let Some(ending) = text::ending(outcome) {
        push(lines, format_args!("  {style}{ending}{style:#}"));
    }
    if outcome.status.is_cached() {
        lines.push_str("  cached");
    } else if let Some(duration) = outcome.duration {
        push(lines, format_args!("  {DIM}{}{DIM:#}", text::duration(duration)));
    }
}

/// The closing lines: what failed, what was skipped, and the numbers.
pub(super) fn closing(planned: &[Planned], summary: &RunSummary, marks: &Marks) -> String {
    let mut lines = String::new();
    for (word, statuses) in [
        ("failed", &[Status::Failed, Status::ReplayedFailure][..]),
        ("interrupted", &[Status::Interrupted][..]),
        ("skipped", &[Status::Skipped][..]),
    ] {
        let names: Vec<&str> = planned
            .iter()
            .zip(&summary.statuses)
            .filter(|(_, status)| statuses.contains(status))
            .map(|(planned, _)| planned.name.as_str())
            .collect();
        if !names.is_empty() {
            let (style, mark) = (color(statuses[0]), marks.of(statuses[0]));
            let names = text::list(names.into_iter());
            push(&mut lines, format_args!("{style}{mark} {word}{style:#}: {names}\n"));
        }
    }
    push(&mut lines, format_args!("{}\n", numbers(summary)));
    lines
}

/// `12 commands: 10 cached, 1 ran, 1 failed in 1.2s (saved 3m 20s)`.
fn numbers(summary: &RunSummary) -> String {
    let number = |statuses: &[Status]| {
        summary.statuses.iter().filter(|status| statuses.contains(status)).count()
    };
    let parts = [
        (number(&[Status::Replayed]), "cached"),
        (number(&[Status::Succeeded]), "ran"),
        (number(&[Status::Failed, Status::ReplayedFailure]), "failed"),
        (number(&[Status::Interrupted]), "interrupted"),
        (number(&[Status::Skipped]), "skipped"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, word)| format!("{number} {word}")).collect();
    let count = text::count("command", summary.statuses.len());
    if parts.is_empty() {
        return format!("{count}: nothing to do");
    }
    let mut line = format!("{count}: {} in {}", parts.join(", "), text::duration(summary.duration));
    if summary.saved.as_secs() > 0 {
        push(&mut line, format_args!(" (saved {})", text::duration(summary.saved)));
    }
    if let Some(signal) = summary.signal {
        push(&mut line, format_args!(", ended by {}", text::signal(signal)));
    }
    line
}

/// Writing to a string cannot fail.
fn push(line: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = line.write_fmt(arguments);
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exec::Log;
    use crate::hash::Change;
    use crate::plan::RunnableName;

    pub(in crate::report) fn planned(name: &str, exec: &str) -> Planned {
        Planned {
            name: RunnableName::from(name.to_owned()),
            command: name.split(['#', '@']).next().unwrap_or_default().to_owned(),
            exec: exec.to_owned(),
        }
    }

    pub(in crate::report) fn outcome(status: Status, code: i32) -> Outcome {
        let duration = Some(Duration::from_millis(1200));
        Outcome { status, code, duration, log: Log::default(), error: None }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[track_caller]
    fn check_header(exec: &str, columns: Option<usize>, expected: &str) {
        let reason = RunReason::Changed(vec![Change::FileChanged { path: "a".to_owned() }]);
        let line = header(&planned("lint#m", exec), &reason, &Marks::UNICODE, columns);
        assert_eq!(plain(&line), expected);
    }

    #[test]
    fn a_header_fits_the_terminal() {
        check_header("ruff check", None, "▶ lint#m  ruff check  (`a` changed)");
        check_header("one\ntwo", None, "▶ lint#m  one…  (`a` changed)");
        check_header("ruff check a b c d e f", Some(36), "▶ lint#m  ruff check…  (`a` changed)");
        check_header("ruff check a b c d e f", Some(20), "▶ lint#m  (`a` changed)");
        check_header("ruff", Some(1), "▶ lint#m  (`a` changed)");
    }

    #[track_caller]
    fn check_ended(status: Status, code: i32, expected: &str) {
        let line = ended(&planned("lint", "x"), &outcome(status, code), &Marks::UNICODE);
        assert_eq!(plain(&line), expected);
    }

    #[test]
    fn an_ending_tells_cached_from_ran() {
        check_ended(Status::Succeeded, 0, "✓ lint  1.2s");
        check_ended(Status::Replayed, 0, "↺ lint  cached");
        check_ended(Status::Failed, 2, "✗ lint  exit 2  1.2s");
        check_ended(Status::Failed, 137, "✗ lint  was killed by signal 9  1.2s");
        check_ended(Status::ReplayedFailure, 2, "✗ lint  exit 2  cached");
    }

    #[track_caller]
    fn check_closing(statuses: &[Status], summary: &RunSummary, expected: &str) {
        let planned: Vec<Planned> =
            (0..statuses.len()).map(|unit| planned(&format!("c{unit}"), "")).collect();
        let duration = Duration::from_millis(1200);
        let summary = RunSummary { statuses: statuses.to_vec(), duration, ..summary.clone() };
        assert_eq!(plain(&closing(&planned, &summary, &Marks::UNICODE)), expected);
    }

    #[test]
    fn the_closing_line_has_the_numbers_that_are_not_zero() {
        use Status::{Failed, Interrupted, Replayed, Skipped, Succeeded};
        check_closing(&[], &RunSummary::default(), "0 commands: nothing to do\n");
        check_closing(&[Succeeded], &RunSummary::default(), "1 command: 1 ran in 1.2s\n");
        check_closing(
            &[Replayed, Replayed, Failed, Skipped, Skipped, Succeeded],
            &RunSummary { saved: Duration::from_secs(200), ..RunSummary::default() },
            "✗ failed: c2\n○ skipped: c3 and c4\n\
             6 commands: 2 cached, 1 ran, 1 failed, 2 skipped in 1.2s (saved 3m 20s)\n",
        );
        check_closing(
            &[Interrupted],
            &RunSummary { signal: Some(2), ..RunSummary::default() },
            "✗ interrupted: c0\n1 command: 1 interrupted in 1.2s, ended by SIGINT\n",
        );
    }
}
