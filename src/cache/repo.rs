//! The cache in `.qik/cache`, meant to be committed: of each runnable the most recent result.
//!
//! `.qik/cache/COMMAND/RUNNABLE.json` holds the entry with its whole fingerprint, a line per
//! file, and `RUNNABLE.out` the log. The same inputs give the same bytes: no times, and modes as
//! git keeps them. Artifacts are not copied in, they are committed themselves; but each result is
//! stored in the local cache too, from which they come back.
//!
//! Whoever can change the committed files can change what is replayed: an altered log does not fit
//! its entry, but an altered entry is for a review to find.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::{DeserializeOwned, IgnoredAny};

use super::entry::{self, ENTRY_BYTES_MAX, Entry, Layout, Unusable};
use super::hit::{Hit, LogPlace, with_plain_line_ends};
use super::staging::Staging;
use super::{
    ArtifactKind, Content, Key, Local, Lookup, Manifest, Miss, NewEntry, Store, reach, slug,
    warning,
};
use crate::error::{Code, Diagnostic};
use crate::hash::Document;
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::plan::RunnableName;
use crate::sys::folder::{Folder, Kind, Missing, Walker};
use crate::sys::fs;

/// What to do with new files, so that the next commit has them; gives what there is to warn of.
pub type Publish = Box<dyn Fn(&[Publication]) -> Vec<Diagnostic> + Send + Sync>;

/// The files of a result that was stored or replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The entry and its log.
    pub files: [ProjectPath; 2],
    pub artifacts: Vec<ProjectPath>,
    /// It was stored by this run. Of one that was not all has been published with its files,
    /// unless they were not either.
    pub is_new: bool,
}

/// The mode of the files: they are read by everybody who has the checkout.
const MODE: u32 = 0o644;

/// The committed cache of a project.
pub struct Shared {
    dirs: Arc<WorkDirs>,
    local: Arc<Local>,
    publish: Publish,
    unpublished: Mutex<BTreeMap<RunnableName, Publication>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("dirs", &self.dirs).finish_non_exhaustive()
    }
}

impl Shared {
    /// That of a project. `publish` is called once at the end, with all results.
    pub fn new(dirs: &WorkDirs, local: Arc<Local>, publish: Publish) -> Self {
        Self { dirs: Arc::new(dirs.clone()), local, publish, unpublished: Mutex::default() }
    }

    /// The entry of a runnable; `None` if there is none. Its fingerprint is read only by who
    /// asks for it.
    fn load<F: DeserializeOwned>(
        &self,
        runnable: &RunnableName,
        command: &str,
    ) -> Result<Option<Entry<F>>, Diagnostic> {
        let path = path_of(runnable, command, "json");
        let damaged = |cause: &str| {
            Diagnostic::new(Code::CacheFailed, format!("`{path}` is damaged")).because(cause)
        };
        let Some(bytes) = fs::optional(self.read(&path))? else { return Ok(None) };
        if bytes.len() as u64 > ENTRY_BYTES_MAX {
            return Err(damaged("it is larger than it may be"));
        }
        match Entry::parse(&bytes) {
            Ok(entry) if entry.runnable != runnable.as_str() => {
                Err(damaged("it is the entry of something else"))
            }
            Ok(entry) => Ok(Some(entry)),
            Err(Unusable::Foreign) => Ok(None),
            Err(Unusable::Damaged(cause)) => Err(damaged(&cause)),
        }
    }

    fn read(&self, path: &ProjectPath) -> fs::Result<Vec<u8>> {
        let mut walker = Walker::new(self.dirs.root.as_path())?;
        let (folder, name) = walker.parent(path.as_bytes(), Missing::Fail)?;
        let mut bytes = Vec::new();
        let read = folder.file(name)?.take(ENTRY_BYTES_MAX + 1).read_to_end(&mut bytes);
        fs::verb("read", &folder.path_of(name), read)?;
        // A checkout may have other line ends; an entry of ours has no carriage return.
        Ok(with_plain_line_ends(bytes))
    }

    /// The hit of a key, if what was committed is complete.
    fn find(&self, key: Key<'_>) -> Result<Option<Hit>, Diagnostic> {
        let Some(entry) = self.load::<IgnoredAny>(key.runnable, key.command)? else {
            return Ok(None);
        };
        if entry.digest != key.digest {
            return Ok(None);
        }
        let log_path = path_of(key.runnable, key.command, "out");
        let log = self.dirs.root.join(log_path.as_path());
        if !could_hold(&log, entry.log)? {
            return Err(Diagnostic::new(
                Code::CacheFailed,
                format!("`{log_path}` does not hold what the command wrote"),
            ));
        }
        let hit = Hit::new(&self.dirs, key.runnable, entry, LogPlace::File(log));
        // A clone where the artifacts were not committed has never had the result.
        Ok(hit.is_restorable(&self.dirs.root)?.then_some(hit))
    }

