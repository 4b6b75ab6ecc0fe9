//! What a stranger's archive cannot do.

use super::super::archive::{self, Refusal};
use super::super::signature::Signer;
use super::*;
use crate::cache::entry::{Entry, Layout};

/// One member of an archive.
#[derive(Clone)]
struct Member {
    name: String,
    kind: tar::EntryType,
    bytes: Vec<u8>,
    /// What the header says instead of the true size.
    size: Option<u64>,
}

fn member(name: &str, bytes: &[u8]) -> Member {
    let kind = tar::EntryType::Regular;
    Member { name: name.to_owned(), kind, bytes: bytes.to_vec(), size: None }
}

/// An archive of any members, each header written byte for byte.
fn archive(members: &[Member]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = tar::Header::new_gnu();
        let name = &mut header.as_gnu_mut().unwrap().name;
        name[..member.name.len()].copy_from_slice(member.name.as_bytes());
        header.set_entry_type(member.kind);
        header.set_mode(0o7777);
        header.set_size(member.size.unwrap_or(member.bytes.len() as u64));
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&member.bytes);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend_from_slice(&[0; 1024]);
    zstd::encode_all(bytes.as_slice(), 3).unwrap()
}

/// A run with an artifact, and the members of its archive.
fn example() -> (Run, Vec<Member>) {
    let run = Run::new("one").with_artifacts(vec![named("out/a"), named("out/b")]);
    (Run::new("one").with_artifacts(vec![named("out/a"), named("out/b")]), members_of(&run))
}

fn members_of(run: &Run) -> Vec<Member> {
    members_in(&shared(run).bytes(&run.object()))
}

fn members_in(packed: &[u8]) -> Vec<Member> {
    let tar = zstd::decode_all(packed).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let entries = archive.entries().unwrap();
    let members = entries.map(|entry| {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        member(&name, &bytes)
    });
    members.collect()
}

/// The members with another entry in their first.
fn with_entry(members: &[Member], change: impl FnOnce(&mut Entry<Content>)) -> Vec<Member> {
    let mut entry = Entry::<Content>::parse(&members[0].bytes).unwrap();
    change(&mut entry);
    let mut members = members.to_vec();
    members[0].bytes = entry.render(Layout::Compact).unwrap();
    members
}

/// What a fresh machine says of an archive; nothing reaches the project or the entries.
#[track_caller]
fn refusal(run: &Run, bytes: Vec<u8>) -> String {
    let bucket = Bucket::default();
    bucket.put(run.object(), bytes);
    let machine = Machine::new();
    let tiered = machine.tiered(&bucket);
    let warning = run.check_miss(&tiered).expect("a warning");
    assert!(!machine.local.has(run.key()));
    let left = fs::list(machine.dirs.root.as_path()).unwrap();
    assert_eq!(left, [machine.dirs.private.as_path()], "nothing is in the project");
    let unfinished = machine.dirs.unfinished.folder().unwrap();
    assert_eq!(fs::list(&unfinished).unwrap(), [] as [std::path::PathBuf; 0]);
    // What is refused is replaced by the next result.
    Run::new("one").store(&tiered);
    assert!(tiered.finish().is_empty());
    assert_eq!(bucket.requests().last().unwrap(), &format!("PUT {}", run.object()));
    Run::new("one").check_hit(&Machine::new().tiered(&bucket));
    assert!(warning.message.starts_with("what the cache `ci` has for `build` is not used"));
    warning.causes.join("; ")
}

#[track_caller]
fn check(members: &[Member], expected: &str) {
    let (run, _) = example();
    let cause = refusal(&run, archive(members));
    assert!(cause.contains(expected), "{cause}");
}

#[test]
fn an_archive_is_taken_as_it_was_made() {
    let (run, members) = example();
    let bucket = Bucket::default();
    bucket.put(run.object(), archive(&members));
    run.check_hit(&Machine::new().tiered(&bucket));
}

#[test]
fn an_entry_of_something_else_is_refused() {
    let (_, members) = example();
    check(&with_entry(&members, |entry| entry.digest = Digest::of(b"x")), "of something else");
    check(&with_entry(&members, |entry| entry.runnable = "lint".into()), "of something else");
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    let (_, members) = example();
    let long = "x".repeat(4096);
    for path in ["../escaped", "/abs", "a/../../b", "a\0b", ".git/config", "._qik/x", &long] {
        let evil = with_entry(&members, |entry| {
            entry.artifacts = manifest(vec![named("out/a"), file(path, b"out/b")]);
        });
        check(&evil, "the artifact");
    }
    for (path, target) in [("l", "/etc/passwd"), ("l", "../../x"), ("a/l", "../../x")] {
        let kind = ArtifactKind::Symlink { target: target.into() };
        let link = Artifact { path: ProjectPath::from_bytes(path.as_bytes()), kind };
        let evil = with_entry(&members, |entry| entry.artifacts = manifest(vec![link]));
        check(&evil, "leads out of the project");
    }
    let kind = ArtifactKind::Symlink { target: "b".into() };
    let link = Artifact { path: ProjectPath::from_bytes(*b"a"), kind };
    let through = vec![link, file("a/x", b"out/b")];
    check(
        &with_entry(&members, |entry| entry.artifacts = manifest(through)),
        "below a file or symlink",
    );
}

