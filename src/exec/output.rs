//! Where output is kept: `._qik/out/RUNNABLE.out`.
//!
//! Each run of a command writes a file of its own, which has the runnable's name from the
//! beginning: readers see it grow, and two qik processes never write into the same one.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Log, StoredResult};
use crate::error::{Code, Diagnostic};
use crate::hash::Digest;
use crate::paths::WorkDirs;
use crate::plan::RunnableName;
use crate::sys::fs;

/// Output is read, written and passed on in pieces of at most this size.
pub(super) const PIECE_BYTES_MAX: usize = 64 * 1024;

/// What is kept in memory of output that cannot be written: enough to read what went wrong.
const REST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// File systems take 255 bytes for a name; the rest is for `.out` and what temporary names add.
const PART_BYTES_MAX: usize = 200;

/// The folder of the output files.
pub fn folder(dirs: &WorkDirs) -> PathBuf {
    dirs.private.join("out").as_path().to_path_buf()
}

/// The output file of a runnable. A `/` in its name makes a folder, nothing leaves the folder.
pub fn path(dirs: &WorkDirs, name: &RunnableName) -> PathBuf {
    let mut path = folder(dirs);
    let mut parts = name.as_str().split('/').peekable();
    while let Some(part) = parts.next() {
        let mut part = safe_part(part);
        if parts.peek().is_none() {
            part.push_str(".out");
        }
        path.push(part);
    }
    path
}

/// A part of a name as a file's name: itself wherever that is possible.
fn safe_part(part: &str) -> String {
    if part.len() > PART_BYTES_MAX {
        let end = part.floor_char_boundary(PART_BYTES_MAX - 20);
        return format!(
            "{}-{}",
            safe_part(&part[..end]),
            &Digest::of(part.as_bytes()).to_hex()[..16]
        );
    }
    match part {
        "" => "%".to_owned(),
        "." => "%2e".to_owned(),
        ".." => "%2e%2e".to_owned(),
        _ => part.replace('\0', "%00"),
    }
}

/// Makes `._qik/out`, and `._qik` ignore itself.
pub(super) fn create_folder(dirs: &WorkDirs) -> fs::Result<()> {
    fs::create_folder(&folder(dirs))?;
    let ignore = dirs.private.join(".gitignore");
    if fs::stat(ignore.as_path()).is_err() {
        fs::write_atomic(ignore.as_path(), b"*\n")?;
    }
    Ok(())
}

/// The log of a command that runs.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// `None` once it cannot be written.
    file: Option<File>,
    is_file_begun: bool,
    failure: Option<Diagnostic>,
    rest: Vec<u8>,
}

/// A log that has ended.
#[derive(Debug)]
pub(super) struct WrittenLog {
    pub(super) log: Log,
    /// The complete file; or why there is none.
    pub(super) file: Result<File, Diagnostic>,
}

impl LogFile {
    /// Never fails: what cannot be written to disk is kept in memory, up to a bound.
    pub(super) fn create(dirs: &WorkDirs, name: &RunnableName) -> Self {
        let path = path(dirs, name);
        let (file, failure) = match create(&path) {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(unkept(error.diagnostic()))),
        };
        Self { is_file_begun: file.is_some(), path, file, failure, rest: Vec::new() }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if let Some(file) = &mut self.file
            && let Err(error) = write_all(file, &mut rest)
        {
            self.failure = Some(unkept(
                Diagnostic::new(
                    Code::FileFailed,
                    format!("cannot write `{}`", self.path.display()),
                )
                .because(error.to_string()),
            ));
            self.file = None;
        }
        let room = REST_BYTES_MAX - self.rest.len();
        self.rest.extend_from_slice(&rest[..rest.len().min(room)]);
    }

    pub(super) fn finish(self) -> WrittenLog {
        let log = Log { path: self.is_file_begun.then_some(self.path), rest: self.rest.into() };
        let file = match (self.file, self.failure) {
            (Some(file), None) => Ok(file),
            (_, failure) => Err(failure.unwrap_or_else(|| {
                Diagnostic::new(Code::FileFailed, "the output could not be kept")
            })),
        };
        WrittenLog { log, file }
    }
}

