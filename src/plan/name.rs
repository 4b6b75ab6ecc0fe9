//! The name of a runnable: `COMMAND[@SPACE][#MODULE][?ARG=VAL]`. Pure.

use std::fmt;

/// A runnable's name, as `--ls` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunnableName(String);

impl RunnableName {
    /// The parts joined; `space` is given only where the project has more than one.
    pub fn new(command: &str, space: Option<&str>, module: Option<&str>) -> Self {
        let (at, space) = space.map_or(("", ""), |space| ("@", space));
        let (hash, module) = module.map_or(("", ""), |module| ("#", module));
        Self([command, at, space, hash, module].concat())
    }

    /// The name with an argument of the runnable.
    #[must_use]
    pub fn with_argument(mut self, name: &str, value: &str) -> Self {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        self.0.push(separator);
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(value);
        self
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for RunnableName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for RunnableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
