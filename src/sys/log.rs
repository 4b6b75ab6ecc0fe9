//! `QIK_LOG`: what qik is doing, for its developers. Users read reports, not logs.

use tracing_subscriber::filter::LevelFilter;

use super::Sys;

/// Starts logging to stderr if `QIK_LOG` is `error`, `warn`, `info`, `debug` or `trace`; any
/// other word means `info`. Without the variable nothing is set up and spans cost nothing.
pub fn start(sys: &Sys) {
    let Some(word) = sys.var("QIK_LOG") else { return };
    let level = word.parse().unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}
