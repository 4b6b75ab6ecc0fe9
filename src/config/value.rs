//! Scalars: which text stands for which, and how they are shown in templates. Pure.

use toml::de::DeValue;

use super::decoder::Decoder;
use super::document::Node;
use super::schema::{Value, VarKind};
use crate::error::Located;

impl VarKind {
    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Bool => "bool",
        }
    }

    /// What is expected, for a message.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Str => "a string",
            Self::Int => "a whole number",
            Self::Bool => "one of `yes`, `true`, `1`, `no`, `false` and `0`",
        }
    }

    /// The value that a text stands for, as in an environment variable.
    pub fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::Str => Some(Value::Str(text.to_owned())),
            Self::Int => parse_int(text).map(Value::Int),
            Self::Bool => parse_bool(text).map(Value::Bool),
        }
    }

    /// A value of the configuration as this type; `None` if it is none.
    pub fn cast(self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::Str, value @ (Value::Str(_) | Value::Int(_) | Value::Bool(_))) => {
                Some(Value::Str(value.rendered()))
            }
            (Self::Int, value @ Value::Int(_)) | (Self::Bool, value @ Value::Bool(_)) => {
                Some(value)
            }
            (Self::Bool, Value::Int(number)) => self.parse(&number.to_string()),
            (Self::Int | Self::Bool, Value::Str(text)) => self.parse(&text),
            (Self::Int, Value::Bool(_)) | (_, Value::List(_)) => None,
        }
    }
}

impl Value {
    /// As a template shows it. The words are Python's, as they always were.
    pub fn rendered(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::List(items) => {
                let quoted: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                format!("[{}]", quoted.join(", "))
            }
        }
    }
}

/// Yes, true, 1, no, false or 0, in upper or lower case.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number; single underscores may part its digits.
pub fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_parted_well = digits
        .split('_')
        .all(|group| group.bytes().all(|b| b.is_ascii_digit()) && !group.is_empty());
    is_parted_well.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// A string as Python shows it within a list.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c == quote => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

/// A scalar of the configuration, or a list of strings.
pub(super) fn decode(
    node: &Node<'_>,
    label: &str,
    decoder: &mut Decoder<'_>,
) -> Option<Located<Value>> {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::Str(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(number) => {
            let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) else {
                decoder.reject_value(format!("{label} is too large a number"), node);
                return None;
            };
            Value::Int(number)
        }
        DeValue::Array(_) => {
            let texts = decoder.texts(node, label);
            Value::List(texts.into_iter().map(|text| text.value).collect())
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
            decoder.reject_type(node, label, "a string, an integer or a boolean");
            return None;
        }
    };
    Some(Located { value, place: decoder.place(node.span()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_have_six_words() {
        for text in ["yes", "true", "1", "TRUE", " Yes "] {
            assert_eq!(parse_bool(text), Some(true), "{text}");
        }
        for text in ["no", "false", "0", "False"] {
            assert_eq!(parse_bool(text), Some(false), "{text}");
        }
        for text in ["", "maybe", "on", "2", "y"] {
            assert_eq!(parse_bool(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, number) in [("7", 7), (" 1_000 ", 1000), ("+3", 3), ("-4", -4), ("007", 7)] {
            assert_eq!(parse_int(text), Some(number), "{text}");
        }
        for text in ["", "seven", "1.0", "1__0", "_1", "0x10", "99999999999999999999", "+", "- 1"] {
            assert_eq!(parse_int(text), None, "{text}");
        }
    }

    #[test]
    fn values_are_cast_only_where_nothing_is_lost() {
        let cast = |kind: VarKind, value: Value| kind.cast(value).map(|value| value.rendered());
        assert_eq!(cast(VarKind::Str, Value::Int(100)).as_deref(), Some("100"));
        assert_eq!(cast(VarKind::Str, Value::Bool(true)).as_deref(), Some("True"));
        assert_eq!(cast(VarKind::Int, Value::Str("5".to_owned())).as_deref(), Some("5"));
        assert_eq!(cast(VarKind::Int, Value::Str("abc".to_owned())), None);
        assert_eq!(cast(VarKind::Int, Value::Bool(true)), None);
        assert_eq!(cast(VarKind::Bool, Value::Int(1)).as_deref(), Some("True"));
        assert_eq!(cast(VarKind::Bool, Value::Int(2)), None);
        assert_eq!(cast(VarKind::Str, Value::List(Vec::new())), None);
    }

    #[test]
    fn lists_are_shown_as_python_shows_them() {
        let shown = |items: &[&str]| {
            Value::List(items.iter().map(|&item| item.to_owned()).collect()).rendered()
        };
        assert_eq!(shown(&[]), "[]");
        assert_eq!(shown(&["t", "a b"]), "['t', 'a b']");
        assert_eq!(shown(&["it's", "\"'", "\\\n"]), r#"["it's", '"\'', '\\\n']"#);
    }
}
