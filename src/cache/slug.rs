//! A name → the name of a file: injective, readable, short. Pure.

/// Longest file name that is made; leaves room for an extension below every file system's 255.
const LENGTH_BYTES_MAX: usize = 100;

/// Digits of the digest that keeps apart what sanitising makes equal: 64 bits.
const DIGIT_COUNT: usize = 16;

/// The file name of a name. A plain one, of `[a-z0-9._@#=-]` and not starting with `.` or `-`,
/// stays as it is; any other is made plain, followed by `~` and a digest of it. `~` is in no
/// plain name, and upper case in none at all, so that names that differ in case alone have
/// files of their own on every file system.
pub fn slug(name: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'@' | b'#' | b'=' | b'-');
    let starts_plain = !name.is_empty() && !name.starts_with(['.', '-']);
    if starts_plain && name.len() <= LENGTH_BYTES_MAX && name.bytes().all(is_plain) {
        return name.to_owned();
    }
    let readable: String = name
        .bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .map(|byte| if is_plain(byte) { char::from(byte) } else { '_' })
        .take(LENGTH_BYTES_MAX - DIGIT_COUNT - 2)
        .collect();
    let readable = readable.trim_start_matches(['.', '-']);
    let digits = blake3::hash(name.as_bytes()).to_hex();
    // `~` never comes first: a shell would take it for a home folder.
    let readable = if readable.is_empty() { "_" } else { readable };
    format!("{readable}~{}", &digits[..DIGIT_COUNT])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::slug;

    #[test]
    fn a_plain_name_stays_as_it_is() {
        for name in ["lint", "lint#web", "test@two#a.b", "x=1", "a_b"] {
            assert_eq!(slug(name), name);
        }
    }

    #[test]
    fn names_that_look_alike_have_files_of_their_own() {
        let long = "x".repeat(300);
        let longer = "x".repeat(301);
        let names = [
            "a.b", "a-b", "a/b", "a_b", "é", "ü", "A", "a", "", ".", "..", "-x", "a b", "a\0b",
            "~", &long, &longer,
        ];
        let slugs: BTreeSet<String> = names.iter().map(|name| slug(name).to_lowercase()).collect();
        assert_eq!(slugs.len(), names.len(), "{slugs:?}");
    }

    #[test]
    fn the_file_name_can_still_be_read() {
        assert!(slug("web/Lint").starts_with("web_lint~"), "{}", slug("web/Lint"));
    }

    proptest! {
        #[test]
        fn distinct_names_have_distinct_slugs(one: String, two: String) {
            prop_assert_eq!(one == two, slug(&one) == slug(&two));
        }

        #[test]
        fn a_slug_is_a_safe_file_name(name: String) {
            let slug = slug(&name);
            prop_assert!(!slug.is_empty() && slug.len() <= 100, "{}", slug);
            prop_assert!(!slug.starts_with(['.', '-', '~']), "{}", slug);
            let is_safe = |c: char| c.is_ascii_lowercase() || "0123456789._@#=-~".contains(c);
            prop_assert!(slug.chars().all(is_safe), "{}", slug);
        }
    }
}
