//! Spaces that refer to each other in a circle, by venv, constraint or fence. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::braces;
use super::schema::{Constraint, Declarations, Fence, FenceItem, Space, Text, Venv};
use crate::error::{Code, Diagnostic};

/// Every circle, at the place of the reference that closes it.
pub(super) fn find(declarations: &Declarations) -> Vec<Diagnostic> {
    let default = declarations.defaults.venv.as_ref();
    let inherits = |_: &str, space| inherited(own_or(space, default));
    let constrains = |_: &str, space| constraining(own_or(space, default));
    let mut diagnostics = Vec::new();
    for (what, code, references) in [
        ("virtual environments", Code::CircularVenv, References::find(declarations, inherits)),
        ("constraints", Code::CircularConstraint, References::find(declarations, constrains)),
        ("fences", Code::CircularFence, References::find(declarations, fenced)),
    ] {
        diagnostics.extend(references.circles().into_iter().map(|(path, text)| {
            let message = format!("spaces have each other's {what}: {}", path.join(" -> "));
            Diagnostic::new(code, message).at(&text.place).hint("let one of them have its own")
        }));
    }
    diagnostics
}

fn own_or<'d>(space: &'d Space, default: Option<&'d Venv>) -> Option<&'d Venv> {
    space.venv.as_ref().or(default)
}

fn inherited(venv: Option<&Venv>) -> Vec<&Text> {
    match venv {
        Some(Venv::Space(name)) => vec![name],
        Some(Venv::Reqs(_) | Venv::Active { .. } | Venv::Uv { .. }) | None => Vec::new(),
    }
}

fn constraining(venv: Option<&Venv>) -> Vec<&Text> {
    match venv {
        Some(Venv::Uv { constraint: Some(Constraint::Space(name)), .. }) => vec![name],
        Some(_) | None => Vec::new(),
    }
}

/// A space in its own fence adds nothing to it, and is fine.
fn fenced<'d>(name: &str, space: &'d Space) -> Vec<&'d Text> {
    let Some(Fence::Items(items)) = &space.fence else { return Vec::new() };
    let spaces = items.iter().filter_map(|item| match item {
        FenceItem::Space(space) => Some(space),
        FenceItem::Path(_) => None,
    });
    spaces.filter(|text| text.value != name).collect()
}

/// The spaces that each space refers to, with the texts in which it does.
struct References<'d>(BTreeMap<&'d str, Vec<(&'d str, &'d Text)>>);

impl<'d> References<'d> {
    fn find(
        declarations: &'d Declarations,
        of_space: impl Fn(&str, &'d Space) -> Vec<&'d Text>,
    ) -> Self {
        let spaces = &declarations.spaces;
        // Templates are not followed: what they name shows when they are rendered.
        let known = |text: &'d Text| {
            let name = braces::as_literal(&text.value)?;
            spaces.get_key_value(name.as_ref()).map(|(name, _)| (name.as_str(), text))
        };
        let references = |(name, space): (&'d String, &'d Space)| {
            let texts = of_space(name, space);
            (name.as_str(), texts.into_iter().filter_map(known).collect())
        };
        Self(spaces.iter().map(references).collect())
    }

    /// Each circle as a path that ends where it began, with the text that closes it.
    fn circles(&self) -> Vec<(Vec<&'d str>, &'d Text)> {
        let mut circles = Vec::new();
        let mut done = BTreeSet::new();
        for start in self.0.keys() {
            self.walk(start, &mut done, &mut circles);
        }
        circles
    }

    /// Depth first, without recursion. `trail` holds each space on the way with the number of its
    /// references that were followed.
    fn walk(
        &self,
        start: &'d str,
        done: &mut BTreeSet<&'d str>,
        circles: &mut Vec<(Vec<&'d str>, &'d Text)>,
    ) {
        let mut trail: Vec<(&'d str, usize)> = Vec::new();
        if !done.contains(start) {
            trail.push((start, 0));
        }
        while let Some((space, followed)) = trail.last_mut() {
            let Some((target, text)) = self.0.get(space).and_then(|all| all.get(*followed)) else {
                done.insert(*space);
                trail.pop();
                continue;
            };
            *followed += 1;
            if let Some(begin) = trail.iter().position(|(space, _)| space == target) {
                let names = trail[begin..].iter().map(|(space, _)| *space);
                circles.push((names.chain([*target]).collect(), text));
            } else if !done.contains(target) {
                trail.push((target, 0));
            }
        }
    }
}
