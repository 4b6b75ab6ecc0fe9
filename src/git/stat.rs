//! Whether a file can have changed since the index was written, by its stat data alone. Pure.

use crate::sys::folder::{self, Time};

/// A point in time as the index keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) seconds: u32,
    /// 0 where whoever wrote it keeps whole seconds.
    pub(super) nanoseconds: u32,
}

/// The stat data that the index keeps of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) ctime: Stamp,
    pub(super) mtime: Stamp,
    pub(super) ino: u32,
    pub(super) size_bytes: u32,
}

impl Stat {
    /// Cut down to 32 bits, as the index does.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the index keeps the low 32 bits, and they are compared as such"
    )]
    pub(super) fn new(disk: &folder::Stat) -> Self {
        let stamp = |time: Time| Stamp {
            seconds: time.seconds as u32,
            nanoseconds: time.nanoseconds as u32,
        };
        Self {
            ctime: stamp(disk.ctime),
            mtime: stamp(disk.mtime),
            ino: disk.inode as u32,
            size_bytes: disk.size as u32,
        }
    }
}

/// What the difference between two stats says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// None: the content is the index's, unless the entry is racily clean.
    None,
    /// Only what some file systems and tools do not keep; the settings may excuse it.
    Slight { in_ctime: bool, in_rest: bool },
    /// Another size or time of modification.
    Plain,
}

/// Compares an entry's stat with the file's.
pub(super) fn compare(entry: &Stat, disk: &Stat) -> Difference {
    if entry.size_bytes != disk.size_bytes || entry.mtime.seconds != disk.mtime.seconds {
        return Difference::Plain;
    }
    let in_ctime = !same_time(entry.ctime, disk.ctime);
    let in_rest = !same_time(entry.mtime, disk.mtime) || entry.ino != disk.ino;
    if in_ctime || in_rest {
        return Difference::Slight { in_ctime, in_rest };
    }
    Difference::None
}

fn same_time(entry: Stamp, disk: Stamp) -> bool {
    entry.seconds == disk.seconds
        && (entry.nanoseconds == 0 || entry.nanoseconds == disk.nanoseconds)
}

/// Whether a file may have been changed after its entry was written without its time telling:
/// what was modified no earlier than the index has to be read.
pub(super) fn is_racy(entry_mtime: Stamp, index_mtime: Stamp) -> bool {
    if entry_mtime.nanoseconds == 0 {
        return entry_mtime.seconds >= index_mtime.seconds;
    }
    entry_mtime >= index_mtime
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(seconds: u32, nanoseconds: u32) -> Stamp {
        Stamp { seconds, nanoseconds }
    }

    const STAT: Stat = Stat {
        ctime: Stamp { seconds: 5, nanoseconds: 7 },
        mtime: Stamp { seconds: 3, nanoseconds: 9 },
        ino: 1,
        size_bytes: 10,
    };

    #[test]
    fn only_size_and_seconds_tell_plainly() {
        assert_eq!(compare(&STAT, &STAT), Difference::None);
        assert_eq!(compare(&STAT, &Stat { size_bytes: 11, ..STAT }), Difference::Plain);
        assert_eq!(compare(&STAT, &Stat { mtime: stamp(4, 9), ..STAT }), Difference::Plain);
        let ctime = compare(&STAT, &Stat { ctime: stamp(5, 8), ..STAT });
        assert_eq!(ctime, Difference::Slight { in_ctime: true, in_rest: false });
        let ino = compare(&STAT, &Stat { ino: 2, ..STAT });
        assert_eq!(ino, Difference::Slight { in_ctime: false, in_rest: true });
    }

    #[test]
    fn an_index_without_nanoseconds_is_compared_by_seconds() {
        let entry = Stat { mtime: stamp(3, 0), ctime: stamp(5, 0), ..STAT };
        assert_eq!(compare(&entry, &STAT), Difference::None);
    }

    #[test]
    fn what_is_no_older_than_the_index_is_racy() {
        assert!(is_racy(stamp(3, 5), stamp(3, 5)));
        assert!(!is_racy(stamp(3, 4), stamp(3, 5)));
        assert!(is_racy(stamp(3, 0), stamp(3, 5)), "by whole seconds");
        assert!(!is_racy(stamp(2, 0), stamp(3, 5)));
    }
}
