//! Live progress on a terminal: a bar for each command of which something runs; above them stays
//! what ran or failed. Then the output of what failed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::bars::{Bar, Totals, layout};
use super::plain::{Ledger, show};
use super::screen::Screen;
use super::stream::stopping;
use super::summary::closing;
use super::{Reporter, Verbosity, text};
use crate::error::Severity;
use crate::exec::{Event, Outcome, Planned, RunReason};
use crate::sys::clock;

/// A run that is over by then shows no bars at all: a warm run does not flicker.
const FIRST_DRAW_DELAY: Duration = Duration::from_millis(200);

/// How often the bars are drawn again at most.
const DRAW_INTERVAL: Duration = Duration::from_millis(80);

const COLUMNS_DEFAULT: usize = 80;

/// Shows bars.
pub(super) struct Progress {
    screen: Screen,
    ledger: Ledger,
    begin: Instant,
    drawn_at: Option<Instant>,
    bars: Vec<Bar>,
    /// By runnable: its bar.
    bar_of: Vec<usize>,
    /// Since when those run that run.
    started: BTreeMap<usize, Instant>,
    totals: Totals,
    terminal: MultiProgress,
    lines: Vec<ProgressBar>,
    is_colored: bool,
}

impl Progress {
    pub(super) fn new(screen: Screen, verbosity: Verbosity, is_colored: bool) -> Self {
        Self {
            screen,
            ledger: Ledger::new(verbosity),
            begin: clock::instant(),
            drawn_at: None,
            bars: Vec::new(),
            bar_of: Vec::new(),
            started: BTreeMap::new(),
            totals: Totals::default(),
            terminal: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            lines: Vec::new(),
            is_colored,
        }
    }

    fn begin(&mut self, planned: &Arc<[Planned]>) {
        self.ledger.begin(planned);
        self.totals.runnable_count = planned.len();
        let mut positions = BTreeMap::new();
        for planned in planned.iter() {
            let position = *positions.entry(planned.command.as_str()).or_insert_with(|| {
                self.bars.push(Bar { command: planned.command.clone(), ..Bar::default() });
                self.bars.len() - 1
            });
            self.bars[position].runnable_count += 1;
            self.bar_of.push(position);
        }
    }

    fn start(&mut self, runnable: usize, reason: &RunReason) {
        self.ledger.start(runnable, reason);
        self.started.insert(runnable, clock::instant());
    }

    fn end(&mut self, runnable: usize, outcome: &Outcome) {
        self.started.remove(&runnable);
        self.totals.done_count += 1;
        self.totals.cached_count += usize::from(outcome.status.is_cached());
        let bar = &mut self.bars[self.bar_of[runnable]];
        bar.done_count += 1;
        let is_quiet = outcome.status.is_success() && outcome.status.is_cached();
        bar.has_failed |= !outcome.status.is_success();
        let shows_output = self.ledger.shows_at_once();
        if is_quiet && !shows_output {
            return; // the closing line counts it
        }
        let mut line = String::new();
        self.ledger.end(&mut line, runnable, outcome, &self.screen.marks);
        self.above(|screen| {
            screen.say(&line);
            if shows_output {
                show(outcome, screen);
            }
        });
    }

    /// Writes something that stays, above the bars.
    fn above(&mut self, write: impl FnOnce(&mut Screen)) {
        let screen = &mut self.screen;
        self.terminal.suspend(|| write(screen));
    }

    fn draw(&mut self) {
        let now = clock::instant();
        let is_due = match self.drawn_at {
            None => now.duration_since(self.begin) >= FIRST_DRAW_DELAY,
            Some(drawn_at) => now.duration_since(drawn_at) >= DRAW_INTERVAL,
        };
        if !is_due {
            return;
        }
        self.drawn_at = Some(now);
        self.totals.elapsed = now.duration_since(self.begin);
        for bar in &mut self.bars {
            bar.running.clear();
        }
        for (&runnable, started) in &self.started {
            let module = module(&self.ledger.planned[runnable]);
            let bar = &mut self.bars[self.bar_of[runnable]];
            bar.running.push((module.to_owned(), now.duration_since(*started)));
        }
        let columns = self.screen.columns().unwrap_or(COLUMNS_DEFAULT);
        let lines = layout(&self.bars, &self.totals, &self.screen.marks, columns);
        self.set_lines(&lines);
    }

    fn set_lines(&mut self, lines: &[String]) {
        while self.lines.len() > lines.len()
            && let Some(line) = self.lines.pop()
        {
            line.finish_and_clear();
            self.terminal.remove(&line);
        }
        while self.lines.len() < lines.len() {
            let line = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                line.set_style(style);
            }
            self.lines.push(self.terminal.add(line));
        }
        for (line, text) in self.lines.iter().zip(lines) {
            let text = if self.is_colored {
                text.clone()
            } else {
                anstream::adapter::strip_str(text).to_string()
            };
            line.set_message(text);
        }
    }

    fn clear(&mut self) {
        self.set_lines(&[]);
        // The terminal may be gone; there is nobody to tell.
        drop(self.terminal.clear());
    }
}

/// What tells a runnable from the others of its command.
fn module(planned: &Planned) -> &str {
    let name = planned.name.as_str();
    name.strip_prefix(planned.command.as_str()).unwrap_or(name).trim_start_matches('#')
}

impl Reporter for Progress {
    fn wants_output(&self) -> bool {
        false
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { runnables, .. } => self.begin(runnables),
            Event::Started { runnable, reason, .. } => self.start(*runnable, reason),
            Event::Waiting { runnable } => {
                let line = text::waiting(self.ledger.name(*runnable));
                self.above(|screen| screen.say(&line));
            }
            Event::Replaying { .. } | Event::Output { .. } => {}
            Event::Ended { runnable, outcome } => self.end(*runnable, outcome),
            Event::Warning { diagnostic, .. } => {
                self.above(|screen| screen.say_diagnostic(diagnostic, Severity::Warning));
            }
            Event::Stopping { signal } => self.above(|screen| screen.say(&stopping(*signal))),
            Event::RunEnded { summary } => {
                self.clear();
                self.ledger.show_failed(&mut self.screen);
                self.screen.say(&closing(&self.ledger.planned, summary, &self.screen.marks));
                return;
            }
        }
        if self.drawn_at.is_some() {
            self.draw();
        }
    }

    fn idle(&mut self) {
        self.draw();
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("bars", &self.bars).finish_non_exhaustive()
    }
}
