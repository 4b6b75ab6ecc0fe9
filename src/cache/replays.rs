//! Results that were replayed without a byte being written: such as have no artifacts, and whose
//! log is in its output file already. By the stat data of the entry and of that file, so that
//! neither is read again as long as both are left alone.
//!
//! One file for a checkout, a line for each runnable, below a digest of them all. A lost or
//! damaged one is an empty one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::hash::Digest;
use crate::paths::{AbsPath, WorkDirs};
use crate::sys::folder::FileStamp;
use crate::sys::fs;
use crate::sys::memo::{parse_stamp, seal, stamp_words, unseal};

/// Runnables below which their entries are read sooner than what is known of all replays.
pub const RECALL_COUNT_MIN: usize = 4;

/// Replays below which all is read again the next time: to write a file takes as long.
const COUNT_MIN: usize = 32;

/// How long files were left alone that are taken in.
const SETTLED_AFTER: Duration = Duration::from_millis(100);

/// Largest file that is read; some 300,000 runnables.
const SIZE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a replay was, and what it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// The key's.
    pub digest: Digest,
    /// 0 to 255.
    pub code: u8,
    pub duration_ms: Option<u64>,
    /// The entry's file.
    pub entry: FileStamp,
    /// The output file, which holds the log.
    pub output: FileStamp,
}

/// A file as it was when it was looked at, before it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) stamp: FileStamp,
    /// Since the epoch.
    pub(super) at: Duration,
}

/// The replays of a checkout; making them reads nothing.
#[derive(Debug)]
pub(super) struct Replays {
    dirs: WorkDirs,
    kept: OnceLock<Kept>,
    learned: Mutex<BTreeMap<String, Replayed>>,
}

/// The file as it was found.
#[derive(Debug, Default)]
struct Kept {
    text: String,
    /// Where the lines begin, in the order of their first words.
    starts: Vec<u32>,
}

impl Replays {
    pub(super) fn new(dirs: &WorkDirs) -> Self {
        Self { dirs: dirs.clone(), kept: OnceLock::new(), learned: Mutex::default() }
    }

    fn path(&self) -> AbsPath {
        self.dirs.private.join("cache/v1/replays")
    }

    /// The last replay of a runnable, by its slug.
    pub(super) fn find(&self, slug: &str) -> Option<Replayed> {
        self.kept.get_or_init(|| self.load().unwrap_or_default()).find(slug)
    }

    fn load(&self) -> Option<Kept> {
        let bytes = fs::read_bounded(self.path().as_path(), SIZE_BYTES_MAX).ok()?;
        Kept::parse(bytes)
    }

    /// Takes in a replay, if its files had been left alone for a while when it began.
    pub(super) fn learn(&self, slug: String, replayed: Replayed, begun_at: Duration) {
        if [replayed.entry, replayed.output].iter().all(|stamp| is_settled(stamp, begun_at)) {
            self.lock().insert(slug, replayed);
        }
    }

    /// Keeps what was learned, if there is enough of it, and of what was known before all whose
    /// entry is still there. That it cannot be kept costs time alone, so nobody is told.
    pub(super) fn keep(&self, is_there: impl Fn(&str, Digest) -> bool) {
        let learned = std::mem::take(&mut *self.lock());
        if learned.len() < COUNT_MIN {
            return;
        }
        // As it is now: another process may have kept something meanwhile.
        let kept = self.load().unwrap_or_default();
        let is_of_use = |line: &&str| {
            let slug = first_word(line);
            !learned.contains_key(slug) && parse(line).is_some_and(|it| is_there(slug, it.digest))
        };
        let of_use = kept.lines().filter(is_of_use);
        let mut lines: BTreeMap<&str, String> =
            of_use.map(|line| (first_word(line), format!("{line}\n"))).collect();
        for (slug, replayed) in &learned {
            lines.insert(slug, format!("{slug} {replayed}\n"));
        }
        let text = seal(&lines.into_values().collect::<String>());
        let has_place = fs::stat(self.dirs.private.as_path()).is_ok_and(|stat| stat.is_dir());
        if has_place && text.len() as u64 <= SIZE_BYTES_MAX {
            drop(self.dirs.unfinished.write(self.path().as_path(), text.as_bytes()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Replayed>> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// `None` unless all of it is as it was written.
    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(bytes).ok()?;
        let lines = unseal(&text)?;
        let mut start = u32::try_from(text.len() - lines.len()).ok()?;
        let mut starts = Vec::new();
        for line in lines.split_inclusive('\n') {
            starts.push(start);
            start += u32::try_from(line.len()).ok()?;
        }
        Some(Self { text, starts })
    }

    fn rest_from(&self, start: u32) -> &str {
        &self.text[start as usize..]
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().filter_map(|start| self.rest_from(*start).lines().next())
    }

    fn find(&self, slug: &str) -> Option<Replayed> {
        let found =
            self.starts.binary_search_by(|start| first_word(self.rest_from(*start)).cmp(slug));
        parse(self.rest_from(self.starts[found.ok()?]).lines().next()?)
    }
}

/// Whether the next change of a file will show in its times. Its ctime is set at every change, by
/// nobody but the system; so where fractions of seconds are kept, a few ticks of the system's clock,
/// a hundredth each at most, are enough.
fn is_settled(stamp: &FileStamp, now: Duration) -> bool {
    let ctime = u32::try_from(stamp.ctime.nanoseconds).ok().filter(|fraction| *fraction != 0);
    let seconds = u64::try_from(stamp.ctime.seconds).ok();
    match (seconds, ctime) {
        (Some(seconds), Some(fraction)) => {
            Duration::new(seconds, fraction).saturating_add(SETTLED_AFTER) < now
        }
        _ => stamp.is_settled(now),
    }
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, code, duration_ms, entry, output } = self;
        let duration = duration_ms.map_or("-".to_owned(), |duration| duration.to_string());
        write!(f, "{digest} {code} {duration} {} {}", stamp_words(entry), stamp_words(output))
    }
}

/// A line.
fn parse(line: &str) -> Option<Replayed> {
    let mut words = line.split(' ').skip(1);
    let digest = words.next()?.parse().ok()?;
    let code = words.next()?.parse().ok()?;
    let duration_ms = match words.next()? {
        "-" => None,
        duration => Some(duration.parse().ok()?),
    };
    let (entry, output) = (parse_stamp(&mut words)?, parse_stamp(&mut words)?);
    words.next().is_none().then_some(Replayed { digest, code, duration_ms, entry, output })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sys::clock;
    use crate::sys::folder::Time;

    const LONG_AGO: Time = Time { seconds: 1_000_000_000, nanoseconds: 7 };

    fn replayed(number: u64) -> Replayed {
        let stamp =
            |size| FileStamp { device: 1, inode: number, size, mtime: LONG_AGO, ctime: LONG_AGO };
        Replayed {
            digest: Digest::of(&number.to_le_bytes()),
            code: 3,
            duration_ms: number.checked_sub(1),
            entry: stamp(1),
            output: stamp(2),
        }
    }

    fn folder() -> (tempfile::TempDir, WorkDirs) {
        let folder = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(folder.path()).unwrap());
        fs::create_folder(dirs.private.join("cache/v1").as_path()).unwrap();
        (folder, dirs)
    }

