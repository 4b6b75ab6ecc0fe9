//! Plurals, durations, lists, endings: the small change of what qik says. Pure.

use std::time::Duration;

use crate::exec::{Outcome, RunReason, Status};

/// Names that a list shows before it only counts.
const LISTED_COUNT_MAX: usize = 20;

/// `1 command`, `2 commands`.
pub(super) fn count(noun: &str, number: usize) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A duration in the two units that matter: `35ms`, `1.2s`, `3m 20s`, `2h 5m`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..=59 => format!("{seconds}.{}s", duration.subsec_millis() / 100),
        60..=3599 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A duration that goes on, without parts of seconds that would flicker: `0s`, `1m 5s`.
pub(super) fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        seconds @ ..60 => format!("{seconds}s"),
        seconds => duration(Duration::from_secs(seconds)),
    }
}

/// `a`, `a and b`, `a, b and c`; of a long list the first.
pub(super) fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let number = names.len();
    let mut names: Vec<String> = names.take(LISTED_COUNT_MAX).map(printable).collect();
    if number > LISTED_COUNT_MAX {
        names.push(format!("{} more", number - LISTED_COUNT_MAX));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

/// How a command ended, in a few words; `None` if it ended well.
pub(super) fn ending(outcome: &Outcome) -> Option<String> {
    match outcome.status {
        Status::Succeeded | Status::Replayed | Status::Pending => None,
        Status::Skipped => Some("skipped".to_owned()),
        Status::Interrupted => Some("interrupted".to_owned()),
        Status::Failed | Status::ReplayedFailure => Some(match outcome.code {
            _ if outcome.error.is_some() => "could not run".to_owned(),
            // What shells, and we, make of signals.
            code @ 129..=192 => format!("was killed by signal {}", code - 128),
            code => format!("exit {code}"),
        }),
    }
}

/// Why a command runs, in a few words.
pub(super) fn reason(reason: &RunReason) -> String {
    match reason {
        RunReason::Uncached => "not cached".to_owned(),
        RunReason::Forced => "forced".to_owned(),
        RunReason::FirstRun => "first run".to_owned(),
        RunReason::NotStored => "no result kept".to_owned(),
        RunReason::NotKept => "no longer cached".to_owned(),
        RunReason::Changed(changes) => match changes.as_slice() {
            [] => "changed".to_owned(),
            [change] => printable(&change.to_string()),
            [change, more @ ..] => {
                format!("{}, +{} more", printable(&change.to_string()), more.len())
            }
        },
    }
}

/// What is said while another process runs a runnable.
pub(super) fn waiting(name: &str) -> String {
    format!("{name} is run by another qik: waiting for its result")
}

/// A signal by the name that users know.
pub(super) fn signal(number: i32) -> String {
    match number {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        3 => "SIGQUIT".to_owned(),
        15 => "SIGTERM".to_owned(),
        _ => format!("signal {number}"),
    }
}

/// The user's own words on one line: what would move the cursor is escaped.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// The first line of a command, with an ellipsis if there are more.
pub(super) fn first_line(exec: &str, ellipsis: &str) -> String {
    let exec = exec.trim();
    let line = exec.lines().next().unwrap_or_default();
    let more = if line.len() < exec.len() { ellipsis } else { "" };
    format!("{}{more}", printable(line.trim_end()))
}

/// At most so many characters, the last ones an ellipsis if some are left out.
pub(super) fn cut(text: &str, length_max: usize, ellipsis: &str) -> String {
    if text.chars().count() <= length_max {
        return text.to_owned();
    }
    let kept = length_max.saturating_sub(ellipsis.chars().count());
    text.chars().take(kept).chain(ellipsis.chars()).take(length_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Log;
    use crate::hash::Change;

    #[test]
    fn numbers_have_their_plural() {
        assert_eq!(count("command", 0), "0 commands");
        assert_eq!(count("command", 1), "1 command");
        assert_eq!(count("command", 2), "2 commands");
    }

    #[track_caller]
    fn check_duration(millis: u64, expected: &str) {
        assert_eq!(duration(Duration::from_millis(millis)), expected);
    }

    #[test]
    fn durations_have_the_units_that_matter() {
        check_duration(0, "0ms");
        check_duration(999, "999ms");
        check_duration(1_000, "1.0s");
        check_duration(59_999, "59.9s");
        check_duration(60_000, "1m 0s");
        check_duration(200_000, "3m 20s");
        check_duration(7_500_000, "2h 5m");
    }

    #[track_caller]
    fn check_list(names: &[&str], expected: &str) {
        assert_eq!(list(names.iter().copied()), expected);
    }

    #[test]
    fn lists_end_in_and() {
        check_list(&[], "");
        check_list(&["a"], "a");
        check_list(&["a", "b"], "a and b");
        check_list(&["a", "b", "c\n"], "a, b and c\\n");
        assert!(list(["x"; 25].into_iter()).ends_with("x and 5 more"));
    }

    #[track_caller]
    fn check_ending(status: Status, code: i32, expected: Option<&str>) {
        let outcome = Outcome { status, code, duration: None, log: Log::default(), error: None };
        assert_eq!(ending(&outcome).as_deref(), expected);
    }

    #[test]
    fn endings_tell_a_signal_from_an_exit_code() {
        check_ending(Status::Succeeded, 0, None);
        check_ending(Status::Failed, 3, Some("exit 3"));
        check_ending(Status::Failed, 128, Some("exit 128"));
        check_ending(Status::Failed, 137, Some("was killed by signal 9"));
        check_ending(Status::ReplayedFailure, 255, Some("exit 255"));
        check_ending(Status::Skipped, 0, Some("skipped"));
    }

    #[track_caller]
    fn check_reason(changes: &[&str], expected: &str) {
        let change = |path: &&str| Change::FileChanged { path: (*path).to_owned() };
        assert_eq!(reason(&RunReason::Changed(changes.iter().map(change).collect())), expected);
    }

    #[test]
    fn a_reason_names_the_first_change() {
        check_reason(&["a.py"], "`a.py` changed");
        check_reason(&["a.py", "b", "c", "d"], "`a.py` changed, +3 more");
        assert_eq!(reason(&RunReason::FirstRun), "first run");
    }

    #[test]
    fn a_command_is_its_first_line() {
        assert_eq!(first_line("one", "…"), "one");
        assert_eq!(first_line("\n    one  \n    two\n", "…"), "one…");
        assert_eq!(first_line("a\x1b]0;b", "…"), "a\\u{1b}]0;b");
    }

    #[track_caller]
    fn check_cut(text: &str, length: usize, expected: &str) {
        assert_eq!(cut(text, length, "…"), expected);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        check_cut("abc", 3, "abc");
        check_cut("abcd", 3, "ab…");
        check_cut("äöüß", 2, "ä…");
        check_cut("abc", 0, "");
        assert_eq!(cut("abcdef", 2, "..."), "..");
    }
}
