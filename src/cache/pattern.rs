//! Artifact patterns: globs relative to the project root, part by part. Pure.

use glob::MatchOptions;

use super::reach;
use crate::error::{Code, Diagnostic};

/// Wildcards do not match the dot of a hidden file, as in a shell; the pattern says it, or names
/// the folder.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// An artifact pattern that may be used.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Never empty, and never ends in [`Part::AnyDepth`].
    pub(super) parts: Vec<Part>,
    /// `out/` or `out/**`: means folders, and all below them.
    pub(super) is_folder_only: bool,
}

/// What lies between two slashes of a pattern.
#[derive(Debug)]
pub(super) enum Part {
    Literal(Vec<u8>),
    Wild(glob::Pattern),
    /// `**`: any number of folders, none of them hidden.
    AnyDepth,
}

impl Part {
    fn new(text: &str) -> Self {
        let text = collapse_stars(text);
        let is_wild = text.contains(['*', '?', '[']);
        // A bracket that is not closed is a bracket, as in a shell.
        match is_wild.then(|| glob::Pattern::new(&text)) {
            Some(Ok(pattern)) => Self::Wild(pattern),
            Some(Err(_)) | None => Self::Literal(text.into_bytes()),
        }
    }

    /// Whether a name matches. A name that is not UTF-8 is matched with a stand-in for what is
    /// not; it keeps its bytes.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::Wild(pattern) => pattern.matches_with(&String::from_utf8_lossy(name), OPTIONS),
            Self::AnyDepth => !name.starts_with(b"."),
        }
    }

    fn is_any_name(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Wild(pattern) => pattern.as_str() == "*",
            Self::AnyDepth => true,
        }
    }
}

/// Several stars within a name are one.
fn collapse_stars(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c == '*' && collapsed.ends_with('*')) {
            collapsed.push(c);
        }
    }
    collapsed
}

/// Whether a pattern can be one of artifacts, for whoever wants to know before the run.
pub fn check_pattern(pattern: &str) -> Result<(), Diagnostic> {
    Pattern::parse(pattern).map(|_| ())
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let refuse = |reason: &str| {
            let message = format!("the artifact pattern `{text}` {reason}");
            Err(Diagnostic::new(Code::PatternInvalid, message))
        };
        if text.starts_with('/') {
            return refuse("is absolute")
                .map_err(|it| it.hint("give it relative to the folder of `qik.toml`"));
        }
        if text.contains('\0') {
            return refuse("holds a NUL");
        }
        let texts = || text.split('/').filter(|part| !matches!(*part, "" | "."));
        if texts().any(|part| part == "..") {
            return refuse("leads out of its folder");
        }
        let mut parts = Vec::new();
        for part in texts() {
            // `**.bin` means what it means in deps: any depth.
            let (is_deep, rest) = match part.strip_prefix("**") {
                Some("") => (true, None),
                Some(rest) => (true, Some(format!("*{rest}"))),
                None => (false, Some(part.to_owned())),
            };
            if is_deep && !matches!(parts.last(), Some(Part::AnyDepth)) {
                parts.push(Part::AnyDepth);
            }
            parts.extend(rest.map(|rest| Part::new(&rest)));
        }
        let is_deep_end = matches!(parts.last(), Some(Part::AnyDepth));
        if parts.iter().all(Part::is_any_name) {
            return refuse("means the whole project")
                .map_err(|it| it.hint("name the files and folders that the command writes"));
        }
        if is_deep_end {
            parts.pop();
        }
        let pattern = Self { parts, is_folder_only: is_deep_end || text.ends_with('/') };
        if reach::is_reserved(&pattern.skeleton()) {
            return refuse("reaches into what belongs to git or to qik");
        }
        Ok(pattern)
    }

    /// The parts that hold no wildcard, joined; a wild part stands in as `*`, which is reserved
    /// for nobody.
    fn skeleton(&self) -> Vec<u8> {
        let part = |part: &Part| match part {
            Part::Literal(name) => name.clone(),
            Part::Wild(_) | Part::AnyDepth => b"*".to_vec(),
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join(&b'/')
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, check_pattern};

    #[track_caller]
    fn check(pattern: &str, expected: Option<&str>) {
        let message = check_pattern(pattern).err().map(|diagnostic| diagnostic.message);
        match expected {
            None => assert_eq!(message, None, "{pattern}"),
            Some(part) => assert!(message.clone().is_some_and(|m| m.contains(part)), "{message:?}"),
        }
    }

    #[test]
    fn patterns_within_the_project_are_fine() {
        for pattern in [
            "out",
            "out/",
            "./out/**",
            "out/**/*.bin",
            "*.bin",
            "**/*.bin",
            "**.bin",
            "[x",
            "a b",
            ".qik/artifacts/lock",
            "._qik/artifacts/a.lock/lock.json",
            ".gitignore",
            "a..b",
            "*/x",
        ] {
            check(pattern, None);
        }
    }

    #[test]
    fn patterns_that_lead_elsewhere_are_refused() {
        check("/etc/x", Some("is absolute"));
        for pattern in ["..", "../x", "a/../b", "out/.."] {
            check(pattern, Some("leads out"));
        }
        for pattern in ["", ".", "./", "**", "*", "**/*", "*/**"] {
            check(pattern, Some("whole project"));
        }
        for pattern in
            ["._qik/**", ".qik/cache", ".qik/cache/x", ".git", ".git/x", "a/.git/x", "**/.git/*"]
        {
            check(pattern, Some("belongs to git or to qik"));
        }
    }

    #[test]
    fn a_pattern_for_folders_is_known_as_such() {
        for (pattern, expected) in
            [("out", false), ("out/", true), ("out/**", true), ("out/**/**", true), ("**.x", false)]
        {
            assert_eq!(Pattern::parse(pattern).unwrap().is_folder_only, expected, "{pattern}");
        }
    }
}
