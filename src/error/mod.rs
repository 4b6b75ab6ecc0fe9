//! How anything goes wrong.
//!
//! Two tiers. An [`Error`] ends the run (exit 2): it holds every [`Diagnostic`] that was found,
//! never just the first. A [`RunnableError`] fails one runnable, and its text becomes that
//! runnable's log.
//!
//! A failure is described once, as a [`Diagnostic`], by the code that knows the facts; nothing
//! is wrapped on its way up. Programming errors are `unreachable!` with a reason.

mod catalog;
mod diagnostic;
mod render;
mod suggest;
mod veil;

pub use catalog::Code;
pub use diagnostic::{Diagnostic, Located, Place, Source};
pub use render::{Severity, render};
pub use suggest::nearest;
pub use veil::veil_address;

/// What ends a run: one diagnostic or more.
#[derive(Debug, Clone)]
pub struct Error(Vec<Diagnostic>);

/// What fails one runnable and leaves the others alone.
#[derive(Debug, Clone)]
pub struct RunnableError(pub Box<Diagnostic>);

/// The result of a stage of the pipeline.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Everything that is wrong; `None` if nothing is.
    pub fn from_all(diagnostics: Vec<Diagnostic>) -> Option<Self> {
        (!diagnostics.is_empty()).then_some(Self(diagnostics))
    }

    /// The diagnostics, in the order in which the user should read them.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl From<Diagnostic> for RunnableError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(Box::new(diagnostic))
    }
}

impl From<RunnableError> for Error {
    fn from(error: RunnableError) -> Self {
        Self(vec![*error.0])
    }
}
