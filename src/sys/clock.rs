//! Time, asked for here alone.

use std::time::{Duration, Instant, SystemTime};

use super::{Sys, spawn};

/// A point of the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the one place that asks")]
pub fn instant() -> Instant {
    Instant::now()
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place that asks")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Nanoseconds since the epoch; 0 on a clock before it.
pub fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// How many seconds local time is ahead of Greenwich; 0 where the system does not tell.
///
/// `date` is asked, since the standard library knows no time zones and what `TZ` and
/// `/etc/localtime` mean is for the system to say.
pub fn local_offset(sys: &Sys) -> i64 {
    let output = spawn::command("date", sys.cwd.as_path(), &sys.env).arg("+%z").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok().and_then(|text| parse_offset(text.trim())).unwrap_or_default()
}

/// The seconds of `+0130`.
fn parse_offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = (digits.get(..2)?.parse::<u32>(), digits.get(2..4)?.parse::<u32>());
    Some(sign * (i64::from(hours.ok()?) * 60 + i64::from(minutes.ok()?)) * 60)
}

#[cfg(test)]
mod tests {
    use super::parse_offset;

    #[test]
    fn offsets_have_a_sign() {
        assert_eq!(parse_offset("+0000"), Some(0));
        assert_eq!(parse_offset("+0530"), Some(19_800));
        assert_eq!(parse_offset("-0330"), Some(-12_600));
        assert_eq!(parse_offset(""), None);
        assert_eq!(parse_offset("+ab"), None);
    }
}
