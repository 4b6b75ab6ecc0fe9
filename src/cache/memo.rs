//! What artifacts were found to hold, by their stat data, so that a gigabyte that has not changed
//! is not read again.
//!
//! One file per runnable below `._qik/cache`, read only where there is enough to gain. A lost or
//! damaged one is an empty one. An entry counts only if the file had not been touched for a while
//! when it was read: a later write then cannot have left the same times. The time of last status
//! change is compared too, which no program can set.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Content, slug};
use crate::hash::Digest;
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::plan::RunnableName;
use crate::sys::folder::Stat;
use crate::sys::{clock, fs};

/// Nanoseconds that a file must have been left alone before it was read. The coarsest file
/// systems in use have times of two seconds.
const SETTLED: i128 = 2_000_000_000;

/// Files and bytes below which everything is simply read.
const FILE_COUNT_MIN: usize = 16;
const SIZE_BYTES_MIN: u64 = 64 * 1024;

/// Largest memo that is read: some 500,000 artifacts.
const MEMO_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The memo of one runnable; making it reads nothing.
#[derive(Debug, Clone)]
pub struct Memo(Option<Place>);

/// Where a memo is kept.
#[derive(Debug, Clone)]
struct Place {
    dirs: WorkDirs,
    path: AbsPath,
}

/// A memo in use: looked into, then replaced by what was seen.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// `None` if nothing is kept.
    place: Option<&'a Place>,
    before: BTreeMap<ProjectPath, Seen>,
    after: BTreeMap<ProjectPath, Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    size: u64,
    mtime: i128,
    ctime: i128,
    inode: u64,
    /// When it was read; nanoseconds since the epoch.
    read: i128,
    digest: Digest,
}

impl Seen {
    fn new(stat: Stat, read: i128, digest: Digest) -> Self {
        let Stat { size, mtime, ctime, inode, .. } = stat;
        Self { size, mtime, ctime, inode, read, digest }
    }

    fn holds_for(&self, stat: Stat) -> bool {
        let is_settled = self.mtime.max(self.ctime) + SETTLED < self.read;
        is_settled && *self == Self::new(stat, self.read, self.digest)
    }
}

impl Memo {
    /// That of a runnable's artifacts.
    pub fn new(dirs: &WorkDirs, runnable: &RunnableName) -> Self {
        let path = dirs.private.join("cache/v1/memo").join(slug(runnable.as_str()));
        Self(Some(Place { dirs: dirs.clone(), path }))
    }

    /// One that remembers nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Starts looking at this many files of this size altogether.
    pub(super) fn session(&self, file_count: usize, size_bytes: u64) -> Session<'_> {
        let is_worth_it = file_count >= FILE_COUNT_MIN || size_bytes >= SIZE_BYTES_MIN;
        let place = self.0.as_ref().filter(|_| is_worth_it);
        let load = |place: &Place| fs::read_bounded(place.path.as_path(), MEMO_BYTES_MAX).ok();
        let before = place.and_then(load).and_then(|text| parse(&text)).unwrap_or_default();
        Session { place, before, after: BTreeMap::new() }
    }
}

impl Session<'_> {
    /// The content of a file with this stat data, read only if it must be.
    pub(super) fn content<E>(
        &mut self,
        path: &ProjectPath,
        stat: Stat,
        read: impl FnOnce() -> Result<Content, E>,
    ) -> Result<Content, E> {
        if let Some(seen) = self.before.get(path)
            && seen.holds_for(stat)
        {
            self.after.insert(path.clone(), *seen);
            return Ok(Content { size: seen.size, digest: seen.digest });
        }
        let now = i128::try_from(clock::since_epoch(clock::wall()).as_nanos()).unwrap_or_default();
        let content = read()?;
        if self.place.is_some() && content.size == stat.size {
            self.after.insert(path.clone(), Seen::new(stat, now, content.digest));
        }
        Ok(content)
    }

    /// Keeps what was seen, if that is news and there is a place for it. That it cannot be kept
    /// costs time alone, so nobody is told.
    pub(super) fn finish(self) {
        let Some(place) = self.place.filter(|_| self.before != self.after) else { return };
        let Place { dirs, path } = place;
        if fs::stat(dirs.private.as_path()).is_ok_and(|stat| stat.is_dir()) {
            let folder = dirs.private.join("cache/v1/memo");
            let write = || dirs.unfinished.write(path.as_path(), render(&self.after).as_bytes());
            drop(fs::create_folder(folder.as_path()).and_then(|()| write()));
        }
    }
}

