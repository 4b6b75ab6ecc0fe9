//! Which names there can be. Pure.

use crate::error::{Code, Diagnostic};

/// Characters that part a runnable's name: `COMMAND[@SPACE][#MODULE][?ARG=VAL]`.
const COMMAND_MARKS: &[char] = &['#', '?', '@'];
/// An `@` is fine in a module, as in `packages/@scope/name`: it stands behind the `#`.
const MODULE_MARKS: &[char] = &['#', '?'];

/// What is wrong with a command's own name. Dots and slashes are fine.
pub(super) fn check_command(name: &str) -> Option<Diagnostic> {
    check("command", name, COMMAND_MARKS).or_else(|| check_parts("command", name))
}

/// What is wrong with a module's name.
pub(super) fn check_module(name: &str) -> Option<Diagnostic> {
    check("module", name, MODULE_MARKS)
}

/// What is wrong with a space's name.
pub(super) fn check_space(name: &str) -> Option<Diagnostic> {
    check("space", name, COMMAND_MARKS).or_else(|| check_parts("space", name))
}

/// What is wrong with a plugin's name.
pub(super) fn check_plugin(name: &str) -> Option<Diagnostic> {
    check("plugin", name, COMMAND_MARKS).or_else(|| check_parts("plugin", name))
}

/// What is wrong with the name of a cache.
pub(super) fn check_cache(name: &str) -> Option<Diagnostic> {
    if super::resolve::BUILT_IN_CACHES.contains(&name) {
        let message = format!("a cache cannot be named `{name}`: that one is built in");
        return Some(Diagnostic::new(Code::NameInvalid, message));
    }
    check("cache", name, &[])
}

/// What is wrong with the name of a context variable, which stands in `{ctx.NAME}`.
pub(super) fn check_var(name: &str) -> Option<Diagnostic> {
    check("variable", name, &['.', '{', '}', '='])
}

fn check(kind: &str, name: &str, marks: &[char]) -> Option<Diagnostic> {
    if name.is_empty() {
        return Some(Diagnostic::new(Code::NameInvalid, format!("a {kind} has an empty name")));
    }
    if name.chars().any(char::is_control) {
        let message =
            format!("the name of the {kind} `{}` has a control character", name.escape_debug());
        return Some(Diagnostic::new(Code::NameInvalid, message));
    }
    let mark = name.chars().find(|c| marks.contains(c))?;
    let message = format!("the name of the {kind} `{name}` has a `{mark}`");
    Some(Diagnostic::new(Code::NameInvalid, message).hint(format!("leave the `{mark}` out")))
}

/// Names become folders: each part between slashes must be able to.
fn check_parts(kind: &str, name: &str) -> Option<Diagnostic> {
    let part = name.split('/').find(|part| matches!(*part, "" | "." | ".."))?;
    let message = if part.is_empty() {
        format!("the name of the {kind} `{name}` has nothing on one side of a slash")
    } else {
        format!("the name of the {kind} `{name}` cannot have the part `{part}`")
    };
    Some(Diagnostic::new(Code::NameInvalid, message))
}
