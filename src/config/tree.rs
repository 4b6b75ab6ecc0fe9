//! Changes to a tree of TOML that keep places. Pure.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::document::{Key, Node, Table};

/// Takes a key out of a table, in either spelling.
pub(super) fn take<'t>(table: &mut Table<'t>, name: &str) -> Option<(Key<'t>, Node<'t>)> {
    table.remove_entry(name).or_else(|| table.remove_entry(name.replace('-', "_").as_str()))
}

/// The table under a key, made if need be; `None` if something else is there.
pub(super) fn enter<'a, 't>(
    table: &'a mut Table<'t>,
    name: &str,
    span: Range<usize>,
) -> Option<&'a mut Table<'t>> {
    let node = table
        .entry(key(name.to_owned(), &span))
        .or_insert_with(|| Spanned::new(span, DeValue::Table(Table::new())));
    table_mut(node)
}

/// Puts a list under a key, behind the items that are there.
pub(super) fn append<'t>(table: &mut Table<'t>, key: Key<'t>, node: Node<'t>) {
    match table.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut) {
        Some(DeValue::Array(items)) => {
            if let DeValue::Array(added) = node.into_inner() {
                added.into_iter().for_each(|item| items.push(item));
            }
        }
        Some(_) => {}
        None => drop(table.insert(key, node)),
    }
}

/// A table to be changed, if it is one.
pub(super) fn table_mut<'a, 't>(node: &'a mut Node<'t>) -> Option<&'a mut Table<'t>> {
    match node.get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// The items of a list to be changed; none if it is no list.
pub(super) fn items_mut<'a, 't>(node: &'a mut Node<'t>) -> &'a mut [Node<'t>] {
    match node.get_mut() {
        DeValue::Array(items) => DeArray::as_mut(items),
        _ => &mut [],
    }
}

/// A key that stands for what was written at a span.
pub(super) fn key<'t>(name: impl Into<Cow<'t, str>>, span: &Range<usize>) -> Key<'t> {
    Spanned::new(span.clone(), name.into())
}

/// A string that stands for what was written at a span.
pub(super) fn string<'t>(text: impl Into<Cow<'t, str>>, span: &Range<usize>) -> Node<'t> {
    Spanned::new(span.clone(), DeValue::String(text.into()))
}
