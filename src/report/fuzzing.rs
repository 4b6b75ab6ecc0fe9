//! The filter of old output as an entry point of fuzzing. Pure.

use super::filter::Filter;

/// A log; what is shown of it does not depend on where it is cut, and obeys nobody.
pub fn output(bytes: &[u8]) {
    let whole = shown(&[bytes]);
    assert_eq!(shown(&[bytes]), shown(&bytes.chunks(1).collect::<Vec<_>>()));
    let middle = bytes.len() / 2;
    assert_eq!(whole, shown(&[&bytes[..middle], &bytes[middle..]]));
    let mut rest = &whole[..];
    while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
        // Colors, and the erasing of a line: `ESC [ … m` and `K`.
        let sequence = &rest[at + 1..];
        let end = sequence.iter().find(|byte| byte.is_ascii_alphabetic());
        assert!(sequence.starts_with(b"[") && matches!(end, Some(b'm' | b'K')), "{whole:?}");
        rest = sequence;
    }
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\n\t\r\x1b".contains(byte);
    assert!(!whole.iter().any(is_control), "{whole:?}");
}

fn shown(pieces: &[&[u8]]) -> Vec<u8> {
    let mut filter = Filter::default();
    let mut shown = Vec::new();
    for piece in pieces {
        filter.push(piece, &mut shown);
    }
    filter.finish(&mut shown);
    shown
}
