//! Files: every error carries the verb and the path; nothing is truncated in place.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;

use super::fault::{self, Act};
use crate::error::{Code, Diagnostic, Error, RunnableError};

/// Largest file that is read whole without a bound of its own: what people write is smaller, and
/// memory for what only looks large, as a sparse file does, would not be had.
const WRITTEN_BYTES_MAX: u64 = 256 << 20;

/// So many bytes are worth a second thread that reads.
const SHARED_BYTES_MIN: usize = 4 << 20;

/// A file operation that failed.
#[derive(Debug)]
pub struct FileError {
    verb: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// As a diagnostic: which file, what was tried, what the system says.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::new(Code::FileFailed, format!("cannot {} `{}`", self.verb, self.path.display()))
            .because(self.source.to_string())
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`: {}", self.verb, self.path.display(), self.source)
    }
}

impl std::error::Error for FileError {}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        error.diagnostic().into()
    }
}

impl From<FileError> for Diagnostic {
    fn from(error: FileError) -> Self {
        error.diagnostic()
    }
}

impl From<FileError> for RunnableError {
    fn from(error: FileError) -> Self {
        error.diagnostic().into()
    }
}

/// The result of a file operation.
pub type Result<T> = std::result::Result<T, FileError>;

/// Adds what was tried, and on which file, to the error of a system call.
pub fn verb<T>(verb: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|source| FileError { verb, path: path.to_path_buf(), source })
}

/// Passes a point where a test may want a failure.
pub(super) fn pass(act: Act, what: &'static str, path: &Path) -> Result<()> {
    verb(what, path, fault::pass(act, what, path))
}

/// Turns "there is no such file" into `None`.
pub fn optional<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens a file for reading. Never waits on a fifo; a final symlink is followed.
pub fn open(path: &Path) -> Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    pass(Act::Read, "read", path)?;
    verb("read", path, OpenOptions::new().read(true).custom_flags(flags).open(path))
}

/// Opens a regular file for reading; a symlink, folder, fifo or device in its place is an error.
pub fn open_plain(path: &Path) -> Result<File> {
    open_plain_stat(path).map(|(file, _)| file)
}

/// As [`open_plain`], with what the system knows of the file.
pub fn open_plain_stat(path: &Path) -> Result<(File, Metadata)> {
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed();
    pass(Act::Read, "read", path)?;
    let file = verb("read", path, OpenOptions::new().read(true).custom_flags(flags).open(path))?;
    let meta = verb("read", path, file.metadata())?;
    if meta.is_file() {
        return Ok((file, meta));
    }
    verb("read", path, Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file")))
}

/// The first bytes of a file, fewer if there are not so many; one system call if there are, two
/// at a time if they are many.
pub fn read_sized(mut file: &File, size_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size_bytes).map_err(io::Error::other)?];
    let length = if bytes.len() < SHARED_BYTES_MIN {
        fill(&mut bytes, |buffer, _| file.read(buffer))?
    } else {
        let length = read_in_halves(file, &mut bytes)?;
        file.seek(SeekFrom::Start(length as u64))?;
        length
    };
    bytes.truncate(length);
    Ok(bytes)
}

/// Fills a buffer with the first bytes of a file; gives how many there were.
fn read_in_halves(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    let at = |buffer: &mut [u8], start| file.read_at(buffer, start as u64);
    let middle = bytes.len() / 2;
    let (front, back) = bytes.split_at_mut(middle);
    let (front_length, back_length) = thread::scope(|scope| {
        let read_back = || fill(&mut *back, |buffer, done| at(buffer, middle + done));
        let thread = thread::Builder::new().spawn_scoped(scope, read_back).ok();
        let front_length = fill(front, at);
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        (front_length, thread.map(join))
    });
    let front_length = front_length?;
    if front_length < middle {
        return Ok(front_length);
    }
    // Without a thread it is still to be read.
    let read_back = || fill(back, |buffer, done| at(buffer, middle + done));
    Ok(middle + back_length.unwrap_or_else(read_back)?)
}

/// Fills a buffer by reads, each told how much there is by then; gives how much there was.
fn fill(
    buffer: &mut [u8],
    mut read: impl FnMut(&mut [u8], usize) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match read(&mut buffer[length..], length) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Opens a folder, to be locked; a symlink in its place is an error.
pub fn open_folder(path: &Path) -> Result<File> {
    let flags = (rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed();
    verb("read", path, OpenOptions::new().read(true).custom_flags(flags).open(path))
}

/// A whole file that people write; a fifo or device in its place, which might have no end, is an
/// error, and so is a larger one than anybody writes.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = open(path)?;
    let meta = verb("read", path, file.metadata())?;
    if !meta.is_file() && !meta.is_dir() {
        let error = io::Error::new(io::ErrorKind::InvalidData, "not a regular file");
        return verb("read", path, Err(error));
    }
    read_to_end(path, &file, &meta, WRITTEN_BYTES_MAX)
}

/// A whole regular file of at most `size_bytes_max`; a larger one is an error.
pub fn read_bounded(path: &Path, size_bytes_max: u64) -> Result<Vec<u8>> {
    let (file, meta) = open_plain_stat(path)?;
    read_to_end(path, &file, &meta, size_bytes_max)
}

fn read_to_end(path: &Path, file: &File, meta: &Metadata, size_bytes_max: u64) -> Result<Vec<u8>> {
    if meta.len() <= size_bytes_max {
        let bytes = verb("read", path, read_start_of(file, meta, size_bytes_max + 1))?;
        if bytes.len() as u64 <= size_bytes_max {
            return Ok(bytes);
        }
    }
    let message = format!("larger than {size_bytes_max} bytes");
    verb("read", path, Err(io::Error::new(io::ErrorKind::FileTooLarge, message)))
}

/// The first bytes of an open file, in as few system calls as its size allows.
fn read_start_of(mut file: &File, meta: &Metadata, size_bytes_max: u64) -> io::Result<Vec<u8>> {
    // What the system makes up as it is read has no size.
    const UNKNOWN_BYTES: usize = 4096;
    // One byte more shows that it has not grown.
    let expected_bytes = (meta.len() + 1).min(size_bytes_max);
    let mut bytes = read_sized(file, expected_bytes)?;
    if bytes.len() as u64 == expected_bytes && expected_bytes < size_bytes_max {
        bytes.reserve(UNKNOWN_BYTES);
        (&mut file).take(size_bytes_max - expected_bytes).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The first bytes of a regular file, `size_bytes_max` at most; a final symlink is followed.
pub fn read_start(path: &Path, size_bytes_max: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    let meta = verb("read", path, file.metadata())?;
    if !meta.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidData, "not a regular file");
        return verb("read", path, Err(error));
    }
    verb("read", path, read_start_of(&file, &meta, size_bytes_max))
}

/// Whether there is a regular file, or a symlink to one.
pub fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

/// A whole file of text.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not valid UTF-8"))
    });
    verb("read", path, text)
}

/// A file's metadata; a final symlink is not followed.
pub fn stat(path: &Path) -> Result<Metadata> {
    verb("look at", path, std::fs::symlink_metadata(path))
}

/// A file's metadata; of a symlink, that of what it leads to.
pub fn stat_target(path: &Path) -> Result<Metadata> {
    verb("look at", path, std::fs::metadata(path))
}

/// Whether a file belongs to the user who runs qik.
pub fn is_own(meta: &Metadata) -> bool {
    meta.uid() == rustix::process::geteuid().as_raw()
}

/// The absolute path without symlinks, `.` and `..` of something that exists.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    verb("look at", path, std::fs::canonicalize(path))
}

/// The text of a symlink.
pub fn read_link(path: &Path) -> Result<PathBuf> {
    verb("read", path, std::fs::read_link(path))
}

/// The names in a folder, sorted.
pub fn list(path: &Path) -> Result<Vec<PathBuf>> {
    pass(Act::Read, "list", path)?;
    let entries = verb("list", path, std::fs::read_dir(path))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(verb("list", path, entry)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Makes a folder and those above it.
#[expect(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn create_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    pass(Act::Write, "create", path)?;
    verb("create", path, std::fs::create_dir_all(path))
}

/// Creates a new, private, empty file in an existing folder; it is removed when dropped.
pub fn temporary_in(folder: &Path) -> Result<tempfile::NamedTempFile> {
    pass(Act::Write, "create a file in", folder)?;
    let made = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(folder);
    verb("create a file in", folder, made)
}

/// Creates a readable and writable file where there is nothing, not even a symlink.
pub fn create_new(path: &Path, mode: u32) -> Result<File> {
    pass(Act::Write, "create", path)?;
    verb(
        "create",
        path,
        OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path),
    )
}

/// Creates a new, private, empty file that has no name: it is gone with the process at the latest.
pub fn unnamed_in(folder: &Path) -> Result<File> {
    verb("create a file in", folder, tempfile::tempfile_in(folder))
}

/// Creates a new, private, empty folder in an existing one; it is removed when dropped.
pub fn temporary_folder_in(folder: &Path) -> Result<tempfile::TempDir> {
    pass(Act::Write, "create a folder in", folder)?;
    let made = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempdir_in(folder);
    verb("create a folder in", folder, made)
}

/// Opens a file that exists to be locked, and makes it if it is not there.
pub fn open_lock(path: &Path) -> Result<File> {
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o644).custom_flags(flags);
    pass(Act::Lock, "lock", path)?;
    verb("lock", path, options.open(path))
}

/// How much may still be written below a folder; `None` where that cannot be told.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    // Some that know neither have zeros for both.
    (stat.f_blocks > 0).then(|| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Makes a file look as if it was written now.
pub fn touch(path: &Path) -> Result<()> {
    let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    pass(Act::Write, "touch", path)?;
    let touched = rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags);
    verb("touch", path, touched.map_err(io::Error::from))
}

/// What the names of our temporary files begin with.
pub const TEMPORARY_PREFIX: &str = ".tmp-";

/// Gives a finished temporary file its name, in one step.
pub fn persist(temporary: tempfile::NamedTempFile, path: &Path) -> Result<File> {
    pass(Act::Write, "write", path)?;
    match temporary.persist(path) {
        Err(error) if error.error.kind() == io::ErrorKind::CrossesDevices => {
            carry_over(&error.file, path)
        }
        result => verb("write", path, result.map_err(|error| error.error)),
    }
}

/// Gives a file a second name, and takes it from the file that had it. That is not one step: a
/// process that is killed between leaves nobody with it.
pub fn link(path: &Path, name: &Path) -> Result<()> {
    pass(Act::Write, "link", name)?;
    match std::fs::hard_link(path, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Not renamed over it: ext4 would write the file to the disk at once.
            remove_file(name)?;
            verb("link", name, std::fs::hard_link(path, name))
        }
        linked => verb("link", name, linked),
    }
}

/// As [`persist`] to another file system: by way of a copy beside the target.
fn carry_over(temporary: &tempfile::NamedTempFile, path: &Path) -> Result<File> {
    let mut beside = temporary_in(path.parent().unwrap_or(Path::new(".")))?;
    let mut source = open_plain(temporary.path())?;
    let copied = io::copy(&mut source, &mut beside)
        .and_then(|_| temporary.as_file().metadata())
        .and_then(|meta| beside.as_file().set_permissions(meta.permissions()));
    verb("write", path, copied)?;
    verb("write", path, beside.persist(path).map_err(|error| error.error))
}

/// Sets the permission bits of a file that is being made.
pub fn set_mode(file: &File, path: &Path, mode: u32) -> Result<()> {
    let mode = rustix::fs::Mode::from_raw_mode(mode);
    verb("write", path, rustix::fs::fchmod(file, mode).map_err(io::Error::from))
}

/// Writes a file by way of one beside it.
#[cfg(any(test, fuzzing))]
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = temporary_in(path.parent().unwrap_or(Path::new(".")))?;
    verb("write", path, io::Write::write_all(&mut temporary, bytes))?;
    set_mode(temporary.as_file(), path, 0o644)?;
    persist(temporary, path).map(drop)
}

/// Writes into a file that is there and that nobody else reads until we have ended.
#[expect(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn overwrite(path: &Path, bytes: &[u8]) -> Result<()> {
    pass(Act::Write, "write", path)?;
    verb("write", path, std::fs::write(path, bytes))
}

/// The kind of a file system on which others can write without our system knowing; `None` for
/// any other, and where it cannot be told.
pub fn remote_kind(path: &Path) -> Option<&'static str> {
    #[cfg(target_os = "linux")]
    {
        /// `f_type`, as statfs(2) and the kernel's `magic.h` have it; the low 32 bits of it.
        const REMOTE: &[(u32, &str)] = &[
            (0x0000_6969, "NFS"),
            (0x0000_517b, "SMB"),
            (0xff53_4d42, "SMB"),
            (0xfe53_4d42, "SMB"),
            (0x0102_1997, "9p"),
            (0x6573_5546, "FUSE"),
            (0x5346_414f, "AFS"),
            (0x00c3_6400, "Ceph"),
            (0x786f_4256, "a VirtualBox folder"),
            (0xbacb_acbc, "a VMware folder"),
        ];
        let magic = rustix::fs::statfs(path).ok()?.f_type;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "its width and sign differ between machines, its low 32 bits do not"
        )]
        let magic = magic as u32;
        REMOTE.iter().find(|(known, _)| *known == magic).map(|(_, kind)| *kind)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        None
    }
}

/// Removes a file or symlink; one that is not there is fine.
#[expect(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn remove_file(path: &Path) -> Result<()> {
    pass(Act::Write, "remove", path)?;
    optional(verb("remove", path, std::fs::remove_file(path))).map(|_| ())
}

/// Removes an empty folder.
pub fn remove_empty_folder(path: &Path) -> Result<()> {
    pass(Act::Write, "remove", path)?;
    verb("remove", path, std::fs::remove_dir(path))
}

/// Removes a folder and all below it; one that is not there is fine.
#[expect(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn remove_folder(path: &Path) -> Result<()> {
    pass(Act::Write, "remove", path)?;
    optional(verb("remove", path, std::fs::remove_dir_all(path))).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn large_files_are_read_whole_and_no_further() {
        for length in [SHARED_BYTES_MIN - 1, SHARED_BYTES_MIN, SHARED_BYTES_MIN + 7] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(&bytes).expect("it is written");
            let path = file.path();
            assert!(read(path).expect("it is read") == bytes, "{length}");
            // As one that was cut or has grown meanwhile.
            for asked in [length / 2 - 1, length / 2 + 1, 2 * length + 1, 3 * length] {
                let mut file = open(path).expect("it is there");
                let read = read_sized(&file, asked as u64).expect("it is read");
                assert!(read == bytes[..asked.min(length)], "{asked} of {length}");
                let mut rest = Vec::new();
                file.read_to_end(&mut rest).expect("the rest is read");
                assert!(rest == bytes[asked.min(length)..], "behind {asked} of {length}");
            }
        }
    }
}
