//! The cache in `._qik/cache`: all results of this checkout, until there are too many.
//!
//! ```text
//! ._qik/cache/
//!   v1/entries/RUNNABLE/DIGEST.json   an entry; its time is when it was last used, to the day
//!   v1/entries/RUNNABLE/latest        the digest of the entry that was stored last
//!   v1/memo/RUNNABLE                  stat data of artifacts
//!   blobs/ab/cdef…                    logs, artifacts and fingerprints by their digest
//!   tmp/                              what is not finished
//!   size, lock                        see `bounds` and `lock`
//! ```
//!
//! A warm lookup opens the entry and nothing else.

use std::fs::File;
use std::io::Seek as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::blobs::Blobs;
use super::bounds::Bounds;
use super::entry::{self, ENTRY_BYTES_MAX, Entry, Layout, Unusable};
use super::hit::{Hit, LogPlace};
use super::{
    Content, Key, Lookup, Miss, NewEntry, Store, lock, prepare_private, reach, slug, warning,
};
use crate::error::{Code, Diagnostic};
use crate::hash::{Digest, Document};
use crate::paths::{AbsPath, WorkDirs};
use crate::plan::RunnableName;
use crate::sys::folder::{Missing, Walker};
use crate::sys::timings::COUNT;
use crate::sys::{clock, fs};

/// How often an entry's time of use is written.
const TOUCH_INTERVAL: Duration = Duration::from_hours(24);

/// The local cache of a checkout. Making it touches no file.
#[derive(Debug)]
pub struct Local {
    dirs: WorkDirs,
    entries: AbsPath,
    blobs: Blobs,
    size_bytes_max: u64,
    progress: Mutex<Progress>,
}

/// What this process has stored.
#[derive(Debug, Default, Clone, Copy)]
enum Progress {
    #[default]
    Nothing,
    Stored {
        added_bytes: u64,
    },
    /// There is no place for a cache, which has been said once.
    Off,
}

impl Local {
    /// That of a checkout, with a bound on its size.
    pub fn new(dirs: &WorkDirs, size_bytes_max: u64) -> Self {
        Self {
            entries: dirs.private.join("cache/v1/entries"),
            blobs: Blobs::new(dirs),
            dirs: dirs.clone(),
            size_bytes_max,
            progress: Mutex::default(),
        }
    }

    fn entry_path(&self, key: Key<'_>) -> AbsPath {
        self.folder_of(key.runnable).join(format!("{}.json", key.digest))
    }

    fn folder_of(&self, runnable: &RunnableName) -> AbsPath {
        self.entries.join(slug(runnable.as_str()))
    }

    pub(super) fn dirs(&self) -> &WorkDirs {
        &self.dirs
    }

    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Whether there seems to be an entry of a key; only a lookup tells for sure.
    pub(super) fn has(&self, key: Key<'_>) -> bool {
        fs::stat(self.entry_path(key).as_path()).is_ok_and(|stat| stat.is_file())
    }

    /// The entry of a key; `None` if there is none.
    pub(super) fn load(&self, key: Key<'_>) -> Result<Option<Entry<Content>>, Diagnostic> {
        let path = self.entry_path(key);
        let opened = fs::optional(fs::open_plain_sized(path.as_path()))?;
        let Some((file, size_bytes)) = opened else { return Ok(None) };
        tracing::info!(target: COUNT, entries_read = 1_u64);
        let damaged = |cause: &str| {
            Diagnostic::new(Code::CacheFailed, format!("`{path}` is damaged")).because(cause)
        };
        if size_bytes > ENTRY_BYTES_MAX {
            return Err(damaged("it is larger than it may be"));
        }
        let bytes = fs::verb("read", path.as_path(), fs::read_sized(&file, size_bytes))?;
        match Entry::<Content>::parse(&bytes) {
            Ok(entry) if entry.digest != key.digest || entry.runnable != key.runnable.as_str() => {
                Err(damaged("it is the entry of something else"))
            }
            Ok(entry) => {
                touch(&file);
                Ok(Some(entry))
            }
            Err(Unusable::Foreign) => Ok(None),
            Err(Unusable::Damaged(cause)) => Err(damaged(&cause)),
        }
    }

