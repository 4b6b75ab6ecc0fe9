//! Who may have made an entry: those who know a key. Pure.
//!
//! The entry names the digest of everything else in an archive, so that its signature is one of
//! the whole. This keeps out those who can write to a bucket and do not know the key; it does not
//! keep apart those who do.

use super::Secret;

/// Keeps our keys apart from those of any other use of the same text.
const CONTEXT: &str = "qik 2026-01 signature of a remote entry";

/// Signs with the first of its keys, and takes what any of them has signed: so a key can be
/// changed while both are in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Signer {
    keys: Vec<Secret>,
}

impl Signer {
    pub(super) fn new(keys: &[Secret]) -> Self {
        Self { keys: keys.to_vec() }
    }

    /// Whether entries have to be signed.
    pub(super) fn is_on(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The signature of some bytes, as text; `None` without a key.
    pub(super) fn sign(&self, bytes: &[u8]) -> Option<String> {
        self.keys.first().map(|key| tag(key, bytes).to_hex().to_string())
    }

    /// Whether this is a signature of some bytes.
    pub(super) fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = blake3::Hash::from_hex(signature) else { return false };
        // blake3 compares in constant time.
        self.keys.iter().any(|key| tag(key, bytes) == signature)
    }
}

fn tag(key: &Secret, bytes: &[u8]) -> blake3::Hash {
    blake3::keyed_hash(&blake3::derive_key(CONTEXT, key.reveal().as_bytes()), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(keys: &[&str]) -> Signer {
        Signer::new(&keys.iter().map(|key| Secret::new(*key)).collect::<Vec<_>>())
    }

    #[test]
    fn only_those_who_know_a_key_can_sign() {
        let signature = signer(&["one"]).sign(b"entry").unwrap();
        assert!(signer(&["one"]).verify(b"entry", signature.as_bytes()));
        assert!(signer(&["two", "one"]).verify(b"entry", signature.as_bytes()));
        assert!(!signer(&["two"]).verify(b"entry", signature.as_bytes()));
        assert!(!signer(&["one"]).verify(b"another", signature.as_bytes()));
        assert!(!signer(&["one"]).verify(b"entry", b""));
        assert!(!signer(&[]).verify(b"entry", signature.as_bytes()));
    }

    #[test]
    fn without_a_key_nothing_is_signed() {
        assert_eq!(signer(&[]).sign(b"entry"), None);
        assert!(!signer(&[]).is_on());
    }
}
