//! Indexes of all kinds: versions, split, sparse, SHA-256, none.

use super::sandbox::{Sandbox, all_files, paths};
use crate::git::index::IndexSnapshot;
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

#[test]
fn the_file_and_git_s_listing_of_it_say_the_same() {
    let sandbox = sandbox();
    sandbox.write("d/new", "new");
    sandbox.git(&["add", "-N", "d/new"]);
    sandbox.git(&["update-index", "--skip-worktree", "a"]);
    let bytes = crate::sys::fs::read(&sandbox.path(".git/index")).expect("an index");
    let Ok(from_file) = index_file::parse(&bytes, || IndexSnapshot::new(b"")) else {
        panic!("the index should be understood");
    };
    let listing = sandbox.git(&["ls-files", "-z", "--stage", "--debug"]);
    let mut from_listing = IndexSnapshot::new(b"");
    index_listing::parse(listing.as_bytes(), &mut from_listing).expect("a listing");
    assert_eq!(format!("{from_file:?}"), format!("{from_listing:?}"));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let sandbox = sandbox();
    sandbox.git(&["update-index", "--index-version", "4"]);
    let index = crate::sys::fs::read(&sandbox.path(".git/index")).expect("an index");
    let parse = |bytes: &[u8]| index_file::parse(bytes, || IndexSnapshot::new(b""));
    let Ok(whole) = parse(&index) else { panic!("the index should be understood") };
    for length in 0..index.len() {
        if let Ok(cut) = parse(&index[..length]) {
            assert_eq!(format!("{cut:?}"), format!("{whole:?}"), "no entry is ever missing");
        }
    }
    for at in 0..index.len() {
        let mut damaged = index.clone();
        damaged[at] ^= 0x81;
        drop(parse(&damaged));
    }
}
