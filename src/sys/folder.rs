//! Folders held open: everything is reached by one name in an open folder, so that no symlink is
//! ever followed, whatever is swapped meanwhile.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::fault::Act;
use super::fs::{Result, optional, pass, verb};

/// What a name stands for; a symlink is never followed to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    Symlink,
    /// A fifo, socket or device.
    Special,
}

/// What the system knows of a name without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    pub kind: Kind,
    /// The nine permission bits.
    pub mode: u32,
    pub size: u64,
    pub mtime: Time,
    pub ctime: Time,
    pub inode: u64,
    pub device: u64,
}

/// Everything that changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    pub mtime: Time,
    /// The time of last status change, which no program can set.
    pub ctime: Time,
}

impl FileStamp {
    /// Whether the file was left alone for so long before `now` that its next change will show in
    /// its times, however coarse they are.
    pub fn is_settled(&self, now: Duration) -> bool {
        const COARSEST_SECONDS: i64 = 2;
        let latest = self.mtime.max(self.ctime).seconds;
        i64::try_from(now.as_secs()).is_ok_and(|now| latest + COARSEST_SECONDS < now)
    }
}

impl Stat {
    pub fn stamp(&self) -> FileStamp {
        let Self { device, inode, size, mtime, ctime, .. } = *self;
        FileStamp { device, inode, size, mtime, ctime }
    }
}

/// A point in time as file systems keep it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Since the epoch.
    pub seconds: i64,
    pub nanoseconds: i64,
}

impl From<&Metadata> for Stat {
    fn from(meta: &Metadata) -> Self {
        let file_type = meta.file_type();
        Self {
            kind: match file_type {
                _ if file_type.is_file() => Kind::File,
                _ if file_type.is_dir() => Kind::Folder,
                _ if file_type.is_symlink() => Kind::Symlink,
                _ => Kind::Special,
            },
            mode: meta.mode() & 0o777,
            size: meta.size(),
            mtime: Time { seconds: meta.mtime(), nanoseconds: meta.mtime_nsec() },
            ctime: Time { seconds: meta.ctime(), nanoseconds: meta.ctime_nsec() },
            inode: meta.ino(),
            device: meta.dev(),
        }
    }
}

/// A folder held open.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    /// For messages alone.
    path: PathBuf,
}

impl Folder {
    /// Opens a folder by its path, which may lead through symlinks.
    pub fn open(path: &Path) -> Result<Self> {
        let fd = rustix::fs::open(path, FOLDER, Mode::empty());
        Ok(Self { fd: verb("read", path, fd.map_err(io::Error::from))?, path: path.to_path_buf() })
    }

    /// The path of a name in this folder, for messages.
    pub fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(name))
    }

    /// Passes a point where a test may want a failure.
    fn pass(&self, act: Act, what: &'static str, name: &[u8]) -> Result<()> {
        // The path is put together only where somebody may look at it.
        if cfg!(debug_assertions) { pass(act, what, &self.path_of(name)) } else { Ok(()) }
    }

    fn named<T>(
        &self,
        what: &'static str,
        name: &[u8],
        result: rustix::io::Result<T>,
    ) -> Result<T> {
        // The path is put together only where it is needed.
        result.or_else(|error| verb(what, &self.path_of(name), Err(io::Error::from(error))))
    }

    /// Whether there is nothing at a path below, symlinks followed.
    pub fn lacks(&self, path: &[u8]) -> bool {
        let found = rustix::fs::accessat(&self.fd, path, Access::EXISTS, AtFlags::empty());
        matches!(found, Err(Errno::NOENT | Errno::NOTDIR))
    }

    /// Opens a folder in this one; a symlink or a file in its place is an error.
    pub fn folder(&self, name: &[u8]) -> Result<Self> {
        let fd = rustix::fs::openat(&self.fd, name, FOLDER | OFlags::NOFOLLOW, Mode::empty());
        // Systems do not agree on what a symlink is here.
        let fd = fd.map_err(|error| if error == Errno::LOOP { Errno::NOTDIR } else { error });
        Ok(Self { fd: self.named("read", name, fd)?, path: self.path_of(name) })
    }

    /// Opens a folder in this one, which is made if it is not there.
    pub fn make_folder(&self, name: &[u8]) -> Result<Self> {
        if let Some(folder) = optional_name(self.folder(name))? {
            return Ok(folder);
        }
        self.pass(Act::Write, "create", name)?;
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.folder(name),
            Err(error) => self.named("create", name, Err(error)),
        }
    }

    /// Sets the permission bits of this folder.
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        pass(Act::Write, "write", &self.path)?;
        let set = rustix::fs::chmodat(&self.fd, ".", Mode::from_raw_mode(mode), AtFlags::empty());
        verb("write", &self.path, set.map_err(io::Error::from))
    }

    /// What a name stands for; `None` if it is not there.
    pub fn stat(&self, name: &[u8]) -> Result<Option<Stat>> {
        let stat = match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            result => self.named("look at", name, result)?,
        };
        Ok(Some(Stat {
            kind: match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                FileType::Symlink => Kind::Symlink,
                _ => Kind::Special,
            },
            mode: Mode::from_raw_mode(stat.st_mode).bits() & 0o777,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            mtime: time(stat.st_mtime, stat.st_mtime_nsec),
            ctime: time(stat.st_ctime, stat.st_ctime_nsec),
            inode: stat.st_ino,
            device: device(stat.st_dev),
        }))
    }

    /// Opens a regular file for reading; anything else in its place is an error.
    pub fn file(&self, name: &[u8]) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.pass(Act::Read, "read", name)?;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty());
        let file = File::from(self.named("read", name, fd)?);
        if verb("read", &self.path_of(name), file.metadata())?.is_file() {
            return Ok(file);
        }
        let error = io::Error::new(io::ErrorKind::InvalidData, "not a regular file");
        verb("read", &self.path_of(name), Err(error))
    }

    /// Makes a private file that must not be there yet.
    pub fn create_file(&self, name: &[u8]) -> Result<File> {
        self.pass(Act::Write, "create", name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o600));
        Ok(File::from(self.named("create", name, fd)?))
    }

    /// The text of a symlink.
    pub fn link_target(&self, name: &[u8]) -> Result<Vec<u8>> {
        let target = rustix::fs::readlinkat(&self.fd, name, Vec::new());
        Ok(self.named("read", name, target)?.into_bytes())
    }

    /// Makes a symlink that must not be there yet.
    pub fn create_link(&self, name: &[u8], target: &[u8]) -> Result<()> {
        self.pass(Act::Write, "create", name)?;
        self.named("create", name, rustix::fs::symlinkat(target, &self.fd, name))
    }

    /// The names in this folder, sorted.
    pub fn list(&self) -> Result<Vec<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.fd, ".", flags, Mode::empty());
        let listed = opened.and_then(rustix::fs::Dir::new).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name().to_bytes().to_vec()))
                .filter(|name| !matches!(name.as_deref(), Ok(b"." | b"..")))
                .collect::<rustix::io::Result<Vec<_>>>()
        });
        let mut names = verb("list", &self.path, listed.map_err(io::Error::from))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Moves a file or symlink of this folder to a name in another, over what is there.
    pub fn rename(&self, name: &[u8], target: &Self, target_name: &[u8]) -> Result<()> {
        target.pass(Act::Write, "write", target_name)?;
        let renamed = rustix::fs::renameat(&self.fd, name, &target.fd, target_name);
        target.named("write", target_name, renamed)
    }

    /// Removes a file or symlink; one that is not there is fine.
    pub fn remove_file(&self, name: &[u8]) -> Result<()> {
        self.pass(Act::Write, "remove", name)?;
        let removed = rustix::fs::unlinkat(&self.fd, name, AtFlags::empty());
        optional(self.named("remove", name, removed)).map(|_| ())
    }

    /// Removes an empty folder.
    pub fn remove_empty_folder(&self, name: &[u8]) -> Result<()> {
        self.pass(Act::Write, "remove", name)?;
        self.named("remove", name, rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR))
    }
}

