//! A bucket that somebody else can write to.

use std::fs;
use std::path::Path;

use qik::hash::Digest;

use crate::support::{Bucket, Output, Project};

/// The members of an archive, by name.
type Members = Vec<(String, Vec<u8>)>;

fn members(object: &Path) -> Members {
    let tar = zstd::decode_all(fs::read(object).unwrap().as_slice()).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let entries = archive.entries().unwrap();
    let members = entries.map(|entry| {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (name, bytes)
    });
    members.collect()
}

fn write(object: &Path, members: &Members) {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o7777);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    fs::write(object, zstd::encode_all(tar.as_slice(), 3).unwrap()).unwrap();
}

/// Changes the text of an entry, and seals it anew as a stranger would who knows the format.
fn forge(members: &mut Members, from: &str, to: &str) {
    let text = String::from_utf8(members[0].1.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replace(from, to);
    let (body, _) = text.rsplit_once("\"seal\"").unwrap();
    let seal = Digest::of(body.as_bytes());
    members[0].1 = format!("{body}\"seal\": \"{seal}\"}}\n").into_bytes();
}

/// What a clone says of a bucket whose only object has been changed: it runs, nothing is written
/// where it should not be, and what was wrong is replaced.
#[track_caller]
fn check(change: impl FnOnce(&Path)) -> Output {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    let object = bucket.only_object();
    change(&object);
    let clone = project.clone_to("clone");
    let output = clone.qik(["hello"]).ok().says("is not used").no_panic();
    assert_eq!(output.stderr().matches("warning[").count(), 1, "{}", output.dump());
    assert_eq!(project.runs("hello"), 2);
    let around = clone.sh("cd ..; find . -name '*escaped*'; ls -a clone").ok().stdout();
    let expected = ".\n..\n._qik\n.git\na.txt\nout\nqik.toml\n";
    assert_eq!(around, expected);
    project.clone_to("third").qik(["hello"]).ok().warns_not();
    assert_eq!(project.runs("hello"), 2, "it has been replaced");
    output
}

#[track_caller]
fn check_forged(from: &str, to: &str, cause: &str) {
    check(|object| {
        let mut members = members(object);
        forge(&mut members, from, to);
        write(object, &members);
    })
    .says(cause);
}

#[test]
fn a_forged_path_writes_nothing_anywhere() {
    for path in ["../escaped", "/tmp/qik-escaped", "x/../../escaped", "a\\\\x00b"] {
        check_forged("\"out/a\"", &format!("\"{path}\""), "the artifact");
    }
    check_forged("\"out/a\"", "\".git/hooks/post-checkout\"", "belongs to git or to qik");
    check_forged("\"out/a\"", &format!("\"{}\"", "x".repeat(4096)), "too long");
}

#[test]
fn a_forged_link_leads_nowhere() {
    let artifact = |text: &str| {
        let start = text.find("\"artifacts\":{").unwrap() + "\"artifacts\":{".len();
        text[start..start + text[start..].find('}').unwrap()].to_owned()
    };
    for (link, cause) in [
        ("\"l\":\"link /etc\"", "leads out of the project"),
        ("\"l\":\"link ../..\"", "leads out of the project"),
        ("\"l\":\"device 8 0\"", "malformed"),
        ("\"l\":\"fifo\"", "malformed"),
    ] {
        check(|object| {
            let mut members = members(object);
            let whole = artifact(&String::from_utf8(members[0].1.clone()).unwrap());
            forge(&mut members, &whole, link);
            members.truncate(3);
            write(object, &members);
        })
        .says(cause);
    }
}

#[test]
fn modes_are_permissions_and_no_more() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    let object = bucket.only_object();
    let mut members = members(&object);
    forge(&mut members, "\"file 0644", "\"file 7755");
    write(&object, &members);
    let clone = project.clone_to("clone");
    clone.qik(["hello"]).ok().warns_not();
    assert_eq!(clone.sh("stat -c %a out/a").ok().stdout(), "755\n");
    let age = clone.sh("echo $(( $(date +%s) - $(stat -c %Y out/a) ))").ok().stdout();
    assert!(age.trim().parse::<i64>().unwrap() < 60, "restored files are new: {age}");
}

#[test]
fn an_entry_of_another_command_or_other_inputs_is_refused() {
    check_forged("\"runnable\":\"hello\"", "\"runnable\":\"other\"", "of something else");
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    let first = bucket.only_object();
    let old = fs::read(&first).unwrap();
    project.file("a.txt", "changed\n").commit();
    project.qik(["hello"]).ok();
    let second = bucket.keys().into_iter().find(|key| !first.ends_with(key)).unwrap();
    fs::write(first.with_file_name(second), old).unwrap();
    let clone = project.clone_to("clone");
    clone.qik(["hello"]).ok().says("of something else").shows("changed");
}

#[test]
fn a_bomb_does_not_go_off() {
    // A few kilobytes that would be 4 GiB.
    let bomb = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 1 << 30), &mut encoder).unwrap();
        encoder.finish().unwrap()
    };
    check(|object| fs::write(object, &bomb).unwrap());
    // An artifact of some bytes that does not end.
    check(|object| {
        let mut members = members(object);
        members.last_mut().unwrap().1 = vec![0; 32 << 20];
        write(object, &members);
    })
    .says("a size is not the one");
    check_forged("file 0644 13 ", "file 0644 99999999999 ", "claims more than 10 GiB");
}

#[test]
fn a_log_that_was_altered_is_not_replayed() {
    check(|object| {
        let mut members = members(object);
        let log = members.iter_mut().find(|(name, _)| name == "log").unwrap();
        log.1 = b"content-of-b\n".to_vec();
        write(object, &members);
    })
    .says("a digest is not the one")
    .lacks("content-of-b");
}

#[test]
fn a_restore_does_not_go_through_a_link_of_the_work_tree() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    let clone: Project = project.clone_to("clone");
    let outside = clone.world().join("outside");
    fs::create_dir(&outside).unwrap();
    clone.link("out", outside.to_str().unwrap());
    drop(clone.qik(["hello"]).no_panic());
    let written = fs::read_dir(&outside).unwrap().count();
    assert!(written == 0 || project.runs("hello") == 2, "only the command itself may follow links");
}

#[test]
fn what_only_looks_signed_is_refused() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let main = project.env("QIK_CACHE_KEY", "main-key");
    main.qik(["hello"]).ok().warns_not();
    let reader = |name: &str, key: &str| project.clone_to(name).env("QIK_CACHE_KEY", key);
    reader("one", "main-key").qik(["hello"]).ok().warns_not();
    reader("two", "next-key, main-key").qik(["hello"]).ok().warns_not();
    assert_eq!(project.runs("hello"), 1);
    let output = reader("three", "other-key").qik(["hello"]).ok().says("signed with another key");
    output.lacks("other-key").lacks("main-key");
    assert_eq!(project.runs("hello"), 2);
}

#[test]
fn a_status_believes_only_what_is_signed() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    let main = project.env("QIK_CACHE_KEY", "main-key");
    let clone = project.clone_to("clone").env("QIK_CACHE_KEY", "main-key");
    let status = ["--ls", "--cache-status", "warm"];
    clone.qik(status).ok().prints("").says("it is not signed");
    main.qik(["hello", "-f"]).ok().warns_not();
    clone.qik(status).ok().prints("hello\n").warns_not();
    assert!(!clone.exists("._qik/cache"), "nothing is kept");
}
