//! Which of a parser's complaints are worth reading, and where they belong. Pure.

use std::ops::Range;

use toml::de::Error;

/// Syntax errors that are shown of one file: those after them are most often their echo.
const ERRORS_MAX: usize = 10;

/// An error that is worth reading.
#[derive(Debug)]
pub(super) struct SyntaxError<'e> {
    pub(super) message: &'e str,
    pub(super) span: Range<usize>,
    /// What it makes of the text around it cannot be trusted.
    pub(super) torn: Range<usize>,
}

/// One error for a line, and none behind a bracket that is not closed: that one is shown where it
/// opens, for the parser notices it only where something else begins, and in several ways.
pub(super) fn without_echoes<'e>(text: &str, errors: &'e [Error]) -> Vec<SyntaxError<'e>> {
    let mut kept: Vec<SyntaxError<'_>> = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or_default();
        let opening =
            if is_unclosed(error) { find_unclosed(text.as_bytes(), span.start) } else { None };
        if let Some(opening) = opening {
            kept.retain(|earlier| earlier.torn.end <= opening);
            let torn = opening..text.len() + 1;
            kept.push(SyntaxError { message: error.message(), span: opening..opening + 1, torn });
            break;
        }
        let torn = torn_of(text, span.start);
        if kept.len() < ERRORS_MAX && !kept.iter().any(|earlier| earlier.torn.contains(&span.start))
        {
            kept.push(SyntaxError { message: error.message(), span, torn });
        }
    }
    kept
}

/// The line of an error; where that is the header of a table, all that is in the table too, for
/// it is taken to be in the one before.
fn torn_of(text: &str, at: usize) -> Range<usize> {
    let line = line_of(text, at);
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let end = line.end.min(text.len());
    if !is_header(&text[line.start..end]) {
        return line;
    }
    let mut next = end;
    for line in text[end..].split_inclusive('\n').take_while(|line| !is_header(line)) {
        next += line.len();
    }
    line.start..next.max(line.end)
}

/// The line of an offset, with its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| at + end);
    start..end + 1
}

fn is_unclosed(error: &Error) -> bool {
    let message = error.message();
    message.starts_with("unclosed inline table") || message.starts_with("unclosed array")
}

/// The bracket that is open where `end` is, or that something before it closes wrongly.
fn find_unclosed(text: &[u8], end: usize) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = 0;
    while at < end.min(text.len()) {
        match text[at] {
            b'#' => at += text[at..].iter().position(|b| *b == b'\n').unwrap_or(text.len() - at),
            b'"' | b'\'' => at = string_end(text, at),
            b'[' | b'{' => {
                open.push(at);
                at += 1;
            }
            closing @ (b']' | b'}') => {
                let opening = open.pop()?;
                if text[opening] + 2 != closing {
                    return Some(opening);
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    open.pop()
}

/// Where the string that begins at an offset has ended.
fn string_end(text: &[u8], start: usize) -> usize {
    let quote = text[start];
    let is_long = text[start..].starts_with(&[quote; 3]);
    let mut at = start + if is_long { 3 } else { 1 };
    while at < text.len() {
        match text[at] {
            b'\\' if quote == b'"' => at += 2,
            b'\n' if !is_long => return at,
            byte if byte == quote && !is_long => return at + 1,
            byte if byte == quote && text[at..].starts_with(&[quote; 3]) => return at + 3,
            _ => at += 1,
        }
    }
    text.len()
}
