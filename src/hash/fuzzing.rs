//! Files of `load` deps as entry points of fuzzing. Pure.

use super::deps::parse;
use crate::git::Patterns;

/// A file that lists deps: it does, or there is a reason to be shown.
pub fn load(bytes: &[u8]) {
    match parse(bytes) {
        Ok(loaded) => drop(Patterns::parse(b"", loaded.globs.iter().map(String::as_str))),
        Err(reason) => assert!(!reason.is_empty()),
    }
}