#[test]
fn only_known_members_in_their_order_are_taken() {
    let (_, members) = example();
    for position in 0..members.len() {
        let mut fewer = members.clone();
        fewer.remove(position);
        check(&fewer, if position == members.len() - 1 { "it ends" } else { "in the place of" });
        let mut renamed = members.clone();
        renamed[position].name = "../../escaped".to_owned();
        check(&renamed, "in the place of");
    }
    let mut more = members.clone();
    more.push(member("../escaped", b"x"));
    check(&more, "more in it");
    let mut swapped = members.clone();
    let last = swapped.len() - 1;
    swapped.swap(last, last - 1);
    check(&swapped, "in the place of");
    check(&[], "it ends before");
}

#[test]
fn no_kind_of_member_but_a_file_is_taken() {
    let (_, members) = example();
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Char,
        tar::EntryType::Block,
        tar::EntryType::Fifo,
        tar::EntryType::Directory,
        tar::EntryType::GNUSparse,
    ] {
        let mut evil = members.clone();
        evil[2].kind = kind;
        check(&evil, "not a file");
    }
    for kind in
        [tar::EntryType::GNULongName, tar::EntryType::XHeader, tar::EntryType::XGlobalHeader]
    {
        let mut evil = members.clone();
        evil.insert(0, Member { kind, ..member("././@LongLink", b"../../escaped") });
        check(&evil, "in the place of");
    }
}

#[test]
fn contents_are_what_the_entry_says() {
    let (_, members) = example();
    for position in 1..members.len() {
        let mut flipped = members.clone();
        flipped[position].bytes[0] ^= 1;
        check(&flipped, "a digest is not the one");
        let mut longer = members.clone();
        longer[position].bytes.push(0);
        check(&longer, "a size is not the one");
        let mut lying = members.clone();
        lying[position].bytes.extend([b'x'; 2000]);
        lying[position].size = Some(members[position].bytes.len() as u64);
        check(&lying, if position == members.len() - 1 { "more in it" } else { "damaged" });
    }
    let mut huge = members.clone();
    huge[2].size = Some(1 << 60);
    check(&huge, "a size is not the one");
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let (run, members) = example();
    // Small as it comes, and larger than all that is taken at once.
    let declared = Content { size: 11 << 30, digest: Digest::of(b"x") };
    let kind = ArtifactKind::File { mode: 0o644, content: declared };
    let bomb = Artifact { path: ProjectPath::from_bytes(*b"bomb"), kind };
    let evil = with_entry(&members, |entry| entry.artifacts = manifest(vec![bomb]));
    check(&evil, "it claims more than 10 GiB");
    let overflow = |size| Content { size, digest: Digest::of(b"x") };
    let evil = with_entry(&members, |entry| {
        entry.log = overflow(u64::MAX);
        entry.fingerprint = overflow(u64::MAX);
    });
    check(&evil, "it claims more than 10 GiB");
    // An artifact of 5 bytes that does not end.
    let mut endless = members.clone();
    let last = endless.len() - 1;
    endless[last].bytes = vec![0; 64 << 20];
    check(&endless, "a size is not the one");
    // An entry that does not end.
    let mut entry = members[0].clone();
    entry.bytes = vec![b' '; 17 << 20];
    check(&[entry], "larger than it may be");
    // Frames without content, without end.
    let mut empty = vec![0x50, 0x2a, 0x4d, 0x18, 0, 0, 1, 0];
    empty.resize(empty.len() + (1 << 16), 0);
    let mut archive = archive(&members);
    let (after, before) = (archive.clone(), empty.repeat(400));
    archive.extend_from_slice(&empty.repeat(400));
    let bucket = Bucket::default();
    bucket.put(run.object(), archive);
    run.check_hit(&Machine::new().tiered(&bucket));
    let cause = refusal(&run, [before, after].concat());
    assert!(cause.contains("larger than what it holds"), "{cause}");
    // A window that would take more memory than is given.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&vec![0; 16 << 20]).unwrap();
    let cause = refusal(&run, encoder.finish().unwrap());
    assert!(cause.contains("it is damaged"), "{cause}");
}

