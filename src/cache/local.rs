//! The cache in `._qik/cache`: all results of this checkout, until there are too many.
//!
//! ```text
//! ._qik/cache/
//!   v1/entries/ab/RUNNABLE.DIGEST   an entry, with what is attached to it; its time is when it was
//!                                   last used, to the day
//!   v1/entries/ab/RUNNABLE.latest   the one that was stored last, by a second name
//!   v1/memo/RUNNABLE                stat data of artifacts
//!   v1/replays                      stat data of entries, and of outputs that hold their logs
//!   blobs/ab/cdef…                  artifacts by their digest, and large logs and fingerprints
//!   tmp/                            what is not finished
//!   size, lock                      see `bounds` and `lock`
//! ```
//!
//! Folders of two digits hold what would be too many files for one folder. A warm lookup opens
//! the entry and nothing else, and not even that where the last replay is recalled.

use std::fs::{File, Metadata};
use std::io::Seek as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::attached::{self, Attached};
use super::blobs::Blobs;
use super::bounds::Bounds;
use super::entry::{self, ENTRY_BYTES_MAX, Entry, Layout, Unusable};
use super::hit::{Hit, LogPlace};
use super::replays::{Replayed, Replays, Sight};
use super::{
    Content, Key, Lookup, Miss, NewEntry, Store, lock, prepare_private, reach, slug, warning,
};
use crate::error::{Code, Diagnostic};
use crate::hash::{Digest, Document};
use crate::paths::{AbsPath, WorkDirs};
use crate::plan::RunnableName;
use crate::sys::folder::{FileStamp, Folder, Missing, Stat, Walker};
use crate::sys::timings::COUNT;
use crate::sys::{clock, fs};

/// The end of the name of what was stored last.
pub(super) const LATEST: &str = "latest";

/// How often an entry's time of use is written.
const TOUCH_INTERVAL: Duration = Duration::from_hours(24);

