//! Paths of source files → the tree of modules. Pure.

use rustc_hash::FxHashMap;

use super::names::Names;

/// A module: a file, a folder, or both.
#[derive(Debug, Default, Clone)]
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) parent: Option<u32>,
    pub(super) children: Vec<u32>,
    /// Positions of the files that it is made of: `__init__` before others, stubs last.
    pub(super) files: Vec<u32>,
    /// It has an `__init__` file.
    pub(super) is_package: bool,
}

/// All modules below the Python path.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) branches: Vec<Branch>,
    parts: Names,
    by_name: FxHashMap<(Option<u32>, u32), u32>,
}

impl Tree {
    /// Adds a file by its path below one of the roots; what is no module's is left out.
    pub(super) fn add(&mut self, path: &str, file: u32) {
        let Some((stem, extension)) = path.rsplit_once('.') else { return };
        if !matches!(extension, "py" | "pyi") {
            return;
        }
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        let mut at = None;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            at = Some(self.enter(at, part));
        }
        let is_package = name == "__init__";
        let owner = if is_package { at } else { Some(self.enter(at, name)) };
        // An `__init__` above all packages is nobody's.
        let Some(owner) = owner else { return };
        let branch = &mut self.branches[owner as usize];
        branch.files.push(file);
        branch.is_package |= is_package;
    }

    pub(super) fn branch(&self, id: u32) -> &Branch {
        &self.branches[id as usize]
    }

    /// All modules at the top.
    pub(super) fn tops(&self) -> impl Iterator<Item = u32> {
        let ids = 0..u32::try_from(self.branches.len()).unwrap_or(u32::MAX);
        ids.filter(|id| self.branch(*id).parent.is_none())
    }

    fn enter(&mut self, parent: Option<u32>, name: &str) -> u32 {
        let key = (parent, self.parts.intern(name));
        if let Some(id) = self.by_name.get(&key) {
            return *id;
        }
        let id = u32::try_from(self.branches.len()).unwrap_or(u32::MAX);
        self.branches.push(Branch { name: name.to_owned(), parent, ..Branch::default() });
        if let Some(parent) = parent {
            self.branches[parent as usize].children.push(id);
        }
        self.by_name.insert(key, id);
        id
    }
}
