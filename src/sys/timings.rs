//! `--timings`: how long the stages of an invocation took, and how much was done of what costs.
//!
//! Whoever does it says so by tracing, as spans of the target [`STAGE`] and events of the target
//! [`COUNT`]; here it is added up. Without a listener that costs nothing worth the name.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::clock;

/// The target of spans that are stages. Their time is the sum over all threads.
pub const STAGE: &str = "stage";

/// The target of events with numbers of things that were done.
pub const COUNT: &str = "count";

/// What was added up so far; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Timings(Arc<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    /// In the order of their first beginning.
    stages: Vec<(&'static str, Stage)>,
    counts: Vec<(&'static str, u64)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stage {
    times: u64,
    duration: Duration,
}

impl Timings {
    /// As a table.
    pub fn render(&self) -> String {
        let sums = self.lock();
        let mut text = String::new();
        // Writing to a string cannot fail.
        for (name, Stage { times, duration }) in &sums.stages {
            let ms = duration.as_secs_f64() * 1000.0;
            let _ = writeln!(text, "{name:<24} {ms:>10.2} ms {times:>8}x");
        }
        for (name, count) in &sums.counts {
            let _ = writeln!(text, "{:<24} {count:>10}", name.replace('_', " "));
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    fn stage(&mut self, name: &'static str) -> &mut Stage {
        find_or_add(&mut self.stages, name)
    }

    fn count(&mut self, name: &'static str) -> &mut u64 {
        find_or_add(&mut self.counts, name)
    }
}

fn find_or_add<'s, T: Default>(
    sums: &'s mut Vec<(&'static str, T)>,
    name: &'static str,
) -> &'s mut T {
    let position = sums.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        sums.push((name, T::default()));
        sums.len() - 1
    });
    &mut sums[position].1
}

/// What of tracing is for [`Timings`].
pub(super) fn filter() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(|metadata| matches!(metadata.target(), STAGE | COUNT))
}

/// When a span was entered.
struct Entered(Instant);

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for Timings {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.lock().stage(attributes.metadata().name());
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Entered(clock::instant()));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Entered(at)) = span.extensions_mut().remove() {
            let mut sums = self.lock();
            let stage = sums.stage(span.name());
            stage.times += 1;
            stage.duration += at.elapsed();
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Adder(&mut self.lock()));
    }
}

struct Adder<'s>(&'s mut Sums);

impl Visit for Adder<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        *self.0.count(field.name()) += value;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn stages_and_counts_are_added_up() {
        let timings = Timings::default();
        let listener = timings.clone().with_filter(filter());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(listener), || {
            for count in [2_u64, 3] {
                let _stage = tracing::info_span!(target: STAGE, "look up").entered();
                tracing::info!(target: COUNT, files_looked_at = count);
                tracing::info!(something_else = 7);
            }
        });
        let text = timings.render();
        assert!(text.starts_with("look up  "), "{text}");
        assert!(text.contains(" 2x\nfiles looked at  "), "{text}");
        assert!(text.ends_with(" 5\n"), "{text}");
    }
}
