//! Sizes as people write them: `10 GiB`, `500MB`. Pure.

/// Units by their lower-case name; a bare letter is the binary unit, as in `du -h`.
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tib", 1 << 40),
];

/// The bytes of a size; `None` if the text is none, or too large.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_lowercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().ok()?;
    // Six digits of a fraction are more than anybody types, and stay within 64 bits.
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<u64>().ok()?.checked_mul(*factor)? / scale;
    whole.checked_mul(*factor)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("10 GiB", 10 << 30),
            ("500MB", 500_000_000),
            ("1.5 KiB", 1536),
            ("0", 0),
            ("42 b", 42),
            (" 2g ", 2 << 30),
            ("0.1234567 MB", 123_456),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "GiB", "ten", "-1", "1 parsec", "1..2", ".5 GB", "1.", "99999999 TiB"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }
}
