//! Values that are shown to nobody, taken out of the lines that a diagnostic shows. Pure.

use std::borrow::Cow;

/// Keys of `qik.toml` whose values are credentials.
const KEYS: [&str; 3] = ["aws-secret-access-key", "aws-session-token", "aws-access-key-id"];

/// The same text, byte for byte as long, with `*` in the place of credentials. A value that is a
/// template holds none.
pub(super) fn veil(text: &str) -> Cow<'_, str> {
    let mut veiled = Cow::Borrowed(text);
    let lower = text.to_ascii_lowercase().replace('_', "-");
    for key in KEYS {
        for (start, _) in lower.match_indices(key) {
            let (value_start, value) = value_after(text, start + key.len());
            if value.starts_with('{') && value.ends_with('}') {
                continue;
            }
            let stars = "*".repeat(value.len());
            veiled.to_mut().replace_range(value_start..value_start + value.len(), &stars);
        }
    }
    veiled
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
    use super::veil;

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
    }

    #[test]
    fn all_else_is_shown() {
        for text in
            ["", "bucket = \"b\"", "aws-secret-access-key", "aws-secret-access-key = \"{ctx.key}\""]
        {
            check(text, text);
        }
    }
}
