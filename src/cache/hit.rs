//! A result that was found: its log, verified before anything of it is shown, and its artifacts.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, Take};
use std::sync::Arc;
use std::time::Duration;

use super::blobs::Blobs;
use super::entry::Entry;
use super::replays::Sight;
use super::restore::{self, Modes, Restore};
use super::{Content, Manifest, Memo, Replayed, warning};
use crate::error::{Code, Diagnostic};
use crate::hash::Digest;
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::plan::RunnableName;
use crate::sys::folder::FileStamp;
use crate::sys::fs;

/// Logs up to this size are read at once.
const LOG_IN_MEMORY_BYTES_MAX: u64 = 1024 * 1024;

/// A result that was found. Nothing of it has been shown or restored.
///
/// An error of its methods is a miss with a warning.
#[derive(Debug)]
pub struct Hit {
    pub code: i32,
    /// How long it took when it ran, where that is known.
    pub duration: Option<Duration>,
    runnable: RunnableName,
    dirs: Arc<WorkDirs>,
    manifest: Manifest,
    log: Content,
    log_place: LogPlace,
    modes: Modes,
    /// Of the entry's file, where it may be recalled by that.
    sight: Option<Sight>,
}

/// What a restore had to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// Everything was there already.
    Nothing,
    /// Files of the project were written.
    Files,
    /// Nothing was written, since this file is not to be replaced.
    Spared(ProjectPath),
}

/// Where a log is kept.
#[derive(Debug)]
pub(super) enum LogPlace {
    Blob,
    /// With the entry.
    Entry(Vec<u8>),
    File(AbsPath),
}

impl Hit {
    pub(super) fn new<F>(
        dirs: &Arc<WorkDirs>,
        runnable: &RunnableName,
        entry: Entry<F>,
        log_place: LogPlace,
    ) -> Self {
        Self {
            code: entry.code,
            duration: entry.duration_ms.map(Duration::from_millis),
            runnable: runnable.clone(),
            dirs: Arc::clone(dirs),
            manifest: entry.artifacts,
            log: entry.log,
            modes: match log_place {
                LogPlace::Blob | LogPlace::Entry(_) => Modes::Exact,
                LogPlace::File(_) => Modes::Portable,
            },
            log_place,
            sight: None,
        }
    }

    /// The same of an entry in a file that was seen like this before it was read.
    pub(super) fn seen(self, sight: Option<Sight>) -> Self {
        Self { sight, ..self }
    }

    /// What a replay was in which nothing had to be written, and when it began.
    pub(super) fn replayed(
        &self,
        digest: Digest,
        output: FileStamp,
    ) -> Option<(Replayed, Duration)> {
        let is_plain = self.manifest.artifacts.is_empty() && self.manifest.unmatched.is_empty();
        let Sight { stamp: entry, at } = self.sight.filter(|_| is_plain)?;
        let replayed = Replayed {
            digest,
            code: u8::try_from(self.code).ok()?,
            duration_ms: match self.duration {
                Some(duration) => Some(u64::try_from(duration.as_millis()).ok()?),
                None => None,
            },
            entry,
            output,
        };
        Some((replayed, at))
    }

