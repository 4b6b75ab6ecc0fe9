//! What live progress looks like: state and width → lines. Pure.

use std::time::Duration;

use super::marks::{BOLD, DIM, Marks, color};
use super::text;
use crate::exec::Status;

/// Lines at most, so that a small terminal still shows what was there before.
const LINE_COUNT_MAX: usize = 12;

/// A terminal that is narrower has no room for bars.
const COLUMNS_WITH_BAR_MIN: usize = 60;
const BAR_COLUMNS: usize = 16;

/// Names are cut to a share of the width.
const NAME_SHARE: usize = 3;

/// One command's progress.
#[derive(Debug, Clone, Default)]
pub(super) struct Bar {
    pub(super) command: String,
    pub(super) runnable_count: usize,
    pub(super) done_count: usize,
    pub(super) has_failed: bool,
    /// What runs now: module or space, if any, and for how long.
    pub(super) running: Vec<(String, Duration)>,
}

/// The whole run's progress.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) runnable_count: usize,
    pub(super) done_count: usize,
    pub(super) cached_count: usize,
    pub(super) elapsed: Duration,
}

/// A line for each command of which something runs, then one for the run.
pub(super) fn layout(bars: &[Bar], totals: &Totals, marks: &Marks, columns: usize) -> Vec<String> {
    let shown: Vec<&Bar> = bars.iter().filter(|bar| !bar.running.is_empty()).collect();
    let hidden_count = shown.len().saturating_sub(LINE_COUNT_MAX - 1);
    let shown = &shown[..shown.len() - hidden_count];
    let longest = |length: fn(&Bar) -> usize| shown.iter().map(|bar| length(bar)).max();
    let name_columns =
        longest(|bar| bar.command.chars().count()).unwrap_or(0).min(columns / NAME_SHARE);
    let count_columns = longest(|bar| count(bar).len()).unwrap_or(0);
    let mut lines: Vec<String> =
        shown.iter().map(|bar| line(bar, [name_columns, count_columns], marks, columns)).collect();
    lines.push(total_line(totals, hidden_count, columns, marks));
    lines
}

fn count(bar: &Bar) -> String {
    format!("{}/{}", bar.done_count, bar.runnable_count)
}

fn line(bar: &Bar, widths: [usize; 2], marks: &Marks, columns: usize) -> String {
    let [name_columns, count_columns] = widths;
    let name = text::cut(&text::printable(&bar.command), name_columns, marks.ellipsis);
    let padding = " ".repeat(name_columns - name.chars().count());
    let status = if bar.has_failed { Status::Failed } else { Status::Pending };
    let style = color(status);
    let has_bar = columns >= COLUMNS_WITH_BAR_MIN;
    let ratio = if has_bar { format!("  {}", ratio(bar, marks)) } else { String::new() };
    let longest = bar.running.iter().map(|(_, elapsed)| *elapsed).max().unwrap_or_default();
    let elapsed = text::seconds(longest);
    let taken =
        2 + name_columns + ratio.chars().count() + 2 + count_columns + 2 + elapsed.len() + 2;
    let modules: Vec<String> = bar
        .running
        .iter()
        .map(|(module, _)| text::printable(module))
        .filter(|m| !m.is_empty())
        .collect();
    let modules = text::cut(&modules.join(", "), columns.saturating_sub(taken), marks.ellipsis);
    let count = count(bar);
    let text = format!(
        "{style}{}{style:#} {BOLD}{name}{BOLD:#}{padding}{ratio}  {count:>count_columns$}  \
         {DIM}{elapsed}  {modules}{DIM:#}",
        marks.of(status),
    );
    if taken <= columns + 2 {
        text
    } else {
        text::cut(&format!("{} {name}", marks.of(status)), columns, "")
    }
}

fn ratio(bar: &Bar, marks: &Marks) -> String {
    let filled = bar.done_count * BAR_COLUMNS / bar.runnable_count.max(1);
    let [done, missing] = marks.bar;
    format!("{}{}", done.repeat(filled), missing.repeat(BAR_COLUMNS - filled))
}

fn total_line(totals: &Totals, hidden_count: usize, columns: usize, marks: &Marks) -> String {
    let Totals { runnable_count, done_count, cached_count, elapsed } = totals;
    let cached = if *cached_count > 0 { format!(", {cached_count} cached") } else { String::new() };
    let hidden =
        if hidden_count > 0 { format!(", {hidden_count} more running") } else { String::new() };
    let elapsed = text::seconds(*elapsed);
    let line = format!("  {done_count}/{runnable_count} done{cached}{hidden}  {elapsed}");
    text::cut(&line, columns, marks.ellipsis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(command: &str, counts: [usize; 2], running: &[(&str, u64)]) -> Bar {
        let running = running
            .iter()
            .map(|(module, seconds)| ((*module).to_owned(), Duration::from_secs(*seconds)));
        Bar {
            command: command.to_owned(),
            done_count: counts[0],
            runnable_count: counts[1],
            has_failed: false,
            running: running.collect(),
        }
    }

    #[track_caller]
    fn check(bars: &[Bar], columns: usize, expected: &[&str]) {
        let totals = Totals {
            runnable_count: 50,
            done_count: 20,
            cached_count: 8,
            elapsed: Duration::from_millis(4900),
        };
        let lines = layout(bars, &totals, &Marks::UNICODE, columns);
        let lines: Vec<String> =
            lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(lines, expected);
        for line in lines {
            assert!(line.chars().count() <= columns, "{line:?} is wider than {columns}");
        }
    }

    #[test]
    fn what_runs_has_a_line() {
        let bars = [
            bar("lint", [3, 12], &[("a/b", 2), ("c", 3)]),
            bar("waiting", [0, 3], &[]),
            bar("typecheck", [0, 1], &[("", 61)]),
        ];
        check(
            &bars,
            80,
            &[
                "▶ lint       ━━━━╌╌╌╌╌╌╌╌╌╌╌╌  3/12  3s  a/b, c",
                "▶ typecheck  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌   0/1  1m 1s  ",
                "  20/50 done, 8 cached  4s",
            ],
        );
    }

    #[test]
    fn a_narrow_terminal_shows_less() {
        let bars = [bar("typecheck", [3, 12], &[("some/module", 2), ("c", 3)])];
        check(&bars, 34, &["▶ typecheck  3/12  3s  some/modul…", "  20/50 done, 8 cached  4s"]);
        check(&bars, 12, &["▶ typ…", "  20/50 don…"]);
        check(&bars, 1, &["▶", "…"]);
        check(&bars, 0, &["", ""]);
    }

    #[test]
    fn many_commands_are_counted() {
        let bars: Vec<Bar> = (0..30).map(|n| bar(&format!("c{n}"), [0, 1], &[("", 0)])).collect();
        let lines = layout(&bars, &Totals::default(), &Marks::ASCII, 80);
        assert_eq!(lines.len(), LINE_COUNT_MAX);
        assert_eq!(lines.last().unwrap(), "  0/0 done, 19 more running  0s");
    }
}
