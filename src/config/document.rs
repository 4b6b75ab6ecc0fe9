//! A file's bytes as a tree of TOML with places, and what is wrong with them. Pure.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::syntax;
use crate::error::{Code, Diagnostic, Place, Source};

/// A value of the tree.
pub(super) type Node<'t> = Spanned<DeValue<'t>>;
/// A table of the tree.
pub(super) type Table<'t> = DeTable<'t>;

/// A key of the tree.
pub(super) type Key<'t> = Spanned<Cow<'t, str>>;

/// Bytes above which a file is no configuration.
pub(super) const FILE_BYTES_MAX: usize = 16 << 20;

/// A file's text, or what is wrong with its bytes.
pub(super) fn read_source(name: &str, bytes: Vec<u8>) -> Result<Arc<Source>, Diagnostic> {
    if bytes.len() > FILE_BYTES_MAX {
        let limit = FILE_BYTES_MAX >> 20;
        let message = format!("`{name}` is larger than {limit} MiB");
        return Err(Diagnostic::new(Code::ConfigInvalid, message));
    }
    match String::from_utf8(bytes) {
        // As in Python's TOML: a checkout with other line ends runs the same commands.
        Ok(text) => {
            let text = if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text };
            Ok(Arc::new(Source { name: name.to_owned(), text }))
        }
        Err(error) => {
            // Up to the bad byte, the repaired text is the file's own: its offset holds for both.
            let start = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let source = Arc::new(Source { name: name.to_owned(), text });
            let place =
                Place { source, span: start..start + char::REPLACEMENT_CHARACTER.len_utf8() };
            let message = format!("`{name}` is not valid UTF-8");
            Err(Diagnostic::new(Code::ConfigInvalid, message).at(&place))
        }
    }
}

/// A file's tree, as much of it as can be made out.
#[derive(Debug)]
pub(super) struct Document<'s> {
    pub(super) table: Table<'s>,
    /// Its syntax errors.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Where the tree is not what the user meant.
    torn: Vec<Range<usize>>,
}

impl<'s> Document<'s> {
    pub(super) fn parse(source: &'s Arc<Source>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut diagnostics = Vec::new();
        let mut torn = Vec::new();
        for error in syntax::without_echoes(&source.text, &errors) {
            let span = visible(&source.text, error.span);
            let place = Place { source: Arc::clone(source), span };
            let message = format!("`{}` is not valid TOML: {}", source.name, error.message);
            diagnostics.push(Diagnostic::new(Code::ConfigInvalid, message).at(&place));
            torn.push(error.torn);
        }
        Self { table: table.into_inner(), diagnostics, torn }
    }

    /// Whether names may be missing that the user has written.
    pub(super) fn is_torn(&self) -> bool {
        !self.torn.is_empty()
    }

    /// The syntax errors, and of what was noted in the tree all that is not their echo.
    pub(super) fn join(mut self, noted: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let torn = std::mem::take(&mut self.torn);
        self.diagnostics.extend(noted.into_iter().filter(|diagnostic| {
            let start = diagnostic.place.as_ref().map_or(0, |place| place.span.start);
            !torn.iter().any(|torn| torn.contains(&start))
        }));
        self.diagnostics
    }
}

/// Widens an empty span to a character of the same line, so that there is something to point at.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    if !span.is_empty() {
        return span;
    }
    let start = text.floor_char_boundary(span.start.min(text.len()));
    match text[start..].chars().next() {
        Some(next) if next != '\n' && next != '\r' => start..start + next.len_utf8(),
        Some(_) | None => start..start,
    }
}