#[test]
fn a_manifest_of_a_million_artifacts_is_bounded_by_its_size() {
    let (run, members) = example();
    let many = (0..10_000).map(|n| file(&format!("{}{n}", "d/".repeat(100)), b"out/b")).collect();
    let evil = with_entry(&members, |entry| entry.artifacts = manifest(many));
    // As many as fit are fine where the archive holds what they name.
    let bucket = Bucket::default();
    let without_a: Vec<Member> =
        evil.into_iter().filter(|it| !it.name.ends_with(&Digest::of(b"out/a").to_hex())).collect();
    bucket.put(run.object(), archive(&without_a));
    assert!(matches!(Machine::new().tiered(&bucket).lookup(run.key()), Lookup::Hit(_)));
}

#[test]
fn damaged_bytes_are_refused() {
    let (run, members) = example();
    let good = archive(&members);
    for bytes in [vec![], vec![0; 1000], good[..good.len() / 2].to_vec(), good[..3].to_vec()] {
        refusal(&run, bytes);
    }
    let mut tar = zstd::decode_all(good.as_slice()).unwrap();
    tar[0] ^= 1; // the checksum of a header
    refusal(&run, zstd::encode_all(tar.as_slice(), 3).unwrap());
}

#[test]
fn every_flipped_byte_is_a_miss_or_harmless() {
    let (run, members) = example();
    let good = archive(&members);
    for position in (0..good.len()).step_by(7) {
        let mut bytes = good.clone();
        bytes[position] ^= 0x10;
        let bucket = Bucket::default();
        bucket.put(run.object(), bytes);
        let tiered = Machine::new().tiered(&bucket);
        if matches!(tiered.lookup(run.key()), Lookup::Hit(_)) {
            run.check_hit(&tiered);
        }
    }
}

#[test]
fn a_page_for_people_is_no_archive() {
    let machine = Machine::new();
    let signer = Signer::default();
    for page in ["<!DOCTYPE html><html>", "<?xml version=\"1.0\"?>", "\u{feff}<html>"] {
        let run = Run::new("one");
        let mut source = page.as_bytes();
        let taken = archive::unpack(&mut source, run.key(), machine.local.blobs(), &signer);
        assert!(matches!(taken, Err(Refusal::NoArchive)), "{taken:?}");
    }
}

#[test]
fn an_entry_of_another_version_does_not_belong_under_this_key() {
    let (_, members) = example();
    for (from, to) in [("\"version\":1", "\"version\":2"), ("\"code\"", "\"Code\"")] {
        let mut members = members.clone();
        let text = String::from_utf8(members[0].bytes.clone()).unwrap();
        members[0].bytes = text.replace(from, to).into_bytes();
        check(&members, "not of this version of qik");
    }
}

#[test]
fn with_a_key_only_what_it_signed_is_taken() {
    let run = Run::new("one");
    let keys = |keys: &[&str]| keys.iter().map(|key| Secret::new(*key)).collect::<Vec<_>>();
    let bucket = Bucket::default();
    let sender = Machine::new().tiered_with(&bucket, |it| it.signing_keys = keys(&["new"]));
    run.store(&sender);
    sender.finish();
    let reader = |names: &[&str]| {
        let names = keys(names);
        Machine::new().tiered_with(&bucket, |it| it.signing_keys = names)
    };
    run.check_hit(&reader(&["new"]));
    run.check_hit(&reader(&["newer", "new"]));
    // Who has no key believes all.
    run.check_hit(&reader(&[]));
    let warning = run.check_miss(&reader(&["old"])).unwrap();
    assert_eq!(warning.causes, ["it is signed with another key"]);
    let unsigned = shared(&Run::new("one"));
    let demanding = Machine::new().tiered_with(&unsigned, |it| it.signing_keys = keys(&["new"]));
    assert_eq!(run.check_miss(&demanding).unwrap().causes, ["it is not signed"]);
}

#[test]
fn the_signature_of_another_entry_does_not_fit() {
    let signed = |inputs: &str, code: i32| {
        let bucket = Bucket::default();
        let run = Run::new(inputs).with_code(code);
        let keys = vec![Secret::new("key")];
        let tiered = Machine::new().tiered_with(&bucket, |it| it.signing_keys = keys);
        run.store(&tiered);
        tiered.finish();
        members_in(&bucket.bytes(&run.object()))
    };
    let (mut one, two) = (signed("one", 0), signed("one", 1));
    one[1] = two[1].clone();
    let bucket = Bucket::default();
    let run = Run::new("one");
    bucket.put(run.object(), archive(&one));
    let keys = vec![Secret::new("key")];
    let tiered = Machine::new().tiered_with(&bucket, |it| it.signing_keys = keys);
    assert_eq!(run.check_miss(&tiered).unwrap().causes, ["it is signed with another key"]);
}
