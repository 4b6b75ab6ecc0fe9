//! Which environment the commands of a space run in. Pure.

use crate::config::{self, Text};

/// A virtual environment with inheritance followed.
#[derive(Debug, Clone)]
pub enum Venv {
    /// Whatever is active when qik starts; the files are deps of the space's commands.
    Active { files: Vec<Text> },
    /// One that uv makes, in `._qik/venv/SPACE`.
    Uv { space: String },
}

impl Venv {
    /// The environment of a space. `declared` is its own or the default one, already followed to
    /// the space that owns it.
    pub(super) fn new(declared: Option<&config::Venv>, owner: &str, has_uv: bool) -> Self {
        match declared {
            Some(config::Venv::Uv { .. }) => Self::Uv { space: owner.to_owned() },
            Some(config::Venv::Reqs(_)) if has_uv => Self::Uv { space: owner.to_owned() },
            Some(config::Venv::Reqs(reqs)) => Self::Active { files: reqs.clone() },
            Some(config::Venv::Active { reqs, lock }) => {
                Self::Active { files: reqs.iter().chain(lock).cloned().collect() }
            }
            Some(config::Venv::Space(_)) | None => Self::Active { files: Vec::new() },
        }
    }
}
