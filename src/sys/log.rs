//! `QIK_LOG`: what qik is doing, for its developers. Users read reports, not logs.

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Sys;
use super::timings::{self, Timings};
use super::veil::Veil;

/// Starts logging to stderr if `QIK_LOG` is `error`, `warn`, `info`, `debug` or `trace`; any
/// other word means `info`. `timings` listens as well, if there is one. Without either nothing is
/// set up and spans cost nothing.
pub fn start(sys: &Sys, timings: Option<&Timings>) {
    let word = sys.var("QIK_LOG");
    if word.is_none() && timings.is_none() {
        return;
    }
    let veil = sys.veil.clone();
    let log = word.map(|word| {
        let level = word.parse().unwrap_or(LevelFilter::INFO);
        // Only ours: what clients of other machines trace holds credentials.
        tracing_subscriber::fmt::layer()
            .with_writer(move || Veiled(veil.clone()))
            .with_target(false)
            .without_time()
            .with_filter(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level))
    });
    let timings = timings.map(|timings| timings.clone().with_filter(timings::filter()));
    tracing_subscriber::registry().with(log).with(timings).init();
}

/// Standard error without secrets. A message comes in one piece.
struct Veiled(Veil);

impl Write for Veiled {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(&self.0.hide(text))?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
