//! Names of distributions, and what the names of their metadata say. Pure.

/// A distribution's name as PEP 503 compares it: lower case, `-` for runs of `-`, `_` and `.`.
pub fn normalized(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_lowercase());
    }
    normal
}

/// Name and version in the stem of a metadata folder's name: `name-1.2`, for eggs `name-1.2-py3.9`.
/// Without a version, `name` alone.
pub(super) fn split_stem(stem: &str) -> (&str, Option<&str>) {
    let begins_version =
        |(at, _): &(usize, &str)| stem[at + 1..].starts_with(|first: char| first.is_ascii_digit());
    let Some((at, _)) = stem.match_indices('-').find(begins_version) else { return (stem, None) };
    let version = stem[at + 1..].split('-').next();
    (&stem[..at], version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_any_spelling() {
        for name in ["my-linter", "My_Linter", "my.linter", "my--linter", "MY-._LINTER"] {
            assert_eq!(normalized(name), "my-linter");
        }
    }

    #[test]
    fn stems_hold_name_and_version() {
        assert_eq!(split_stem("flask-3.0.2"), ("flask", Some("3.0.2")));
        assert_eq!(split_stem("PyYAML-6.0-py3.11"), ("PyYAML", Some("6.0")));
        assert_eq!(split_stem("torch-2.4.0+cu121"), ("torch", Some("2.4.0+cu121")));
        assert_eq!(split_stem("old-style-name-1.0"), ("old-style-name", Some("1.0")));
        assert_eq!(split_stem("bare"), ("bare", None));
        assert_eq!(split_stem("bare-name"), ("bare-name", None));
    }
}
