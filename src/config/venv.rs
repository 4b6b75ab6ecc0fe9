//! Virtual environments and what bounds their versions. Pure.

use toml::de::DeValue;

use super::decoder::{Decoder, Fields, listed};
use super::document::{Node, Table};
use super::schema::{Constraint, Text, Venv};
use super::space::space_name;
use crate::error::{Code, Diagnostic};

/// The keys of each type.
const TYPES: &[(&str, &[&str])] = &[
    ("uv", &["type", "reqs", "lock", "constraint", "python"]),
    ("active", &["type", "reqs", "lock"]),
    ("space", &["type", "name"]),
];

/// Requirements as a string or a list, a table with a `type`, or a list that holds one table.
pub(super) fn decode(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<Venv> {
    match node.get_ref() {
        DeValue::String(_) => decoder.text(node, "`venv`").map(|reqs| Venv::Reqs(vec![reqs])),
        DeValue::Table(table) => decode_table(node, table, decoder),
        DeValue::Array(items) => match &items[..] {
            [item] if item.get_ref().is_table() => decode(item, decoder),
            _ => Some(Venv::Reqs(decoder.texts(node, "`venv`"))),
        },
        _ => {
            decoder.reject_type(node, "`venv`", "a string, a list or a table");
            None
        }
    }
}

fn decode_table(node: &Node<'_>, table: &Table<'_>, decoder: &mut Decoder<'_>) -> Option<Venv> {
    let Some(kind) = table.get("type") else {
        let diagnostic =
            Diagnostic::new(Code::VenvTypeInvalid, "a virtual environment has no `type`");
        decoder.reject(diagnostic.hint(valid_types()), node.span());
        return None;
    };
    let word = decoder.text(kind, "`type`")?.value;
    let Some((name, keys)) = TYPES.iter().find(|(name, _)| *name == word) else {
        let message = format!("qik has no type of virtual environment named `{word}`");
        let names = TYPES.iter().map(|(name, _)| *name);
        let diagnostic = Diagnostic::new(Code::VenvTypeInvalid, message).did_you_mean(&word, names);
        decoder.reject(diagnostic.hint(valid_types()), kind.span());
        return None;
    };
    if word == "space" {
        return space_name(node, table, "an inherited `venv`", decoder).map(Venv::Space);
    }
    let what = format!("a `venv` of type `{name}`");
    let fields = decoder.fields(table, &what, keys);
    let reqs = decode_reqs(&fields, (&what, node), decoder);
    let lock = decoder.text_of(&fields, "lock");
    if word == "active" {
        return Some(Venv::Active { reqs, lock });
    }
    let constraint = decode_constraint(&fields, decoder);
    let python = decoder.text_of(&fields, "python");
    Some(Venv::Uv { reqs, lock, constraint, python })
}

/// `reqs`, which uv cannot do without.
fn decode_reqs(
    fields: &Fields<'_, '_>,
    (what, node): (&str, &Node<'_>),
    decoder: &mut Decoder<'_>,
) -> Vec<Text> {
    let reqs = decoder.one_or_many_of(fields, "reqs");
    if reqs.is_none() && what.ends_with("`uv`") {
        decoder.reject_value(format!("{what} has no `reqs`"), node);
    }
    reqs.unwrap_or_default()
}

/// A file, or `{type = "space", name}`.
pub(super) fn decode_constraint(
    fields: &Fields<'_, '_>,
    decoder: &mut Decoder<'_>,
) -> Option<Constraint> {
    let node = fields.find("constraint")?;
    match node.get_ref() {
        DeValue::String(_) => decoder.text(node, "`constraint`").map(Constraint::File),
        DeValue::Table(table) => {
            space_name(node, table, "a `constraint`", decoder).map(Constraint::Space)
        }
        _ => {
            decoder.reject_type(node, "`constraint`", "a path or `{type = \"space\", name}`");
            None
        }
    }
}

fn valid_types() -> String {
    format!("the types are {}", listed(TYPES.iter().map(|(name, _)| name)))
}
