//! The tables of a project's file. Pure.

use toml::de::DeValue;

use super::command;
use super::decoder::Decoder;
use super::dep;
use super::document::{Node, Table};
use super::names;
use super::plugins;
use super::schema::{Cache, CacheKind, Declarations, Defaults, Pydist, S3, Space};
use super::size;
use super::space;
use super::vars;
use super::venv;
use crate::error::{Code, Diagnostic};

const KEYS: &[&str] =
    &["commands", "ctx", "base", "defaults", "caches", "spaces", "plugins", "pydist"];

/// The space that always exists.
pub const DEFAULT_SPACE: &str = "default";

/// All that a project's file declares; `vars` is 0.1's list of variables.
pub(super) fn decode(
    table: &Table<'_>,
    vars: Option<&Node<'_>>,
    decoder: &mut Decoder<'_>,
) -> Declarations {
    let mut declarations = Declarations::default();
    let unknown_from = decoder.diagnostics.len();
    let fields = decoder.fields(table, "a project", KEYS);
    hint_at_commands(table, &mut decoder.diagnostics[unknown_from..]);
    if let Some(node) = fields.find("commands") {
        declarations.commands = command::decode_all(node, None, decoder).into_iter().collect();
    }
    for node in [fields.find("ctx"), vars].into_iter().flatten() {
        vars::decode(node, &mut declarations, decoder);
    }
    if let Some(table) = fields.find("base").and_then(|node| decoder.table(node, "`base`")) {
        let fields = decoder.fields(table, "`base`", &["deps"]);
        if let Some(node) = fields.find("deps") {
            declarations.base_deps = dep::decode_all(node, "`deps`", decoder);
        }
    }
    if let Some(node) = fields.find("defaults") {
        declarations.defaults = decode_defaults(node, decoder);
    }
    if let Some(table) = fields.find("caches").and_then(|node| decoder.table(node, "`caches`")) {
        for (key, node) in table {
            let name = key.get_ref().to_string();
            if let Some(diagnostic) = names::check_cache(&name) {
                decoder.reject_name(diagnostic, &name, key.span());
            } else if let Some(kind) = decode_cache(node, decoder) {
                let cache = Cache { place: decoder.place(key.span()), kind };
                declarations.caches.insert(name, cache);
            } else {
                decoder.broken.insert(name);
            }
        }
    }
    if let Some(table) = fields.find("spaces").and_then(|node| decoder.table(node, "`spaces`")) {
        let spaces = table.iter().filter_map(|(key, node)| space::decode(key, node, decoder));
        declarations.spaces = spaces.collect();
    }
    declarations.spaces.entry(DEFAULT_SPACE.to_owned()).or_insert_with(Space::default);
    if let Some(table) = fields.find("plugins").and_then(|node| decoder.table(node, "`plugins`")) {
        let plugins = table.iter().filter_map(|(key, node)| plugins::decode(key, node, decoder));
        declarations.plugins = plugins.collect();
    }
    if let Some(node) = fields.find("pydist") {
        declarations.pydist = decode_pydist(node, decoder);
    }
    declarations
}

/// A command at the top level has lost its `commands.`.
fn hint_at_commands(table: &Table<'_>, unknown: &mut [Diagnostic]) {
    for diagnostic in unknown {
        let Some(place) = &diagnostic.place else { continue };
        let entry = table.iter().find(|(key, _)| key.span() == place.span);
        if let Some((key, node)) = entry
            && let DeValue::Table(command) = node.get_ref()
            && command.contains_key("exec")
        {
            diagnostic.hints =
                vec![format!("a command is declared as `[commands.{}]`", key.get_ref())];
        }
    }
}

