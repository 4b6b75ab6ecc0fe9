//! Values that are shown to nobody, taken out of the lines that a diagnostic shows: credentials, and
//! the values of secret variables. By the text alone, since a file that is shown may not be one that
//! can be read. Pure.

use std::borrow::Cow;
use std::ops::Range;

/// Keys of `qik.toml` whose values are credentials.
const KEYS: [&str; 3] = ["aws-secret-access-key", "aws-session-token", "aws-access-key-id"];

/// The same text, byte for byte as long, with `*` in the place of secrets. A value that is a
/// template holds none.
pub(super) fn veil(text: &str) -> Cow<'_, str> {
    let mut values: Vec<Range<usize>> = Vec::new();
    values.extend(KEYS.iter().flat_map(|key| values_of(text, key)));
    let marks = values_of(text, "secret").filter(|value| text[value.clone()].trim() == "true");
    for mark in marks {
        let declaration = declaration_around(text, mark.start);
        let own = |key: &str| {
            values_of(&text[declaration.clone()], key)
                .map(|value| declaration.start + value.start..declaration.start + value.end)
                .collect::<Vec<_>>()
        };
        values.extend(own("default"));
        // A profile has values of it, too.
        for name in own("name") {
            values.extend(values_of(text, &text[name]));
        }
    }
    let mut veiled = Cow::Borrowed(text);
    for value in values {
        let stars = "*".repeat(value.len());
        veiled.to_mut().replace_range(value, &stars);
    }
    veiled
}

/// The values of a key, as far as they are no templates.
fn values_of<'t>(text: &'t str, key: &str) -> impl Iterator<Item = Range<usize>> + use<'t> {
    let normal = |text: &str| text.to_ascii_lowercase().replace('_', "-");
    let (lower, length) = (normal(text), key.len());
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let starts: Vec<usize> = lower
        .match_indices(&normal(key))
        .map(|(start, _)| start)
        .filter(|start| !lower.as_bytes()[..*start].last().is_some_and(is_word))
        .collect();
    starts.into_iter().filter_map(move |start| {
        let (value_start, value) = value_after(text, start + length);
        let is_template = value.starts_with('{') && value.ends_with('}');
        (!is_template && !value.is_empty()).then(|| value_start..value_start + value.len())
    })
}

/// The lines of the table, inline or not, that has something; perhaps some more.
fn declaration_around(text: &str, at: usize) -> Range<usize> {
    let mut range = at..at;
    for line in text[..at].split_inclusive('\n').collect::<Vec<_>>().into_iter().rev() {
        range.start -= line.len();
        if line.contains('{') || line.trim_start().starts_with('[') {
            break;
        }
    }
    for line in text[at..].split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            break;
        }
        range.end += line.len();
        if line.contains('}') {
            break;
        }
    }
    range
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
    fn values_of_secret_variables_are_veiled() {
        check(
            "ctx = [{name = \"a\", default = \"hush\", secret = true}, {name = \"b\"}]\ndefault = 1",
            "ctx = [{name = \"a\", default = \"****\", secret = true}, {name = \"b\"}]\ndefault = 1",
        );
        check(
            "[[ctx]]\nname = 'a'\ndefault = 'hush'\nsecret=true # x\n[[ctx]]\ndefault = 'shown'",
            "[[ctx]]\nname = 'a'\ndefault = '****'\nsecret=true # x\n[[ctx]]\ndefault = 'shown'",
        );
        check(
            "vars = [\n {name = 'to_k', secret = true}]\n[ctx.ci.project]\nto-k = 'hush'\nnot-to-k = 1",
            "vars = [\n {name = 'to_k', secret = true}]\n[ctx.ci.project]\nto-k = '****'\nnot-to-k = 1",
        );
    }

    #[test]
    fn all_else_is_shown() {
        for text in [
            "",
            "bucket = \"b\"",
            "aws-secret-access-key",
            "aws-secret-access-key = \"{ctx.key}\"",
            "{name = 'a', default = 'shown', secret = false}",
            "secret",
            "name = '' # secret = true",
        ] {
            check(text, text);
        }
    }
}
