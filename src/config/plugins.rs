//! Plugins: those that are built in, and their options. Pure.

use toml::de::DeValue;

use super::decoder::{Decoder, Fields, listed};
use super::document::{Key, Node, Table};
use super::names;
use super::schema::{Plugin, PluginKind, PygraphOptions, UvOptions};
use super::venv::decode_constraint;
use crate::error::{Code, Diagnostic, Located};

/// What there is, with the keys of each.
const PLUGINS: &[(&str, &[&str])] = &[
    (
        "qik.pygraph",
        &[
            "pyimport",
            "ignore-type-checking",
            "ignore-pydists",
            "cache",
            "build-cache",
            "lock-cache",
            "check-cache",
        ],
    ),
    ("qik.uv", &["pyimport", "python", "constraint", "index-url", "extra-index-url", "cache"]),
    ("qik.s3", &["pyimport"]),
];

impl PluginKind {
    /// The commands that a plugin of this kind adds, each named `PLUGIN.COMMAND`.
    pub fn commands(&self) -> &'static [&'static str] {
        match self {
            Self::Pygraph(_) => &["build", "check", "lock"],
            Self::Uv(_) => &["install", "lock"],
            Self::S3 => &[],
        }
    }

    /// The import path that chooses this kind.
    pub fn pyimport(&self) -> &'static str {
        match self {
            Self::Pygraph(_) => PLUGINS[0].0,
            Self::Uv(_) => PLUGINS[1].0,
            Self::S3 => PLUGINS[2].0,
        }
    }
}

/// A plugin under its name.
pub(super) fn decode(
    key: &Key<'_>,
    node: &Node<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<(String, Plugin)> {
    let name = key.get_ref().to_string();
    if let Some(diagnostic) = names::check_plugin(&name) {
        decoder.reject_name(diagnostic, &name, key.span());
        return None;
    }
    let Some(kind) = decode_kind(&format!("the plugin `{name}`"), node, decoder) else {
        decoder.broken.insert(name);
        return None;
    };
    Some((name, Plugin { place: decoder.place(key.span()), kind }))
}

/// An import path, or a table with `pyimport` and options.
fn decode_kind(what: &str, node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<PluginKind> {
    let (path, table) = match node.get_ref() {
        DeValue::String(_) => (decoder.text(node, what)?, None),
        DeValue::Table(table) => {
            let Some(pyimport) = table.get("pyimport") else {
                decoder.reject_value(format!("{what} has no `pyimport`"), node);
                return None;
            };
            (decoder.text(pyimport, "`pyimport`")?, Some(table))
        }
        _ => {
            decoder.reject_type(node, what, "a string or a table");
            return None;
        }
    };
    let Some((pyimport, keys)) = PLUGINS.iter().find(|(pyimport, _)| *pyimport == path.value)
    else {
        reject_unknown(&path, decoder);
        return None;
    };
    let empty = Table::new();
    let what = format!("the options of `{pyimport}`");
    let fields = decoder.fields(table.unwrap_or(&empty), &what, keys);
    Some(match *pyimport {
        "qik.pygraph" => PluginKind::Pygraph(decode_pygraph(&fields, decoder)),
        "qik.uv" => PluginKind::Uv(decode_uv(&fields, decoder)),
        _ => PluginKind::S3,
    })
}

fn decode_pygraph(fields: &Fields<'_, '_>, decoder: &mut Decoder<'_>) -> PygraphOptions {
    PygraphOptions {
        ignores_type_checking: decoder
            .boolean_of(fields, "ignore-type-checking")
            .unwrap_or_default(),
        ignores_pydists: decoder.boolean_of(fields, "ignore-pydists").unwrap_or_default(),
        cache: decoder.text_of(fields, "cache"),
        build_cache: decoder.text_of(fields, "build-cache"),
        lock_cache: decoder.text_of(fields, "lock-cache"),
        check_cache: decoder.text_of(fields, "check-cache"),
    }
}

fn decode_uv(fields: &Fields<'_, '_>, decoder: &mut Decoder<'_>) -> UvOptions {
    UvOptions {
        python: decoder.text_of(fields, "python"),
        constraint: decode_constraint(fields, decoder),
        index_url: decoder.text_of(fields, "index-url"),
        extra_index_url: decoder.text_of(fields, "extra-index-url"),
        cache: decoder.text_of(fields, "cache"),
    }
}

fn reject_unknown(path: &Located<String>, decoder: &mut Decoder<'_>) {
    let names = || PLUGINS.iter().map(|(pyimport, _)| *pyimport);
    let message = format!("qik has no plugin `{}`", path.value);
    let diagnostic = Diagnostic::new(Code::PluginUnknown, message)
        .did_you_mean(&path.value, names())
        .hint(format!("the plugins are {}", listed(PLUGINS.iter().map(|(pyimport, _)| pyimport))));
    decoder.reject(diagnostic, path.place.span.clone());
}
