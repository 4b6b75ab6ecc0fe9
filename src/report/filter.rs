//! Makes old output fit for a terminal: colors pass, what moves the cursor, sets titles or the
//! clipboard, or asks the terminal for answers does not. Pure.
//!
//! A log may be years old, or come from a cache that somebody else writes to; the terminal that
//! shows it obeys whatever it holds. Only the display is filtered: logs keep their bytes.

/// A control sequence that is longer than this is none that is let through.
const SEQUENCE_BYTES_MAX: usize = 64;

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// A filter over pieces of output, cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Filter {
    state: State,
    /// What has been read of a sequence or character that is not complete.
    pending: Vec<u8>,
    has_color: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// Within a character of several bytes: how many are missing.
    Character(usize),
    Escape,
    /// `ESC` and some bytes that say which character set: the last is missing.
    Designation,
    /// `ESC [`.
    Control,
    /// `ESC ]` and the like, up to `BEL` or `ESC \`; or, lest all the rest be lost, a line's end.
    String,
    /// In a string, after `ESC`.
    StringEscape,
}

impl Filter {
    /// Appends what may be shown of a piece.
    pub(super) fn push(&mut self, bytes: &[u8], shown: &mut Vec<u8>) {
        for &byte in bytes {
            self.step(byte, shown);
        }
    }

    /// What ends the output: colors are reset.
    pub(super) fn finish(&mut self, shown: &mut Vec<u8>) {
        if self.has_color {
            shown.extend_from_slice(b"\x1b[0m");
        }
        *self = Self::default();
    }

    fn step(&mut self, byte: u8, shown: &mut Vec<u8>) {
        match self.state {
            State::Text => self.text(byte, shown),
            State::Character(missing) => self.character(byte, missing, shown),
            State::Escape => self.escape(byte),
            State::Designation => {
                if !(0x20..=0x2f).contains(&byte) {
                    self.state = State::Text;
                }
            }
            State::Control => self.control(byte, shown),
            State::String => match byte {
                BELL => self.state = State::Text,
                ESCAPE => self.state = State::StringEscape,
                b'\n' => self.restart(byte, shown),
                _ => {}
            },
            State::StringEscape if byte == b'\\' => self.state = State::Text,
            State::StringEscape => {
                self.state = State::Escape;
                self.escape(byte);
            }
        }
    }

    fn text(&mut self, byte: u8, shown: &mut Vec<u8>) {
        match byte {
            ESCAPE => self.state = State::Escape,
            0xc2..=0xf4 => {
                self.pending.clear();
                self.pending.push(byte);
                self.state = State::Character(match byte {
                    ..0xe0 => 1,
                    0xe0..0xf0 => 2,
                    _ => 3,
                });
            }
            b'\n' | b'\t' | b'\r' | 0x20..=0x7e | 0xa0.. => shown.push(byte),
            // Control codes, those of eight bits among them.
            _ => {}
        }
    }

    fn character(&mut self, byte: u8, missing: usize, shown: &mut Vec<u8>) {
        if !(0x80..=0xbf).contains(&byte) {
            // Not UTF-8: what was held back begins with no control code.
            shown.push(self.pending[0]);
            return self.restart(byte, shown);
        }
        self.pending.push(byte);
        if missing > 1 {
            self.state = State::Character(missing - 1);
            return;
        }
        self.state = State::Text;
        if let [0xc2, 0x80..=0x9f] = self.pending.as_slice() {
            return; // a control code, written as UTF-8
        }
        shown.extend_from_slice(&self.pending);
    }

    fn escape(&mut self, byte: u8) {
        self.pending.clear();
        self.state = match byte {
            b'[' => State::Control,
            b']' | b'P' | b'X' | b'^' | b'_' => State::String,
            ESCAPE => State::Escape,
            0x20..=0x2f => State::Designation,
            _ => State::Text,
        };
    }

