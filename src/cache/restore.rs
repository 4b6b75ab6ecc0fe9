//! Artifacts back into the work tree, and never anywhere else, whoever wrote the manifest.
//!
//! Paths are checked first, all of them; then what is there is looked at; then everything that
//! is missing is copied, verified and made ready; only then is it moved into place. Each folder on
//! the way is opened by its name in the one above, and none through a symlink, so that nothing
//! that is swapped meanwhile leads out of the project. Files get the time of now: git tells by
//! it that they may have changed.

use super::artifacts::portable_mode;
use super::blobs::Blobs;
use super::collect::read_content;
use super::hit::Restored;
use super::memo::Session;
use super::staging::{Staged, Staging};
use super::{Artifact, ArtifactKind, Content, Manifest, Memo, reach};
use crate::error::{Code, Diagnostic};
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::sys::folder::{Folder, Kind, Missing, Walker};
use crate::sys::fs;

/// What a folder's owner has to be allowed while it is filled.
const FILLED_FOLDER: u32 = 0o700;

/// Which modes count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modes {
    Exact,
    /// Those that git keeps as one: for files that come with a checkout.
    Portable,
}

/// One restore.
#[derive(Debug)]
pub(super) struct Restore<'a> {
    pub(super) root: &'a AbsPath,
    pub(super) dirs: &'a WorkDirs,
    pub(super) manifest: &'a Manifest,
    pub(super) memo: Memo,
    pub(super) modes: Modes,
}

impl<'a> Restore<'a> {
    /// Does it, unless it would replace a file that is to be spared.
    pub(super) fn run(
        &self,
        is_spared: &dyn Fn(&ProjectPath) -> bool,
    ) -> Result<Restored, Diagnostic> {
        if self.manifest.artifacts.is_empty() {
            return Ok(Restored::Nothing);
        }
        let missing = self.find_missing()?;
        if missing.is_empty() {
            return Ok(Restored::Nothing);
        }
        let is_file = |path: &ProjectPath| {
            let stat = fs::stat(self.root.join(path.as_path()).as_path());
            stat.is_ok_and(|stat| stat.is_file())
        };
        let mut paths = missing.iter().map(|artifact| &artifact.path);
        if let Some(path) = paths.find(|path| is_file(path) && is_spared(path)) {
            return Ok(Restored::Spared(path.clone()));
        }
        let mut staging = Staging::new(self.dirs)?;
        let blobs = Blobs::new(self.dirs);
        let mut ready = Vec::with_capacity(missing.len());
        for artifact in missing {
            ready.push((artifact, stage(artifact, &blobs, &mut staging)?));
        }
        self.put(ready, &staging)?;
        Ok(Restored::Files)
    }

    /// Moves what is ready into place.
    fn put(
        &self,
        ready: Vec<(&Artifact, Option<Staged>)>,
        staging: &Staging,
    ) -> Result<(), Diagnostic> {
        let mut walker = Walker::new(self.root.as_path())?;
        let mut folders = Vec::new();
        for (artifact, staged) in ready {
            let (folder, name) = walker.parent(artifact.path.as_bytes(), Missing::Make)?;
            match (staged, &artifact.kind) {
                (Some(staged), _) => staging.put(&staged, folder, name)?,
                (None, ArtifactKind::Folder { mode: Some(mode) }) => {
                    folder.make_folder(name)?.set_mode(*mode | FILLED_FOLDER)?;
                    folders.push((&artifact.path, *mode));
                }
                (None, _) => folder.make_folder(name).map(drop)?,
            }
        }
        // What is in a folder may be all that its owner may still put there.
        folders.retain(|(_, mode)| mode & FILLED_FOLDER != FILLED_FOLDER);
        for (path, mode) in folders.into_iter().rev() {
            let (folder, name) = walker.parent(path.as_bytes(), Missing::Fail)?;
            folder.folder(name)?.set_mode(mode)?;
        }
        Ok(())
    }

    /// The artifacts that are not there as they should be; fails if one of them cannot be put
    /// there, or must not.
    pub(super) fn find_missing(&self) -> Result<Vec<&'a Artifact>, Diagnostic> {
        reach::check(self.manifest)?;
        let size = self.manifest.contents().map(|(_, content)| content.size);
        let mut session =
            self.memo.session(self.manifest.artifacts.len(), size.fold(0, u64::saturating_add));
        let mut walker = Walker::new(self.root.as_path())?;
        let mut missing = Vec::new();
        for artifact in &self.manifest.artifacts {
            let path = artifact.path.as_bytes();
            let is_there = match walker.parent(path, Missing::Fail) {
                Ok((folder, name)) => self.is_there(artifact, (folder, name), &mut session)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
                Err(error) => {
                    return Err(refusal(&artifact.path, "there is no way to its folder")
                        .because(error.to_string()));
                }
            };
            if !is_there {
                missing.push(artifact);
            }
        }
        session.finish();
        Ok(missing)
    }

    /// Whether an artifact is there already.
    fn is_there(
        &self,
        artifact: &Artifact,
        (folder, name): (&Folder, &[u8]),
        session: &mut Session<'_>,
    ) -> Result<bool, Diagnostic> {
        let Some(stat) = folder.stat(name)? else { return Ok(false) };
        let is_folder = matches!(artifact.kind, ArtifactKind::Folder { .. });
        if stat.kind == Kind::Folder && !is_folder {
            // An empty folder makes way.
            if folder.folder(name)?.list()?.is_empty() {
                return Ok(false);
            }
            return Err(refusal(&artifact.path, "a folder with files is in its place"));
        }
        Ok(match &artifact.kind {
            ArtifactKind::Folder { mode } if stat.kind == Kind::Folder => {
                mode.is_none_or(|mode| mode == stat.mode)
            }
            ArtifactKind::Folder { .. } => {
                return Err(refusal(&artifact.path, "something is in the folder's place"));
            }
            ArtifactKind::Symlink { target } => {
                stat.kind == Kind::Symlink && folder.link_target(name)? == *target
            }
            ArtifactKind::File { mode, content } => {
                let read = || read_content(folder, name);
                stat.kind == Kind::File
                    && stat.size == content.size
                    && self.modes.are_same(stat.mode, *mode)
                    // What cannot be read is not what it should be.
                    && session.content(&artifact.path, stat, read).is_ok_and(|it| it == *content)
            }
        })
    }
}

impl Modes {
    fn are_same(self, one: u32, two: u32) -> bool {
        match self {
            Self::Exact => one == two,
            Self::Portable => portable_mode(one) == portable_mode(two),
        }
    }
}

impl Artifact {
    /// The content of a file.
    pub(super) fn content(&self) -> Option<Content> {
        match self.kind {
            ArtifactKind::File { content, .. } => Some(content),
            ArtifactKind::Symlink { .. } | ArtifactKind::Folder { .. } => None,
        }
    }
}

/// Makes an artifact ready to be moved; folders need nothing.
fn stage(
    artifact: &Artifact,
    blobs: &Blobs,
    staging: &mut Staging,
) -> Result<Option<Staged>, Diagnostic> {
    match &artifact.kind {
        ArtifactKind::File { mode, content } => {
            staging.file(*mode, |file| blobs.copy(*content, file)).map(Some)
        }
        ArtifactKind::Symlink { target } => staging.link(target).map(Some),
        ArtifactKind::Folder { .. } => Ok(None),
    }
}

fn refusal(path: &ProjectPath, reason: &str) -> Diagnostic {
    let message = format!("the artifact `{path}` cannot be restored: {reason}");
    Diagnostic::new(Code::CacheFailed, message)
}
