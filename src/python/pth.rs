//! `.pth` files: folders that Python looks into after the one that the file is in. Editable
//! installations are made of them.

use std::path::{Path, PathBuf};

use crate::sys::fs;

/// Bound of a `.pth` file; real ones have a few lines.
const PTH_BYTES_MAX: u64 = 1 << 20;

/// The folders that a `.pth` file names. Lines that are Python are not for us.
pub(super) fn folders(file: &Path) -> Vec<PathBuf> {
    let Ok(bytes) = fs::read_bounded(file, PTH_BYTES_MAX) else { return Vec::new() };
    let text = String::from_utf8_lossy(&bytes);
    let base = file.parent().unwrap_or(Path::new("/"));
    parse(&text).map(|line| base.join(line)).collect()
}

/// The lines that name folders.
fn parse(text: &str) -> impl Iterator<Item = &str> {
    let is_code = |line: &str| line.starts_with("import ") || line.starts_with("import\t");
    text.trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim_end)
        .filter(move |line| !line.is_empty() && !line.starts_with('#') && !is_code(line))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_are_folders_unless_they_are_code() {
        let text = "# comment\nimport sys; sys.path\n\n/src/app\n../near \nimportant\n";
        assert_eq!(parse(text).collect::<Vec<_>>(), ["/src/app", "../near", "important"]);
    }
}