/// The types of these fields differ between systems.
fn time(seconds: impl Into<i64>, nanoseconds: impl TryInto<i64>) -> Time {
    let nanoseconds = nanoseconds.try_into().unwrap_or_default();
    Time { seconds: seconds.into(), nanoseconds }
}

/// As [`time`].
fn device(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or_default()
}

/// To reach what is in a folder, not to list it: one that cannot be read will do.
#[cfg(target_os = "linux")]
const REACH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const REACH: OFlags = OFlags::RDONLY;

const FOLDER: OFlags = REACH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// "There is nothing of this name" as `None`; a file or symlink of this name is an error.
fn optional_name<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How a [`Path`] below a root is reached: the folder that holds it is kept open from one path to
/// the next, so that sorted paths cost no more than their own lookups.
#[derive(Debug)]
pub struct Walker {
    root: Folder,
    /// The way to the deepest folder that is open.
    way: Vec<u8>,
    /// The folders on that way, each with the length of its own.
    open: Vec<(usize, Folder)>,
}

/// Whether folders on the way are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A folder that is not there is an error of kind `NotFound`.
    Fail,
    Make,
}

impl Walker {
    /// A walker below a folder.
    pub fn new(root: &Path) -> Result<Self> {
        Ok(Self { root: Folder::open(root)?, way: Vec::new(), open: Vec::new() })
    }

    /// The folder that holds a relative path, and the path's last name. The path has no empty,
    /// `.` or `..` parts: whoever calls has checked that.
    pub fn parent<'p>(&mut self, path: &'p [u8], missing: Missing) -> Result<(&Folder, &'p [u8])> {
        let (way, name) = match memchr::memrchr(b'/', path) {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&path[..0], path),
        };
        if way != self.way {
            self.go(way, missing)?;
        }
        Ok((self.deepest(), name))
    }

    fn go(&mut self, way: &[u8], missing: Missing) -> Result<()> {
        let leads_on = |length: usize| {
            way.starts_with(&self.way[..length]) && matches!(way.get(length), None | Some(b'/'))
        };
        let shared_count = self.open.iter().take_while(|(length, _)| leads_on(*length)).count();
        self.open.truncate(shared_count);
        self.way.truncate(self.open.last().map_or(0, |(length, _)| *length));
        for part in way[self.way.len()..].split(|byte| *byte == b'/').filter(|it| !it.is_empty()) {
            let folder = match missing {
                Missing::Fail => self.deepest().folder(part)?,
                Missing::Make => self.deepest().make_folder(part)?,
            };
            if !self.way.is_empty() {
                self.way.push(b'/');
            }
            self.way.extend_from_slice(part);
            self.open.push((self.way.len(), folder));
        }
        Ok(())
    }

    fn deepest(&self) -> &Folder {
        self.open.last().map_or(&self.root, |(_, folder)| folder)
    }
}
