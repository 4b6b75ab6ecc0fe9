//! A stored result as a document: strict, versioned JSON that carries its own digest. Pure.
//!
//! Of another version, or with keys that this version does not know, it was written by another
//! qik: such an entry is left alone. Anything else that is not just as it was written is damaged.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Content, Manifest};
use crate::hash::Digest;

/// The version of the format: raised whenever an older qik would misread an entry, or the archive
/// that a remote cache has of it.
pub(super) const VERSION: u64 = 1;

/// Largest document that is read; some 500,000 artifacts.
pub(super) const ENTRY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The key that comes last, a digest of all that is before it.
const SEAL: &str = "\"seal\"";

const KEYS: [&str; 9] = [
    "version",
    "runnable",
    "digest",
    "code",
    "duration-ms",
    "log",
    "artifacts",
    "fingerprint",
    "seal",
];

/// A stored result. `F` is how it keeps the fingerprint: whole, or as the [`Content`] of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<F> {
    pub(super) runnable: String,
    /// The fingerprint's digest.
    pub(super) digest: Digest,
    /// 0 to 255.
    pub(super) code: i32,
    pub(super) duration_ms: Option<u64>,
    pub(super) log: Content,
    pub(super) artifacts: Manifest,
    pub(super) fingerprint: F,
}

/// How an entry is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Compact,
    /// For people, and for small differences.
    Pretty,
}

/// Why an entry cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Another version of qik wrote it.
    Foreign,
    Damaged(String),
}

/// An [`Entry`] as it is written. The seal is `None` only while it is being computed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Stored<F> {
    version: u64,
    runnable: String,
    digest: Digest,
    code: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    log: Content,
    artifacts: BTreeMap<String, String>,
    fingerprint: F,
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<Digest>,
}

/// What every version has.
#[derive(Deserialize)]
struct Probe {
    version: u64,
}

impl<F: Serialize + Clone> Entry<F> {
    /// As a file; the same entry is always the same bytes. `None` if the exit code is none.
    pub(super) fn render(&self, layout: Layout) -> Option<Vec<u8>> {
        let stored = Stored {
            version: VERSION,
            runnable: self.runnable.clone(),
            digest: self.digest,
            code: u8::try_from(self.code).ok()?,
            duration_ms: self.duration_ms,
            log: self.log,
            artifacts: self.artifacts.to_stored(),
            fingerprint: self.fingerprint.clone(),
            seal: None,
        };
        let (text, separator, end) = match layout {
            Layout::Compact => (serde_json::to_string(&stored), ",", "}"),
            Layout::Pretty => (serde_json::to_string_pretty(&stored), ",\n  ", "\n}"),
        };
        let mut text = text.ok()?;
        text.truncate(text.len() - end.len());
        text.push_str(separator);
        let seal = Digest::of(text.as_bytes());
        Some(format!("{text}{SEAL}: \"{seal}\"{end}\n").into_bytes())
    }
}

impl<F: DeserializeOwned> Entry<F> {
    /// The entry of a file, if all of it is as it was written.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        let stored: Stored<F> = serde_json::from_slice(bytes)
            .map_err(|error| unusable(bytes, &format!("it is malformed: {error}")))?;
        if stored.version != VERSION {
            return Err(Unusable::Foreign);
        }
        if stored.seal.is_none() || stored.seal != seal_of(bytes) {
            return Err(Unusable::Damaged("its digest does not fit its content".to_owned()));
        }
        let artifacts = Manifest::from_stored(&stored.artifacts)
            .map_err(|path| Unusable::Damaged(format!("its artifact `{path}` is malformed")))?;
        Ok(Self {
            runnable: stored.runnable,
            digest: stored.digest,
            code: i32::from(stored.code),
            duration_ms: stored.duration_ms,
            log: stored.log,
            artifacts,
            fingerprint: stored.fingerprint,
        })
    }
}

/// Whether a file is an entry that another version of qik wrote.
pub(super) fn is_foreign(bytes: &[u8]) -> bool {
    Entry::<IgnoredAny>::parse(bytes).err() == Some(Unusable::Foreign)
}

fn seal_of(bytes: &[u8]) -> Option<Digest> {
    // A quote within a string is escaped, so this is the key and never a value.
    let start = std::str::from_utf8(bytes).ok()?.rfind(SEAL)?;
    Some(Digest::of(&bytes[..start]))
}

