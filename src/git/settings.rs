//! The few settings of git that say what a difference in stat data means.

use super::binary::{Git, failure};
use crate::error::Diagnostic;

/// The settings that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "git's settings are independent of each other")]
pub(super) struct Settings {
    /// `core.fileMode`: whether the executable bit on disk means anything.
    pub(super) has_file_mode: bool,
    /// `core.symlinks`: whether symlinks are checked out as such.
    pub(super) has_symlinks: bool,
    /// `core.trustCTime`.
    pub(super) trusts_ctime: bool,
    /// `core.checkStat = minimal`: only size and whole seconds of modification count.
    pub(super) is_minimal: bool,
    /// `core.sparseCheckout`.
    pub(super) is_sparse: bool,
    /// `index.sparse`: folders left out may be one entry each.
    pub(super) has_sparse_index: bool,
}

impl Settings {
    /// Asks git, once for all of them.
    pub(super) fn load(git: &Git) -> Result<Self, Diagnostic> {
        let args = ["config", "-z", "--get-regexp", r"^(core\.|index\.sparse$)"];
        let output = git.run(&args, b"")?;
        // 1: not a single one is set.
        match output.status.code() {
            Some(0 | 1) => Ok(Self::parse(&output.stdout)),
            _ => Err(failure(&args, &output)),
        }
    }

    /// `NAME\nVALUE\0` each, the later one winning; a name without a value is true.
    fn parse(listing: &[u8]) -> Self {
        let mut settings = Self {
            has_file_mode: true,
            has_symlinks: true,
            trusts_ctime: true,
            is_minimal: false,
            is_sparse: false,
            has_sparse_index: false,
        };
        for item in listing.split(|byte| *byte == 0) {
            let item = String::from_utf8_lossy(item).to_ascii_lowercase();
            let (name, value) = item.split_once('\n').unwrap_or((&item, "true"));
            let is_true = !matches!(value.trim(), "" | "false" | "no" | "off" | "0");
            match name {
                "core.filemode" => settings.has_file_mode = is_true,
                "core.symlinks" => settings.has_symlinks = is_true,
                "core.trustctime" => settings.trusts_ctime = is_true,
                "core.checkstat" => settings.is_minimal = value == "minimal",
                "index.sparse" => settings.has_sparse_index = is_true,
                "core.sparsecheckout" => settings.is_sparse = is_true,
                _ => {}
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_last_value_counts() {
        let settings = Settings::parse(b"core.filemode\ntrue\0core.filemode\nfalse\0core.bare\0");
        assert!(!settings.has_file_mode);
        assert!(settings.trusts_ctime);
        assert!(Settings::parse(b"core.checkstat\nminimal\0core.sparsecheckout\0").is_minimal);
        assert!(Settings::parse(b"core.sparsecheckout\0").is_sparse);
    }
}