/// The local cache of a checkout. Making it touches no file.
#[derive(Debug)]
pub struct Local {
    dirs: Arc<WorkDirs>,
    entries: AbsPath,
    /// The folder of the entries, held open to look at many; `None` if it was not there.
    folder: OnceLock<Option<Folder>>,
    blobs: Blobs,
    size_bytes_max: u64,
    progress: Mutex<Progress>,
    replays: Replays,
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
            folder: OnceLock::new(),
            blobs: Blobs::new(dirs),
            dirs: Arc::new(dirs.clone()),
            size_bytes_max,
            progress: Mutex::default(),
            replays: Replays::new(dirs),
        }
    }

    fn entry_path(&self, key: Key<'_>) -> AbsPath {
        self.path_of(key.runnable, &key.digest.to_hex())
    }

    fn latest_path(&self, runnable: &RunnableName) -> AbsPath {
        self.path_of(runnable, LATEST)
    }

    fn path_of(&self, runnable: &RunnableName, end: &str) -> AbsPath {
        self.entries.join(place_of(&slug(runnable.as_str()), end))
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

    /// The entry of a key with what is attached to it; `None` if there is none.
    pub(super) fn load(&self, key: Key<'_>) -> Result<Option<Loaded>, Diagnostic> {
        let path = self.entry_path(key);
        let at = clock::since_epoch(clock::wall());
        match read(&path)? {
            Some(Kept { entry, .. })
                if entry.digest != key.digest || entry.runnable != key.runnable.as_str() =>
            {
                Err(damaged(&path, "it is the entry of something else"))
            }
            Some(Kept { entry, attached, file, meta }) => {
                let sight = Sight { stamp: Stat::from(&meta).stamp(), at };
                let is_touched = touch(&file, &meta);
                Ok(Some(Loaded { entry, attached, sight: (!is_touched).then_some(sight) }))
            }
            None => Ok(None),
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
        let is_new = !is_there(&self.entries) && !is_there(self.blobs.folder());
        let prepared = prepare_private(&self.dirs).and_then(|()| {
            fs::create_folder(self.entries.as_path())?;
            self.dirs.unfinished.folder()?;
            Ok(())
        });
        if is_new && prepared.is_ok() {
            self.bounds().begin();
        }
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
            .is_ok_and(|bytes| entry::is_foreign(attached::entry_of(&bytes)))
        {
            return Err(warning::foreign(&path.to_string()));
        }
        let _lock = lock::shared(&self.dirs);
        let mut added_bytes = self.store_artifacts(new)?;
        let mut attached = Attached::default();
        let log = self.keep_log(new.log, &mut attached, &mut added_bytes)?;
        let json = json_of(new.fingerprint)?;
        let fingerprint = self.keep_fingerprint(json, &mut attached, &mut added_bytes)?;
        let entry = Entry {
            runnable: key.runnable.as_str().to_owned(),
            digest: key.digest,
            code: new.code,
            duration_ms: u64::try_from(new.duration.as_millis()).ok(),
            log,
            artifacts: new.artifacts.clone(),
            fingerprint,
        };
        Ok(added_bytes + self.put(key, &entry, &attached)?)
    }

    fn keep_log(
        &self,
        log: &mut File,
        attached: &mut Attached,
        added_bytes: &mut u64,
    ) -> Result<Content, Diagnostic> {
        let path = "the log".as_ref();
        fs::verb("read", path, log.rewind())?;
        let start = fs::read_sized(log, attached::SIZE_BYTES_MAX + 1);
        let bytes = fs::verb("read", path, start)?;
        let content = Content::of(&bytes);
        if attached::is_attached(content) {
            attached.log = Some(bytes);
            return Ok(content);
        }
        fs::verb("read", path, log.rewind())?;
        let (content, blob_bytes) = self.blobs.store(log)?;
        *added_bytes += blob_bytes;
        Ok(content)
    }

    fn keep_fingerprint(
        &self,
        json: Vec<u8>,
        attached: &mut Attached,
        added_bytes: &mut u64,
    ) -> Result<Content, Diagnostic> {
        let content = Content::of(&json);
        if attached::is_attached(content) {
            attached.fingerprint = Some(json);
        } else {
            *added_bytes += self.blobs.store(&mut json.as_slice())?.1;
        }
        Ok(content)
    }

    /// Writes an entry whose blobs are there. Returns how many bytes were added.
    fn put(
        &self,
        key: Key<'_>,
        entry: &Entry<Content>,
        attached: &Attached,
    ) -> Result<u64, Diagnostic> {
        let bytes = entry.render(Layout::Compact).ok_or_else(|| {
            Diagnostic::new(Code::CacheFailed, format!("{} is no exit code", entry.code))
        })?;
        let file = attached::render(&bytes, attached);
        let path = self.entry_path(key);
        if let Some(folder) = path.parent() {
            fs::create_folder(folder.as_path())?;
        }
        self.dirs.unfinished.write(path.as_path(), &file)?;
        // Where there are no second names nobody can say what has changed since, that is all.
        let latest = self.latest_path(key.runnable);
        drop(fs::link(path.as_path(), latest.as_path()));
        Ok(file.len() as u64)
    }

    /// Takes in an entry that came from elsewhere, whose blobs are there already.
    pub(super) fn adopt(
        &self,
        key: Key<'_>,
        entry: &Entry<Content>,
        attached: &Attached,
        added_bytes: u64,
    ) -> Result<(), Diagnostic> {
        let entry_bytes = self.put(key, entry, attached)?;
        self.note_added(added_bytes + entry_bytes);
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            dirs: WorkDirs::clone(&self.dirs),
            entries: self.entries.clone(),
            blobs: self.blobs.folder().clone(),
            size_bytes_max: self.size_bytes_max,
        }
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
}

/// The entry of a key, its file as it was when it was read and still is.
pub(super) struct Loaded {
    pub(super) entry: Entry<Content>,
    pub(super) attached: Attached,
    pub(super) sight: Option<Sight>,
}

/// An entry as it was found.
struct Kept {
    entry: Entry<Content>,
    attached: Attached,
    file: File,
    meta: Metadata,
}

/// The entry in a file, whosesoever; `None` if there is none of this version.
fn read(path: &AbsPath) -> Result<Option<Kept>, Diagnostic> {
    let opened = fs::optional(fs::open_plain_stat(path.as_path()))?;
    let Some((file, meta)) = opened else { return Ok(None) };
    tracing::info!(target: COUNT, entries_read = 1_u64);
    if meta.len() > ENTRY_BYTES_MAX {
        return Err(damaged(path, "it is larger than it may be"));
    }
    let bytes = fs::verb("read", path.as_path(), fs::read_sized(&file, meta.len()))?;
    match attached::parse(&bytes) {
        Ok((entry, attached)) => Ok(Some(Kept { entry, attached, file, meta })),
        Err(Unusable::Foreign) => Ok(None),
        Err(Unusable::Damaged(cause)) => Err(damaged(path, &cause)),
    }
}

fn damaged(path: &AbsPath, cause: &str) -> Diagnostic {
    Diagnostic::new(Code::CacheFailed, format!("`{path}` is damaged")).because(cause)
}

/// Where an entry's file is, below the folder of all.
fn place_of(slug: &str, end: &str) -> String {
    let shard = &blake3::hash(slug.as_bytes()).to_hex()[..2];
    [shard, "/", slug, ".", end].concat()
}

/// What the name of an entry's file says: the runnable's slug, and the digest.
pub(super) fn parse_name(name: &str) -> Option<(&str, Digest)> {
    let (slug, digest) = name.rsplit_once('.')?;
    Some((slug, digest.parse().ok()?))
}

fn json_of(document: &Document) -> Result<Vec<u8>, Diagnostic> {
    serde_json::to_vec(document).map_err(|error| {
        Diagnostic::new(Code::CacheFailed, "the fingerprint cannot be written")
            .because(error.to_string())
    })
}

/// Notes that an entry was used, if that is not known; gives whether it did. That it cannot be
/// noted makes it look older, no more.
fn touch(entry: &File, meta: &Metadata) -> bool {
    let is_to_be_touched = is_to_be_touched(meta.mtime());
    if is_to_be_touched {
        drop(entry.set_modified(clock::wall()));
    }
    is_to_be_touched
}

fn is_to_be_touched(modified_seconds: i64) -> bool {
    let now = clock::since_epoch(clock::wall()).as_secs();
    let age = now.checked_sub(u64::try_from(modified_seconds).unwrap_or_default());
    age.is_some_and(|age| age > TOUCH_INTERVAL.as_secs())
}

impl Store for Local {
    fn lookup(&self, key: Key<'_>) -> Lookup {
        match self.load(key) {
            Ok(Some(Loaded { entry, attached, sight })) => {
                let place = attached.log.map_or(LogPlace::Blob, LogPlace::Entry);
                let hit = Hit::new(&self.dirs, key.runnable, entry, place);
                Lookup::Hit(Box::new(hit.seen(sight)))
            }
            Ok(None) => Lookup::Miss(Miss::Absent),
            Err(cause) => Lookup::Miss(Miss::Damaged(warning::unusable(key.runnable, &cause))),
        }
    }

    fn recall(&self, key: Key<'_>) -> Option<Replayed> {
        let slug = slug(key.runnable.as_str());
        let replayed = self.replays.find(&slug)?;
        if replayed.digest != key.digest {
            return None;
        }
        let folder = self.folder.get_or_init(|| Folder::open(self.entries.as_path()).ok());
        let place = place_of(&slug, &key.digest.to_hex());
        let stat = folder.as_ref()?.stat(place.as_bytes()).ok()??;
        // Whoever reads it notes that it was used.
        let is_same = stat.stamp() == replayed.entry && !is_to_be_touched(stat.mtime.seconds);
        is_same.then_some(replayed)
    }

    fn learn(&self, key: Key<'_>, hit: &Hit, output: FileStamp) {
        if let Some((replayed, begun_at)) = hit.replayed(key.digest, output) {
            self.replays.learn(slug(key.runnable.as_str()), replayed, begun_at);
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

    fn latest(&self, runnable: &RunnableName, _command: &str) -> Option<Document> {
        let Kept { entry, attached, .. } = read(&self.latest_path(runnable)).ok().flatten()?;
        if entry.runnable != runnable.as_str() {
            return None;
        }
        let json = match attached.fingerprint {
            Some(json) => (Content::of(&json) == entry.fingerprint).then_some(json)?,
            None => self.blobs.read(entry.fingerprint).ok()?,
        };
        serde_json::from_slice(&json).ok()
    }

    fn finish(&self) -> Vec<Diagnostic> {
        self.replays.keep(|slug, digest| {
            let place = place_of(slug, &digest.to_hex());
            fs::stat(self.entries.join(place).as_path()).is_ok()
        });
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let Progress::Stored { added_bytes } = *progress else { return Vec::new() };
        *progress = Progress::Nothing;
        drop(progress);
        self.bounds().keep(added_bytes).err().into_iter().collect()
    }
}
