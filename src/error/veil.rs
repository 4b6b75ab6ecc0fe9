//! Values that are shown to nobody, taken out of the lines that a diagnostic shows. Pure.

use std::borrow::Cow;

/// What keys of `qik.toml` begin with whose values are credentials, and what else is in them:
/// a mistake in such a key is no reason to show its value.
const START: &str = "aws-";
const PARTS: [&str; 3] = ["key", "secret", "token"];

/// The same text, byte for byte as long, with `*` in the place of credentials. A value that is a
/// template holds none.
pub(super) fn veil(text: &str) -> Cow<'_, str> {
    let mut veiled = Cow::Borrowed(text);
    let lower = text.to_ascii_lowercase().replace('_', "-");
    for (start, _) in lower.match_indices(START) {
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let key_length = lower[start..].find(|c| !is_of_key(c)).unwrap_or(lower.len() - start);
        let key = &lower[start..start + key_length];
        if !PARTS.iter().any(|part| key.contains(part)) {
            continue;
        }
        let (value_start, value) = value_after(text, start + key_length);
        if value.starts_with('{') && value.ends_with('}') {
            continue;
        }
        let stars = "*".repeat(value.len());
        veiled.to_mut().replace_range(value_start..value_start + value.len(), &stars);
    }
    for (start, length) in user_parts(text) {
        veiled.to_mut().replace_range(start..start + length, &"*".repeat(length));
    }
    veiled
}

/// An address without the name and password that are in it.
pub fn veil_address(address: &str) -> String {
    let mut veiled = address.to_owned();
    for (start, length) in user_parts(address) {
        veiled.replace_range(start..start + length, &"*".repeat(length));
    }
    veiled
}

/// Where addresses name a user, maybe with a password: place and length.
fn user_parts(text: &str) -> impl Iterator<Item = (usize, usize)> {
    const SCHEME_END: &str = "://";
    text.match_indices(SCHEME_END).filter_map(|(place, _)| {
        let start = place + SCHEME_END.len();
        let authority = text[start..].split(['/', '?', '#', '"', '\'', '\n', ' ']).next()?;
        Some((start, authority.rfind('@')?))
    })
}

/// The value after a key, without its quotes, and where it starts.
fn value_after(text: &str, key_end: usize) -> (usize, &str) {
    let rest = &text[key_end..];
    let trimmed = rest.trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
    let Some(value) = trimmed.strip_prefix('=') else { return (key_end, "") };
    let value = value.trim_start_matches([' ', '\t']);
    let quote_count = value.len() - value.trim_start_matches(['"', '\'']).len();
    let inner = &value[quote_count..];
    let start = text.len() - inner.len();
    // Of a value in quotes the line's next quote is the end, of any other what ends a value.
    let end = match quote_count {
        0 => inner.find([',', '}', '#', '\n']),
        1 | 2 => inner.find(['"', '\'', '\n']),
        _ => inner.find("\"\"\"").or_else(|| inner.find("'''")),
    };
    (start, &inner[..end.unwrap_or(inner.len())])
}

#[cfg(test)]
mod tests {
    use super::{veil, veil_address};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let veiled = veil(text);
        assert_eq!(veiled, expected);
        assert_eq!(veiled.len(), text.len());
    }

    #[test]
    fn credentials_are_veiled_however_they_are_written() {
        check("aws-secret-access-key = \"hush\"\nx = 1", "aws-secret-access-key = \"****\"\nx = 1");
        check("aws_session_token='hü'", "aws_session_token='***'");
        check("\"aws-access-key-id\" = \"AKIA\" # x", "\"aws-access-key-id\" = \"****\" # x");
        check(
            "{bucket = 5, aws-secret-access-key = 12}",
            "{bucket = 5, aws-secret-access-key = **}",
        );
        check(
            "aws-secret-access-key = \"\"\"\nhush\n\"\"\"",
            "aws-secret-access-key = \"\"\"******\"\"\"",
        );
        check("aws-secret-access-key = \"open", "aws-secret-access-key = \"****");
        check("aws-secret-acces-key = \"hush\"", "aws-secret-acces-key = \"****\"");
        check("aws_token='hush'", "aws_token='****'");
    }

    #[test]
    fn a_password_in_an_address_is_veiled() {
        check("endpoint-url = \"http://u:p@h:1/x@y\"", "endpoint-url = \"http://***@h:1/x@y\"");
        check("http://h/@x \"https://ü@h\"", "http://h/@x \"https://**@h\"");
        assert_eq!(veil_address("http://user:pass@host"), "http://*********@host");
    }

    #[test]
    fn all_else_is_shown() {
        for text in [
            "",
            "bucket = \"b\"",
            "aws-secret-access-key",
            "aws-secret-access-key = \"{ctx.key}\"",
            "aws-deploy = \"x\"",
            "a@b",
            "http://host/",
        ] {
            check(text, text);
        }
    }
}
