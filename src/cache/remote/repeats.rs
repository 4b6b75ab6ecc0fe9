//! What may go wrong with each of many results: the first is spoken of, the rest are counted. Pure.

use std::collections::BTreeMap;

use crate::error::{Code, Diagnostic};
use crate::plan::RunnableName;

/// Runnables that a warning names.
const NAMED_COUNT_MAX: usize = 3;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The remote has something that must not be used.
    Refused,
    /// What came cannot be kept here.
    NotKept,
    /// A result cannot be packed.
    NotSent,
}

/// What went wrong in this run.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<Topic, Vec<RunnableName>>);

impl Repeats {
    /// Notes one more; gives whether it is the first.
    pub(super) fn is_first(&mut self, topic: Topic, runnable: &RunnableName) -> bool {
        match self.0.get_mut(&topic) {
            Some(others) => {
                others.push(runnable.clone());
                false
            }
            None => self.0.insert(topic, Vec::new()).is_none(),
        }
    }

    /// One warning for all that were not the first, of each kind; the next run starts anew.
    pub(super) fn rest(&mut self, cache: &str) -> Vec<Diagnostic> {
        let topics = std::mem::take(&mut self.0).into_iter();
        topics
            .filter(|(_, others)| !others.is_empty())
            .map(|(topic, others)| {
                let runnables = match others.len() {
                    1 => "1 more runnable".to_owned(),
                    count => format!("{count} more runnables"),
                };
                let message = match topic {
                    Topic::Refused => {
                        format!("what the cache `{cache}` has for {runnables} is not used either")
                    }
                    Topic::NotKept => {
                        format!("what the cache `{cache}` has for {runnables} cannot be kept here")
                    }
                    Topic::NotSent => {
                        format!("nor are the results of {runnables} sent to the cache `{cache}`")
                    }
                };
                Diagnostic::new(Code::RemoteFailed, message).because(named(&others))
            })
            .collect()
    }
}

fn named(runnables: &[RunnableName]) -> String {
    let mut names: Vec<String> =
        runnables.iter().take(NAMED_COUNT_MAX).map(|name| format!("`{name}`")).collect();
    if runnables.len() > NAMED_COUNT_MAX {
        names.push(format!("{} more", runnables.len() - NAMED_COUNT_MAX));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_spoken_of_and_the_rest_are_counted() {
        let mut repeats = Repeats::default();
        let firsts: Vec<u32> = (0..6)
            .filter(|n| repeats.is_first(Topic::Refused, &RunnableName::from(format!("c{n}"))))
            .collect();
        assert_eq!(firsts, [0]);
        assert!(repeats.is_first(Topic::NotSent, &RunnableName::from("c0".to_owned())));
        let rest = repeats.rest("ci");
        assert_eq!(rest.len(), 1);
        let message = "what the cache `ci` has for 5 more runnables is not used either";
        assert_eq!(rest[0].message, message);
        assert_eq!(rest[0].causes, ["`c1`, `c2`, `c3`, 2 more"]);
        assert!(repeats.rest("ci").is_empty(), "it is said once");
        assert!(repeats.is_first(Topic::Refused, &RunnableName::from("c0".to_owned())));
    }
}
