//! What is hidden, cut anywhere.

use proptest::prelude::*;

use super::*;

fn veil(texts: &[&str]) -> Veil {
    let veil = Veil::default();
    for text in texts {
        veil.learn(text);
    }
    veil
}

#[track_caller]
fn check(secrets: &[&str], text: &str, expected: &str) {
    let veil = veil(secrets);
    assert_eq!(veil.hide_text(text), expected);
    for size in 1..=text.len().max(1) {
        assert_eq!(masked(&veil, text.as_bytes().chunks(size)), expected.as_bytes(), "{size}");
    }
}

fn masked<'b>(veil: &Veil, pieces: impl Iterator<Item = &'b [u8]>) -> Vec<u8> {
    let mut masker = Masker::new(veil);
    let mut shown: Vec<u8> = Vec::new();
    for piece in pieces {
        shown.extend_from_slice(&masker.push(piece));
    }
    shown.extend(masker.finish());
    shown
}

#[test]
fn a_secret_is_a_mask_wherever_it_is() {
    check(&["hush!"], "", "");
    check(&["hush!"], "hush", "hush");
    check(&["hush!"], "a hush! b hush!", "a *** b ***");
    check(&["hush!"], "hushush!hush", "hus***hush");
    check(&["hüsh"], "ühüshü", "ü***ü");
}

#[test]
fn secrets_that_overlap_or_touch_are_one_mask() {
    check(&["hush!"], "hush!hush!", "***");
    check(&["abcd", "abcdef"], "-abcdef-abcde-", "-***-***e-");
    check(&["abcdef", "cdefgh"], "abcdefgh abcdefg", "*** ***g");
    check(&["aaaa"], "aaaaaaa", "***");
    check(&["abbb", "bbaa"], "abbb", "***");
    check(&["xyz1", "abcxyz1def"], "abcxyz1de abcxyz1def", "abc***de ***");
}

#[test]
fn each_line_of_a_secret_is_one() {
    let key = "-----BEGIN-----\nline one\r\nx\n-----END-----\n";
    check(&[key], "> line one <", "> *** <");
    check(&[key], "-----BEGIN-----\nline one\r\nx\n-----END-----", "***");
    check(&[key], "x\n-----BEGIN-----\nx", "x\n***\nx");
}

#[test]
fn a_secret_in_json_is_one() {
    check(&["a\"b\\c"], r#"{"x": "a\"b\\c"}"#, r#"{"x": "***"}"#);
}

#[test]
fn what_is_too_short_is_shown() {
    check(&["", "abc", "  x \n\n"], "abc x", "abc x");
    assert!(veil(&["", "abc"]).is_empty());
}

#[test]
fn only_what_may_be_a_secret_is_held_back() {
    let veil = veil(&["hush!"]);
    let mut masker = Masker::new(&veil);
    assert_eq!(&*masker.push(b"name: "), b"name: ");
    assert_eq!(&*masker.push(b"hhus"), b"h");
    assert_eq!(&*masker.push(b"ky"), b"husky");
    assert_eq!(&*masker.push(b"hu"), b"");
    assert_eq!(masker.finish(), b"hu");
}

#[test]
fn a_secret_that_is_learnt_on_the_way_is_hidden_from_then_on() {
    let veil = Veil::default();
    let mut masker = Masker::new(&veil);
    assert_eq!(&*masker.push(b"hush!"), b"hush!");
    veil.learn("hush!");
    assert_eq!(&*masker.push(b"hush!"), b"***");
}

#[test]
fn a_secret_is_found_wherever_it_is_cut() {
    let veil = veil(&["hush!"]);
    for before in [0, 1, 65_533, 65_536, 200_000] {
        let text = "x".repeat(before) + "hush";
        assert!(!veil.is_in(&mut text.as_bytes()).unwrap());
        assert!(veil.is_in(&mut (text + "!yes").as_bytes()).unwrap());
    }
}

#[test]
fn a_veil_shows_nothing_of_itself() {
    assert!(!format!("{:?}", Masker::new(&veil(&["hush!"]))).contains("hush"));
}

/// Byte by byte: a byte is hidden if any secret covers it.
fn naive(secrets: &[String], text: &[u8]) -> Vec<u8> {
    let mut is_covered = vec![false; text.len()];
    for secret in secrets.iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN) {
        for at in 0..text.len() {
            if text[at..].starts_with(secret.as_bytes()) {
                is_covered[at..at + secret.len()].fill(true);
            }
        }
    }
    let mut shown = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match is_covered[at] {
            false => shown.push(*byte),
            true if at == 0 || !is_covered[at - 1] => shown.extend_from_slice(MASK),
            true => {}
        }
    }
    shown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_cut_lets_a_part_through(
        secrets in prop::collection::vec("[ab]{3,6}", 0..4),
        text in "[abc]{0,40}",
        cuts in prop::collection::vec(0..40_usize, 0..6),
    ) {
        let veil = Veil::default();
        for secret in &secrets {
            veil.learn(secret);
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]);
        let expected = naive(&secrets, text.as_bytes());
        prop_assert_eq!(masked(&veil, pieces), expected.clone());
        prop_assert_eq!(&*veil.hide(text.as_bytes()), expected);
    }
}
