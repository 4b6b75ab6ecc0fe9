//! `--logger json`: one object a line on stdout, for programs. See `docs/json-lines.md`.
//!
//! Every object has `v`, the version of this format, and `event`. New fields and events may come
//! with the same version; it is raised when one goes or changes its meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Reporter;
use super::screen::{Screen, for_each_piece};
use crate::error::{Diagnostic, Severity};
use crate::exec::{Event, Outcome, Planned, RunReason, Status};
use crate::paths::escape;

/// The version of the format.
const VERSION: u32 = 1;

/// Shows objects.
#[derive(Debug)]
pub(super) struct Json {
    screen: Screen,
    has_output: bool,
    planned: Arc<[Planned]>,
    /// Whose output was sent while they ran.
    has_run: Vec<bool>,
    /// By runnable: the beginning of a character whose end is still to come.
    tails: BTreeMap<usize, Vec<u8>>,
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Body<'a> {
    RunStarted {
        workers: usize,
        runnables: Vec<Runnable<'a>>,
    },
    Started {
        runnable: &'a str,
        worker: usize,
        reason: &'static str,
        changes: Vec<String>,
    },
    Waiting {
        runnable: &'a str,
    },
    Replaying {
        runnable: &'a str,
    },
    /// Exactly one of `text` and `escaped` is there.
    Output {
        runnable: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        /// Not UTF-8: with `\xNN` for other bytes, control characters and the backslash.
        #[serde(skip_serializing_if = "Option::is_none")]
        escaped: Option<String>,
    },
    Ended {
        runnable: &'a str,
        status: &'static str,
        code: i32,
        duration_ms: Option<u64>,
        log: Option<String>,
        error: Option<Problem<'a>>,
    },
    Warning {
        runnable: Option<&'a str>,
        warning: Problem<'a>,
    },
    Stopping {
        signal: i32,
    },
    RunEnded {
        code: i32,
        duration_ms: u64,
        saved_ms: u64,
        signal: Option<i32>,
    },
}

#[derive(Serialize)]
struct Runnable<'a> {
    name: &'a str,
    command: &'a str,
    exec: &'a str,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'static str,
    message: &'a str,
    causes: &'a [String],
    hints: &'a [String],
}

impl Json {
    pub(super) fn new(screen: Screen, has_output: bool) -> Self {
        Self {
            screen,
            has_output,
            planned: Arc::default(),
            has_run: Vec::new(),
            tails: BTreeMap::new(),
        }
    }

    /// Sends output in pieces that end between two characters.
    fn output(&mut self, runnable: usize, bytes: &[u8]) {
        let mut piece = self.tails.remove(&runnable).unwrap_or_default();
        piece.extend_from_slice(bytes);
        let tail = piece.split_off(piece.len() - unfinished_length(&piece));
        if !piece.is_empty() {
            write(&mut self.screen, output(self.planned[runnable].name.as_str(), &piece));
        }
        if !tail.is_empty() {
            self.tails.insert(runnable, tail);
        }
    }

    fn ended(&mut self, runnable: usize, outcome: &Outcome) {
        if self.has_output && !self.has_run[runnable] && outcome.error.is_none() {
            let read = for_each_piece(&outcome.log, &mut |piece| self.output(runnable, piece));
            if let Err(error) = read {
                self.screen.say_diagnostic(&error.diagnostic(), Severity::Warning);
            }
        }
        let tail = self.tails.remove(&runnable);
        let Self { screen, planned, .. } = self;
        let name = planned[runnable].name.as_str();
        if let Some(tail) = tail {
            write(screen, output(name, &tail));
        }
        let body = Body::Ended {
            runnable: name,
            status: status(outcome.status),
            code: outcome.code,
            duration_ms: outcome.duration.map(millis),
            log: outcome.log.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
            error: outcome.error.as_deref().map(problem),
        };
        write(screen, body);
    }
}

impl Reporter for Json {
    fn wants_output(&self) -> bool {
        self.has_output
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { runnables, worker_count } => {
                self.planned = Arc::clone(runnables);
                self.has_run = vec![false; runnables.len()];
                let runnables = runnables.iter().map(|planned| Runnable {
                    name: planned.name.as_str(),
                    command: &planned.command,
                    exec: &planned.exec,
                });
                let runnables = runnables.collect();
                write(&mut self.screen, Body::RunStarted { workers: *worker_count, runnables });
            }
            Event::Ended { runnable, outcome } => self.ended(*runnable, outcome),
            Event::Output { runnable, bytes } => self.output(*runnable, bytes),
            event => {
                if let Event::Started { runnable, .. } = event {
                    self.has_run[*runnable] = true;
                }
                let name = |runnable: usize| self.planned[runnable].name.as_str();
                if let Some(body) = body(event, &name) {
                    write(&mut self.screen, body);
                }
            }
        }
    }
}

