//! What an entry is called in a bucket. Pure.

use crate::cache::{Key, slug};

/// The version of the archive: another one is another object, so that two versions of qik can
/// share a bucket.
const VERSION: u32 = 1;

/// `PREFIX/SLUG-DIGEST.v1.tar.zst`.
///
/// The slug is for people; the digest alone, in which the runnable's name is hashed too, says
/// what it is. All but the prefix is `[a-z0-9._-]`, which every store takes in a key, and at most
/// 176 bytes long.
pub(super) fn name(prefix: &str, key: Key<'_>) -> String {
    let slug: String = slug(key.runnable.as_str())
        .chars()
        .map(|c| if matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-') { c } else { '_' })
        .collect();
    let name = format!("{slug}-{}.v{VERSION}.tar.zst", key.digest);
    match prefix.trim_matches('/') {
        "" => name,
        prefix => format!("{prefix}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::Digest;
    use crate::plan::RunnableName;

    fn name_of(prefix: &str, runnable: &str) -> String {
        let runnable = RunnableName::from(runnable.to_owned());
        name(prefix, Key { runnable: &runnable, command: "x", digest: Digest::of(b"x") })
    }

    #[track_caller]
    fn check(prefix: &str, runnable: &str, start: &str) {
        let digest = Digest::of(b"x");
        assert_eq!(name_of(prefix, runnable), format!("{start}-{digest}.v1.tar.zst"));
    }

    #[test]
    fn the_runnable_can_be_read() {
        check("", "lint", "lint");
        check("team/one", "lint@default#web", "team/one/lint_default_web");
        check("/team/", "a.b", "team/a.b");
        check("//", "-x", "x_c604aed264effe8a");
    }

    proptest! {
        #[test]
        fn any_runnable_has_a_name_that_every_store_takes(runnable: String) {
            let name = name_of("", &runnable);
            prop_assert!(name.len() <= 176 && !name.starts_with(['.', '-']), "{}", name);
            let is_safe = |c: char| c.is_ascii_lowercase() || "0123456789._-".contains(c);
            prop_assert!(name.chars().all(is_safe), "{}", name);
        }
    }
}
