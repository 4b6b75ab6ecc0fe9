//! Which results are kept. Pure.

use crate::config::CacheWhen;

/// Whether a result with this exit code is worth keeping.
///
/// One that a signal ended never is: it says nothing about the inputs.
pub fn is_worth_keeping(when: CacheWhen, code: i32, was_killed_by_signal: bool) -> bool {
    let is_covered = match when {
        CacheWhen::Success => code == 0,
        CacheWhen::Failed => code != 0,
        CacheWhen::Finished => true,
    };
    // An exit code is a byte: any other number is no exit code, and no entry could hold it.
    is_covered && !was_killed_by_signal && u8::try_from(code).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_worth_keeping;
    use crate::config::CacheWhen::{Failed, Finished, Success};

    #[test]
    fn each_policy_covers_its_codes() {
        let cases = [(Success, [true, false]), (Failed, [false, true]), (Finished, [true, true])];
        for (when, [success, failure]) in cases {
            assert_eq!(is_worth_keeping(when, 0, false), success, "{when:?}");
            assert_eq!(is_worth_keeping(when, 3, false), failure, "{when:?}");
        }
    }

    #[test]
    fn a_death_by_signal_is_never_kept() {
        for when in [Success, Failed, Finished] {
            assert!(!is_worth_keeping(when, 137, true), "{when:?}");
            assert!(!is_worth_keeping(when, -9, false), "{when:?}");
        }
    }
}
