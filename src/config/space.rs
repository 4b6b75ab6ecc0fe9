//! Spaces: modules, fence, dotenv files, root. Pure.

use toml::de::DeValue;

use super::braces;
use super::decoder::{Decoder, Fields};
use super::document::{Key, Node, Table};
use super::names;
use super::schema::{Fence, FenceItem, Module, Space, Text};
use super::venv;
use crate::error::{Code, Diagnostic, Located};

const KEYS: &[&str] = &["venv", "modules", "fence", "dotenv", "root"];

/// A space under its name; a string or a list is its `venv`.
pub(super) fn decode(
    key: &Key<'_>,
    node: &Node<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<(String, Space)> {
    let name: &str = key.get_ref();
    if let Some(diagnostic) = names::check_space(name) {
        decoder.reject_name(diagnostic, name, key.span());
        return None;
    }
    let mut space = Space { place: Some(decoder.place(key.span())), ..Space::default() };
    match node.get_ref() {
        DeValue::String(_) | DeValue::Array(_) => space.venv = venv::decode(node, decoder),
        DeValue::Table(table) => {
            let fields = decoder.fields(table, "a space", KEYS);
            space.venv = fields.find("venv").and_then(|node| venv::decode(node, decoder));
            space.modules = decode_modules(&fields, decoder);
            space.fence = fields.find("fence").and_then(|node| decode_fence(node, decoder));
            space.dotenv = decoder.one_or_many_of(&fields, "dotenv");
            space.root = decoder.text_of(&fields, "root");
        }
        _ => {
            let label = format!("the space `{name}`");
            decoder.reject_type(node, &label, "a table, or the requirements of its `venv`");
        }
    }
    Some((name.to_owned(), space))
}

fn decode_modules(fields: &Fields<'_, '_>, decoder: &mut Decoder<'_>) -> Vec<Module> {
    let Some(node) = fields.find("modules") else { return Vec::new() };
    let items = decoder.list(node, "`modules`").unwrap_or_default();
    items.iter().filter_map(|item| decode_module(item, decoder)).collect()
}

/// `"path"` or `{name, path}`.
fn decode_module(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<Module> {
    let (name, path) = match node.get_ref() {
        DeValue::String(_) => {
            let path = decoder.text(node, "a module")?.map(|path| folder(&path));
            (path.clone(), path)
        }
        DeValue::Table(table) => {
            let fields = decoder.fields(table, "a module", &["name", "path"]);
            let name = decoder.required_text(&fields, "name", ("a module", node.span()));
            let path = decoder.required_text(&fields, "path", ("a module", node.span()));
            (name?, path?.map(|path| folder(&path)))
        }
        _ => {
            decoder.reject_type(node, "a module", "a path or a table of `name` and `path`");
            return None;
        }
    };
    let is_sound = [&name, &path].into_iter().all(|text| is_fixed(text, decoder));
    if let Some(diagnostic) = names::check_module(&name.value) {
        decoder.reject_name(diagnostic, &name.value, name.place.span);
        return None;
    }
    if path.value.starts_with('/') || path.value.contains(char::is_control) {
        let message = format!("`{}` cannot be the path of a module", path.value.escape_debug());
        let diagnostic = Diagnostic::new(Code::NameInvalid, message)
            .hint("give a folder relative to the project root");
        decoder.reject_name(diagnostic, &name.value, path.place.span);
        return None;
    }
    is_sound.then_some(Module { name, path })
}

/// Modules are what templates are rendered for, so their own texts can have no fields.
fn is_fixed(text: &Text, decoder: &mut Decoder<'_>) -> bool {
    let is_fixed = braces::as_literal(&text.value).is_some();
    if !is_fixed {
        let message = format!("`{}` is a template, which a module cannot be", text.value);
        let diagnostic = Diagnostic::new(Code::TemplateMisplaced, message)
            .hint("write the name or the path of the module out");
        decoder.reject(diagnostic, text.place.span.clone());
    }
    is_fixed
}

/// A folder's path without what says nothing: `./`, doubled and trailing slashes.
pub(super) fn folder(path: &str) -> String {
    let mut folder = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if !folder.is_empty() || path.starts_with('/') {
            folder.push('/');
        }
        folder.push_str(part);
    }
    match folder.as_str() {
        "" if path.starts_with('/') => "/".to_owned(),
        "" if !path.is_empty() => ".".to_owned(),
        _ => folder,
    }
}

/// `true`, or a list of paths, modules and spaces. An empty fence is none, as it always was.
fn decode_fence(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<Fence> {
    match node.get_ref() {
        DeValue::Boolean(is_fenced) => is_fenced.then_some(Fence::Modules),
        DeValue::Array(items) => {
            let items: Vec<FenceItem> =
                items.iter().filter_map(|item| decode_fence_item(item, decoder)).collect();
            (!items.is_empty()).then_some(Fence::Items(items))
        }
        _ => {
            decoder.reject_type(node, "`fence`", "`true` or a list");
            None
        }
    }
}

fn decode_fence_item(node: &Node<'_>, decoder: &mut Decoder<'_>) -> Option<FenceItem> {
    match node.get_ref() {
        DeValue::String(_) => decoder
            .text(node, "an item of `fence`")
            .map(|text| FenceItem::Path(text.map(|path| folder(&path)))),
        DeValue::Table(table) => {
            space_name(node, table, "an item of `fence`", decoder).map(FenceItem::Space)
        }
        _ => {
            decoder.reject_type(node, "an item of `fence`", "a path or `{type = \"space\", name}`");
            None
        }
    }
}

/// The name in `{type = "space", name}`.
pub(super) fn space_name(
    node: &Node<'_>,
    table: &Table<'_>,
    what: &str,
    decoder: &mut Decoder<'_>,
) -> Option<Located<String>> {
    let fields = decoder.fields(table, what, &["type", "name"]);
    let kind = decoder.required_text(&fields, "type", (what, node.span()))?;
    if kind.value != "space" {
        let message = format!("the `type` of {what} cannot be `{}`", kind.value);
        let diagnostic = Diagnostic::new(Code::ConfigInvalid, message)
            .hint("write `{type = \"space\", name = \"…\"}`");
        decoder.reject(diagnostic, kind.place.span);
        return None;
    }
    decoder.required_text(&fields, "name", (what, node.span()))
}
