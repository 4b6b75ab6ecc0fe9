//! The line of `.gitattributes` that marks the repo cache as generated and gives it its merge
//! driver.

use super::quote::c_quoted;
use crate::error::{Code, Diagnostic};
use crate::paths::AbsPath;
use crate::sys::fs;
use crate::sys::unfinished::Unfinished;

/// Adds the line for the project at `prefix` to the `.gitattributes` of the git root, unless one
/// for the same pattern with the merge driver is there. Returns whether it wrote.
pub fn ensure_attributes(
    repo_root: &AbsPath,
    prefix: &[u8],
    unfinished: &Unfinished,
) -> Result<bool, Diagnostic> {
    let path = repo_root.join(".gitattributes");
    if fs::stat(path.as_path()).is_ok_and(|meta| meta.is_symlink()) {
        return Err(Diagnostic::new(
            Code::GitFailed,
            "`.gitattributes` is a symlink, which git does not follow",
        )
        .hint("replace it with a file"));
    }
    let text = fs::optional(fs::read(path.as_path())).map_err(|error| error.diagnostic())?;
    let text = text.unwrap_or_default();
    let Some(text) = with_line(text, &pattern(prefix)) else { return Ok(false) };
    unfinished.write(path.as_path(), &text).map_err(|error| error.diagnostic())?;
    Ok(true)
}

/// The text with the line at its end, in its own style; `None` if it has the line.
pub(super) fn with_line(mut text: Vec<u8>, pattern: &[u8]) -> Option<Vec<u8>> {
    let is_ours = |line: &[u8]| {
        let attributes = line.trim_ascii().strip_prefix(pattern);
        attributes.is_some_and(|attributes| {
            let mut words = attributes.split(u8::is_ascii_whitespace);
            words.next() == Some(b"") && words.any(|word| word == b"merge=qik")
        })
    };
    if text.split(|byte| *byte == b'\n').any(is_ours) {
        return None;
    }
    let line_end: &[u8] = if text.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" };
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.extend(line_end);
    }
    text.extend([pattern, b" linguist-generated=true merge=qik", line_end].concat());
    Some(text)
}

/// `PREFIX/.qik/**/*`, wildcards in the prefix escaped, in quotes if it needs them.
pub(super) fn pattern(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::new();
    for &byte in prefix {
        let is_leading_mark = pattern.is_empty() && matches!(byte, b'#' | b'!');
        if is_leading_mark || matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    if !pattern.is_empty() {
        pattern.push(b'/');
    }
    pattern.extend(b".qik/**/*");
    let needs_quotes = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    if pattern.first() == Some(&b'"') || pattern.iter().any(needs_quotes) {
        return c_quoted(&pattern);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = ".qik/**/* linguist-generated=true merge=qik";

    #[track_caller]
    fn check(before: &str, after: Option<&str>) {
        let text = with_line(before.as_bytes().to_vec(), &pattern(b""));
        assert_eq!(text.as_deref().map(String::from_utf8_lossy), after.map(Into::into));
    }

    #[test]
    fn the_line_comes_last_and_once() {
        check("", Some(&format!("{PLAIN}\n")));
        check("* text=auto\n", Some(&format!("* text=auto\n{PLAIN}\n")));
        check(&format!("{PLAIN}\n* text=auto\n"), None);
        check(".qik/**/* merge=qik -diff", None);
    }

    #[test]
    fn a_like_line_is_another() {
        let other = "a.qik/**/* merge=qik\n.qik/**/*x merge=qik\n.qik/**/* -merge\n";
        check(other, Some(&format!("{other}{PLAIN}\n")));
    }

    #[test]
    fn line_ends_and_a_missing_last_one_are_respected() {
        check("a b\r\nc d", Some(&format!("a b\r\nc d\r\n{PLAIN}\r\n")));
        check("a b", Some(&format!("a b\n{PLAIN}\n")));
        check(&format!("x y\r\n{PLAIN}\r\n"), None);
    }

    #[test]
    fn odd_prefixes_are_escaped() {
        assert_eq!(pattern(b"a/b"), b"a/b/.qik/**/*");
        assert_eq!(pattern(b"a b"), b"\"a b/.qik/**/*\"");
        assert_eq!(pattern(b"#a[1]"), b"\\#a\\[1]/.qik/**/*");
    }
}
