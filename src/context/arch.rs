//! The machine's architecture in the words of `{ctx.qik.arch}`. Pure.

use std::ffi::OsStr;

use crate::sys::Env;

/// The architecture that the program was built for, unless `QIK__ARCH` says another.
pub fn arch(env: &Env) -> String {
    let given = env.get(OsStr::new("QIK__ARCH")).and_then(|value| value.to_str());
    let is_little = cfg!(target_endian = "little");
    given
        .filter(|given| !given.is_empty())
        .unwrap_or_else(|| word(std::env::consts::OS, std::env::consts::ARCH, is_little))
        .to_owned()
}

/// The word for a system and a processor as Rust names them.
fn word(system: &str, processor: &str, is_little_endian: bool) -> &'static str {
    let is_wide = processor == "s390x" || processor.contains("64");
    match (system, processor) {
        ("windows", _) if is_wide => "win-64",
        ("windows", _) => "win-32",
        ("linux", "x86_64") => "linux-64",
        ("linux", "aarch64") => "linux-aarch64",
        ("linux", "powerpc64") if is_little_endian => "linux-ppc64le",
        ("linux", _) if !is_wide => "linux-32",
        ("macos", "aarch64") => "osx-arm64",
        ("macos", "x86_64") => "osx-64",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_the_words_of_old() {
        for (system, processor, expected) in [
            ("linux", "x86_64", "linux-64"),
            ("linux", "aarch64", "linux-aarch64"),
            ("linux", "powerpc64", "linux-ppc64le"),
            ("linux", "x86", "linux-32"),
            ("linux", "riscv64", "unknown"),
            ("macos", "aarch64", "osx-arm64"),
            ("macos", "x86_64", "osx-64"),
            ("windows", "x86_64", "win-64"),
            ("windows", "x86", "win-32"),
            ("freebsd", "x86_64", "unknown"),
        ] {
            assert_eq!(word(system, processor, true), expected, "{system} {processor}");
        }
        assert_eq!(word("linux", "powerpc64", false), "unknown");
    }

    #[test]
    fn the_environment_overrides_the_machine() {
        let env = |value: &str| Env::from([("QIK__ARCH".into(), value.into())]);
        assert_eq!(arch(&env("custom_arch")), "custom_arch");
        assert_eq!(arch(&env("")), arch(&Env::new()));
    }
}
