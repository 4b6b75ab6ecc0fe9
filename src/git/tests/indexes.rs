//! Indexes of all kinds: versions, split, sparse, SHA-256, none.

use super::sandbox::{Sandbox, all_files, paths};
use crate::git::file_set::{BlobId, FileMode};
use crate::git::index::IndexSnapshot;
use crate::git::index_entry::Entry;
use crate::git::stat::{Stamp, Stat};
use crate::git::{index_file, index_listing};

#[track_caller]
fn check_states(sandbox: &Sandbox) {
    sandbox.check_like_git();
    sandbox.write("a", "changed");
    sandbox.remove("d/b");
    sandbox.write("d/new", "new");
    sandbox.git(&["add", "-N", "d/new"]);
    sandbox.check_like_git();
}

fn sandbox() -> Sandbox {
    Sandbox::with_files(&[
        ("a", "1"),
        ("d/b", "2"),
        ("d/c", "3"),
        ("é\n", "4"),
        ("zzz/long/er", "5"),
    ])
}

#[test]
fn every_version_is_read() {
    for version in ["2", "3", "4"] {
        let sandbox = sandbox();
        sandbox.git(&["update-index", "--index-version", version]);
        check_states(&sandbox);
    }
}

#[test]
fn a_split_index_is_read_and_stays_split() {
    let sandbox = sandbox();
    sandbox.git(&["update-index", "--split-index"]);
    sandbox.write("more", "1");
    sandbox.git(&["add", "more"]);
    check_states(&sandbox);
}

#[test]
fn extensions_of_caches_do_no_harm() {
    let sandbox = sandbox();
    sandbox.git(&["update-index", "--untracked-cache"]);
    sandbox.git(&["-c", "index.threads=2", "update-index", "--force-write-index"]);
    check_states(&sandbox);
}

#[test]
fn an_index_without_a_checksum_is_read() {
    let sandbox = sandbox();
    sandbox.git(&["-c", "index.skipHash=true", "update-index", "--force-write-index"]);
    check_states(&sandbox);
}

#[test]
fn files_outside_of_a_sparse_checkout_count_as_the_index_has_them() {
    for kind in ["--no-sparse-index", "--sparse-index"] {
        let sandbox = sandbox();
        let before = sandbox.files();
        sandbox.git(&["sparse-checkout", "set", "--cone", kind, "d"]);
        assert!(!sandbox.path("zzz").exists());
        assert_eq!(sandbox.files(), before, "{kind}");
        sandbox.write("d/b", "changed");
        assert_ne!(sandbox.files(), before);
        sandbox.write("zzz/long/er", "there after all");
        let id = sandbox.git(&["hash-object", "zzz/long/er"]);
        assert!(sandbox.files().contains(&format!("100644 {} zzz/long/er", id.trim())), "{kind}");
    }
}

#[test]
fn a_sha256_repository_is_read() {
    let sandbox = Sandbox::bare_folder();
    sandbox.git(&["init", "-q", "--object-format=sha256"]);
    for (path, text) in [("a", "1"), ("d/b", "2"), ("empty", "")] {
        sandbox.write(path, text);
    }
    sandbox.commit();
    assert_eq!(sandbox.files()[0].len(), "100644  a".len() + 64);
    check_states(&sandbox);
    let commit = sandbox.repo().resolve("HEAD").expect("a commit");
    let changed = sandbox.worktree().changed_since(&commit).expect("changes");
    assert_eq!(changed, [&b"a"[..], b"d/b", b"d/new"]);
}

#[test]
fn a_repository_without_an_index_tracks_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1");
    assert_eq!(paths(&all_files(&sandbox.worktree())), Vec::<String>::new());
    sandbox.git(&["add", "a"]);
    sandbox.check_like_git();
}

#[test]
fn an_index_named_by_the_environment_is_read() {
    let mut sandbox = sandbox();
    sandbox.set("GIT_INDEX_FILE", ".git/another");
    assert_eq!(paths(&all_files(&sandbox.worktree())), Vec::<String>::new());
    sandbox.git(&["add", "a"]);
    assert_eq!(paths(&all_files(&sandbox.worktree())), ["a"]);
}

#[test]
fn a_damaged_index_is_an_error() {
    let sandbox = sandbox();
    let index = crate::sys::fs::read(&sandbox.path(".git/index")).expect("an index");
    let check = |bytes: &[u8], expected: &str| {
        sandbox.write(".git/index", bytes);
        let set = sandbox.worktree().file_set(&super::sandbox::patterns(&["a"]));
        let error = set.expect_err("damage");
        assert_eq!(error.0.message, expected);
        assert!(!error.0.causes.is_empty());
    };
    check(b"garbage, and more of it than git reads at least", "`git ls-files` failed");
    check(&[&index[..100], &[0; 200]].concat(), "the git index is damaged");
}

