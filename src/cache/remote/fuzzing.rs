//! What a stranger sends as an entry, as an entry point of fuzzing: unpacks into a temporary
//! folder.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::archive::{self, Refusal, Unpacked};
use super::signature::Signer;
use crate::cache::entry::{Entry, Layout};
use crate::cache::{Artifact, ArtifactKind, Content, Key, Local, Manifest};
use crate::hash::Digest;
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::plan::RunnableName;

/// Changes that are made to one archive.
const CHANGES_MAX: usize = 8;

/// The local cache that takes what is good.
struct Machine {
    _folder: tempfile::TempDir,
    local: Local,
    runnable: RunnableName,
}

/// One member of an archive, as its header says.
#[derive(Clone)]
struct Member {
    name: Vec<u8>,
    kind: u8,
    size: u64,
    bytes: Vec<u8>,
}

/// With an odd first byte an archive as it comes; else a good one, changed as the bytes say:
/// whatever is changed, what is taken is the good one's entry.
pub fn archive(bytes: &[u8]) {
    let Some(machine) = machine() else { return };
    let Some((first, rest)) = bytes.split_first() else { return };
    if first % 2 == 1 {
        drop(unpack(machine, rest));
        return;
    }
    let (entry, mut members) = good();
    for change in rest.chunks(4).take(CHANGES_MAX) {
        apply(change, &mut members);
    }
    let tar = tar(&members);
    let cut = usize::from(*first / 2) * 64;
    let tar = if cut == 0 { &tar[..] } else { &tar[..tar.len() - cut.min(tar.len())] };
    let Ok(packed) = zstd::bulk::compress(tar, 1) else { return };
    if let Ok(unpacked) = unpack(machine, &packed) {
        assert_eq!(unpacked.entry, entry);
        let attached = [&unpacked.attached.log, &unpacked.attached.fingerprint];
        let attached = attached.map(|bytes| bytes.as_deref().map(Content::of));
        assert_eq!(attached, [entry.log, entry.fingerprint].map(Some));
        for (_, content) in entry.artifacts.contents() {
            assert!(machine.local.blobs().open(content).is_ok());
        }
    }
}

fn machine() -> Option<&'static Machine> {
    static MACHINE: OnceLock<Option<Machine>> = OnceLock::new();
    let make = || {
        let folder = tempfile::tempdir().ok()?;
        let dirs = WorkDirs::new(AbsPath::new(folder.path().canonicalize().ok()?)?);
        let local = Local::new(&dirs, 1 << 30);
        local.prepare().ok()?;
        let runnable = RunnableName::from("build".to_owned());
        Some(Machine { _folder: folder, local, runnable })
    };
    MACHINE.get_or_init(make).as_ref()
}

fn unpack(machine: &Machine, packed: &[u8]) -> Result<Unpacked, Refusal> {
    let digest = Digest::of(b"inputs");
    let key = Key { runnable: &machine.runnable, command: "build", digest };
    let signer = Signer::new(&[]);
    let peeked = archive::peek(&mut &packed[..], key, &signer);
    let unpacked = archive::unpack(&mut &packed[..], key, machine.local.blobs(), &signer)?;
    assert_eq!(peeked.ok().as_ref(), Some(&unpacked.entry));
    Ok(unpacked)
}

/// An entry with two artifacts, and the members of its archive.
fn good() -> (Entry<Content>, Vec<Member>) {
    let texts = [&b"fingerprint"[..], b"log", b"one", b"two"];
    let [fingerprint, log, one, two] = texts.map(Content::of);
    let artifact = |path: &str, content| {
        let kind = ArtifactKind::File { mode: 0o644, content };
        Artifact { path: ProjectPath::from_bytes(path.as_bytes()), kind }
    };
    let artifacts = vec![artifact("out/a", one), artifact("out/b", two)];
    let entry = Entry {
        runnable: "build".to_owned(),
        digest: Digest::of(b"inputs"),
        code: 0,
        duration_ms: Some(1),
        log,
        artifacts: Manifest { artifacts, unmatched: Vec::new() },
        fingerprint,
    };
    let blobs: BTreeMap<Content, &[u8]> = BTreeMap::from([(one, texts[2]), (two, texts[3])]);
    let mut members = vec![
        member("entry.json", &entry.render(Layout::Compact).unwrap_or_default()),
        member("fingerprint.json", texts[0]),
        member("log", texts[1]),
    ];
    let name = |content: &Content| format!("blobs/{}", content.digest);
    members.extend(blobs.iter().map(|(content, bytes)| member(&name(content), bytes)));
    (entry, members)
}

fn member(name: &str, bytes: &[u8]) -> Member {
    let bytes = bytes.to_vec();
    Member { name: name.into(), kind: b'0', size: bytes.len() as u64, bytes }
}

/// What four bytes say: which change, of which member, where, and to what.
fn apply(change: &[u8], members: &mut Vec<Member>) {
    let byte = |at: usize| usize::from(change.get(at).copied().unwrap_or_default());
    if members.is_empty() {
        return;
    }
    let at = byte(1) % members.len();
    let (to, other) = (byte(3), byte(3) % members.len());
    match byte(0) % 9 {
        0 => drop(members.remove(at)),
        1 => members.insert(other, members[at].clone()),
        2 => members.swap(at, other),
        3 => members[at].kind = change.get(3).copied().unwrap_or_default(),
        4 => members[at].size = (to as u64) << (byte(2) % 57),
        5 => members[at].bytes.truncate(to),
        6 => members[at].bytes.push(change.get(3).copied().unwrap_or_default()),
        place => {
            let field = if place == 7 { &mut members[at].name } else { &mut members[at].bytes };
            let length = field.len().max(1);
            if let Some(target) = field.get_mut(byte(2) % length) {
                *target = change.get(3).copied().unwrap_or_default();
            }
        }
    }
}

fn tar(members: &[Member]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = tar::Header::new_gnu();
        if let Some(gnu) = header.as_gnu_mut() {
            let length = member.name.len().min(gnu.name.len());
            gnu.name[..length].copy_from_slice(&member.name[..length]);
        }
        header.set_entry_type(tar::EntryType::new(member.kind));
        header.set_mode(0o7777);
        header.set_size(member.size);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&member.bytes);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}
