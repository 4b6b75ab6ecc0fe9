//! Diagnostics as text: the source line with carets, causes, hints, and where to read more.

use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::Diagnostic;
use super::veil::veil;

/// Where `docs/errors.md` is read by users.
const MORE: &str = "docs/errors.md";

/// How a diagnostic is headed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something could not be done.
    Error,
    /// qik does something else instead.
    Warning,
}

/// The text of a diagnostic, ending in a line feed; styled with ANSI codes, which
/// [`anstream`] strips where they are not wanted.
pub fn render(diagnostic: &Diagnostic, severity: Severity) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id());
    let mut group = Group::with_title(title);
    if let Some(place) = &diagnostic.place {
        let span = clamp(&place.source.text, &place.span);
        group = group.element(
            Snippet::source(veil(&place.source.text))
                .path(place.source.name.as_str())
                .annotation(AnnotationKind::Primary.span(span)),
        );
    }
    let mut text = Renderer::styled().decor_style(DecorStyle::Ascii).render(&[group]).clone();
    text.push('\n');
    for cause in &diagnostic.causes {
        push_note(&mut text, "because", cause);
    }
    for hint in &diagnostic.hints {
        push_note(&mut text, "hint", hint);
    }
    if severity == Severity::Error {
        push_note(&mut text, "more", &format!("{MORE}#{}", diagnostic.code.id()));
    }
    text
}

/// One line under the message; further lines of the note are indented below it.
fn push_note(text: &mut String, label: &str, note: &str) {
    let style = anstyle::AnsiColor::Cyan.on_default();
    let note = note.trim_end().replace('\n', "\n  ");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{style}{label}:{style:#} {note}");
}

/// A span that surely lies within the text, on character boundaries.
fn clamp(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.floor_char_boundary(span.end.clamp(start, text.len()));
    start..end
}