/// Why bytes that are no entry are none.
fn unusable(bytes: &[u8], cause: &str) -> Unusable {
    let version = serde_json::from_slice::<Probe>(bytes).ok().map(|probe| probe.version);
    let keys = serde_json::from_slice::<BTreeMap<String, &RawValue>>(bytes).unwrap_or_default();
    let has_unknown_key = keys.keys().any(|key| !KEYS.contains(&key.as_str()));
    match version {
        Some(version) if version != VERSION || has_unknown_key => Unusable::Foreign,
        _ => Unusable::Damaged(cause.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::{Artifact, ArtifactKind};
    use crate::paths::ProjectPath;

    fn entry() -> Entry<Content> {
        let kind = ArtifactKind::File { mode: 0o755, content: Content::of(b"x") };
        let artifact = Artifact { path: ProjectPath::from_bytes(*b"out/a \"seal\""), kind };
        Entry {
            runnable: "build \"seal\"".to_owned(),
            digest: Digest::of(b"key"),
            code: 3,
            duration_ms: Some(12),
            log: Content::of(b"log"),
            artifacts: Manifest { artifacts: vec![artifact], unmatched: Vec::new() },
            fingerprint: Content::of(b"document"),
        }
    }

    fn text(layout: Layout) -> String {
        String::from_utf8(entry().render(layout).unwrap()).unwrap()
    }

    #[test]
    fn an_entry_survives_being_written() {
        for layout in [Layout::Compact, Layout::Pretty] {
            assert_eq!(Entry::parse(text(layout).as_bytes()), Ok(entry()));
        }
    }

    #[test]
    fn a_code_that_is_none_is_not_written() {
        for code in [-9, 256, 300] {
            assert_eq!(Entry { code, ..entry() }.render(Layout::Compact), None);
        }
    }

    #[track_caller]
    fn check_damaged(bytes: &[u8]) {
        let parsed = Entry::<Content>::parse(bytes);
        assert!(matches!(parsed, Err(Unusable::Damaged(_))), "{parsed:?}");
    }

    #[test]
    fn damaged_entries_are_told_apart() {
        let good = text(Layout::Compact);
        for code in ["\"3\"", "-9", "300", "1e99", "null", "3.5", "4"] {
            check_damaged(good.replace("\"code\":3", &format!("\"code\":{code}")).as_bytes());
        }
        check_damaged(good.replace("\"code\":3,", "").as_bytes());
        check_damaged(good.replace("\"code\":3", "\"code\":3,\"code\":3").as_bytes());
        check_damaged(good.replace("file 0755", "file 0644").as_bytes());
        check_damaged(good.replace('\n', "\r\n").replace(':', ": ").as_bytes());
        check_damaged("[".repeat(100_000).as_bytes());
        for bytes in [&b""[..], b"{\"foo\":1}", b"\xff\xfe", b"null", b"[]", b"{}", b"0"] {
            check_damaged(bytes);
        }
        let pretty = text(Layout::Pretty);
        check_damaged(format!("<<<<<<< HEAD\n{pretty}=======\n{pretty}>>>>>>> x\n").as_bytes());
        for end in 0..good.len() - 1 {
            check_damaged(&good.as_bytes()[..end]);
        }
    }

    #[test]
    fn another_qiks_entries_are_known_as_such() {
        let good = text(Layout::Compact);
        for other in [
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("\"code\":3", "\"code\":3,\"later\":[1]"),
            "{\"version\":7}".to_owned(),
        ] {
            assert_eq!(Entry::<Content>::parse(other.as_bytes()), Err(Unusable::Foreign));
            assert!(is_foreign(other.as_bytes()));
        }
        assert!(!is_foreign(good.as_bytes()));
    }

    proptest! {
        #[test]
        fn no_changed_byte_goes_unnoticed(place: prop::sample::Index, byte: u8) {
            let mut bytes = text(Layout::Pretty).into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let parsed = Entry::parse(&bytes);
            prop_assert!(parsed.is_err() || parsed == Ok(entry()));
        }

        #[test]
        fn any_bytes_can_be_looked_at(bytes: Vec<u8>) {
            prop_assert!(Entry::<Content>::parse(&bytes).is_err());
        }
    }
}
