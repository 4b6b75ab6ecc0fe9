//! The ids of whole folders as the index has them: the extension `TREE` of
//! <https://git-scm.com/docs/index-format>. Where a commit has the same id for a folder, there is
//! no need to look into it. Pure.

use std::collections::BTreeMap;

use super::file_set::BlobId;

/// A SHA-1; an index of SHA-256 is not read here.
const ID_BYTES: usize = 20;

/// A folder that is in the index as it is in some tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownTree {
    pub(super) id: BlobId,
    /// How many entries of the index lie in it.
    pub(super) entry_count: u32,
}

/// By path with a slash at its end, the root by an empty one. Whatever was changed since git last
/// made a tree of it is not among them; of a damaged extension none is.
pub(super) fn parse(extension: &[u8]) -> BTreeMap<Vec<u8>, KnownTree> {
    read(extension).unwrap_or_default()
}

fn read(mut rest: &[u8]) -> Option<BTreeMap<Vec<u8>, KnownTree>> {
    let mut trees = BTreeMap::new();
    // The folders that the walk is in: how long their paths are, and how many of theirs are to come.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut path = Vec::new();
    while !rest.is_empty() {
        let name = until(&mut rest, 0)?;
        while open.last().is_some_and(|(_, missing_count)| *missing_count == 0) {
            open.pop();
        }
        let parent_length = match open.last_mut() {
            Some((length, missing_count)) => {
                *missing_count -= 1;
                *length
            }
            None if trees.is_empty() && path.is_empty() && name.is_empty() => 0,
            None => return None,
        };
        path.truncate(parent_length);
        if !name.is_empty() {
            path.extend_from_slice(name);
            path.push(b'/');
        }
        let entry_count: i64 = number(until(&mut rest, b' ')?)?;
        let folder_count: usize = number(until(&mut rest, b'\n')?)?;
        if let Ok(entry_count) = u32::try_from(entry_count) {
            let (id, behind) = rest.split_at_checked(ID_BYTES)?;
            rest = behind;
            let tree = KnownTree { id: BlobId::from_bytes(id)?, entry_count };
            trees.insert(path.clone(), tree);
        }
        open.push((path.len(), folder_count));
    }
    let is_whole = open.iter().all(|(_, missing_count)| *missing_count == 0);
    is_whole.then_some(trees)
}

/// What comes before a byte, which is passed over.
fn until<'a>(rest: &mut &'a [u8], end: u8) -> Option<&'a [u8]> {
    let length = memchr::memchr(end, rest)?;
    let (part, behind) = (&rest[..length], &rest[length + 1..]);
    *rest = behind;
    Some(part)
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &[u8; 20] = b"abcdefghijklmnopqrst";

    fn tree(name: &str, counts: &str, has_id: bool) -> Vec<u8> {
        let id = if has_id { &ID[..] } else { b"" };
        [name.as_bytes(), b"\0", counts.as_bytes(), b"\n", id].concat()
    }

    #[test]
    fn folders_have_their_paths() {
        let extension = [
            tree("", "-1 2", false),
            tree("a", "3 1", true),
            tree("b", "2 0", true),
            tree("c", "-1 1", false),
            tree("d", "1 0", true),
        ];
        let trees = parse(&extension.concat());
        let counts: Vec<_> =
            trees.iter().map(|(path, tree)| (path.as_slice(), tree.entry_count)).collect();
        assert_eq!(counts, [(&b"a/"[..], 3), (b"a/b/", 2), (b"c/d/", 1)]);
    }

    #[test]
    fn what_is_damaged_says_nothing() {
        let good = [tree("", "1 1", true), tree("a", "1 0", true)].concat();
        assert_eq!(parse(&good).len(), 2);
        for end in 0..good.len() {
            assert!(parse(&good[..end]).len() < 2, "{end}");
        }
        let twice = [tree("", "1 0", true), tree("a", "1 0", true)].concat();
        assert!(parse(&twice).is_empty(), "a folder of none");
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            drop(parse(&bytes));
        }
    }
}
