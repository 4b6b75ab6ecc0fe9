//! Commands: a string, or a table. Pure.

use toml::de::DeValue;

use super::decoder::{Decoder, Fields, listed};
use super::dep;
use super::document::{Key, Node};
use super::names;
use super::schema::{CacheWhen, Command};
use crate::error::{Code, Diagnostic, Located};

const KEYS: &[&str] =
    &["exec", "deps", "artifacts", "cache", "cache-when", "space", "tags", "hidden", "rewrites"];

/// The words of `cache-when`.
const CACHE_WHEN: &[(&str, CacheWhen)] = &[
    ("success", CacheWhen::Success),
    ("failed", CacheWhen::Failed),
    ("finished", CacheWhen::Finished),
];

impl CacheWhen {
    /// The value of a word, 0.1's `always` included.
    pub fn parse(word: &str) -> Option<Self> {
        let word = if word == "always" { "finished" } else { word };
        CACHE_WHEN.iter().find(|(name, _)| *name == word).map(|(_, when)| *when)
    }
}

/// The commands of a table by name; `module` is that of the file, if it is a module's.
pub(super) fn decode_all(
    node: &Node<'_>,
    module: Option<&str>,
    decoder: &mut Decoder<'_>,
) -> Vec<(String, Command)> {
    let Some(table) = decoder.table(node, "`commands`") else { return Vec::new() };
    let mut commands = Vec::with_capacity(table.len());
    commands.extend(table.iter().filter_map(|(key, node)| decode(key, node, module, decoder)));
    commands
}

/// A command under its full name. One that is wrong in parts is there with the rest, so that
/// nobody is told that it does not exist.
fn decode(
    key: &Key<'_>,
    node: &Node<'_>,
    module: Option<&str>,
    decoder: &mut Decoder<'_>,
) -> Option<(String, Command)> {
    let name: &str = key.get_ref();
    if let Some(diagnostic) = names::check_command(name) {
        decoder.reject_name(diagnostic, name, key.span());
        return None;
    }
    let place = decoder.place(key.span());
    let mut command = Command {
        exec: Located { value: String::new(), place: place.clone() },
        place,
        deps: Vec::new(),
        artifacts: Vec::new(),
        cache: None,
        cache_when: None,
        space: None,
        tags: Vec::new(),
        is_hidden: false,
        rewrites: None,
        module: module.map(str::to_owned),
    };
    match node.get_ref() {
        DeValue::String(_) => command.exec = decoder.text(node, name)?,
        DeValue::Table(table) => {
            let fields = decoder.fields(table, "a command", KEYS);
            fill(&mut command, &fields, decoder);
        }
        _ => decoder.reject_type(node, format_args!("the command `{name}`"), "a string or a table"),
    }
    let full_name = module.map_or_else(|| name.to_owned(), |module| format!("{module}/{name}"));
    Some((full_name, command))
}

fn fill(command: &mut Command, fields: &Fields<'_, '_>, decoder: &mut Decoder<'_>) {
    if let Some(exec) = decoder.text_of(fields, "exec") {
        command.exec = exec;
    }
    if let Some(node) = fields.find("deps") {
        command.deps = dep::decode_all(node, "`deps`", decoder);
    }
    command.artifacts = decoder.texts_of(fields, "artifacts");
    command.cache = decoder.text_of(fields, "cache");
    command.cache_when = decode_cache_when(fields, decoder);
    command.space = decoder.text_of(fields, "space");
    let tags = decoder.texts_of(fields, "tags");
    command.tags = tags.into_iter().map(|tag| tag.value).collect();
    command.is_hidden = decoder.boolean_of(fields, "hidden").unwrap_or_default();
    command.rewrites = decoder.boolean_of(fields, "rewrites");
}

/// The value of `cache-when`, of a command or of the defaults.
pub(super) fn decode_cache_when(
    fields: &Fields<'_, '_>,
    decoder: &mut Decoder<'_>,
) -> Option<CacheWhen> {
    let word = decoder.text_of(fields, "cache-when")?;
    let when = CacheWhen::parse(&word.value);
    if when.is_none() {
        let names = || CACHE_WHEN.iter().map(|(name, _)| *name);
        let message = format!("`cache-when` cannot be `{}`", word.value);
        let diagnostic = Diagnostic::new(Code::ConfigInvalid, message)
            .did_you_mean(&word.value, names())
            .hint(format!("its values are {}", listed(CACHE_WHEN.iter().map(|(name, _)| name))));
        decoder.reject(diagnostic, word.place.span.clone());
    }
    when
}