/// The index file as it is read; `None` if that is left to git.
fn from_file(sandbox: &Sandbox) -> Option<IndexSnapshot> {
    let file = crate::sys::fs::read(&sandbox.path(".git/index")).expect("an index");
    let mut snapshot = IndexSnapshot::new(b"");
    index_file::parse(file, &mut snapshot)?;
    Some(snapshot)
}

/// The index as libgit2 reads it.
fn from_library(sandbox: &Sandbox) -> IndexSnapshot {
    let index = git2::Index::open(&sandbox.path(".git/index")).expect("libgit2 reads it");
    let mut snapshot = IndexSnapshot::new(b"");
    for entry in index.iter() {
        let stamp = |time: git2::IndexTime| Stamp {
            seconds: time.seconds().cast_unsigned(),
            nanoseconds: time.nanoseconds(),
        };
        let flags = git2::IndexEntryExtendedFlag::from_bits_retain(entry.flags_extended);
        let new = Entry {
            stat: Stat {
                ctime: stamp(entry.ctime),
                mtime: stamp(entry.mtime),
                ino: entry.ino,
                size_bytes: entry.file_size,
            },
            mode: FileMode::from_bits(entry.mode).expect("a mode"),
            id: BlobId::from_bytes(entry.id.as_bytes()).expect("an id"),
            is_intent_to_add: flags.contains(git2::IndexEntryExtendedFlag::INTENT_TO_ADD),
            is_skip_worktree: flags.contains(git2::IndexEntryExtendedFlag::SKIP_WORKTREE),
            stage: u8::try_from(entry.flags >> 12 & 3).expect("a stage"),
        };
        snapshot.push(&entry.path, &new).expect("in order");
    }
    snapshot
}

#[test]
fn libgit2_git_s_listing_and_the_file_say_the_same() {
    for version in ["2", "3", "4"] {
        let sandbox = sandbox();
        sandbox.git(&["update-index", "--index-version", version]);
        sandbox.write("d/new", "new");
        sandbox.write(format!("{}/long", "x".repeat(200).as_str()), "long");
        sandbox.git(&["add", "-N", "d/new"]);
        sandbox.git(&["update-index", "--skip-worktree", "a"]);
        sandbox.git(&["update-index", "--assume-unchanged", "d/b"]);
        let from_file = format!("{:?}", from_file(&sandbox).expect("it is read"));
        assert_eq!(from_file, format!("{:?}", from_library(&sandbox)));
        let listing = sandbox.git(&["ls-files", "-z", "--stage", "--debug"]);
        let mut from_listing = IndexSnapshot::new(b"");
        index_listing::parse(listing.as_bytes(), &mut from_listing).expect("a listing");
        assert_eq!(from_file, format!("{from_listing:?}"));
    }
}

#[test]
fn a_path_too_long_for_its_length_field_is_whole() {
    let sandbox = sandbox();
    let id = sandbox.git(&["hash-object", "-w", "a"]);
    let path = format!("{}{}", "x/".repeat(2000), "x".repeat(95));
    let entry = format!("100644,{},{path}", id.trim());
    for version in ["2", "4"] {
        sandbox.git(&["update-index", "--index-version", version]);
        sandbox.git(&["update-index", "--add", "--cacheinfo", &entry]);
        let snapshot = from_file(&sandbox).expect("it is read");
        assert!(snapshot.find(path.as_bytes()).is_some());
    }
}

#[test]
fn an_index_that_is_not_whole_is_no_shorter_index() {
    for (version, skip_hash) in [("2", false), ("4", false), ("2", true), ("4", true)] {
        let sandbox = sandbox();
        sandbox.git(&["update-index", "--index-version", version]);
        let skip_hash = format!("index.skipHash={skip_hash}");
        sandbox.git(&["-c", &skip_hash, "update-index", "--force-write-index"]);
        let whole = crate::sys::fs::read(&sandbox.path(".git/index")).expect("an index");
        let shown = format!("{:?}", from_file(&sandbox).expect("it is read"));
        for length in 0..whole.len() {
            sandbox.write(".git/index", &whole[..length]);
            if let Some(cut) = from_file(&sandbox) {
                assert_eq!(format!("{cut:?}"), shown, "no entry is ever missing: {length}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_of_an_entry_is_never_overlooked() {
    for version in ["2", "4"] {
        let sandbox = sandbox();
        sandbox.git(&["update-index", "--index-version", version]);
        let whole = crate::sys::fs::read(&sandbox.path(".git/index")).expect("an index");
        let shown = format!("{:?}", from_file(&sandbox).expect("it is read"));
        let file_count = sandbox.files().len();
        let extensions_at = memchr::memmem::find(&whole, b"TREE").expect("an extension");
        // Of the entries, device, user, group and what tells git not to look mean nothing here.
        let mut unseen_count = 0;
        for at in 0..extensions_at {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            sandbox.write(".git/index", &damaged);
            unseen_count +=
                usize::from(from_file(&sandbox).is_some_and(|other| format!("{other:?}") == shown));
        }
        // An index of version 2 is one of version 3, too.
        assert_eq!(unseen_count, 12 * file_count + usize::from(version == "2"));
    }
}
