//! What differs between two fingerprints, in words that a user knows. Pure.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, iter};

use super::Document;

/// One input that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Another version of qik made the entry.
    Version,
    Exec {
        before: String,
        after: String,
    },
    Deps,
    Artifacts,
    Space,
    Const {
        before: Option<String>,
        after: Option<String>,
    },
    /// The value of a secret, of which nothing is shown.
    Secret {
        names: Vec<String>,
    },
    Setting {
        path: String,
    },
    Distribution {
        name: String,
        before: Option<String>,
        after: Option<String>,
    },
    UpstreamArtifact {
        runnable: String,
        path: String,
    },
    FileChanged {
        path: String,
    },
    FileAdded {
        path: String,
    },
    FileGone {
        path: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => f.write_str("made by another version of qik"),
            Self::Exec { .. } => f.write_str("exec changed"),
            Self::Deps => f.write_str("deps changed"),
            Self::Artifacts => f.write_str("artifacts changed"),
            Self::Space => f.write_str("space changed"),
            Self::Const { before, after } => match (before, after) {
                (Some(before), Some(after)) => write!(f, "const `{before}` is now `{after}`"),
                (None, Some(after)) => write!(f, "const `{after}` added"),
                (Some(before), None) => write!(f, "const `{before}` gone"),
                (None, None) => f.write_str("consts changed"),
            },
            Self::Secret { names } => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "secret {} changed", names.join(" or "))
            }
            Self::Distribution { name, before, after } => match (before, after) {
                (Some(before), Some(after)) => write!(f, "`{name}` {before} is now {after}"),
                (None, Some(after)) => write!(f, "`{name}` {after} added"),
                _ => write!(f, "`{name}` gone"),
            },
            Self::UpstreamArtifact { runnable, path } => {
                write!(f, "`{path}` of {runnable} changed")
            }
            Self::Setting { path } | Self::FileChanged { path } => write!(f, "`{path}` changed"),
            Self::FileAdded { path } => write!(f, "`{path}` added"),
            Self::FileGone { path } => write!(f, "`{path}` gone"),
        }
    }
}

/// All that differs, definition first, then values, then files in the order of their paths.
/// Empty exactly if the documents are equal.
pub fn diff(before: &Document, after: &Document) -> Vec<Change> {
    let (old, new) = (&before.inputs, &after.inputs);
    let mut changes = Vec::new();
    let mut note = |differs: bool, change: Change| {
        if differs {
            changes.push(change);
        }
    };
    note(before.version != after.version || old.runnable != new.runnable, Change::Version);
    note(old.exec != new.exec, Change::Exec { before: old.exec.clone(), after: new.exec.clone() });
    note(old.deps != new.deps, Change::Deps);
    note(old.artifacts != new.artifacts, Change::Artifacts);
    note(old.space != new.space, Change::Space);
    let (before_names, after_names) = (&old.secrets, &new.secrets);
    if before_names != after_names {
        let names = before_names.iter().chain(after_names);
        let names: BTreeSet<&String> = names.collect();
        changes.push(Change::Secret { names: names.into_iter().cloned().collect() });
    }
    changes.extend(diff_consts(&old.consts, &new.consts));
    changes.extend(
        diff_maps(&old.settings, &new.settings)
            .map(|(path, ..)| Change::Setting { path: path.clone() }),
    );
    changes.extend(diff_maps(&old.distributions, &new.distributions).map(
        |(name, before, after)| Change::Distribution {
            name: name.clone(),
            before: before.cloned(),
            after: after.cloned(),
        },
    ));
    changes.extend(diff_upstreams(&old.upstreams, &new.upstreams));
    changes.extend(diff_sorted(before.files.iter(), after.files.iter()).map(
        |(path, before, after)| {
            let path = path.to_owned();
            match (before, after) {
                (None, _) => Change::FileAdded { path },
                (_, None) => Change::FileGone { path },
                _ => Change::FileChanged { path },
            }
        },
    ));
    changes
}

fn diff_consts(old: &[String], new: &[String]) -> impl Iterator<Item = Change> {
    (0..old.len().max(new.len())).filter_map(|position| {
        let (before, after) = (old.get(position), new.get(position));
        (before != after).then(|| Change::Const { before: before.cloned(), after: after.cloned() })
    })
}

type Artifacts = BTreeMap<String, String>;

fn diff_upstreams(
    old: &BTreeMap<String, Artifacts>,
    new: &BTreeMap<String, Artifacts>,
) -> Vec<Change> {
    let empty = Artifacts::new();
    let mut changes = Vec::new();
    for (runnable, before, after) in diff_maps(old, new) {
        let differing =
            diff_maps(before.unwrap_or(&empty), after.unwrap_or(&empty)).map(|(path, ..)| path);
        let count_before = changes.len();
        changes.extend(differing.map(|path| Change::UpstreamArtifact {
            runnable: runnable.clone(),
            path: path.clone(),
        }));
        if changes.len() == count_before {
            changes.push(Change::Deps);
        }
    }
    changes
}

/// The keys whose values differ, in order, with both values.
fn diff_maps<'a, V: PartialEq>(
    old: &'a BTreeMap<String, V>,
    new: &'a BTreeMap<String, V>,
) -> impl Iterator<Item = (&'a String, Option<&'a V>, Option<&'a V>)> {
    diff_sorted(old.iter(), new.iter())
}

/// The same of pairs that are sorted by their keys, none of which comes twice.
fn diff_sorted<K: Ord + Copy, V: PartialEq>(
    old: impl Iterator<Item = (K, V)>,
    new: impl Iterator<Item = (K, V)>,
) -> impl Iterator<Item = (K, Option<V>, Option<V>)> {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    let next = move || {
        let order = match (old.peek(), new.peek()) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        let key = before.as_ref().or(after.as_ref()).map(|(key, _)| *key)?;
        Some((key, before.map(|(_, value)| value), after.map(|(_, value)| value)))
    };
    iter::from_fn(next).filter(|(_, before, after)| before != after)
}