fn decode_defaults(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Defaults {
    const KEYS: &[&str] =
        &["cache", "cache-when", "python-path", "venv", "dotenv", "rewrites", "cache-max-size"];
    let Some(table) = decoder.table(node, "`defaults`") else { return Defaults::default() };
    let fields = decoder.fields(table, "`defaults`", KEYS);
    Defaults {
        cache: decoder.text_of(&fields, "cache"),
        cache_when: command::decode_cache_when(&fields, decoder),
        python_path: decoder
            .one_or_many_of(&fields, "python-path")
            .into_iter()
            .flatten()
            .map(|text| text.map(|path| space::folder(if path.is_empty() { "." } else { &path })))
            .collect(),
        venv: fields.find("venv").and_then(|node| venv::decode(node, decoder)),
        dotenv: decoder.one_or_many_of(&fields, "dotenv").unwrap_or_default(),
        rewrites: decoder.boolean_of(&fields, "rewrites").unwrap_or_default(),
        cache_size_bytes_max: fields
            .find("cache-max-size")
            .and_then(|node| decode_size(node, decoder)),
    }
}

/// Bytes, or a text like `10 GiB`.
fn decode_size(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<u64> {
    let size = match node.get_ref() {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        DeValue::String(text) => size::parse_bytes(text),
        _ => None,
    };
    if size.is_none() {
        let message = format!("`cache-max-size` cannot be `{}`", decoder.written(node.span()));
        let diagnostic = Diagnostic::new(Code::ConfigInvalid, message)
            .hint("give a number of bytes, or a size like `\"10 GiB\"` or `\"500 MB\"`");
        decoder.reject(diagnostic, node.span());
    }
    size
}

fn decode_cache(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<CacheKind> {
    const KEYS: &[&str] = &[
        "type",
        "bucket",
        "prefix",
        "region-name",
        "endpoint-url",
        "aws-access-key-id",
        "aws-secret-access-key",
        "aws-session-token",
        "mode",
        "timeout",
    ];
    const HINT: &str = "the only type is `s3`";
    let table = decoder.table(node, "a cache")?;
    let Some(kind) = table.get("type") else {
        let diagnostic = Diagnostic::new(Code::CacheTypeInvalid, "a cache has no `type`");
        decoder.reject(diagnostic.hint(HINT), node.span());
        return None;
    };
    let word = decoder.text(kind, "`type`")?.value;
    if word != "s3" {
        let message = format!("qik has no type of cache named `{word}`");
        let diagnostic = Diagnostic::new(Code::CacheTypeInvalid, message);
        decoder.reject(diagnostic.hint(HINT), kind.span());
        return None;
    }
    let what = "a cache of type `s3`";
    let fields = decoder.fields(table, what, KEYS);
    Some(CacheKind::S3(S3 {
        bucket: decoder.required_text(&fields, "bucket", (what, node.span()))?,
        prefix: decoder.text_of(&fields, "prefix"),
        region_name: decoder.text_of(&fields, "region-name"),
        endpoint_url: decoder.text_of(&fields, "endpoint-url"),
        aws_access_key_id: decoder.text_of(&fields, "aws-access-key-id"),
        aws_secret_access_key: decoder.text_of(&fields, "aws-secret-access-key"),
        aws_session_token: decoder.text_of(&fields, "aws-session-token"),
        mode: decoder.text_of(&fields, "mode"),
        timeout: fields.find("timeout").and_then(|node| decoder.number_text(node, "`timeout`")),
    }))
}

fn decode_pydist(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Pydist {
    const KEYS: &[&str] = &["versions", "ignore-missing", "modules", "ignore-missing-modules"];
    let Some(table) = decoder.table(node, "`pydist`") else { return Pydist::default() };
    let fields = decoder.fields(table, "`pydist`", KEYS);
    let map = |key: &str, decoder: &mut Decoder<'_>| {
        let node = fields.find(key);
        node.map(|node| decoder.text_map(node, format_args!("`{key}`"))).unwrap_or_default()
    };
    Pydist {
        versions: map("versions", decoder),
        ignores_missing: decoder.boolean_of(&fields, "ignore-missing").unwrap_or_default(),
        modules: map("modules", decoder),
        ignores_missing_modules: decoder
            .boolean_of(&fields, "ignore-missing-modules")
            .unwrap_or_default(),
    }
}
