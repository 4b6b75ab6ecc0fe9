//! Which runnable of the run has made which artifact: two that claim one file must not put each
//! other's old versions back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::error::{Code, Diagnostic};
use crate::hash::ArtifactList;
use crate::plan::RunnableName;

/// By path: who has made or restored it in this run, and what it was then.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<BTreeMap<String, (RunnableName, String)>>);

/// A path that two runnables have made differently.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    path: String,
    other: RunnableName,
}

impl Conflict {
    /// What to say of it.
    pub(super) fn diagnostic(&self, name: &RunnableName) -> Diagnostic {
        let Self { path, other } = self;
        Diagnostic::new(
            Code::CacheFailed,
            format!("`{path}` is an artifact of {other} and of {name}, with different content"),
        )
        .because("what one of them has made would be replaced by what the other once saw")
        .hint("narrow their `artifacts`, so that each file has one maker")
    }
}

impl Owners {
    /// Notes that a runnable is about to bring these back, unless another one has made some of
    /// them differently.
    pub(super) fn claim(&self, name: &RunnableName, list: &ArtifactList) -> Result<(), Conflict> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let conflict = list.iter().find_map(|(path, what)| {
            let (other, made) = owners.get(path)?;
            (other != name && made != what)
                .then(|| Conflict { path: path.clone(), other: other.clone() })
        });
        if let Some(conflict) = conflict {
            return Err(conflict);
        }
        owners.extend(entries(name, list));
        Ok(())
    }

    /// Notes what a command has just made, whoever had it before.
    pub(super) fn take(&self, name: &RunnableName, list: &ArtifactList) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owners.extend(entries(name, list));
    }
}

fn entries(
    name: &RunnableName,
    list: &ArtifactList,
) -> impl Iterator<Item = (String, (RunnableName, String))> {
    list.iter().map(|(path, what)| (path.clone(), (name.clone(), what.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[(&str, &str)]) -> ArtifactList {
        items.iter().map(|(path, what)| ((*path).to_owned(), (*what).to_owned())).collect()
    }

    #[test]
    fn nobody_puts_back_what_another_has_made_anew() {
        let [one, two] = ["one", "two"].map(|name| RunnableName::from(name.to_owned()));
        let owners = Owners::default();
        owners.take(&one, &list(&[("a", "new")]));
        let conflict = owners.claim(&two, &list(&[("a", "old"), ("b", "x")])).unwrap_err();
        assert_eq!(conflict, Conflict { path: "a".to_owned(), other: one.clone() });
        assert_eq!(owners.claim(&two, &list(&[("a", "new"), ("b", "x")])), Ok(()));
        assert_eq!(owners.claim(&one, &list(&[("b", "y")])).unwrap_err().other, two);
    }
}