    /// What the command made, without restoring it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn log_size(&self) -> u64 {
        self.log.size
    }

    pub fn log_digest(&self) -> Digest {
        self.log.digest
    }

    /// The log, once all of it is known to be what the command wrote.
    pub fn open_log(&self) -> Result<LogReader, Diagnostic> {
        self.open_verified().map_err(|cause| warning::unusable(&self.runnable, &cause))
    }

    fn open_verified(&self) -> Result<LogReader, Diagnostic> {
        let (mut file, path) = match &self.log_place {
            LogPlace::Entry(bytes) if Content::of(bytes) == self.log => {
                return Ok(LogReader(Source::Memory(Cursor::new(bytes.clone()))));
            }
            LogPlace::Entry(_) => return Err(self.altered_log()),
            LogPlace::Blob => (Blobs::new(&self.dirs).open(self.log)?, self.dirs.private.clone()),
            LogPlace::File(path) => (fs::open_plain(path.as_path())?, path.clone()),
        };
        let path = path.as_path();
        if file.metadata().is_ok_and(|meta| meta.len() > self.log.size)
            && let LogPlace::File(path) = &self.log_place
        {
            let bytes = with_plain_line_ends(fs::read_bounded(path.as_path(), 2 * self.log.size)?);
            let is_stored = Content::of(&bytes) == self.log;
            let log = LogReader(Source::Memory(Cursor::new(bytes)));
            return if is_stored { Ok(log) } else { Err(self.altered_log()) };
        }
        if self.log.size <= LOG_IN_MEMORY_BYTES_MAX {
            let mut bytes = Vec::new();
            fs::verb("read", path, file.take(self.log.size + 1).read_to_end(&mut bytes))?;
            if Content::of(&bytes) != self.log {
                return Err(self.altered_log());
            }
            return Ok(LogReader(Source::Memory(Cursor::new(bytes))));
        }
        let mut bounded = (&mut file).take(self.log.size + 1);
        if fs::verb("read", path, Content::read(&mut bounded))? != self.log {
            return Err(self.altered_log());
        }
        fs::verb("read", path, file.rewind())?;
        Ok(LogReader(Source::File(file.take(self.log.size))))
    }

    fn altered_log(&self) -> Diagnostic {
        match &self.log_place {
            LogPlace::Blob => Blobs::new(&self.dirs).discard(self.log),
            LogPlace::Entry(_) => {
                Diagnostic::new(Code::CacheFailed, "its entry does not hold what the command wrote")
            }
            LogPlace::File(path) => Diagnostic::new(
                Code::CacheFailed,
                format!("`{path}` does not hold what the command wrote"),
            ),
        }
    }

    /// Brings back what the command made, below a root: all that is not there already is copied
    /// and verified before the first of it is moved into place. What is there already, with the
    /// same content and mode, is left alone. Nothing is done at all if a file that is there, with
    /// other content, is one to be spared.
    pub fn restore(
        &self,
        root: &AbsPath,
        is_spared: &dyn Fn(&ProjectPath) -> bool,
    ) -> Result<Restored, Diagnostic> {
        self.plan_restore(root)
            .run(is_spared)
            .map_err(|cause| warning::unusable(&self.runnable, &cause))
    }

    /// How much there is to look at in a replay, in bytes.
    pub fn size(&self) -> u64 {
        let sizes = self.manifest.contents().map(|(_, content)| content.size);
        sizes.fold(self.log.size, u64::saturating_add)
    }

    /// Whether a restore would have nothing to do.
    pub fn is_in_place(&self, root: &AbsPath) -> Result<bool, Diagnostic> {
        Ok(self.manifest.artifacts.is_empty() || self.plan_restore(root).find_missing()?.is_empty())
    }

    /// Whether a restore has all that it needs, as far as can be seen without reading blobs.
    pub(super) fn is_restorable(&self, root: &AbsPath) -> Result<bool, Diagnostic> {
        let blobs = Blobs::new(&self.dirs);
        let missing = self.plan_restore(root).find_missing()?;
        Ok(missing.iter().filter_map(|artifact| artifact.content()).all(|it| blobs.has(it)))
    }

    fn plan_restore<'a>(&'a self, root: &'a AbsPath) -> Restore<'a> {
        restore::Restore {
            root,
            dirs: &self.dirs,
            manifest: &self.manifest,
            memo: Memo::new(&self.dirs, &self.runnable),
            modes: self.modes,
        }
    }
}

/// A verified log, from its beginning.
#[derive(Debug)]
pub struct LogReader(Source);

#[derive(Debug)]
enum Source {
    Memory(Cursor<Vec<u8>>),
    /// The file that was verified, still open: nobody writes into it.
    File(Take<File>),
}

impl Read for LogReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Source::Memory(bytes) => bytes.read(buffer),
            Source::File(file) => file.read(buffer),
        }
    }
}

/// Bytes as they were before a checkout gave their lines other ends.
pub(super) fn with_plain_line_ends(bytes: Vec<u8>) -> Vec<u8> {
    let is_plain = |pair: &[u8]| pair != b"\r\n";
    if bytes.windows(2).all(is_plain) {
        return bytes;
    }
    let mut plain = Vec::with_capacity(bytes.len());
    for (position, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(position + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    plain
}
