//! The trees of commits, read with libgit2.

use std::collections::BTreeMap;

use git2::{Error, Oid, Repository, Tree};

use super::file_set::{BlobId, FileMode};
use super::index::IndexSnapshot;
use super::known_trees::{self, KnownTree};
use super::repo::Commit;
use super::worktree::Content;

/// The mode of a folder in a tree.
const FOLDER: i32 = 0o040_000;

/// The mode of a symlink in a tree.
const SYMLINK: i32 = 0o120_000;

/// Folders deeper than this are left to git, which has a limit of its own.
const DEPTH_MAX: usize = 1000;

/// Symlinks followed on the way to one file; as many as Linux does.
const LINKS_MAX: usize = 40;

/// For each path in which a commit and the index differ, what the commit has there. No blob is
/// read; both sides are sorted alike, so that one pass is enough.
pub(super) fn differences(
    repository: &Repository,
    commit: &Commit,
    snapshot: &IndexSnapshot,
) -> Result<BTreeMap<Vec<u8>, Content>, Error> {
    let tree = repository.find_commit(commit.0.to_oid()?)?.tree()?;
    let mut comparison = Comparison {
        repository,
        snapshot,
        known_trees: known_trees::parse(snapshot.known_trees()),
        next: 0,
        path: Vec::new(),
        found: BTreeMap::new(),
    };
    if !comparison.passes_over(tree.id()) {
        comparison.folder(&tree, 0)?;
    }
    comparison.pass_until(|_| false);
    Ok(comparison.found)
}

struct Comparison<'a> {
    repository: &'a Repository,
    snapshot: &'a IndexSnapshot,
    known_trees: BTreeMap<Vec<u8>, KnownTree>,
    /// The first entry of the index that was not compared yet.
    next: u32,
    /// Where the walk is.
    path: Vec<u8>,
    found: BTreeMap<Vec<u8>, Content>,
}

impl Comparison<'_> {
    fn folder(&mut self, tree: &Tree<'_>, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(Error::from_str("the tree is too deep"));
        }
        for entry in tree {
            let length = self.path.len();
            self.path.extend_from_slice(entry.name_bytes());
            if entry.filemode_raw() == FOLDER {
                self.path.push(b'/');
                if !self.passes_over(entry.id()) {
                    self.folder(&self.repository.find_tree(entry.id())?, depth + 1)?;
                }
            } else {
                self.file(entry.filemode_raw(), entry.id())?;
            }
            self.path.truncate(length);
        }
        Ok(())
    }

    /// Passes over the folder that the walk is at if the index has it just as the tree.
    fn passes_over(&mut self, id: Oid) -> bool {
        let Some(known) = self.known_trees.get(&self.path).copied() else { return false };
        if known.id.as_bytes() != id.as_bytes() {
            return false;
        }
        let path = std::mem::take(&mut self.path);
        self.pass_until(|indexed| indexed >= &path[..]);
        let all = self.snapshot.all();
        let end = self.next.saturating_add(known.entry_count);
        let is_in =
            |entry: u32| all.contains(&entry) && self.snapshot.git_path(entry).starts_with(&path);
        // An id that is not of what lies there would hide a change.
        let is_all = known.entry_count > 0 && is_in(self.next) && is_in(end - 1) && !is_in(end);
        if is_all {
            self.next = end;
        }
        self.path = path;
        is_all
    }

    fn file(&mut self, mode: i32, id: Oid) -> Result<(), Error> {
        let path = std::mem::take(&mut self.path);
        self.pass_until(|indexed| indexed >= &path[..]);
        let mode = u32::try_from(mode).ok().and_then(FileMode::from_bits);
        let content = mode.zip(BlobId::from_bytes(id.as_bytes()));
        if content.is_none() {
            return Err(Error::from_str("the tree has an entry of an unknown kind"));
        }
        let is_indexed =
            self.snapshot.all().contains(&self.next) && self.snapshot.git_path(self.next) == path;
        let indexed = if is_indexed { self.indexed(self.next) } else { None };
        self.next += u32::from(is_indexed);
        if content != indexed {
            self.found.insert(path.clone(), content);
        }
        self.path = path;
        Ok(())
    }

    /// Passes over entries that the tree does not have.
    fn pass_until(&mut self, is_end: impl Fn(&[u8]) -> bool) {
        while self.snapshot.all().contains(&self.next) {
            let path = self.snapshot.git_path(self.next);
            if is_end(path) {
                return;
            }
            if self.indexed(self.next).is_some() {
                self.found.insert(path.to_vec(), None);
            }
            self.next += 1;
        }
    }

    /// What the index has; nothing where only the path is known.
    fn indexed(&self, entry: u32) -> Content {
        let entry = self.snapshot.entry(entry);
        (!entry.is_intent_to_add).then_some((entry.mode, entry.id))
    }
}

/// The content of a file at a commit, symlinks within it followed; `None` if there is none.
pub(super) fn file_at(
    repository: &Repository,
    commit: &Commit,
    path: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
    };
    let mut folders = vec![repository.find_commit(commit.0.to_oid()?)?.tree()?];
    let mut link_count = 0;
    let mut pending = parts(path);
    while let (Some(part), Some(folder)) = (pending.pop(), folders.last()) {
        match &part[..] {
            b"" | b"." => continue,
            b".." => {
                folders.pop();
                continue;
            }
            _ => {}
        }
        let entry = folder.get_name_bytes(&part).map(|entry| (entry.filemode_raw(), entry.id()));
        let Some((mode, id)) = entry else { return Ok(None) };
        match mode {
            FOLDER => folders.push(repository.find_tree(id)?),
            SYMLINK => {
                link_count += 1;
                let target = repository.find_blob(id)?;
                if link_count > LINKS_MAX || target.content().starts_with(b"/") {
                    return Ok(None);
                }
                pending.extend(parts(target.content()));
            }
            _ => {
                let is_file = mode & 0o170_000 == 0o100_000;
                if !is_file || !pending.is_empty() {
                    return Ok(None);
                }
                return Ok(Some(repository.find_blob(id)?.content().to_vec()));
            }
        }
    }
    Ok(None)
}
