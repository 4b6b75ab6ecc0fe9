//! The canonical encoding that digests are made of. Pure.
//!
//! Every value is written with its length in front, every sequence with its count, every variant
//! with its ordinal: two values that differ never encode to the same bytes.

/// So much is handed to the hasher at once: many small pieces take it several times as long.
const PENDING_BYTES_MAX: usize = 64 << 10;

/// Collects values into a blake3 hasher.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    hasher: blake3::Hasher,
    /// What the hasher has yet to get.
    pending: Vec<u8>,
}

impl Encoder {
    /// An encoder for one kind of document; kinds never share digests.
    pub(super) fn new(kind: &str) -> Self {
        let mut encoder = Self::default();
        encoder.bytes(kind.as_bytes());
        encoder
    }

    pub(super) fn number(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.put(bytes);
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > PENDING_BYTES_MAX {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
        self.pending.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        for text in texts {
            self.text(text);
        }
    }

    pub(super) fn pairs<'a>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
    ) {
        self.number(pairs.len() as u64);
        for (key, value) in pairs {
            self.text(key);
            self.text(value);
        }
    }

    pub(super) fn digest(mut self) -> super::Digest {
        self.hasher.update(&self.pending);
        super::Digest::finish(&self.hasher)
    }
}
