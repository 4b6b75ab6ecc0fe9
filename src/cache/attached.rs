//! The log and the fingerprint of an entry in the entry's own file, behind it, where they are
//! small: a file of each would cost more than all that is in them. Pure.

use super::Content;
use super::entry::{Entry, Unusable};

/// Larger ones are blobs.
pub(super) const SIZE_BYTES_MAX: u64 = 16 * 1024;

/// What is attached to an entry: all that is small enough.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) log: Option<Vec<u8>>,
    pub(super) fingerprint: Option<Vec<u8>>,
}

/// Whether something belongs into an entry's file.
pub(super) fn is_attached(content: Content) -> bool {
    content.size <= SIZE_BYTES_MAX
}

/// An entry's file: the entry on a line of its own, then the log, then the fingerprint.
pub(super) fn render(entry: &[u8], attached: &Attached) -> Vec<u8> {
    let Attached { log, fingerprint } = attached;
    let parts = [log, fingerprint].map(|part| part.as_deref().unwrap_or_default());
    [entry, parts[0], parts[1]].concat()
}

/// The first line of an entry's file.
pub(super) fn entry_of(file: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', file).map_or(file.len(), |end| end + 1);
    &file[..end]
}

/// An entry with what is attached to it. The entry is verified, what is attached is as long as it
/// should be.
pub(super) fn parse(file: &[u8]) -> Result<(Entry<Content>, Attached), Unusable> {
    let first = entry_of(file);
    let entry = Entry::<Content>::parse(first)?;
    let mut rest = &file[first.len()..];
    let mut take = |content: Content| {
        if !is_attached(content) {
            return Some(None);
        }
        let (part, behind) = rest.split_at_checked(usize::try_from(content.size).ok()?)?;
        rest = behind;
        Some(Some(part.to_vec()))
    };
    let parts = [take(entry.log), take(entry.fingerprint)];
    match parts {
        [Some(log), Some(fingerprint)] if rest.is_empty() => {
            Ok((entry, Attached { log, fingerprint }))
        }
        _ => Err(Unusable::Damaged("it does not end where it should".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::Manifest;
    use crate::cache::entry::Layout;
    use crate::hash::Digest;

    fn entry(log: &[u8], fingerprint: &[u8]) -> (Entry<Content>, Attached) {
        let entry = Entry {
            runnable: "build".to_owned(),
            digest: Digest::of(b"key"),
            code: 0,
            duration_ms: None,
            log: Content::of(log),
            artifacts: Manifest::default(),
            fingerprint: Content::of(fingerprint),
        };
        let small = |bytes: &[u8]| is_attached(Content::of(bytes)).then(|| bytes.to_vec());
        (entry, Attached { log: small(log), fingerprint: small(fingerprint) })
    }

    fn file(entry: &Entry<Content>, attached: &Attached) -> Vec<u8> {
        render(&entry.render(Layout::Compact).unwrap(), attached)
    }

    #[test]
    fn what_is_large_is_not_in_the_file() {
        let large = vec![b'x'; 16 * 1024 + 1];
        for (log, fingerprint) in [(&large[..], &b"{}"[..]), (b"", &large), (&large, &large)] {
            let (entry, attached) = entry(log, fingerprint);
            let file = file(&entry, &attached);
            assert!(file.len() < 1024, "{}", file.len());
            assert_eq!(parse(&file), Ok((entry, attached)));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_shorter_or_longer(
            log: Vec<u8>,
            fingerprint: Vec<u8>,
            cut in 1_usize..20,
        ) {
            let (entry, attached) = entry(&log, &fingerprint);
            let mut file = file(&entry, &attached);
            prop_assert!(parse(&file[..file.len() - cut]).is_err());
            file.push(b'x');
            prop_assert!(parse(&file).is_err());
            file.pop();
            prop_assert_eq!(parse(&file), Ok((entry, attached)));
        }
    }
}