/// As [`io::Write::write_all`]; `bytes` is left with what was not written.
fn write_all(file: &mut File, bytes: &mut &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn create(path: &Path) -> fs::Result<File> {
    if let Ok(file) = fs::replace(path) {
        return Ok(file);
    }
    // A name with `/` in it, or `._qik` was deleted during the run.
    fs::create_folder(path.parent().unwrap_or(path))?;
    fs::replace(path)
}

fn unkept(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.hint("the command's output is shown but not kept, and its result not cached")
}

/// Writes a text, in place of output, as a runnable's log.
pub(super) fn write_text(dirs: &WorkDirs, name: &RunnableName, text: &str) -> Log {
    let mut file = LogFile::create(dirs, name);
    file.write(text.as_bytes());
    file.finish().log
}

/// Makes the output file of a runnable hold a stored log; a file that holds it already is left
/// alone. Fails if the log is not what was stored, and changes nothing then.
///
/// Where the file cannot be written, the log is given from memory, up to a bound.
pub(super) fn replay(path: PathBuf, hit: &impl StoredResult) -> Result<Log, Diagnostic> {
    if holds(&path, hit)? || rewrite(&path, hit)? {
        return Ok(Log { path: Some(path), rest: Arc::default() });
    }
    let mut rest = Vec::new();
    let mut log = hit.open_log()?.take(REST_BYTES_MAX as u64);
    log.read_to_end(&mut rest).map_err(|error| unreadable(&error))?;
    Ok(Log { path: None, rest: rest.into() })
}

/// Whether a file has exactly the bytes of a stored log.
fn holds(path: &Path, hit: &impl StoredResult) -> Result<bool, Diagnostic> {
    let Ok(mut file) = fs::open_plain(path) else { return Ok(false) };
    if !file.metadata().is_ok_and(|meta| meta.len() == hit.log_size_bytes()) {
        return Ok(false);
    }
    let mut is_same = true;
    let mut there = Vec::new();
    read_pieces(hit, &mut |piece| {
        there.resize(piece.len(), 0);
        is_same = file.read_exact(&mut there).is_ok() && there == piece;
        is_same
    })?;
    Ok(is_same)
}

/// Replaces a file by a copy of a stored log; `false` if it cannot be written.
fn rewrite(path: &Path, hit: &impl StoredResult) -> Result<bool, Diagnostic> {
    let folder = path.parent().unwrap_or(path);
    let Ok(mut copy) = fs::create_folder(folder).and_then(|()| fs::temporary_in(folder)) else {
        return Ok(false);
    };
    let mut is_written = true;
    read_pieces(hit, &mut |piece| {
        is_written = copy.write_all(piece).is_ok();
        is_written
    })?;
    Ok(is_written && fs::persist(copy, path).is_ok())
}

/// Reads a stored log from its beginning, to its end or until `take` returns `false`.
fn read_pieces(
    hit: &impl StoredResult,
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<(), Diagnostic> {
    let mut log = hit.open_log()?;
    let size_bytes = usize::try_from(hit.log_size_bytes()).unwrap_or(usize::MAX);
    let mut buffer = vec![0; size_bytes.clamp(1, PIECE_BYTES_MAX)];
    loop {
        match log.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) if take(&buffer[..count]) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn unreadable(error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::CacheFailed, "a stored log cannot be read").because(error.to_string())
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

    #[test]
    fn what_a_full_disk_does_not_take_stays_in_memory() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut log = LogFile {
            path: PathBuf::from("/dev/full"),
            file: Some(full),
            is_file_begun: true,
            failure: None,
            rest: Vec::new(),
        };
        log.write(b"one ");
        log.write(b"two");
        let written = log.finish();
        assert_eq!(&*written.log.rest, b"one two");
        assert!(written.file.unwrap_err().message.contains("cannot write"));
    }
}
