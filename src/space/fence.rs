//! What the Python modules of a space may import, with the fences of other spaces followed. Pure.

use std::collections::BTreeSet;

use super::module::below_innermost;
use crate::config::{self, Declarations, Fence};
use crate::error::Place;

/// A part of a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceItem {
    /// The dotted path relative to the Python path; a folder of the latter, with a `/` at its end,
    /// for all modules in it.
    pub pyimport: String,
    /// Where the fence names it; `None` for a module of the space, which may have no Python.
    pub place: Option<Place>,
}

/// The fence of a space, each item once; `None` if it has none.
pub(super) fn resolve_fence(
    declarations: &Declarations,
    space: &str,
    python_path: &[&str],
) -> Option<Vec<FenceItem>> {
    declarations.spaces.get(space)?.fence.as_ref()?;
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut spaces = vec![space];
    while let Some(name) = spaces.pop() {
        let Some((name, space)) = declarations.spaces.get_key_value(name) else { continue };
        if !seen.insert(name.as_str()) {
            continue;
        }
        for module in &space.modules {
            let pyimport = pyimport(&module.path.value, python_path);
            items.push(FenceItem { pyimport, place: None });
        }
        let Some(Fence::Items(declared)) = &space.fence else { continue };
        for item in declared {
            match item {
                config::FenceItem::Space(text) => spaces.push(&text.value),
                config::FenceItem::Path(text) => items.push(FenceItem {
                    pyimport: pyimport(path_of(declarations, &text.value), python_path),
                    place: Some(text.place.clone()),
                }),
            }
        }
    }
    items.sort_by(|one, two| one.pyimport.cmp(&two.pyimport));
    items.dedup_by(|one, two| one.pyimport == two.pyimport);
    Some(items)
}

/// The path of the module of a name, or what is a path already.
fn path_of<'a>(declarations: &'a Declarations, text: &'a str) -> &'a str {
    let named = declarations.modules().find(|(_, module)| module.name.value == text);
    named.map_or(text, |(_, module)| &module.path.value)
}

fn pyimport(path: &str, python_path: &[&str]) -> String {
    let is_all = python_path.is_empty() && path == ".";
    if is_all || python_path.contains(&path) {
        return format!("{path}/");
    }
    let below = below_innermost(path, python_path);
    below.strip_suffix(".py").unwrap_or(below).replace('/', ".")
}
