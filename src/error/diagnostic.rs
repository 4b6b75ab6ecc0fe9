//! What the user can read about a failure, as data: no styling, no I/O.

use std::ops::Range;
use std::sync::Arc;

use super::Code;

/// One thing that is wrong: what, where, why, and the way out.
///
/// Texts are lower case, in the present tense, without a final period, with the user's own words
/// in backticks. The message says what is wrong, not what qik was doing; a hint is a thing to
/// type or to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub message: String,
    pub place: Option<Place>,
    pub causes: Vec<String>,
    pub hints: Vec<String>,
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub source: Arc<Source>,
    /// Byte offsets into the source's text.
    pub span: Range<usize>,
}

/// A file's text under the name that the user knows it by.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as shown to the user: relative to the project root.
    pub name: String,
    pub text: String,
}

/// A value together with the place where the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    pub value: T,
    pub place: Place,
}

impl<T> Located<T> {
    /// The same place with another value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: convert(self.value), place: self.place }
    }
}

impl Diagnostic {
    /// A diagnostic with a message; the rest is added by the methods below.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, causes: Vec::new(), hints: Vec::new() }
    }

    /// Where the user wrote it.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// What lies beneath, most direct cause first.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// A thing to type or to change.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A hint, if there is none yet.
    #[must_use]
    pub fn or_hint(self, hint: &str) -> Self {
        if self.hints.is_empty() { self.hint(hint) } else { self }
    }

    /// A hint at the name that was probably meant, if one is near.
    #[must_use]
    pub fn did_you_mean<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match super::nearest(word, candidates) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}