/// One line per file below a digest of them all.
pub(super) fn render(seen: &BTreeMap<ProjectPath, Seen>) -> String {
    let mut lines = String::new();
    for (path, it) in seen {
        let Seen { size, mtime, ctime, inode, read, digest } = it;
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{size} {mtime} {ctime} {inode} {read} {digest} {path}");
    }
    format!("{}\n{lines}", Digest::of(lines.as_bytes()))
}

/// `None` unless all of it is as it was written.
pub(super) fn parse(text: &[u8]) -> Option<BTreeMap<ProjectPath, Seen>> {
    let (digest, lines) = std::str::from_utf8(text).ok()?.split_once('\n')?;
    if digest.parse() != Ok(Digest::of(lines.as_bytes())) {
        return None;
    }
    lines.lines().map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(ProjectPath, Seen)> {
    let mut words = line.splitn(7, ' ');
    let mut word = || words.next();
    let seen = Seen {
        size: word()?.parse().ok()?,
        mtime: word()?.parse().ok()?,
        ctime: word()?.parse().ok()?,
        inode: word()?.parse().ok()?,
        read: word()?.parse().ok()?,
        digest: word()?.parse().ok()?,
    };
    Some((ProjectPath::unescape(word()?)?, seen))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::sys::folder::Kind;

    const DAY: i128 = 86_400_000_000_000;

    fn now() -> i128 {
        i128::try_from(clock::since_epoch(clock::wall()).as_nanos()).unwrap()
    }

    fn stat(changed: i128) -> Stat {
        Stat { kind: Kind::File, mode: 0o644, size: 3, mtime: changed, ctime: changed, inode: 5 }
    }

    fn memo() -> (tempfile::TempDir, WorkDirs, Memo) {
        let folder = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(folder.path()).unwrap());
        fs::create_folder(dirs.private.as_path()).unwrap();
        let memo = Memo::new(&dirs, &RunnableName::new("build", None, None));
        (folder, dirs, memo)
    }

    /// Looks at one file and tells whether it was read.
    fn look(memo: &Memo, stat: Stat, bytes: &[u8]) -> (bool, Content) {
        let mut was_read = false;
        let mut session = memo.session(1, SIZE_BYTES_MIN);
        let content = session
            .content(&ProjectPath::from_bytes(*b"out\n/\xff"), stat, || {
                was_read = true;
                Ok::<_, Infallible>(Content::of(bytes))
            })
            .unwrap();
        session.finish();
        (was_read, content)
    }

    #[test]
    fn what_has_not_changed_is_read_once() {
        let (_folder, _, memo) = memo();
        let stat = stat(now() - DAY);
        assert_eq!(look(&memo, stat, b"one"), (true, Content::of(b"one")));
        assert_eq!(look(&memo, stat, b"two"), (false, Content::of(b"one")));
    }

    #[test]
    fn anything_that_differs_is_read() {
        let before = stat(now() - DAY);
        let changes: [fn(&mut Stat); 4] =
            [|s| s.size += 1, |s| s.mtime += 1, |s| s.ctime += 1, |s| s.inode += 1];
        for change in changes {
            let (_folder, _, memo) = memo();
            look(&memo, before, b"one");
            let mut after = before;
            change(&mut after);
            assert_eq!(look(&memo, after, b"two"), (true, Content::of(b"two")));
        }
    }

    #[test]
    fn what_was_just_written_is_read_again() {
        let (_folder, _, memo) = memo();
        let fresh = stat(now());
        look(&memo, fresh, b"one");
        assert_eq!(look(&memo, fresh, b"two"), (true, Content::of(b"two")));
        let old_mtime = Stat { mtime: 0, ..fresh };
        look(&memo, old_mtime, b"one");
        assert!(look(&memo, old_mtime, b"two").0, "its time of change is fresh");
    }

    #[test]
    fn a_damaged_memo_is_an_empty_one() {
        let (_folder, _, memo) = memo();
        let stat = stat(now() - DAY);
        let path = memo.0.clone().unwrap().path;
        look(&memo, stat, b"one");
        let good = fs::read(path.as_path()).unwrap();
        let mut flipped = good.clone();
        flipped[80] ^= 1;
        for bytes in [&b""[..], b"\xff", b"x\ny\n", &good[..good.len() - 3], &flipped] {
            fs::write_atomic(path.as_path(), bytes).unwrap();
            assert!(look(&memo, stat, b"one").0, "{bytes:?}");
        }
    }

    #[test]
    fn nothing_is_written_where_there_is_no_private_folder() {
        let (_folder, dirs, memo) = memo();
        fs::remove_folder(dirs.private.as_path()).unwrap();
        look(&memo, stat(0), b"one");
        assert!(fs::stat(dirs.private.as_path()).is_err());
    }
}
