//! The index as `git ls-files -z --stage --debug` lists it: for those that libgit2 refuses
//! to read. Pure.
//!
//! Only the stage part of the format is promised to stay. Should git ever print the rest in
//! another way, stat data are missing: every file is then read, and nothing is wrong.

use super::file_set::{BlobId, FileMode};
use super::index::{IndexSnapshot, Malformed};
use super::index_entry::Entry;
use super::stat::{Stamp, Stat};

const SKIP_WORKTREE: u32 = 1 << 30;
const INTENT_TO_ADD: u32 = 1 << 29;

/// Fills a snapshot.
pub(super) fn parse(listing: &[u8], snapshot: &mut IndexSnapshot) -> Result<(), Malformed> {
    let mut rest = listing;
    while !rest.is_empty() {
        let head_length = rest.iter().position(|byte| *byte == b'\t').ok_or(Malformed)?;
        let (head, tail) = rest.split_at(head_length);
        let path_length = tail.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
        let path = &tail[1..path_length];
        let (details, tail) = split_details(&tail[path_length + 1..]);
        rest = tail;
        snapshot.push(path, &entry(head, details).ok_or(Malformed)?)?;
    }
    Ok(())
}

/// The lines that begin with two spaces: no other line does.
fn split_details(text: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    while text[end..].starts_with(b"  ") {
        let line = text[end..].iter().position(|byte| *byte == b'\n');
        end = line.map_or(text.len(), |length| end + length + 1);
    }
    text.split_at(end)
}

fn entry(head: &[u8], details: &[u8]) -> Option<Entry> {
    let head = std::str::from_utf8(head).ok()?;
    let mut words = head.split(' ');
    let mode = FileMode::from_bits(u32::from_str_radix(words.next()?, 8).ok()?)?;
    let id = BlobId::from_hex(words.next()?)?;
    let stage = words.next()?.parse().ok()?;
    let details = std::str::from_utf8(details).unwrap_or_default();
    let (stat, flags) = parse_details(details).unwrap_or_default();
    Some(Entry {
        stat,
        mode,
        id,
        is_intent_to_add: flags & INTENT_TO_ADD != 0,
        is_skip_worktree: flags & SKIP_WORKTREE != 0,
        stage,
    })
}

fn parse_details(details: &str) -> Option<(Stat, u32)> {
    let field = |name: &str| {
        let (_, rest) = details.split_once(name)?;
        rest.split(['\t', '\n']).next().map(str::trim)
    };
    let stamp = |name: &str| {
        let (seconds, nanoseconds) = field(name)?.split_once(':')?;
        Some(Stamp { seconds: seconds.parse().ok()?, nanoseconds: nanoseconds.parse().ok()? })
    };
    let stat = Stat {
        ctime: stamp("ctime:")?,
        mtime: stamp("mtime:")?,
        ino: field("ino:")?.parse().ok()?,
        size_bytes: field("size:")?.parse().ok()?,
    };
    Some((stat, u32::from_str_radix(field("flags:")?, 16).ok()?))
}
