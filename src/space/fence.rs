//! What the Python modules of a space may import, with the fences of other spaces followed. Pure.

use std::collections::BTreeSet;

use super::module::{Module, strip_folder};
use crate::config::{self, Declarations, Fence};
use crate::error::Place;

/// A part of a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceItem {
    /// The dotted path relative to the Python path; empty for all of it.
    pub pyimport: String,
    /// Where the fence names it; `None` for a module of the space, which may have no Python.
    pub place: Option<Place>,
}

/// The fence of a space, each item once; `None` if it has none.
pub(super) fn resolve_fence(
    declarations: &Declarations,
    space: &str,
    python_path: &str,
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
            let pyimport = Module::new(module, name, python_path).pyimport;
            items.push(FenceItem { pyimport, place: None });
        }
        let Some(Fence::Items(declared)) = &space.fence else { continue };
        for item in declared {
            match item {
                config::FenceItem::Space(text) => spaces.push(&text.value),
                config::FenceItem::Path(text) => items.push(FenceItem {
                    pyimport: pyimport(declarations, &text.value, python_path),
                    place: Some(text.place.clone()),
                }),
            }
        }
    }
    items.sort_by(|one, two| one.pyimport.cmp(&two.pyimport));
    items.dedup_by(|one, two| one.pyimport == two.pyimport);
    Some(items)
}

/// A path, or the name of a module, as a dotted path.
fn pyimport(declarations: &Declarations, text: &str, python_path: &str) -> String {
    let named = declarations.modules().find(|(_, module)| module.name.value == text);
    if let Some((space, module)) = named {
        return Module::new(module, space, python_path).pyimport;
    }
    let below = strip_folder(text, python_path).unwrap_or(text);
    let below = below.strip_suffix(".py").unwrap_or(below);
    if below == "." { String::new() } else { below.replace('/', ".") }
}
