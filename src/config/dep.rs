//! Dependencies: patterns, and tables with a `type`. Pure.

use toml::de::DeValue;

use super::decoder::{Decoder, Fields, listed};
use super::document::{Node, Table};
use super::schema::{Dep, Strictness, Text};
use crate::error::{Code, Diagnostic, Located};

/// The keys of each type, the most wanted first.
const TYPES: &[(&str, &[&str])] = &[
    ("glob", &["pattern", "type"]),
    ("const", &["val", "type"]),
    ("command", &["name", "strict", "isolated", "type"]),
    ("pydist", &["name", "type"]),
    ("pygraph", &["pyimport", "type"]),
    ("load", &["path", "default", "type"]),
];
/// 0.1's `module`: understood, but not offered.
const MODULE: (&str, &[&str]) = ("module", &["name", "type"]);

/// The deps of a list; those that are none are noted and left out.
pub(super) fn decode_all(node: &Node<'_>, label: &str, decoder: &mut Decoder<'_>) -> Vec<Dep> {
    let items = decoder.list(node, label).unwrap_or_default();
    items.iter().filter_map(|item| decode(item, decoder)).collect()
}

fn decode(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<Dep> {
    match node.get_ref() {
        DeValue::String(_) => decoder.text(node, "a dependency").map(Dep::Glob),
        DeValue::Table(table) => decode_table(node, table, decoder),
        _ => {
            decoder.reject_type(node, "a dependency", "a pattern or a table");
            None
        }
    }
}

fn decode_table(node: &Node<'_>, table: &Table<'_>, decoder: &mut Decoder<'_>) -> Option<Dep> {
    let Some(kind) = table.get("type") else {
        let diagnostic = Diagnostic::new(Code::DepTypeInvalid, "a dependency has no `type`");
        decoder.reject(diagnostic.hint(valid_types()), node.span());
        return None;
    };
    let word = decoder.text(kind, "`type`")?.value;
    let Some((name, keys)) = TYPES.iter().chain([&MODULE]).find(|(name, _)| *name == word) else {
        let message = format!("qik has no type of dependency named `{word}`");
        let names = TYPES.iter().map(|(name, _)| *name);
        let diagnostic = Diagnostic::new(Code::DepTypeInvalid, message).did_you_mean(&word, names);
        decoder.reject(diagnostic.hint(valid_types()), kind.span());
        return None;
    };
    let what = format_args!("a dependency of type `{name}`");
    let fields = decoder.fields(table, what, keys);
    if word == "const" {
        return decode_const(node, &fields, decoder);
    }
    let text = decoder.required_text(&fields, keys[0], (what, node.span()))?;
    Some(match word.as_str() {
        "glob" => Dep::Glob(text),
        "command" => Dep::Command {
            name: text,
            strictness: match decoder.boolean_of(&fields, "strict") {
                Some(true) => Strictness::Strict,
                Some(false) | None => Strictness::Lax,
            },
            is_isolated: decoder.boolean_of(&fields, "isolated"),
        },
        "pydist" => Dep::Pydist(text),
        "pygraph" => Dep::Pygraph(text),
        "load" => Dep::Load { path: text, default: decode_default(&fields, decoder) },
        _ => Dep::PygraphOfModule(text),
    })
}

/// Any scalar, as it is written.
fn decode_const(
    node: &Node<'_>,
    fields: &Fields<'_, '_>,
    decoder: &mut Decoder<'_>,
) -> Option<Dep> {
    let Some(val) = fields.find("val") else {
        let message = "a dependency of type `const` has no `val`";
        decoder.reject(Diagnostic::new(Code::ConfigInvalid, message), node.span());
        return None;
    };
    let value = match val.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => {
            decoder.reject_type(val, "`val`", "a single value");
            return None;
        }
        _ => decoder.written(val.span()).to_owned(),
    };
    let text: Text = Located { value, place: decoder.place(val.span()) };
    Some(Dep::Const(text))
}

/// What holds while there is no file: patterns and distributions.
fn decode_default(fields: &Fields<'_, '_>, decoder: &mut Decoder<'_>) -> Option<Vec<Dep>> {
    let node = fields.find("default")?;
    let deps = decode_all(node, "`default`", decoder);
    let is_plain = |dep: &Dep| matches!(dep, Dep::Glob(_) | Dep::Pydist(_));
    if !deps.iter().all(is_plain) {
        let message = "`default` takes patterns and dependencies of type `pydist` alone";
        decoder.reject_value(message.to_owned(), node);
    }
    Some(deps.into_iter().filter(is_plain).collect())
}

fn valid_types() -> String {
    format!("the types are {}", listed(TYPES.iter().map(|(name, _)| name)))
}
