//! Numbers, texts and lists as bytes, and back. Pure.

/// Bytes to be written.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn numbers(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.number(*number);
        }
    }

    /// A count; more than 32 bits hold cannot be in memory.
    pub(super) fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

/// Bytes being read; `None` where they do not hold what is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    /// As many numbers as are asked for.
    pub(super) fn numbers<const COUNT: usize>(&mut self) -> Option<[u32; COUNT]> {
        let (bytes, rest) = self.0.split_at_checked(4 * COUNT)?;
        self.0 = rest;
        let (numbers, _) = bytes.as_chunks();
        Some(std::array::from_fn(|at| u32::from_le_bytes(numbers[at])))
    }

    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let count = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// A list whose items take at least one number each.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.number()? as usize;
        if count > self.0.len() / 4 {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }
}
