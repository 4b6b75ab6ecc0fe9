//! The bytes of a source file → text, as Python reads it. Pure.

use std::borrow::Cow;

use super::scan::Broken;

/// Encodings in which a character may take a second byte that looks like ASCII.
const WIDE: &[&str] = &[
    "shift", "sjis", "cp932", "ms932", "gb", "cp936", "big5", "cp950", "cp949", "uhc", "johab",
    "euc", "hz",
];

/// The text of a file. What is not ASCII in another encoding than UTF-8 is replaced by letters:
/// it can only stand in names, strings and comments.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Broken> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let declared = declared_encoding(bytes);
    let is_utf8 = declared.as_deref().is_none_or(|name| name.starts_with("utf"));
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    if is_utf8 {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        let message = match declared {
            Some(name) => format!("it is not of its declared encoding `{name}`"),
            None => "it is not UTF-8, and declares no encoding".to_owned(),
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        return Err(Broken { line: number(line), column: number(column), message });
    }
    let is_wide = declared.is_some_and(|name| WIDE.iter().any(|wide| name.starts_with(wide)));
    Ok(Cow::Owned(letters(bytes, is_wide)))
}

/// The bytes as text, a letter for each that is not ASCII or follows one that wants another.
fn letters(bytes: &[u8], is_wide: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        text.push(if byte.is_ascii() { char::from(byte) } else { 'x' });
        if is_wide && !byte.is_ascii() && rest.next_if(|next| *next >= 0x30).is_some() {
            text.push('x');
        }
    }
    text
}

/// What the first or second line says: `# -*- coding: latin-1 -*-`.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|byte| *byte == b'\n').take(2) {
        let comment = line.trim_ascii_start();
        if !comment.starts_with(b"#") {
            if comment.is_empty() {
                continue;
            }
            return None;
        }
        let Some(at) = comment.windows(6).position(|word| word == b"coding") else { continue };
        let rest = &comment[at + 6..];
        let Some(rest) = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")) else {
            continue;
        };
        let name: String = rest
            .trim_ascii_start()
            .iter()
            .map(|byte| char::from(*byte))
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() })
            .collect();
        return (!name.is_empty()).then_some(name);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(decode(bytes).as_deref(), Ok(expected));
    }

    #[test]
    fn utf8_is_what_it_is() {
        check("import ä".as_bytes(), "import ä");
        check(b"\xef\xbb\xbfimport a", "import a");
        check("# coding: latin-1\n'ä'".as_bytes(), "# coding: latin-1\n'ä'");
    }

    #[test]
    fn a_declared_encoding_is_as_good() {
        check(b"# -*- coding: latin-1 -*-\n'\xe4'", "# -*- coding: latin-1 -*-\n'x'");
        check(
            b"#!python\n# vim: set fileencoding=koi8_r :\n'\xe4'\n",
            "#!python\n# vim: set fileencoding=koi8_r :\n'x'\n",
        );
        // The second byte of this character is a backslash.
        check(b"# coding=shift_jis\n'\x83\x5c'\n", "# coding=shift_jis\n'xx'\n");
    }

    #[test]
    fn anything_else_is_broken() {
        let broken =
            |bytes: &'static [u8]| decode(bytes).map_err(|error| (error.line, error.column));
        assert_eq!(broken(b"a\nb = '\xe4'"), Err((2, 6)));
        assert_eq!(broken(b"# coding: utf-8\n\xe4"), Err((2, 1)));
        assert_eq!(broken(b"import a\n# coding: latin-1\n\xe4"), Err((3, 1)));
    }
}
