//! The few settings of git that say what a difference in stat data or content means.

use git2::{Config, ErrorCode};

use super::binary::{Git, failure};
use crate::error::Diagnostic;

/// The settings that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// `core.autoCRLF`: whether line ends are converted without any attribute.
    pub(super) converts_line_ends: bool,
    /// `core.attributesFile`, as it is written.
    pub(super) attributes_file: Option<Vec<u8>>,
    /// `attr.tree`: attributes are those of a tree.
    pub(super) has_attribute_tree: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            has_file_mode: true,
            has_symlinks: true,
            trusts_ctime: true,
            is_minimal: false,
            is_sparse: false,
            has_sparse_index: false,
            converts_line_ends: false,
            attributes_file: None,
            has_attribute_tree: false,
        }
    }
}

impl Settings {
    /// From a snapshot of the configuration; an error if a value is none of its kind.
    pub(super) fn read(config: &Config) -> Result<Self, git2::Error> {
        let default = Self::default();
        let is_true = |name, default| -> Result<bool, git2::Error> {
            Ok(optional(config.get_bool(name))?.unwrap_or(default))
        };
        let bytes = |name| optional(config.get_bytes(name));
        Ok(Self {
            has_file_mode: is_true("core.filemode", default.has_file_mode)?,
            has_symlinks: is_true("core.symlinks", default.has_symlinks)?,
            trusts_ctime: is_true("core.trustctime", default.trusts_ctime)?,
            is_minimal: bytes("core.checkstat")?
                .is_some_and(|value| value.eq_ignore_ascii_case(b"minimal")),
            is_sparse: is_true("core.sparsecheckout", default.is_sparse)?,
            has_sparse_index: is_true("index.sparse", default.has_sparse_index)?,
            // `input` is no boolean, and converts as well.
            converts_line_ends: is_true("core.autocrlf", false).unwrap_or(true),
            attributes_file: bytes("core.attributesfile")?.map(<[u8]>::to_vec),
            has_attribute_tree: bytes("attr.tree")?.is_some(),
        })
    }

    /// Asks git, once for all of them.
    pub(super) fn ask(git: &Git) -> Result<Self, Diagnostic> {
        let names = r"^(core\.|index\.sparse$|attr\.tree$)";
        let args = ["config", "-z", "--get-regexp", names];
        let output = git.run(&args, b"")?;
        // 1: not a single one is set.
        match output.status.code() {
            Some(0 | 1) => Ok(Self::parse(&output.stdout)),
            _ => Err(failure(&args, &output)),
        }
    }

    /// `NAME\nVALUE\0` each, the later one winning; a name without a value is true.
    pub(super) fn parse(listing: &[u8]) -> Self {
        let mut settings = Self::default();
        for item in listing.split(|byte| *byte == 0) {
            let name_length = item.iter().position(|byte| *byte == b'\n').unwrap_or(item.len());
            let (name, value) = item.split_at(name_length);
            let value = value.get(1..).unwrap_or(b"true");
            let word = value.trim_ascii().to_ascii_lowercase();
            let is_true = !matches!(&word[..], b"" | b"false" | b"no" | b"off" | b"0");
            match &name.to_ascii_lowercase()[..] {
                b"core.filemode" => settings.has_file_mode = is_true,
                b"core.symlinks" => settings.has_symlinks = is_true,
                b"core.trustctime" => settings.trusts_ctime = is_true,
                b"core.checkstat" => settings.is_minimal = word == b"minimal",
                b"core.sparsecheckout" => settings.is_sparse = is_true,
                b"core.autocrlf" => settings.converts_line_ends = is_true,
                b"core.attributesfile" => settings.attributes_file = Some(value.to_vec()),
                b"index.sparse" => settings.has_sparse_index = is_true,
                b"attr.tree" => settings.has_attribute_tree = true,
                _ => {}
            }
        }
        settings
    }
}

/// A setting that is not there is none.
fn optional<T>(value: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
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
