//! Texts as git and the shell want them quoted. Pure.

/// A path in double quotes with C escapes, as git reads it on a line of its own.
pub(super) fn c_quoted(path: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &byte in path {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b' '..=b'~' => quoted.push(byte),
            _ => quoted.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}

/// A path as one line of git's input: quoted if it could be taken for something else.
pub(super) fn line(path: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| !byte.is_ascii_control();
    if path.first() != Some(&b'"') && path.iter().all(is_plain) {
        return path.to_vec();
    }
    c_quoted(path)
}

/// A word in single quotes, as `sh` reads it.
pub(super) fn sh_quoted(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_are_octal() {
        assert_eq!(c_quoted(b"a \"\n\xff"), b"\"a \\\"\\012\\377\"");
        assert_eq!(line("é x".as_bytes()), "é x".as_bytes());
        assert_eq!(line(b"a\r"), b"\"a\\015\"");
    }

    #[test]
    fn a_quote_in_a_word_is_closed_around() {
        assert_eq!(sh_quoted(b"it's"), b"'it'\\''s'");
    }
}
