//! What a commit has otherwise than the index, and files of a commit: libgit2's answer, or git's.

use std::collections::BTreeMap;

use super::binary::{Git, failure};
use super::file_set::{BlobId, FileMode};
use super::index::IndexSnapshot;
use super::repo::{Commit, Repo};
use super::tree;
use super::worktree::Content;
use crate::error::{Code, Diagnostic};

/// For each path in which a commit and the index differ, what the commit has there.
pub(super) fn tree_differences(
    repo: &Repo,
    commit: &Commit,
    snapshot: &IndexSnapshot,
) -> Result<BTreeMap<Vec<u8>, Content>, Diagnostic> {
    let library = repo.library();
    match library.ask_history(|repository| tree::differences(repository, commit, snapshot)) {
        Some(differences) => Ok(differences),
        None => differences_by_git(repo.git(), commit),
    }
}

fn differences_by_git(
    git: &Git,
    commit: &Commit,
) -> Result<BTreeMap<Vec<u8>, Content>, Diagnostic> {
    let commit = commit.to_string();
    let listing = git.read(&[
        "diff-index",
        "--cached",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--no-ext-diff",
        "--ignore-submodules=none",
        &commit,
        "--",
    ])?;
    parse(&listing).ok_or_else(|| {
        Diagnostic::new(Code::GitFailed, "git lists differences in an unknown form")
            .hint("install git 2.25 or newer")
    })
}

/// `:MODE MODE ID ID STATUS\0PATH\0`, over and over.
pub(super) fn parse(listing: &[u8]) -> Option<BTreeMap<Vec<u8>, Content>> {
    let mut differences = BTreeMap::new();
    let mut fields = listing.split(|byte| *byte == 0);
    while let Some(head) = fields.next().filter(|head| !head.is_empty()) {
        let path = fields.next()?;
        let head = std::str::from_utf8(head).ok()?.strip_prefix(':')?;
        let words: Vec<&str> = head.split(' ').collect();
        let [mode, _, id, _, _] = words[..] else { return None };
        let mode = FileMode::from_bits(u32::from_str_radix(mode, 8).ok()?);
        let content = mode.zip(BlobId::from_hex(id));
        differences.insert(path.to_vec(), content);
    }
    Some(differences)
}

/// The content of a file at a commit.
pub(super) fn file_at(
    repo: &Repo,
    commit: &Commit,
    path: &[u8],
) -> Result<Option<Vec<u8>>, Diagnostic> {
    match repo.library().ask_history(|repository| tree::file_at(repository, commit, path)) {
        Some(content) => Ok(content),
        None => file_by_git(repo.git(), commit, path),
    }
}

fn file_by_git(git: &Git, commit: &Commit, path: &[u8]) -> Result<Option<Vec<u8>>, Diagnostic> {
    if path.contains(&b'\n') {
        // Its request would be two lines. No file that qik reads at a commit has such a name.
        return Ok(None);
    }
    let args = ["cat-file", "--batch", "--follow-symlinks"];
    let request = [commit.to_string().as_bytes(), b":", path, b"\n"].concat();
    let output = git.run(&args, &request)?;
    if !output.status.success() {
        return Err(failure(&args, &output));
    }
    Ok(parse_blob(&output.stdout))
}

/// `ID blob SIZE\nCONTENT\n`, or a line that says why not.
fn parse_blob(stdout: &[u8]) -> Option<Vec<u8>> {
    let end = stdout.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&stdout[..end]).ok()?;
    let words: Vec<&str> = head.split(' ').collect();
    let [id, "blob", size] = words[..] else { return None };
    BlobId::from_hex(id)?;
    stdout.get(end + 1..)?.get(..size.parse().ok()?).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_only_the_index_has_is_nothing_in_the_tree() {
        let id = "a".repeat(40);
        let none = "0".repeat(40);
        let listing =
            format!(":000000 100644 {none} {id} A\0new\0:100755 000000 {id} {none} D\0g o:n\ne\0");
        let parsed = parse(listing.as_bytes()).expect("a listing");
        assert_eq!(parsed[&b"new"[..]], None);
        let (mode, _) = parsed[&b"g o:n\ne"[..]].expect("a file");
        assert_eq!(mode, FileMode::Executable);
        assert_eq!(parse(b"garbage\0x\0"), None);
    }

    #[test]
    fn a_name_with_spaces_is_not_taken_for_a_blob() {
        assert_eq!(parse_blob(b"x:a blob 3 missing\n"), None);
        let found = format!("{} blob 3\nabc\n", "a".repeat(40));
        assert_eq!(parse_blob(found.as_bytes()), Some(b"abc".to_vec()));
    }
}
