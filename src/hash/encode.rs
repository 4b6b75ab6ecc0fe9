//! The canonical encoding that digests are made of. Pure.
//!
//! Every value is written with its length in front, every sequence with its count, every variant
//! with its ordinal: two values that differ never encode to the same bytes.

/// Collects values into a blake3 hasher.
#[derive(Debug, Default)]
pub(super) struct Encoder(blake3::Hasher);

impl Encoder {
    /// An encoder for one kind of document; kinds never share digests.
    pub(super) fn new(kind: &str) -> Self {
        let mut encoder = Self::default();
        encoder.bytes(kind.as_bytes());
        encoder
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
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

    pub(super) fn digest(&self) -> super::Digest {
        super::Digest::finish(&self.0)
    }
}
