//! Where something stands in a source file, as diagnostics show it.

use std::sync::Arc;

use super::graph::Graph;
use crate::error::{Code, Diagnostic, Place, Source};
use crate::paths::AbsPath;
use crate::sys::fs;

/// A larger file is not shown.
const SHOWN_BYTES_MAX: u64 = 4 << 20;

/// A place in a file, its path relative to the root; `None` if the file cannot be shown.
pub fn place_in(root: &AbsPath, path: &str, (line, column): (u32, u32)) -> Option<Place> {
    let bytes = fs::read_bounded(root.join(path).as_path(), SHOWN_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let line = (line as usize).checked_sub(1)?;
    let begin = match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line - 1)?.0 + 1,
    };
    let rest = text.get(begin..)?;
    let rest = rest.split('\n').next().unwrap_or(rest);
    let offset = rest.char_indices().nth((column as usize).saturating_sub(1));
    let start = begin + offset.map_or(rest.len(), |(offset, _)| offset);
    let word = text[start..begin + rest.len()].trim_end().len().max(1);
    let end = (start + word).min(text.len()).max(start);
    let name = path.to_owned();
    Some(Place { source: Arc::new(Source { name, text }), span: start..end })
}

/// What is wrong with a source file, by the number of the fault.
pub fn fault_diagnostic(
    graph: &Graph,
    fault: usize,
    (root, path): (&AbsPath, &dyn Fn(u32) -> String),
) -> Option<Diagnostic> {
    let fault = graph.faults.get(fault)?;
    let path = path(fault.file);
    let module = graph.name(super::ModuleId(fault.module));
    let message = format!("`{path}:{}:{}` cannot be read as Python", fault.line, fault.column);
    let diagnostic = Diagnostic::new(Code::SourceInvalid, message)
        .because(lower(&fault.message))
        .hint(format!("`{module}` has to be right for its imports to be known"));
    let place = place_in(root, &path, (fault.line, fault.column));
    Some(match place {
        Some(place) => diagnostic.at(&place),
        None => diagnostic,
    })
}

/// The parser's words as ours begin. What they quote from the file may be meant for a terminal.
fn lower(message: &str) -> String {
    let message = message.replace(char::is_control, "\u{fffd}");
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn the_parser_speaks_as_we_do() {
        assert_eq!(lower("Expected an expression."), "expected an expression");
        assert_eq!(lower("Got unexpected token \x1b"), "got unexpected token \u{fffd}");
    }
}