    /// Makes sure that there is a place to store in; `false` if there is none and that has been
    /// said already.
    pub(super) fn prepare(&self) -> Result<bool, Diagnostic> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*progress, Progress::Off) {
            return Ok(false);
        }
        // Looked at each time, as all of it may be deleted at any time.
        let is_there = |folder: &AbsPath| fs::stat(folder.as_path()).is_ok_and(|it| it.is_dir());
        if matches!(*progress, Progress::Stored { .. })
            && is_there(&self.entries)
            && self.dirs.unfinished.folder().is_ok()
        {
            return Ok(true);
        }
        let prepared = prepare_private(&self.dirs).and_then(|()| {
            fs::create_folder(self.entries.as_path())?;
            self.dirs.unfinished.folder()?;
            Ok(())
        });
        match prepared {
            Ok(()) => Ok(true),
            Err(cause) => {
                *progress = Progress::Off;
                Err(cause.because("no further result of this run is kept in the local cache"))
            }
        }
    }

    /// Stores what an entry names, then the entry. Returns how many bytes were added.
    fn store_all(&self, key: Key<'_>, new: &mut NewEntry<'_>) -> Result<u64, Diagnostic> {
        reach::check(new.artifacts)?;
        let path = self.entry_path(key);
        if fs::read_bounded(path.as_path(), ENTRY_BYTES_MAX)
            .is_ok_and(|bytes| entry::is_foreign(&bytes))
        {
            return Err(warning::foreign(&path.to_string()));
        }
        let _lock = lock::shared(&self.dirs);
        fs::verb("read", "the log".as_ref(), new.log.rewind())?;
        let (log, log_bytes) = self.blobs.store(new.log)?;
        let artifact_bytes = self.store_artifacts(new)?;
        let (fingerprint, fingerprint_bytes) = self.store_document(new.fingerprint)?;
        let entry = Entry {
            runnable: key.runnable.as_str().to_owned(),
            digest: key.digest,
            code: new.code,
            duration_ms: u64::try_from(new.duration.as_millis()).ok(),
            log,
            artifacts: new.artifacts.clone(),
            fingerprint,
        };
        let entry_bytes = self.put(key, &entry)?;
        Ok(log_bytes + artifact_bytes + fingerprint_bytes + entry_bytes)
    }

    /// Writes an entry whose blobs are there. Returns how many bytes were added.
    fn put(&self, key: Key<'_>, entry: &Entry<Content>) -> Result<u64, Diagnostic> {
        let bytes = entry.render(Layout::Compact).ok_or_else(|| {
            Diagnostic::new(Code::CacheFailed, format!("{} is no exit code", entry.code))
        })?;
        fs::create_folder(self.folder_of(key.runnable).as_path())?;
        let latest = self.folder_of(key.runnable).join("latest");
        let write = |path: &AbsPath, bytes| self.dirs.unfinished.write(path.as_path(), bytes);
        write(&self.entry_path(key), &bytes)?;
        write(&latest, key.digest.to_hex().as_bytes())?;
        Ok(bytes.len() as u64)
    }

    /// Takes in an entry that came from elsewhere, whose blobs are there already.
    pub(super) fn adopt(
        &self,
        key: Key<'_>,
        entry: &Entry<Content>,
        added_bytes: u64,
    ) -> Result<(), Diagnostic> {
        let entry_bytes = self.put(key, entry)?;
        self.note_added(added_bytes + entry_bytes);
        Ok(())
    }

    fn note_added(&self, bytes: u64) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *progress = match *progress {
            Progress::Nothing => Progress::Stored { added_bytes: bytes },
            Progress::Stored { added_bytes } => {
                Progress::Stored { added_bytes: added_bytes.saturating_add(bytes) }
            }
            Progress::Off => Progress::Off,
        };
    }

    fn store_artifacts(&self, new: &NewEntry<'_>) -> Result<u64, Diagnostic> {
        let mut added_bytes = 0;
        let mut walker = Walker::new(self.dirs.root.as_path())?;
        for (path, content) in new.artifacts.contents() {
            let open = || {
                let (folder, name) = walker.parent(path.as_bytes(), Missing::Fail)?;
                folder.file(name)
            };
            added_bytes += self.blobs.store_expected(content, open).map_err(|cause| {
                Diagnostic::new(Code::CacheFailed, format!("the artifact `{path}` is not stored"))
                    .because(cause.message)
            })?;
        }
        Ok(added_bytes)
    }

    fn store_document(&self, document: &Document) -> Result<(Content, u64), Diagnostic> {
        let json = serde_json::to_vec(document).map_err(|error| {
            Diagnostic::new(Code::CacheFailed, "the fingerprint cannot be written")
                .because(error.to_string())
        })?;
        self.blobs.store(&mut json.as_slice())
    }
}

/// Notes that an entry was used. That it cannot be noted makes it look older, no more.
fn touch(entry: &File) {
    let now = clock::wall();
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
    if age.is_some_and(|age| age > TOUCH_INTERVAL) {
        drop(entry.set_modified(now));
    }
}

impl Store for Local {
    fn lookup(&self, key: Key<'_>) -> Lookup {
        match self.load(key) {
            Ok(Some(entry)) => {
                let hit = Hit::new(&self.dirs, key.runnable, entry, LogPlace::Blob);
                Lookup::Hit(Box::new(hit))
            }
            Ok(None) => Lookup::Miss(Miss::Absent),
            Err(cause) => Lookup::Miss(Miss::Damaged(warning::unusable(key.runnable, &cause))),
        }
    }

    fn store(&self, key: Key<'_>, mut entry: NewEntry<'_>) -> Result<(), Diagnostic> {
        let stored = match self.prepare() {
            Ok(false) => return Ok(()),
            Ok(true) => self.store_all(key, &mut entry),
            Err(cause) => Err(cause),
        };
        let bytes = stored.map_err(|cause| warning::not_stored(key.runnable, &cause))?;
        self.note_added(bytes);
        Ok(())
    }

    fn latest(&self, runnable: &RunnableName, command: &str) -> Option<Document> {
        let latest = self.folder_of(runnable).join("latest");
        let hex = fs::read_bounded(latest.as_path(), 64).ok()?;
        let digest: Digest = std::str::from_utf8(&hex).ok()?.parse().ok()?;
        let entry = self.load(Key { runnable, command, digest }).ok().flatten()?;
        serde_json::from_slice(&self.blobs.read(entry.fingerprint).ok()?).ok()
    }

    fn finish(&self) -> Vec<Diagnostic> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let Progress::Stored { added_bytes } = *progress else { return Vec::new() };
        *progress = Progress::Nothing;
        drop(progress);
        let bounds = Bounds {
            dirs: self.dirs.clone(),
            entries: self.entries.clone(),
            blobs: self.blobs.folder().clone(),
            size_bytes_max: self.size_bytes_max,
        };
        bounds.keep(added_bytes).err().into_iter().collect()
    }
}
