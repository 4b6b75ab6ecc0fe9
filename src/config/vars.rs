//! Context variables, and 0.1's profiles of their values. Pure.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::decoder::{Decoder, listed};
use super::document::{Key, Node, Table};
use super::names;
use super::schema::{Declarations, Profile, Value, Var, VarKind};
use super::value;
use crate::error::{Code, Diagnostic, Located, Place};

/// What a profile can hold values of.
pub const NAMESPACES: &[&str] = &["project", "qik"];

const VAR_KEYS: &[&str] = &["name", "type", "default", "required", "secret"];

const KINDS: &[VarKind] = &[VarKind::Str, VarKind::Int, VarKind::Bool];

/// `ctx`: a list of variables, or 0.1's table of profiles; 0.1's variables are in `vars`.
pub(super) fn decode(node: &Node<'_>, declarations: &mut Declarations, decoder: &mut Decoder<'_>) {
    match node.get_ref() {
        DeValue::Array(items) => {
            items.iter().for_each(|item| decode_var(item, declarations, decoder));
        }
        DeValue::Table(profiles) => {
            for (key, profile) in profiles {
                let namespaces = decode_profile(key, profile, decoder);
                declarations.profiles.insert(key.get_ref().to_string(), namespaces);
            }
        }
        _ => decoder.reject_type(node, "`ctx`", "a list of variables"),
    }
}

/// A name, or a table of `name` and what is known of it.
fn decode_var(node: &Node<'_>, declarations: &mut Declarations, decoder: &mut Decoder<'_>) {
    let var = match node.get_ref() {
        DeValue::String(_) => decoder.text(node, "a variable").map(|name| Var {
            name,
            kind: VarKind::Str,
            default: None,
            is_required: true,
            is_secret: false,
        }),
        DeValue::Table(table) => decode_var_table(node, table, decoder),
        _ => {
            decoder.reject_type(node, "a variable", "a name or a table");
            None
        }
    };
    let Some(var) = var else { return };
    let is_known = |known: &Var| known.name.value == var.name.value;
    if let Some(diagnostic) = names::check_var(&var.name.value) {
        decoder.reject(diagnostic, var.name.place.span);
    } else if declarations.vars.iter().any(is_known) {
        let message = format!("the variable `{}` is declared twice", var.name.value);
        decoder.reject(Diagnostic::new(Code::NameInvalid, message), var.name.place.span);
    } else {
        declarations.vars.push(var);
    }
}

fn decode_var_table(node: &Node<'_>, table: &Table<'_>, decoder: &mut Decoder<'_>) -> Option<Var> {
    let fields = decoder.fields(table, "a variable", VAR_KEYS);
    let name = decoder.required_text(&fields, "name", ("a variable", node.span()));
    let kind = match decoder.text_of(&fields, "type") {
        Some(word) => decode_kind(&word, decoder),
        None => VarKind::Str,
    };
    let is_required = decoder.boolean_of(&fields, "required").unwrap_or(true);
    let is_secret = decoder.boolean_of(&fields, "secret").unwrap_or(false);
    if let (true, VarKind::Bool, Some(node)) = (is_secret, kind, fields.find("secret")) {
        let diagnostic =
            Diagnostic::new(Code::ConfigInvalid, "a variable of two values is no secret")
                .hint("remove `secret`, or use another `type`");
        decoder.reject(diagnostic, node.span());
    }
    let default = fields.find("default").and_then(|node| {
        let value = value::decode(node, "`default`", decoder)?;
        cast(kind, value, is_secret, decoder)
    });
    Some(Var { name: name?, kind, default, is_required, is_secret })
}

fn decode_kind(word: &Located<String>, decoder: &mut Decoder<'_>) -> VarKind {
    let kind = KINDS.iter().find(|kind| kind.word() == word.value);
    kind.copied().unwrap_or_else(|| {
        let message = format!("the `type` of a variable cannot be `{}`", word.value);
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.word()).collect();
        let diagnostic = Diagnostic::new(Code::ConfigInvalid, message)
            .did_you_mean(&word.value, names.iter().copied())
            .hint(format!("the types are {}", listed(&names)));
        decoder.reject(diagnostic, word.place.span.clone());
        VarKind::Str
    })
}

/// A default as the variable's type, or a note that it is not of it.
fn cast(
    kind: VarKind,
    value: Located<Value>,
    is_secret: bool,
    decoder: &mut Decoder<'_>,
) -> Option<Located<Value>> {
    let Located { value, place } = value;
    let cast = kind.cast(value.clone());
    if cast.is_none() {
        let shown = (!is_secret).then_some(&value);
        decoder.diagnostics.push(not_of_kind(kind, shown, "`default`", &place));
    }
    cast.map(|value| Located { value, place })
}

/// A value of the configuration that is not of a variable's type; one that may be shown.
pub(super) fn not_of_kind(
    kind: VarKind,
    value: Option<&Value>,
    label: &str,
    place: &Place,
) -> Diagnostic {
    let expected = kind.expected();
    let message = match value {
        Some(value) => format!("{label} is `{}`, which is not {expected}", value.rendered()),
        None => format!("{label} is not {expected}"),
    };
    Diagnostic::new(Code::ConfigInvalid, message).at(place)
}

/// Values by namespace and name.
fn decode_profile(key: &Key<'_>, node: &Node<'_>, decoder: &mut Decoder<'_>) -> Profile {
    let mut namespaces = Profile::new();
    let label = format!("the profile `{}`", key.get_ref());
    let entries = decoder.table(node, &label).into_iter().flatten();
    for (key, node) in entries {
        let namespace: &str = key.get_ref();
        if !NAMESPACES.contains(&namespace) {
            let message = format!("{label} has values of `{namespace}`, which is no namespace");
            let diagnostic = Diagnostic::new(Code::NamespaceNotFound, message)
                .did_you_mean(namespace, NAMESPACES.iter().copied())
                .hint(format!("the namespaces are {}", listed(NAMESPACES)));
            decoder.reject(diagnostic, key.span());
            continue;
        }
        let mut values = BTreeMap::new();
        for (key, node) in decoder.table(node, format_args!("`{namespace}`")).into_iter().flatten()
        {
            let name: &str = key.get_ref();
            if let Some(value) = value::decode(node, &format!("`{name}`"), decoder) {
                values.insert(name.to_owned(), value);
            }
        }
        namespaces.insert(namespace.to_owned(), values);
    }
    namespaces
}
