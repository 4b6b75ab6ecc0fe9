//! Entries, memos and artifact patterns as entry points of fuzzing. Pure but for `archive`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::{Entry, Layout, is_foreign};
use super::{Content, attached, pattern, reach};
use crate::hash::{Digest, Document};
use crate::sys::memo::{parse, render};

pub use super::remote::fuzzing::archive;

/// An entry of the local cache or of a remote one, and one of the repo cache; as it is, and as if
/// it had been sealed by who can.
pub fn entry(bytes: &[u8]) {
    check_file(bytes);
    check::<Content>(bytes);
    check::<Document>(bytes);
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'}') else { return };
    let mut sealed = [&bytes[..end], b","].concat();
    let seal = format!("\"seal\": \"{}\"}}\n", Digest::of(&sealed));
    sealed.extend(seal.into_bytes());
    check_file(&[&sealed[..], &bytes[end + 1..]].concat());
    check::<Content>(&sealed);
    check::<Document>(&sealed);
}

/// The file of an entry: what is read is written as it was.
fn check_file(bytes: &[u8]) {
    if let Ok((entry, attached)) = attached::parse(bytes) {
        assert_eq!(attached::render(attached::entry_of(bytes), &attached), bytes);
        let again = entry.render(Layout::Compact).unwrap_or_default();
        let again = attached::parse(&attached::render(&again, &attached));
        assert_eq!(again, Ok((entry, attached)));
    }
}

fn check<F>(bytes: &[u8])
where
    F: Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug,
{
    let _ = is_foreign(bytes);
    let Ok(entry) = Entry::<F>::parse(bytes) else { return };
    for layout in [Layout::Compact, Layout::Pretty] {
        let again = entry.render(layout).map(|bytes| Entry::parse(&bytes));
        assert_eq!(again, Some(Ok(entry.clone())));
    }
    drop(entry.artifacts.to_list());
    if reach::check(&entry.artifacts).is_ok() {
        for artifact in &entry.artifacts.artifacts {
            let path = artifact.path.as_bytes();
            let mut parts = path.split(|byte| *byte == b'/');
            assert!(!path.contains(&0) && !parts.any(|part| matches!(part, b"" | b"." | b"..")));
        }
    }
    for artifact in &entry.artifacts.artifacts {
        if let Ok(text) = std::str::from_utf8(artifact.path.as_bytes()) {
            drop(pattern::check_pattern(text));
        }
    }
}

/// A memo of artifacts, as it is and freshly sealed; what is read is written as it was.
pub fn memo(bytes: &[u8]) {
    drop(parse::<Digest>(bytes));
    let sealed = [Digest::of(bytes).to_string().as_bytes(), b"\n", bytes].concat();
    if let Some(facts) = parse::<Digest>(&sealed) {
        assert_eq!(parse(render(&facts).as_bytes()), Some(facts));
    }
}
