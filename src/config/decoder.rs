//! Walks a tree of TOML and gathers all that is wrong with it. Pure.
//!
//! A method that wants a certain type gives `None` after it has noted what it found instead, so
//! that the walk goes on and one run shows every error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use toml::de::DeValue;

use super::document::{Node, Table};
use super::schema::Text;
use crate::error::{Code, Diagnostic, Located, Place, Source};

/// The walk through one file.
#[derive(Debug)]
pub(super) struct Decoder<'s> {
    source: &'s Arc<Source>,
    /// What is wrong so far.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Names whose declaration is wrong: who uses them is not told that they do not exist.
    pub(super) broken: BTreeSet<String>,
}

/// The entries of a table whose keys are known.
#[derive(Debug)]
pub(super) struct Fields<'t, 's> {
    entries: Vec<(&'static str, &'t Node<'s>)>,
}

impl<'t, 's> Fields<'t, 's> {
    /// The value of a key, which is written as in the documentation.
    pub(super) fn find(&self, key: &str) -> Option<&'t Node<'s>> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, node)| *node)
    }
}

impl<'s> Decoder<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Self {
        Self { source, diagnostics: Vec::new(), broken: BTreeSet::new() }
    }

    /// The place of a span of the file.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self.source), span }
    }

    /// What the user wrote at a span.
    pub(super) fn written(&self, span: Range<usize>) -> &'s str {
        self.source.text.get(span).unwrap_or_default()
    }

    /// Notes what is wrong with the name of a declaration, which is left out.
    pub(super) fn reject_name(&mut self, diagnostic: Diagnostic, name: &str, span: Range<usize>) {
        self.broken.insert(name.to_owned());
        self.reject(diagnostic, span);
    }

    /// Notes an error at a span.
    pub(super) fn reject(&mut self, diagnostic: Diagnostic, span: Range<usize>) {
        let place = self.place(span);
        self.diagnostics.push(diagnostic.at(&place));
    }

    /// Notes a value that is not what its key wants.
    pub(super) fn reject_value(&mut self, message: String, node: &Node<'_>) {
        self.reject(Diagnostic::new(Code::ConfigInvalid, message), node.span());
    }

    /// The entries of a table by known key. Keys are kebab-case; snake_case means the same.
    /// `what` is the table's name for the user.
    pub(super) fn fields<'t, 't2>(
        &mut self,
        table: &'t Table<'t2>,
        what: impl Display,
        known: &'static [&'static str],
    ) -> Fields<'t, 't2> {
        let mut entries: Vec<(&'static str, &'t Node<'t2>)> = Vec::with_capacity(table.len());
        for (key, node) in table {
            let written: &str = key.get_ref();
            let Some(name) = known.iter().find(|name| is_key(written, name)) else {
                self.reject(unknown_key(written, &what, known), key.span());
                continue;
            };
            if entries.iter().all(|(other, _)| other != name) {
                entries.push((*name, node));
            } else {
                let message =
                    format!("`{name}` is given twice, also as `{}`", name.replace('-', "_"));
                self.reject(Diagnostic::new(Code::ConfigInvalid, message), key.span());
            }
        }
        Fields { entries }
    }

    /// A table; `label` is what the user calls it.
    pub(super) fn table<'t, 't2>(
        &mut self,
        node: &'t Node<'t2>,
        label: impl Display,
    ) -> Option<&'t Table<'t2>> {
        let table = node.get_ref().as_table();
        if table.is_none() {
            self.reject_type(node, label, "a table");
        }
        table
    }

    /// The items of a list.
    pub(super) fn list<'t, 't2>(
        &mut self,
        node: &'t Node<'t2>,
        label: impl Display,
    ) -> Option<&'t [Node<'t2>]> {
        if let DeValue::Array(items) = node.get_ref() {
            return Some(items);
        }
        let message = format!("{label} must be a list, not {}", kind(node));
        let mut diagnostic = Diagnostic::new(Code::ConfigInvalid, message);
        if node.get_ref().is_str() {
            diagnostic = diagnostic.hint(format!("write `[{}]`", self.written(node.span())));
        }
        self.reject(diagnostic, node.span());
        None
    }

    /// A string.
    pub(super) fn text(&mut self, node: &Node<'_>, label: impl Display) -> Option<Text> {
        let Some(value) = node.get_ref().as_str() else {
            self.reject_type(node, label, "a string");
            return None;
        };
        Some(Located { value: value.to_owned(), place: self.place(node.span()) })
    }

    /// A number or a string, as it is written.
    pub(super) fn number_text(&mut self, node: &Node<'_>, label: impl Display) -> Option<Text> {
        let value = match node.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(_) | DeValue::Float(_) => self.written(node.span()).to_owned(),
            _ => {
                self.reject_type(node, label, "a number");
                return None;
            }
        };
        Some(Located { value, place: self.place(node.span()) })
    }

    /// A list of strings; items of other types are noted and left out.
    pub(super) fn texts(&mut self, node: &Node<'_>, label: impl Display) -> Vec<Text> {
        let items = self.list(node, &label).unwrap_or_default();
        let label = format_args!("an item of {label}");
        items.iter().filter_map(|item| self.text(item, label)).collect()
    }

    /// A string, or a list of strings.
    pub(super) fn one_or_many(&mut self, node: &Node<'_>, label: impl Display) -> Vec<Text> {
        match node.get_ref() {
            DeValue::String(_) => self.text(node, label).into_iter().collect(),
            DeValue::Array(_) => self.texts(node, label),
            _ => {
                self.reject_type(node, label, "a string or a list of strings");
                Vec::new()
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, node: &Node<'_>, label: impl Display) -> Option<bool> {
        let value = node.get_ref().as_bool();
        if value.is_none() {
            self.reject_type(node, label, "`true` or `false`");
        }
        value
    }

    /// The string of a key, if the key is there.
    pub(super) fn text_of(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<Text> {
        fields.find(key).and_then(|node| self.text(node, format_args!("`{key}`")))
    }

    /// The strings of a key that takes a list; none if the key is not there.
    pub(super) fn texts_of(&mut self, fields: &Fields<'_, '_>, key: &str) -> Vec<Text> {
        fields.find(key).map(|node| self.texts(node, format_args!("`{key}`"))).unwrap_or_default()
    }

    /// The strings of a key that takes a string or a list.
    pub(super) fn one_or_many_of(
        &mut self,
        fields: &Fields<'_, '_>,
        key: &str,
    ) -> Option<Vec<Text>> {
        fields.find(key).map(|node| self.one_or_many(node, format_args!("`{key}`")))
    }

    /// The boolean of a key, if the key is there.
    pub(super) fn boolean_of(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<bool> {
        fields.find(key).and_then(|node| self.boolean(node, format_args!("`{key}`")))
    }

    /// The string of a key that must be there.
    pub(super) fn required_text(
        &mut self,
        fields: &Fields<'_, '_>,
        key: &str,
        owner: (impl Display, Range<usize>),
    ) -> Option<Text> {
        if fields.find(key).is_none() {
            let (what, span) = owner;
            let message = format!("{what} has no `{key}`");
            self.reject(Diagnostic::new(Code::ConfigInvalid, message), span);
        }
        self.text_of(fields, key)
    }

    /// A table of strings by name.
    pub(super) fn text_map(
        &mut self,
        node: &Node<'_>,
        label: impl Display,
    ) -> BTreeMap<String, Text> {
        let entries = self.table(node, label).into_iter().flatten();
        entries
            .filter_map(|(key, node)| {
                let name = key.get_ref().to_string();
                let text = self.text(node, format_args!("`{name}`"))?;
                Some((name, text))
            })
            .collect()
    }

    /// Notes a value of the wrong type.
    pub(super) fn reject_type(&mut self, node: &Node<'_>, label: impl Display, wanted: &str) {
        self.reject_value(format!("{label} must be {wanted}, not {}", kind(node)), node);
    }
}

/// Whether a key as written is a known one.
fn is_key(written: &str, name: &str) -> bool {
    let is_same = |(written, known): (u8, u8)| written == known || (written, known) == (b'_', b'-');
    written.len() == name.len() && written.bytes().zip(name.bytes()).all(is_same)
}

/// A key that its table does not have.
fn unknown_key(written: &str, what: impl Display, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::ConfigInvalid, format!("unknown key `{written}` in {what}"))
            .did_you_mean(written, known.iter().copied());
    if diagnostic.hints.is_empty() {
        return diagnostic.hint(format!("the keys of {what} are {}", listed(known)));
    }
    diagnostic
}

/// Names that are listed at most: more than these say nothing.
const NAMES_MAX: usize = 12;

/// Names in backticks, as a list in a sentence.
pub(super) fn listed<'a>(
    names: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a + ?Sized)>,
) -> String {
    let mut ticked: Vec<String> =
        names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    if ticked.len() > NAMES_MAX {
        let more = ticked.len() - NAMES_MAX + 1;
        ticked.truncate(NAMES_MAX - 1);
        ticked.push(format!("{more} more"));
    }
    match ticked.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A value's type, with its article.
fn kind(node: &Node<'_>) -> &'static str {
    match node.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
