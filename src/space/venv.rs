//! Which environment the commands of a space run in. Pure.

use crate::config::{self, Constraint, Text};

/// A virtual environment with inheritance followed.
#[derive(Debug, Clone)]
pub enum Venv {
    /// Whatever is active when qik starts; the files are deps of the space's commands.
    Active { files: Vec<Text> },
    /// One that uv makes, in `._qik/venv/SPACE`.
    Uv(UvVenv),
}

/// A virtual environment that uv makes.
#[derive(Debug, Clone)]
pub struct UvVenv {
    /// The space that declares it; others may inherit it.
    pub space: String,
    pub reqs: Vec<Text>,
    /// Where its lock is to be; `None` leaves that to qik.
    pub lock: Option<Text>,
    pub constraint: Option<Constraint>,
    pub python: Option<Text>,
}

impl Venv {
    /// The environment of a space. `declared` is its own or the default one, already followed to
    /// the space that owns it.
    pub(super) fn new(declared: Option<&config::Venv>, owner: &str, has_uv: bool) -> Self {
        let uv = |reqs: &Vec<Text>| UvVenv {
            space: owner.to_owned(),
            reqs: reqs.clone(),
            lock: None,
            constraint: None,
            python: None,
        };
        match declared {
            Some(config::Venv::Uv { reqs, lock, constraint, python }) => Self::Uv(UvVenv {
                lock: lock.clone(),
                constraint: constraint.clone(),
                python: python.clone(),
                ..uv(reqs)
            }),
            Some(config::Venv::Reqs(reqs)) if has_uv => Self::Uv(uv(reqs)),
            Some(config::Venv::Reqs(reqs)) => Self::Active { files: reqs.clone() },
            Some(config::Venv::Active { reqs, lock }) => {
                Self::Active { files: reqs.iter().chain(lock).cloned().collect() }
            }
            Some(config::Venv::Space(_)) | None => Self::Active { files: Vec::new() },
        }
    }
}