/// The objects of events that stand for themselves.
fn body<'a>(event: &'a Event, name: &dyn Fn(usize) -> &'a str) -> Option<Body<'a>> {
    Some(match event {
        Event::RunStarted { .. } | Event::Ended { .. } | Event::Output { .. } => return None,
        Event::Started { runnable, worker, reason } => {
            let (reason, changes) = explain(reason);
            Body::Started { runnable: name(*runnable), worker: *worker, reason, changes }
        }
        Event::Waiting { runnable } => Body::Waiting { runnable: name(*runnable) },
        Event::Replaying { runnable } => Body::Replaying { runnable: name(*runnable) },
        Event::Warning { runnable, diagnostic } => {
            Body::Warning { runnable: runnable.map(name), warning: problem(diagnostic) }
        }
        Event::Stopping { signal } => Body::Stopping { signal: *signal },
        Event::RunEnded { summary } => Body::RunEnded {
            code: summary.code,
            duration_ms: millis(summary.duration),
            saved_ms: millis(summary.saved),
            signal: summary.signal,
        },
    })
}

/// The length of a character at the end of which the last bytes are missing.
fn unfinished_length(bytes: &[u8]) -> usize {
    let chunk = bytes.utf8_chunks().last();
    let end = chunk.map(|chunk| chunk.invalid()).unwrap_or_default();
    match std::str::from_utf8(end) {
        Err(error) if error.error_len().is_none() => end.len(),
        _ => 0,
    }
}

fn output<'a>(runnable: &'a str, bytes: &'a [u8]) -> Body<'a> {
    let text = std::str::from_utf8(bytes).ok();
    let escaped = text.is_none().then(|| escape(bytes).into_owned());
    Body::Output { runnable, text, escaped }
}

fn explain(reason: &RunReason) -> (&'static str, Vec<String>) {
    match reason {
        RunReason::Uncached => ("uncached", Vec::new()),
        RunReason::Forced => ("forced", Vec::new()),
        RunReason::FirstRun => ("first-run", Vec::new()),
        RunReason::NotStored => ("not-stored", Vec::new()),
        RunReason::NotKept => ("not-kept", Vec::new()),
        RunReason::Changed(changes) => {
            ("changed", changes.iter().map(ToString::to_string).collect())
        }
    }
}

fn problem(diagnostic: &Diagnostic) -> Problem<'_> {
    Problem {
        code: diagnostic.code.id(),
        message: &diagnostic.message,
        causes: &diagnostic.causes,
        hints: &diagnostic.hints,
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Replayed => "replayed",
        Status::ReplayedFailure => "replayed-failure",
        Status::Skipped => "skipped",
        Status::Interrupted => "interrupted",
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn write(screen: &mut Screen, body: Body<'_>) {
    // Maps with keys that are no strings cannot be written; there are none.
    if let Ok(mut line) = serde_json::to_vec(&Line { v: VERSION, body }) {
        line.push(b'\n');
        screen.show(&line);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::screen::tests::screen;
    use super::super::summary::tests::{outcome, planned};
    use super::*;
    use crate::exec::{Log, RunSummary};
    use crate::hash::Change;

    #[test]
    fn a_run_is_one_object_a_line() {
        let (screen, paper) = screen(false);
        let mut json = Json::new(screen, true);
        let runnables = vec![planned("lint#m", "ruff"), planned("b", "x")];
        json.event(&Event::RunStarted { runnables: runnables.into(), worker_count: 2 });
        let reason = RunReason::Changed(vec![Change::FileAdded { path: "a".to_owned() }]);
        json.event(&Event::Started { runnable: 0, worker: 1, reason });
        json.event(&Event::Output { runnable: 0, bytes: b"say \"hi\"\n"[..].into() });
        json.event(&Event::Output { runnable: 0, bytes: b"\xff"[..].into() });
        json.event(&Event::Output { runnable: 0, bytes: b"a\xc3"[..].into() });
        json.event(&Event::Output { runnable: 0, bytes: b"\xa4b\xe2"[..].into() });
        json.event(&Event::Ended { runnable: 0, outcome: outcome(Status::Succeeded, 0) });
        let log = Log { rest: b"old"[..].into(), ..Log::default() };
        let replayed = Outcome { log, duration: None, ..outcome(Status::Replayed, 0) };
        json.event(&Event::Ended { runnable: 1, outcome: replayed });
        let duration = Duration::from_millis(5);
        let summary = RunSummary { duration, ..RunSummary::default() };
        json.event(&Event::RunEnded { summary });
        insta::assert_snapshot!(String::from_utf8(paper.bytes()).unwrap(), @r#"
        {"v":1,"event":"run-started","workers":2,"runnables":[{"name":"lint#m","command":"lint","exec":"ruff"},{"name":"b","command":"b","exec":"x"}]}
        {"v":1,"event":"started","runnable":"lint#m","worker":1,"reason":"changed","changes":["`a` added"]}
        {"v":1,"event":"output","runnable":"lint#m","text":"say \"hi\"\n"}
        {"v":1,"event":"output","runnable":"lint#m","escaped":"\\xff"}
        {"v":1,"event":"output","runnable":"lint#m","text":"a"}
        {"v":1,"event":"output","runnable":"lint#m","text":"äb"}
        {"v":1,"event":"output","runnable":"lint#m","escaped":"\\xe2"}
        {"v":1,"event":"ended","runnable":"lint#m","status":"succeeded","code":0,"duration_ms":1200,"log":null,"error":null}
        {"v":1,"event":"output","runnable":"b","text":"old"}
        {"v":1,"event":"ended","runnable":"b","status":"replayed","code":0,"duration_ms":null,"log":null,"error":null}
        {"v":1,"event":"run-ended","code":0,"duration_ms":5,"saved_ms":0,"signal":null}
        "#);
    }
}
