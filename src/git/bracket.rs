//! The inside of `[…]`: ranges, classes, negation. Pure.

/// Some of the 256 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    pub(super) fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn negated(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

/// The set that a bracket stands for, and how long it is with its `]`; `pattern` begins after the
/// `[`. `None` if the bracket has no end or names an unknown class. Where case is folded, the set
/// is to be asked for lower case.
pub(super) fn parse(pattern: &[u8], folds_case: bool) -> Option<(ByteSet, usize)> {
    let is_negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let start = usize::from(is_negated);
    let mut parser =
        Parser { pattern, at: start, folds_case, bytes: ByteSet::default(), previous: None };
    loop {
        let is_first = parser.at == start;
        let byte = parser.take()?;
        if byte == b']' && !is_first {
            let bytes = if is_negated { parser.bytes.negated() } else { parser.bytes };
            return Some((bytes, parser.at));
        }
        parser.item(byte)?;
    }
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    folds_case: bool,
    bytes: ByteSet,
    /// What a range may begin with.
    previous: Option<u8>,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<u8> {
        let byte = *self.pattern.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A byte, a range or a class; its first byte is taken already.
    fn item(&mut self, byte: u8) -> Option<()> {
        let next = self.pattern.get(self.at).copied();
        match (byte, self.previous) {
            (b'\\', _) => {
                let escaped = self.take()?;
                self.single(escaped);
            }
            (b'-', Some(first)) if next.is_some_and(|next| next != b']') => {
                let mut last = self.take()?;
                if last == b'\\' {
                    last = self.take()?;
                }
                self.add(first..=last);
                self.previous = None;
            }
            (b'[', _) if next == Some(b':') => self.class()?,
            _ => self.single(byte),
        }
        Some(())
    }

    fn single(&mut self, byte: u8) {
        self.add(byte..=byte);
        self.previous = Some(byte);
    }

    /// `[:name:]`, or just a `[` if it does not end that way.
    fn class(&mut self) -> Option<()> {
        let name_at = self.at + 1;
        let length = self.pattern[name_at..].iter().position(|byte| *byte == b']')?;
        let Some((b':', name)) = self.pattern[name_at..name_at + length].split_last() else {
            self.single(b'[');
            return Some(());
        };
        let is_member = posix_class(name, self.folds_case)?;
        self.add((0..=u8::MAX).filter(is_member));
        self.at = name_at + length + 1;
        self.previous = None;
        Some(())
    }

    fn add(&mut self, bytes: impl Iterator<Item = u8>) {
        for byte in bytes {
            self.bytes.insert(byte);
            if self.folds_case {
                self.bytes.insert(byte.to_ascii_lowercase());
            }
        }
    }
}

/// The members of a POSIX class; bytes beyond ASCII are in none of them.
fn posix_class(name: &[u8], folds_case: bool) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        b"upper" if folds_case => u8::is_ascii_alphabetic,
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}
