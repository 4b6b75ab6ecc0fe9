//! A module: a folder that commands are parametrized over. Pure.

use crate::config;

/// A declared module with the values of its template fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    /// The folder, relative to the project root.
    pub dir: String,
    /// The dotted path relative to the innermost folder of the Python path that holds it.
    pub pyimport: String,
}

impl Module {
    /// The module of a declaration. `python_path` is relative to the project root.
    pub(super) fn new(declared: &config::Module, python_path: &[&str]) -> Self {
        let dir = declared.path.value.trim_end_matches('/').to_owned();
        Self {
            name: declared.name.value.clone(),
            pyimport: below_innermost(&dir, python_path).replace('/', "."),
            dir,
        }
    }

    /// Whether a word is the module's name with dots for slashes.
    pub(super) fn is_dotted(&self, word: &str) -> bool {
        self.name.replace('/', ".") == word
    }
}

/// What is left of a path below the innermost folder of the Python path that holds it; all of it
/// if none does.
pub(super) fn below_innermost<'a>(path: &'a str, python_path: &[&str]) -> &'a str {
    let below = python_path.iter().filter_map(|root| strip_folder(path, root));
    // A folder of the Python path has a name if it is in another one.
    below.min_by_key(|rest| (rest.is_empty(), rest.len())).unwrap_or(path)
}

/// What is left of a path below a folder; `.` and the empty folder hold everything.
pub(super) fn strip_folder<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    if matches!(folder, "" | ".") {
        return Some(path);
    }
    match path.strip_prefix(folder)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::{below_innermost, strip_folder};

    #[test]
    fn a_folder_is_no_prefix_of_a_longer_name() {
        assert_eq!(strip_folder("apps/one-more", "apps/one"), None);
        assert_eq!(strip_folder("apps/one/x", "apps/one"), Some("x"));
        assert_eq!(strip_folder("apps/one", "apps/one/"), Some(""));
        assert_eq!(strip_folder("a/b", "."), Some("a/b"));
    }

    #[test]
    fn the_innermost_folder_counts() {
        assert_eq!(below_innermost("libs/src/x", &["libs", "libs/src", "."]), "x");
        assert_eq!(below_innermost("libs/src", &["libs", "libs/src"]), "src");
        assert_eq!(below_innermost("libs/src", &["libs/src"]), "");
        assert_eq!(below_innermost("web/x", &["libs", "libs/src"]), "web/x");
        assert_eq!(below_innermost("web/x", &[]), "web/x");
    }
}
