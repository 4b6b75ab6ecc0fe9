//! Refs: which commit a name stands for.

use git2::ErrorCode;

use super::binary::Git;
use super::file_set::BlobId;
use super::repo::{Commit, Repo};
use crate::error::{Code, Diagnostic, Result};
use crate::sys::fs;

/// What a name stands for, if for anything.
type Found = Option<BlobId>;

impl Repo {
    /// The commit that `REF` names, or for `REF...` its merge base with `HEAD`.
    ///
    /// # Errors
    /// A ref that git does not know, or two without a common ancestor.
    pub fn resolve(&self, reference: &str) -> Result<Commit> {
        let Some((left, right)) = reference.split_once("...") else {
            return Ok(self.resolve_one(reference)?);
        };
        let or_head = |side: &str| self.resolve_one(if side.is_empty() { "HEAD" } else { side });
        let (left, right) = (or_head(left)?, or_head(right)?);
        let base = self.merge_base(&left, &right)?;
        Ok(base.map(Commit).ok_or_else(|| self.no_merge_base(reference))?)
    }

    fn resolve_one(&self, reference: &str) -> Result<Commit, Diagnostic> {
        // No ref can begin with a dash, so nothing is lost by not asking for one that does.
        if reference.is_empty() || reference.starts_with('-') || reference.contains('\0') {
            return Err(self.ref_not_found(reference));
        }
        let commit = match self.find_with_library(reference) {
            Some(Some(commit)) => Some(commit),
            // git knows more names; without it, what libgit2 does not know is not there.
            Some(None) => find_with_git(self.git(), reference).unwrap_or(None),
            None => find_with_git(self.git(), reference)?,
        };
        commit.map(Commit).ok_or_else(|| self.ref_not_found(reference))
    }

    /// `None` if libgit2 does not read the name as git does, or cannot read the repository.
    fn find_with_library(&self, reference: &str) -> Option<Found> {
        // It has other regular expressions, and dates in reflogs are a language of git's own.
        if reference.contains([':', '{']) {
            return None;
        }
        self.library().ask_history(|repository| {
            let object = match repository.revparse_single(reference) {
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
                object => object?,
            };
            Ok(BlobId::from_bytes(object.peel_to_commit()?.id().as_bytes()))
        })
    }

    fn merge_base(&self, left: &Commit, right: &Commit) -> Result<Found, Diagnostic> {
        let answer = self.library().ask_history(|repository| {
            let (left, right) = (left.0.to_oid()?, right.0.to_oid()?);
            match repository.merge_base(left, right) {
                Ok(base) => Ok(BlobId::from_bytes(base.as_bytes())),
                Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        });
        if let Some(base) = answer {
            return Ok(base);
        }
        let output = self.git().run(&["merge-base", &left.to_string(), &right.to_string()], b"")?;
        Ok(output.status.success().then(|| parse_id(&output.stdout)).flatten())
    }

    fn ref_not_found(&self, reference: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            Code::RefNotFound,
            format!("git knows no commit by the name `{reference}`"),
        );
        if reference == "HEAD" {
            return diagnostic.hint("commit something first: this branch has no commit yet");
        }
        diagnostic.did_you_mean(reference, self.ref_names().iter().map(String::as_str))
    }

    /// Branches and tags by their short names.
    fn ref_names(&self) -> Vec<String> {
        let names = self.library().ask(|repository| {
            let references = repository.references()?.filter_map(std::result::Result::ok);
            let names = references.filter_map(|found| found.shorthand().map(str::to_owned).ok());
            Ok(names.collect())
        });
        names.unwrap_or_else(|| {
            let listing = self.git().read(&["for-each-ref", "--format=%(refname:short)"]);
            let listing = String::from_utf8(listing.unwrap_or_default()).unwrap_or_default();
            listing.lines().map(str::to_owned).collect()
        })
    }

    fn no_merge_base(&self, reference: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            Code::RefNotFound,
            format!("the two sides of `{reference}` have no common ancestor"),
        );
        if fs::stat(self.common_dir().join("shallow").as_path()).is_ok() {
            return diagnostic.hint("fetch more of the history: `git fetch --unshallow`");
        }
        diagnostic
    }
}

fn find_with_git(git: &Git, reference: &str) -> Result<Found, Diagnostic> {
    let verify = |name: &str| -> Result<Found, Diagnostic> {
        let output = git.run(&["rev-parse", "--quiet", "--verify", name], b"")?;
        Ok(output.status.success().then(|| parse_id(&output.stdout)).flatten())
    };
    match verify(reference)? {
        Some(object) => verify(&format!("{object}^{{commit}}")),
        None => Ok(None),
    }
}

/// The id on git's only line of output.
pub(super) fn parse_id(stdout: &[u8]) -> Found {
    BlobId::from_hex(std::str::from_utf8(stdout).ok()?.trim_end())
}
