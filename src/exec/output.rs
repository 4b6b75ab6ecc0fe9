//! Where output is kept: `._qik/out/RUNNABLE.out`.
//!
//! Each run of a command writes a file of its own, which has the runnable's name from the
//! beginning: readers see it grow, and two qik processes never write into the same one.

use std::borrow::Cow;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Log;
use super::log_file::{LogFile, unkept};
use crate::cache::{Content, Hit, prepare_private};
use crate::error::{Code, Diagnostic};
use crate::hash::Digest;
use crate::paths::WorkDirs;
use crate::plan::RunnableName;
use crate::sys::fault::Filling;
use crate::sys::folder::{FileStamp, Folder, Stat};
use crate::sys::fs;
use crate::sys::unfinished::MODE;
use crate::sys::veil::Veil;

/// Output is read, written and passed on in pieces of at most this size.
pub(super) const PIECE_BYTES_MAX: usize = 64 * 1024;

/// A file of this size is read in one piece.
const PIECE_BYTES_AT_ONCE: u64 = PIECE_BYTES_MAX as u64;

/// What is kept in memory of output that cannot be written: enough to read what went wrong.
pub(super) const REST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// File systems take 255 bytes for a name; the rest is for `.out` and what temporary names add.
const PART_BYTES_MAX: usize = 200;

/// The folder of the output files.
pub fn folder(dirs: &WorkDirs) -> PathBuf {
    dirs.private.join("out").as_path().to_path_buf()
}

/// The output file of a runnable. A `/` in its name makes a folder, nothing leaves the folder.
pub fn path(dirs: &WorkDirs, name: &RunnableName) -> PathBuf {
    folder(dirs).join(place(name))
}

/// Where it is in the folder.
fn place(name: &RunnableName) -> String {
    const END: &str = ".out";
    let mut place = String::with_capacity(name.as_str().len() + END.len());
    for (number, part) in name.as_str().split('/').enumerate() {
        if number > 0 {
            place.push('/');
        }
        place.push_str(&safe_part(part));
    }
    place + END
}

/// A part of a name as a file's name: itself wherever that is possible.
fn safe_part(part: &str) -> Cow<'_, str> {
    if part.len() > PART_BYTES_MAX {
        let end = part.floor_char_boundary(PART_BYTES_MAX - 20);
        let digits = &Digest::of(part.as_bytes()).to_hex()[..16];
        return format!("{}-{digits}", safe_part(&part[..end])).into();
    }
    match part {
        "" => "%".into(),
        "." => "%2e".into(),
        ".." => "%2e%2e".into(),
        _ if part.contains('\0') => part.replace('\0', "%00").into(),
        _ => part.into(),
    }
}

/// The log of a replay.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) log: Log,
    /// Of the output file, if it held the log already.
    pub(super) held: Option<FileStamp>,
}

/// The output files of a run.
#[derive(Debug)]
pub(super) struct Outputs {
    dirs: WorkDirs,
    veil: Veil,
    failure: Option<Diagnostic>,
    /// Their folder, held open to look at many.
    folder: Option<Folder>,
}

impl Outputs {
    /// Makes their folder. A run goes on without one.
    pub(super) fn prepare(dirs: &WorkDirs, veil: &Veil) -> Self {
        dirs.unfinished.sweep();
        let made = prepare_private(dirs).and_then(|()| {
            fs::create_folder(&folder(dirs))?;
            Ok(Folder::open(&folder(dirs))?)
        });
        let (folder, failure) = match made {
            Ok(folder) => (Some(folder), None),
            Err(cause) => (None, Some(unkept(cause))),
        };
        Self { dirs: dirs.clone(), veil: veil.clone(), failure, folder }
    }

    /// Why there are none.
    pub(super) fn failure(&self) -> Option<&Diagnostic> {
        self.failure.as_ref()
    }

    /// The log of a command that is about to run.
    pub(super) fn create(&self, name: &RunnableName) -> LogFile {
        match &self.failure {
            Some(failure) => LogFile::in_memory(failure.clone()),
            None => LogFile::create(&self.dirs.unfinished, path(&self.dirs, name)),
        }
    }

    /// A text in place of output.
    pub(super) fn write_text(&self, name: &RunnableName, text: &str) -> Log {
        let mut file = self.create(name);
        file.write(self.veil.hide_text(text).as_bytes());
        file.finish().log
    }

