//! Where files are until they are whole: a folder of its own per use, from which they are moved
//! into place. It vanishes when dropped; a crashed run's is swept by the next.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use crate::error::Diagnostic;
use crate::hash::Digest;
use crate::paths::{AbsPath, WorkDirs};
use crate::sys::fault::Filling;
use crate::sys::folder::{Folder, Kind};
use crate::sys::fs;
use crate::sys::unfinished::Unfinished;

/// A private folder of unfinished files.
#[derive(Debug)]
pub(super) struct Staging {
    folder: Folder,
    count: usize,
    // Dropped in this order: what is inside goes first.
    _guard: tempfile::TempDir,
    _unfinished: Unfinished,
    _elsewhere: Option<Elsewhere>,
}

/// A place below the root, for who has none below `._qik`.
#[derive(Debug)]
struct Elsewhere(AbsPath);

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // Unless another process has its own there.
        drop(fs::remove_empty_folder(self.0.as_path()));
    }
}

/// The name of something in a [`Staging`].
#[derive(Debug, Clone)]
pub(super) struct Staged(String);

impl Staging {
    /// A folder below `._qik`; where that cannot be written, one in the project root: the same
    /// file system as what will be written, most likely.
    pub(super) fn new(dirs: &WorkDirs) -> Result<Self, Diagnostic> {
        let private = super::prepare_private(dirs)
            .and_then(|()| Ok(fs::temporary_folder_in(&dirs.unfinished.folder()?)?));
        if let Ok(guard) = private {
            return Self::in_folder(guard, dirs.unfinished.clone(), None);
        }
        let elsewhere = Elsewhere(dirs.root.join(".qik-unfinished"));
        let unfinished = Unfinished::new(elsewhere.0.as_path());
        unfinished.sweep();
        let guard = fs::temporary_folder_in(&unfinished.folder()?)?;
        Self::in_folder(guard, unfinished, Some(elsewhere))
    }

    fn in_folder(
        guard: tempfile::TempDir,
        unfinished: Unfinished,
        elsewhere: Option<Elsewhere>,
    ) -> Result<Self, Diagnostic> {
        Ok(Self {
            folder: Folder::open(guard.path())?,
            count: 0,
            _guard: guard,
            _unfinished: unfinished,
            _elsewhere: elsewhere,
        })
    }

    fn next(&mut self) -> Staged {
        self.count += 1;
        Staged(self.count.to_string())
    }

    /// A file with this content and mode, both given once it is open.
    pub(super) fn file(
        &mut self,
        mode: u32,
        fill: impl FnOnce(&mut Filling<'_>) -> Result<(), Diagnostic>,
    ) -> Result<Staged, Diagnostic> {
        let staged = self.next();
        let mut created = self.folder.create_file(staged.0.as_bytes())?;
        let path = self.folder.path_of(staged.0.as_bytes());
        fill(&mut Filling { file: &mut created, path: &path })?;
        fs::verb("write", &path, created.set_permissions(Permissions::from_mode(mode)))?;
        Ok(staged)
    }

    /// A symlink.
    pub(super) fn link(&mut self, target: &[u8]) -> Result<Staged, Diagnostic> {
        let staged = self.next();
        self.folder.create_link(staged.0.as_bytes(), target)?;
        Ok(staged)
    }

    /// Moves something into place, over what is there; an empty folder makes way too.
    pub(super) fn put(
        &self,
        staged: &Staged,
        target: &Folder,
        target_name: &[u8],
    ) -> Result<(), Diagnostic> {
        if target.stat(target_name)?.is_some_and(|stat| stat.kind == Kind::Folder) {
            target.remove_empty_folder(target_name)?;
        }
        match self.folder.rename(staged.0.as_bytes(), target, target_name) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.carry_over(staged, target, target_name)
            }
            result => Ok(result?),
        }
    }

    /// As [`Staging::put`] where the target lies on another file system: by way of a copy beside
    /// it.
    fn carry_over(
        &self,
        staged: &Staged,
        target: &Folder,
        target_name: &[u8],
    ) -> Result<(), Diagnostic> {
        let source_name = staged.0.as_bytes();
        // The same name each time: who is killed here leaves it to who does it again.
        let name = Digest::of(target_name).to_hex();
        let beside = format!("{}qik-{}", fs::TEMPORARY_PREFIX, &name[..16]);
        let beside = beside.as_bytes();
        target.remove_file(beside)?;
        let copied = match self.folder.stat(source_name)? {
            Some(stat) if stat.kind == Kind::Symlink => {
                target.create_link(beside, &self.folder.link_target(source_name)?)
            }
            _ => self.copy(source_name, target, beside),
        };
        let result = copied.and_then(|()| target.rename(beside, target, target_name));
        if result.is_err() {
            // The first error is the one to tell.
            drop(target.remove_file(beside));
        }
        Ok(result?)
    }

    fn copy(&self, name: &[u8], target: &Folder, target_name: &[u8]) -> fs::Result<()> {
        let mut source = self.folder.file(name)?;
        let mut copy = target.create_file(target_name)?;
        let path = target.path_of(target_name);
        let copied = io::copy(&mut source, &mut Filling { file: &mut copy, path: &path })
            .and_then(|_| source.metadata())
            .and_then(|metadata| copy.set_permissions(metadata.permissions()));
        fs::verb("write", &path, copied)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn staging() -> (tempfile::TempDir, Staging, Folder) {
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::new(&WorkDirs::new(AbsPath::new(root.path()).unwrap())).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        (root, staging, folder)
    }

    fn stage(staging: &mut Staging) -> Staged {
        staging
            .file(0o751, |file| Ok(fs::verb("write", "x".as_ref(), file.write_all(b"new"))?))
            .unwrap()
    }

    #[test]
    fn another_file_system_is_reached_by_copying() {
        let (root, mut staging, folder) = staging();
        let (file, link) = (stage(&mut staging), staging.link(b"some/where").unwrap());
        staging.carry_over(&file, &folder, b"file").unwrap();
        staging.carry_over(&link, &folder, b"link").unwrap();
        assert_eq!(fs::read(&root.path().join("file")).unwrap(), b"new");
        assert_eq!(folder.stat(b"file").unwrap().unwrap().mode, 0o751);
        assert_eq!(folder.link_target(b"link").unwrap(), b"some/where");
        assert_eq!(folder.list().unwrap(), [&b"._qik"[..], b"file", b"link"]);
    }

    #[test]
    fn nothing_is_left_behind() {
        let (root, mut staging, folder) = staging();
        let file = stage(&mut staging);
        staging.put(&file, &folder, b"file").unwrap();
        stage(&mut staging);
        drop(staging);
        assert!(fs::list(&root.path().join("._qik/cache/tmp")).unwrap().is_empty());
    }

    #[test]
    fn a_full_folder_does_not_make_way() {
        let (root, mut staging, folder) = staging();
        fs::create_folder(&root.path().join("full/x")).unwrap();
        fs::create_folder(&root.path().join("empty")).unwrap();
        let file = stage(&mut staging);
        staging.put(&file, &folder, b"full").unwrap_err();
        staging.put(&file, &folder, b"empty").unwrap();
        assert_eq!(fs::read(&root.path().join("empty")).unwrap(), b"new");
    }
}
