//! The canonical encoding that digests are made of. Pure.
//!
//! Every value is written with its length in front, every sequence with its count, every variant
//! with its ordinal: two values that differ never encode to the same bytes.

/// So much is hashed at once: blake3 is several times faster on whole chunks than on small pieces.
const PENDING_BYTES_MAX: usize = 16 * 1024;

/// Most documents are no larger: the files of a module, the inputs of a command.
const PENDING_BYTES_TYPICAL: usize = 2048;

/// Collects values into a blake3 hasher.
#[derive(Debug)]
pub(super) struct Encoder {
    hasher: blake3::Hasher,
    pending: Vec<u8>,
}

impl Encoder {
    /// An encoder for one kind of document; kinds never share digests.
    pub(super) fn new(kind: &str) -> Self {
        let pending = Vec::with_capacity(PENDING_BYTES_TYPICAL);
        let mut encoder = Self { hasher: blake3::Hasher::new(), pending };
        encoder.bytes(kind.as_bytes());
        encoder
    }

    fn raw(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > PENDING_BYTES_MAX {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
        if bytes.len() > PENDING_BYTES_MAX {
            self.hasher.update(bytes);
        } else {
            self.pending.extend_from_slice(bytes);
        }
    }

    pub(super) fn number(&mut self, number: u64) {
        self.raw(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
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
        super::Digest::finish(self.hasher.update(&self.pending))
    }
}