    /// Makes the output file of a runnable hold a stored log; one that holds it already is left
    /// alone. Fails, and changes nothing, if the log is not what was stored.
    ///
    /// Where the file cannot be written, the log is given from memory, up to a bound.
    pub(super) fn replay(&self, name: &RunnableName, hit: &Hit) -> Result<Shown, Diagnostic> {
        if !self.veil.is_empty() && shows_secret(&self.veil, hit)? {
            let message = format!("the stored output of `{name}` shows a secret");
            return Err(Diagnostic::new(Code::CacheFailed, message));
        }
        let path = path(&self.dirs, name);
        if self.failure.is_none() {
            let held = holds(&path, hit);
            if held.is_some() || rewrite(&self.dirs, &path, hit)? {
                return Ok(Shown { log: Log { path: Some(path), ..Log::default() }, held });
            }
        }
        let mut rest = Vec::new();
        let mut log = hit.open_log()?.take(REST_BYTES_MAX as u64);
        fs::verb("read", &path, log.read_to_end(&mut rest))?;
        Ok(Shown { log: Log { rest: rest.into(), ..Log::default() }, held: None })
    }

    /// The log of a runnable whose output file is still the one with this stamp, which held it.
    pub(super) fn recall(&self, name: &RunnableName, stamp: FileStamp) -> Option<Log> {
        if !self.veil.is_empty() {
            return None;
        }
        let (folder, place) = (self.folder.as_ref()?, place(name));
        let stat = folder.stat(place.as_bytes()).ok()??;
        let path = || folder.path_of(place.as_bytes());
        (stat.stamp() == stamp).then(|| Log { path: Some(path()), ..Log::default() })
    }
}

/// Whether a log was stored before something in it was a secret.
fn shows_secret(veil: &Veil, hit: &Hit) -> Result<bool, Diagnostic> {
    Ok(fs::verb("read", "the log".as_ref(), veil.is_in(&mut hit.open_log()?))?)
}

/// The stamp of a file that has the content of a stored log, which need not be read for that.
fn holds(path: &Path, hit: &Hit) -> Option<FileStamp> {
    let (mut file, meta) = fs::open_plain_stat(path).ok()?;
    let size = meta.len();
    let content = Content { size: hit.log_size(), digest: hit.log_digest() };
    let there = match size {
        _ if size != content.size => return None,
        0..=PIECE_BYTES_AT_ONCE => fs::read_sized(&file, size).map(|bytes| Content::of(&bytes)),
        _ => Content::read(&mut file),
    };
    there.is_ok_and(|there| there == content).then(|| Stat::from(&meta).stamp())
}

/// Replaces a file by a copy of a stored log; `false` if it cannot be written.
fn rewrite(dirs: &WorkDirs, path: &Path, hit: &Hit) -> Result<bool, Diagnostic> {
    let mut log = hit.open_log()?;
    let folder = path.parent().unwrap_or(path);
    let made = fs::create_folder(folder).and_then(|()| dirs.unfinished.file_for(path));
    let Ok(mut copy) = made else { return Ok(false) };
    let mut filling = Filling { file: copy.as_file_mut(), path };
    Ok(io::copy(&mut log, &mut filling).is_ok()
        && fs::set_mode(copy.as_file(), path, MODE).is_ok()
        && fs::persist(copy, path).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::AbsPath;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        let dirs = WorkDirs::new(AbsPath::new("/p").unwrap());
        let path = path(&dirs, &RunnableName::from(name.to_owned()));
        assert_eq!(path, Path::new("/p/._qik/out").join(expected));
    }

    #[test]
    fn a_name_is_a_path_below_the_folder() {
        check("lint", "lint.out");
        check("each@web#nested/b", "each@web#nested/b.out");
        check("a b", "a b.out");
    }

    #[test]
    fn no_name_leaves_the_folder() {
        check("..", "%2e%2e.out");
        check("../../x", "%2e%2e/%2e%2e/x.out");
        check("/etc/x", "%/etc/x.out");
        check("./x\0", "%2e/x%00.out");
    }

    #[test]
    fn long_names_stay_short_and_apart() {
        let dirs = WorkDirs::new(AbsPath::new("/p").unwrap());
        let name = |end: &str| path(&dirs, &RunnableName::from("ü".repeat(300) + end));
        let part = name("a").file_name().unwrap().len();
        assert!(part < 255, "{part}");
        assert_ne!(name("a"), name("b"));
    }
}
