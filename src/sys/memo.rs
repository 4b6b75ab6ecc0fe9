//! What files were found to hold, as a text to be kept between runs: a file that has not changed
//! since need not be read again. Pure.
//!
//! To be put in is only what holds for good: see [`FileStamp::is_settled`].

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::str::FromStr;

use super::folder::{FileStamp, Time};
use crate::paths::ProjectPath;

/// By path: the stamp of the file when it was read, and what was found. As text, a fact is one word.
pub type Facts<T> = BTreeMap<ProjectPath, (FileStamp, T)>;

/// A line for each file, below a digest of them all.
pub fn render<T: Display>(facts: &Facts<T>) -> String {
    let mut lines = String::new();
    for (path, (stamp, fact)) in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{} {fact} {path}", stamp_words(stamp));
    }
    seal(&lines)
}

/// Lines below a digest of them all.
pub fn seal(lines: &str) -> String {
    format!("{}\n{lines}", blake3::hash(lines.as_bytes()))
}

/// The lines below their digest; `None` unless all of them are as they were written.
pub fn unseal(text: &str) -> Option<&str> {
    let (digest, lines) = text.split_once('\n')?;
    let is_whole = blake3::Hash::from_hex(digest).ok()? == blake3::hash(lines.as_bytes());
    is_whole.then_some(lines)
}

/// A stamp as five words.
pub fn stamp_words(stamp: &FileStamp) -> impl Display {
    let FileStamp { device, inode, size, mtime, ctime } = stamp;
    let [mtime, ctime] = [mtime, ctime].map(|it| format!("{}.{}", it.seconds, it.nanoseconds));
    format!("{device} {inode} {size} {mtime} {ctime}")
}

/// The stamp of the next five words.
pub fn parse_stamp<'w>(words: &mut impl Iterator<Item = &'w str>) -> Option<FileStamp> {
    let mut word = || words.next();
    Some(FileStamp {
        device: word()?.parse().ok()?,
        inode: word()?.parse().ok()?,
        size: word()?.parse().ok()?,
        mtime: parse_time(word()?)?,
        ctime: parse_time(word()?)?,
    })
}

/// `None` unless all of it is as it was written.
pub fn parse<T: FromStr>(text: &[u8]) -> Option<Facts<T>> {
    unseal(std::str::from_utf8(text).ok()?)?.lines().map(parse_line).collect()
}

fn parse_line<T: FromStr>(line: &str) -> Option<(ProjectPath, (FileStamp, T))> {
    let mut words = line.splitn(7, ' ');
    let stamp = parse_stamp(&mut words)?;
    let fact = words.next()?.parse().ok()?;
    Some((ProjectPath::unescape(words.next()?)?, (stamp, fact)))
}

fn parse_time(word: &str) -> Option<Time> {
    let (seconds, nanoseconds) = word.split_once('.')?;
    Some(Time { seconds: seconds.parse().ok()?, nanoseconds: nanoseconds.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_comes_back_and_nothing_else_does(
            paths in proptest::collection::vec(any::<Vec<u8>>(), 0..4),
            numbers: [i64; 4],
            size: u64,
            flip in any::<prop::sample::Index>(),
        ) {
            let [seconds, nanoseconds, device, fact] = numbers;
            let time = Time { seconds, nanoseconds };
            let (device, inode) = (device.cast_unsigned(), device.cast_unsigned());
            let stamp = FileStamp { device, inode, size, mtime: time, ctime: time };
            let paths = paths.into_iter().map(ProjectPath::from_bytes);
            let facts: Facts<i64> = paths.map(|path| (path, (stamp, fact))).collect();
            let mut text = render(&facts).into_bytes();
            prop_assert_eq!(parse::<i64>(&text), Some(facts));
            prop_assert_eq!(parse::<i64>(&text[..text.len() - 1]), None);
            let at = flip.index(text.len());
            text[at] ^= 1;
            prop_assert_eq!(parse::<i64>(&text), None);
        }
    }
}