    fn now() -> Duration {
        clock::since_epoch(clock::wall())
    }

    fn learn(dirs: &WorkDirs, numbers: std::ops::Range<u64>) {
        let replays = Replays::new(dirs);
        for number in numbers {
            replays.learn(format!("c{number}"), replayed(number), now());
        }
        replays.keep(|_, _| true);
    }

    #[test]
    fn what_was_learned_is_found_by_the_next() {
        let (_folder, dirs) = folder();
        learn(&dirs, 0..40);
        learn(&dirs, 30..70);
        let replays = Replays::new(&dirs);
        for number in 0..70 {
            assert_eq!(replays.find(&format!("c{number}")), Some(replayed(number)));
        }
        assert_eq!(replays.find("c"), None);
        assert_eq!(replays.find("c70"), None);
    }

    #[test]
    fn a_few_are_not_worth_a_file() {
        let (_folder, dirs) = folder();
        learn(&dirs, 0..COUNT_MIN as u64 - 1);
        assert_eq!(Replays::new(&dirs).find("c1"), None);
    }

    #[test]
    fn what_was_just_written_is_not_learned() {
        let (_folder, dirs) = folder();
        let replays = Replays::new(&dirs);
        let seconds = i64::try_from(now().as_secs()).unwrap();
        let fresh = Time { seconds: seconds + 1, nanoseconds: 0 };
        for number in 0..40 {
            let mut fresh_output = replayed(number);
            fresh_output.output.ctime = fresh;
            replays.learn(format!("c{number}"), fresh_output, now());
        }
        replays.keep(|_, _| true);
        assert_eq!(Replays::new(&dirs).find("c1"), None);
    }

    #[test]
    fn what_has_no_entry_any_more_is_forgotten() {
        let (_folder, dirs) = folder();
        learn(&dirs, 0..40);
        let replays = Replays::new(&dirs);
        for number in 40..80 {
            replays.learn(format!("c{number}"), replayed(number), now());
        }
        replays.keep(|slug, digest| slug == "c7" && digest == replayed(7).digest);
        let replays = Replays::new(&dirs);
        assert_eq!(replays.find("c1"), None);
        for number in (40..80).chain([7]) {
            assert_eq!(replays.find(&format!("c{number}")), Some(replayed(number)));
        }
    }

    #[test]
    fn damaged_ones_are_none() {
        let (_folder, dirs) = folder();
        learn(&dirs, 0..40);
        let path = Replays::new(&dirs).path();
        let good = fs::read(path.as_path()).unwrap();
        let mut flipped = good.clone();
        flipped[90] ^= 1;
        for bytes in [&b""[..], b"\xff", b"x\ny\n", &good[..good.len() - 3], &flipped] {
            fs::write_atomic(path.as_path(), bytes).unwrap();
            assert_eq!(Replays::new(&dirs).find("c1"), None);
        }
    }

    proptest! {
        #[test]
        fn a_line_comes_back(
            numbers: [u64; 4], seconds: i64, nanoseconds: i64, code: u8, duration_ms: Option<u64>,
        ) {
            let time = Time { seconds, nanoseconds };
            let [device, inode, size, other] = numbers;
            let stamp = |size| FileStamp { device, inode, size, mtime: time, ctime: LONG_AGO };
            let (entry, output) = (stamp(size), stamp(other));
            let digest = Digest::of(&device.to_le_bytes());
            let replayed = Replayed { digest, code, duration_ms, entry, output };
            prop_assert_eq!(parse(&format!("a#b {replayed}")), Some(replayed));
            let more = format!("a#b {replayed} x");
            prop_assert_eq!(parse(&more), None);
        }
    }
}
