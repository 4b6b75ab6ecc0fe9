//! The name that was probably meant.

/// The candidate nearest to a word, if it is near enough to be a slip of the fingers.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase().replace('_', "-");
    let length = folded.chars().count();
    let slips_max = (length / 3).max(1);
    // Each letter too many is a slip, which is seen sooner than how many there are in all.
    let is_as_long = |it: &&str| it.chars().count().abs_diff(length) <= slips_max;
    candidates
        .into_iter()
        .filter(is_as_long)
        .map(|candidate| {
            let other = candidate.to_lowercase().replace('_', "-");
            (strsim::damerau_levenshtein(&folded, &other), candidate)
        })
        .filter(|(slips, _)| *slips <= slips_max)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found() {
        assert_eq!(nearest("lnit", ["lint", "test"]), Some("lint"));
        assert_eq!(nearest("cache_when", ["cache", "cache-when"]), Some("cache-when"));
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(nearest("deploy", ["lint", "test"]), None);
        assert_eq!(nearest("ab", ["xy"]), None);
    }
}
