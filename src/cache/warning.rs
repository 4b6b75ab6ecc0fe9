//! What a user is told when a cache does not do what it is there for. Pure.

use crate::error::{Code, Diagnostic};
use crate::plan::RunnableName;

/// A stored result is of no use; the command runs.
pub(super) fn unusable(runnable: &RunnableName, cause: &Diagnostic) -> Diagnostic {
    because(format!("the cached result of `{runnable}` cannot be used"), cause)
}

/// A result was not stored; the next run has it to do again.
pub(super) fn not_stored(runnable: &RunnableName, cause: &Diagnostic) -> Diagnostic {
    because(format!("the result of `{runnable}` is not cached"), cause)
}

/// The bound of the cache is not kept.
pub(super) fn not_evicted(cause: &Diagnostic) -> Diagnostic {
    because("the cache cannot be made smaller".to_owned(), cause)
}

/// Another version of qik wrote what would be overwritten.
pub(super) fn foreign(path: &str) -> Diagnostic {
    Diagnostic::new(Code::CacheFailed, format!("`{path}` is of another version of qik"))
        .hint("use the same version of qik everywhere, or remove the file")
}

fn because(message: String, cause: &Diagnostic) -> Diagnostic {
    Diagnostic {
        message,
        code: Code::CacheFailed,
        place: None,
        causes: [cause.message.clone()].into_iter().chain(cause.causes.iter().cloned()).collect(),
        hints: cause.hints.clone(),
    }
}