    fn control(&mut self, byte: u8, shown: &mut Vec<u8>) {
        match byte {
            0x20..=0x3f if self.pending.len() < SEQUENCE_BYTES_MAX => self.pending.push(byte),
            0x20..=0x3f => {}
            0x40..=0x7e => {
                self.state = State::Text;
                let is_plain =
                    self.pending.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'));
                // Colors, and the erasing of the line that the cursor is in.
                if is_plain && matches!(byte, b'm' | b'K') {
                    self.has_color |= byte == b'm';
                    shown.extend_from_slice(b"\x1b[");
                    shown.extend_from_slice(&self.pending);
                    shown.push(byte);
                }
            }
            _ => self.restart(byte, shown),
        }
    }

    /// Drops an unfinished sequence and takes a byte as text.
    fn restart(&mut self, byte: u8, shown: &mut Vec<u8>) {
        self.state = State::Text;
        self.text(byte, shown);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(bytes: &[u8]) -> Vec<u8> {
        let mut filter = Filter::default();
        let mut shown = Vec::new();
        filter.push(bytes, &mut shown);
        filter.finish(&mut shown);
        shown
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &[u8]) {
        assert_eq!(filtered(bytes).escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn text_passes() {
        check(b"one\ttwo\r\n", b"one\ttwo\r\n");
        check("äöü € 😀 [/red] \u{a0}".as_bytes(), "äöü € 😀 [/red] \u{a0}".as_bytes());
        check(b"a\xff\xfeb", b"a\xff\xfeb");
    }

    #[test]
    fn colors_pass_and_are_reset() {
        check(b"\x1b[1;31mred", b"\x1b[1;31mred\x1b[0m");
        check(b"\x1b[38:2:1:2:3mx", b"\x1b[38:2:1:2:3mx\x1b[0m");
        check(b"50%\r\x1b[K100%", b"50%\r\x1b[K100%");
    }

    #[test]
    fn what_moves_the_cursor_or_asks_does_not() {
        check(b"a\x1b[2Jb\x1b[10;10Hc\x1b[?25ld\x1b[6ne\x1b[>4;2mf", b"abcdef");
        check(b"a\x1bcb\x1b(0c\x1b7d", b"abcd");
        check(b"a\x07b\x08c\0d\x0ee\x7f", b"abcde");
    }

    #[test]
    fn titles_and_clipboards_are_left_alone() {
        check(b"a\x1b]0;title\x07b", b"ab");
        check(b"a\x1b]52;c;aGk=\x1b\\b", b"ab");
        check(b"a\x1bPq#0\x1b\\b\x1b_x\x1b\\c", b"abc");
        check(b"a\x1b]0;never ended\nb", b"a\nb");
        check(b"a\x1b]0;x\x1b[2Jb", b"ab");
    }

    #[test]
    fn eight_bit_controls_are_controls() {
        check(b"a\x9b2Jb", b"a2Jb");
        check("a\u{9b}2Jb".as_bytes(), b"a2Jb");
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(bytes: Vec<u8>, cut in 0_usize..64) {
            let cut = cut.min(bytes.len());
            let mut filter = Filter::default();
            let mut shown = Vec::new();
            filter.push(&bytes[..cut], &mut shown);
            filter.push(&bytes[cut..], &mut shown);
            filter.finish(&mut shown);
            prop_assert_eq!(shown, filtered(&bytes));
        }

        #[test]
        fn nothing_but_colors_follows_an_escape(
            bytes in proptest::collection::vec(
                proptest::sample::select(b"\x1b[]0;m?JKP\x07\\\n\xc2\x9ba".to_vec()), 0..80
            ),
        ) {
            let shown = filtered(&bytes);
            for (position, _) in shown.iter().enumerate().filter(|(_, byte)| **byte == ESCAPE) {
                let rest = &shown[position + 1..];
                prop_assert_eq!(rest.first(), Some(&b'['));
                let end = rest[1..].iter().find(|byte| byte.is_ascii_alphabetic());
                prop_assert!(matches!(end, Some(b'm' | b'K')));
            }
            prop_assert!(!shown.contains(&BELL));
        }
    }
}
