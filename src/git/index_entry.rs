//! What the index says of a path, as its file keeps it in versions 2 and 3:
//! <https://git-scm.com/docs/index-format>. Pure.

use super::file_set::{BlobId, FileMode};
use super::stat::{Stamp, Stat};

/// Bytes of an id, but in a repository of SHA-256.
pub(super) const SHA1_BYTES: usize = 20;

/// Bytes of the stat data, all of them numbers of four.
const STAT_BYTES: usize = 40;

/// Of the flags, in which the stage is as well.
const EXTENDED: u16 = 1 << 14;
const STAGE_SHIFT: u16 = 12;

/// The length of the path as far as it fits into the flags.
pub(super) const PATH_LENGTH_MAX: u16 = 0xfff;

/// Of the extended flags.
const SKIP_WORKTREE: u16 = 1 << 14;
const INTENT_TO_ADD: u16 = 1 << 13;

/// What the index says of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stat: Stat,
    pub(super) mode: FileMode,
    pub(super) id: BlobId,
    /// `git add -N`: only the path is known.
    pub(super) is_intent_to_add: bool,
    /// Left out of a sparse checkout, if it is not there.
    pub(super) is_skip_worktree: bool,
    /// 0, or 1 to 3 for the sides of a merge that is in conflict.
    pub(super) stage: u8,
}

impl Entry {
    /// Whether entries of both sides of a merge stand for its path.
    pub(super) fn is_conflicted(&self) -> bool {
        self.stage > 0
    }

    /// Whether two entries of a path say the same of its content; when it was looked at is not
    /// a part of that.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        let said = |entry: &Self| {
            let states = (entry.is_intent_to_add, entry.is_skip_worktree, entry.is_conflicted());
            (entry.mode, entry.id, states)
        };
        said(self) == said(other)
    }

    /// The entry that the bytes in front of a path are; `None` if they are none.
    pub(super) fn decode(head: &[u8], id_length: usize) -> Option<Self> {
        let (stat, rest) = head.split_first_chunk::<STAT_BYTES>()?;
        let (id, rest) = rest.split_at_checked(id_length)?;
        let (flags, rest) = rest.split_first_chunk()?;
        let flags = u16::from_be_bytes(*flags);
        let extended =
            if flags & EXTENDED == 0 { 0 } else { u16::from_be_bytes(*rest.first_chunk()?) };
        if extended & !(SKIP_WORKTREE | INTENT_TO_ADD) != 0 {
            return None;
        }
        let number = |at: usize| {
            let at = 4 * at;
            u32::from_be_bytes([stat[at], stat[at + 1], stat[at + 2], stat[at + 3]])
        };
        let stamp = |at: usize| Stamp { seconds: number(at), nanoseconds: number(at + 1) };
        // Between them are device, user and group, which do not count.
        let (ctime, mtime, ino, mode, size_bytes) = (0, 2, 5, 6, 9);
        let mode_bits = number(mode);
        Some(Self {
            stat: Stat {
                ctime: stamp(ctime),
                mtime: stamp(mtime),
                ino: number(ino),
                size_bytes: number(size_bytes),
            },
            mode: FileMode::from_bits(mode_bits).filter(|mode| mode.bits() == mode_bits)?,
            id: BlobId::from_bytes(id)?,
            is_intent_to_add: extended & INTENT_TO_ADD != 0,
            is_skip_worktree: extended & SKIP_WORKTREE != 0,
            stage: u8::try_from(flags >> STAGE_SHIFT & 3).ok()?,
        })
    }

    /// The id of the entry that the bytes in front of a path are.
    pub(super) fn decode_id(head: &[u8], id_length: usize) -> Option<BlobId> {
        BlobId::from_bytes(head.get(STAT_BYTES..STAT_BYTES + id_length)?)
    }

    /// Adds the bytes in front of its path.
    pub(super) fn encode(&self, path_length: usize, bytes: &mut Vec<u8>) {
        let Stat { ctime, mtime, ino, size_bytes } = self.stat;
        let mut extended = if self.is_intent_to_add { INTENT_TO_ADD } else { 0 };
        extended |= if self.is_skip_worktree { SKIP_WORKTREE } else { 0 };
        let mut flags = u16::from(self.stage) << STAGE_SHIFT;
        flags |= u16::try_from(path_length).unwrap_or(u16::MAX).min(PATH_LENGTH_MAX);
        flags |= if extended == 0 { 0 } else { EXTENDED };
        let times = [ctime.seconds, ctime.nanoseconds, mtime.seconds, mtime.nanoseconds];
        let (device, user, group) = (0, 0, 0);
        let rest = [device, ino, self.mode.bits(), user, group, size_bytes];
        times.iter().chain(&rest).for_each(|it| bytes.extend_from_slice(&it.to_be_bytes()));
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&flags.to_be_bytes());
        if extended != 0 {
            bytes.extend_from_slice(&extended.to_be_bytes());
        }
    }
}

/// How many bytes there are in front of a path, and what its length is said to be.
pub(super) fn measure(head: &[u8], id_length: usize) -> Option<(usize, u16)> {
    let flags_at = STAT_BYTES + id_length;
    let flags = u16::from_be_bytes(*head.get(flags_at..)?.first_chunk()?);
    let extended_bytes = if flags & EXTENDED == 0 { 0 } else { 2 };
    Some((flags_at + 2 + extended_bytes, flags & PATH_LENGTH_MAX))
}