    fn store_committed(&self, key: Key<'_>, new: &mut NewEntry<'_>) -> Result<(), Diagnostic> {
        reach::check(new.artifacts)?;
        let entry_path = path_of(key.runnable, key.command, "json");
        let log_path = path_of(key.runnable, key.command, "out");
        if self.read(&entry_path).is_ok_and(|bytes| entry::is_foreign(&bytes)) {
            return Err(warning::foreign(&entry_path.to_string()));
        }
        let mut walker = Walker::new(self.dirs.root.as_path())?;
        let mut staging = Staging::new(&self.dirs)?;
        fs::verb("read", "the log".as_ref(), new.log.rewind())?;
        // The log comes first: without it the entry would be damaged.
        let log = put(&mut walker, &mut staging, &log_path, new.log)?;
        let entry = Entry {
            runnable: key.runnable.as_str().to_owned(),
            digest: key.digest,
            code: new.code,
            duration_ms: None,
            log,
            artifacts: new.artifacts.with_portable_modes(),
            fingerprint: new.fingerprint.clone(),
        };
        let bytes = entry.render(Layout::Pretty).ok_or_else(|| {
            Diagnostic::new(Code::CacheFailed, format!("{} is no exit code", new.code))
        })?;
        put(&mut walker, &mut staging, &entry_path, &mut bytes.as_slice())?;
        self.note(key, new.artifacts, true);
        Ok(())
    }

    /// Notes what is to be published.
    fn note(&self, key: Key<'_>, artifacts: &Manifest, is_new: bool) {
        let artifacts =
            artifacts.artifacts.iter().filter(|it| !matches!(it.kind, ArtifactKind::Folder { .. }));
        let publication = Publication {
            files: ["json", "out"].map(|extension| path_of(key.runnable, key.command, extension)),
            artifacts: artifacts.map(|artifact| artifact.path.clone()).collect(),
            is_new,
        };
        let mut unpublished = self.unpublished.lock().unwrap_or_else(PoisonError::into_inner);
        unpublished.insert(key.runnable.clone(), publication);
    }
}

/// `.qik/cache/COMMAND/RUNNABLE.EXTENSION`; of a command with `/` in its name, each part is a
/// folder.
fn path_of(runnable: &RunnableName, command: &str, extension: &str) -> ProjectPath {
    let folders: Vec<String> = command.split('/').map(slug).collect();
    let file = slug(runnable.as_str());
    let path = format!(".qik/cache/{}/{file}.{extension}", folders.join("/"));
    ProjectPath::from_bytes(path.into_bytes())
}

/// Whether a log can be what was stored, by its size, or else after a checkout that has changed
/// its line ends.
fn could_hold(path: &AbsPath, log: Content) -> fs::Result<bool> {
    let size = fs::stat(path.as_path())?.len();
    if size == log.size {
        return Ok(true);
    }
    // A line end is at least a byte: no log grows to more than twice its size by them.
    if size < log.size || size > 2 * log.size {
        return Ok(false);
    }
    let bytes = fs::read_bounded(path.as_path(), size)?;
    Ok(Content::of(&with_plain_line_ends(bytes)) == log)
}

/// Writes a file, unless it has this content already; gives the content.
fn put(
    walker: &mut Walker,
    staging: &mut Staging,
    path: &ProjectPath,
    source: &mut impl std::io::Read,
) -> Result<Content, Diagnostic> {
    let mut content = None;
    let staged = staging.file(MODE, |file| {
        let copied = Content::copy(source, file, u64::MAX);
        content = Some(fs::verb("write", path.as_path(), copied)?);
        Ok(fs::verb("write", path.as_path(), file.flush())?)
    })?;
    let (folder, name) = walker.parent(path.as_bytes(), Missing::Make)?;
    let Some(content) = content else { unreachable!("a staged file has been filled") };
    if !has_content(folder, name, content) {
        staging.put(&staged, folder, name)?;
    }
    Ok(content)
}

fn has_content(folder: &Folder, name: &[u8], content: Content) -> bool {
    let stat = folder.stat(name).ok().flatten();
    stat.is_some_and(|stat| stat.kind == Kind::File && stat.size == content.size)
        && super::collect::read_content(folder, name).is_ok_and(|it| it == content)
}

impl Store for Shared {
    fn lookup(&self, key: Key<'_>) -> Lookup {
        match self.find(key) {
            Ok(Some(hit)) => {
                // Whatever kept them from being published when they were stored may be over, and
                // a clone that only replays needs the merge driver too.
                self.note(key, hit.manifest(), false);
                Lookup::Hit(Box::new(hit))
            }
            Ok(None) => Lookup::Miss(Miss::Absent),
            Err(cause) => Lookup::Miss(Miss::Damaged(warning::unusable(key.runnable, &cause))),
        }
    }

    fn store(&self, key: Key<'_>, mut entry: NewEntry<'_>) -> Result<(), Diagnostic> {
        self.store_committed(key, &mut entry)
            .map_err(|cause| warning::not_stored(key.runnable, &cause))?;
        self.local.store(key, entry)
    }

    fn latest(&self, runnable: &RunnableName, command: &str) -> Option<Document> {
        self.load::<Document>(runnable, command).ok().flatten().map(|entry| entry.fingerprint)
    }

    fn finish(&self) -> Vec<Diagnostic> {
        let mut unpublished = self.unpublished.lock().unwrap_or_else(PoisonError::into_inner);
        let results: Vec<Publication> = std::mem::take(&mut *unpublished).into_values().collect();
        drop(unpublished);
        let mut warnings = if results.is_empty() { Vec::new() } else { (self.publish)(&results) };
        warnings.extend(self.local.finish());
        warnings
    }
}
