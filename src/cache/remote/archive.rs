//! An entry as one object: a tar file, compressed with zstd.
//!
//! ```text
//! entry.json         the entry, as the local cache has it: first, as it says what follows
//! signature          of entry.json, where there is a key
//! fingerprint.json
//! log
//! blobs/DIGEST       the content of artifacts, each once, sorted
//! ```
//!
//! Both ways it is streamed: what is held in memory does not depend on the sizes of artifacts.
//! An archive may come from anybody. It is taken only if it holds exactly what its entry says, in
//! this order, and the entry is one that could have been stored here: nothing is unpacked by the
//! name or the mode that an archive gives, no extension of tar is understood, and reading ends
//! one byte after the size that was declared. What is taken goes to the local cache; whatever is
//! restored from there is checked once more.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use super::super::attached::{self, Attached};
use super::super::blobs::Blobs;
use super::super::entry::{Entry, Layout, Unusable};
use super::super::reach;
use super::signature::Signer;
use super::streams::{Bounded, Hashing, Watched};
use crate::cache::{Content, Key};
use crate::error::{Code, Diagnostic};
use crate::hash::Digest;

/// zstd's own default: half of the size of the fastest level for a fifth of the speed of copying.
const LEVEL: i32 = 3;

/// What a window may take while unpacking, as a power of two: 8 MiB for each archive at a time,
/// twice of what our own level uses.
const WINDOW_LOG_MAX: u32 = 23;

/// All that an archive may hold once it is unpacked, as much as a local cache does by default: a
/// few kilobytes can be unpacked to terabytes.
pub(super) const UNPACKED_BYTES_MAX: u64 = 10 << 30;

/// Largest entry: some 100,000 artifacts. Less than what a local cache reads, as several are read
/// at once, each into some times as much memory.
const REMOTE_ENTRY_BYTES_MAX: u64 = 16 << 20;

/// What an archive may be larger than all that it holds: nothing can be packed worse than a few
/// bytes in each 128 KiB, and yet frames without content could go on for ever.
const PACKED_SLACK_BYTES: u64 = 1 << 20;
const PACKED_SLACK_DIVISOR: u64 = 64;

/// What may follow the last member, of zeros that nobody needs.
const PADDING_BYTES_MAX: u64 = 64 * 1024;

/// A member's header with what fills its last block.
const HEADER_BYTES_MAX: u64 = 1024;

/// Longest signature that is looked at.
const SIGNATURE_BYTES_MAX: u64 = 64;

const ENTRY: &str = "entry.json";
const SIGNATURE: &str = "signature";
const FINGERPRINT: &str = "fingerprint.json";
const LOG: &str = "log";

const OTHER_SIZE: &str = "a size is not the one that its entry says";
const OTHER_DIGEST: &str = "a digest is not the one that its entry says";

/// Why an archive is not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is not what it should be, or must not be.
    Refused(Diagnostic),
    /// Something else entirely, as a page for people.
    NoArchive,
    /// It cannot be kept here.
    Local(Diagnostic),
}

/// What an archive held; its blobs are in the local cache, the entry is not yet.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) entry: Entry<Content>,
    pub(super) attached: Attached,
    /// Bytes that were added to the blobs.
    pub(super) added_bytes: u64,
}

/// Writes an entry whose blobs are all there into a file.
pub(super) fn pack(
    entry: &Entry<Content>,
    attached: &Attached,
    blobs: &Blobs,
    signer: &Signer,
    target: &mut impl Write,
) -> Result<(), Diagnostic> {
    let bytes = entry
        .render(Layout::Compact)
        .ok_or_else(|| Diagnostic::new(Code::CacheFailed, "its exit code is none"))?;
    if bytes.len() as u64 > REMOTE_ENTRY_BYTES_MAX {
        return Err(Diagnostic::new(Code::CacheFailed, "it has too many artifacts"));
    }
    let size = declared_size(entry).unwrap_or(u64::MAX);
    if size > UNPACKED_BYTES_MAX {
        let limit = UNPACKED_BYTES_MAX >> 30;
        return Err(Diagnostic::new(Code::CacheFailed, format!("it is larger than {limit} GiB")));
    }
    let mut packer = Packer(tar::Builder::new(packed(zstd::Encoder::new(target, LEVEL))?));
    packer.add(ENTRY, bytes.len() as u64, &mut bytes.as_slice())?;
    if let Some(signature) = signer.sign(&bytes) {
        packer.add(SIGNATURE, signature.len() as u64, &mut signature.as_bytes())?;
    }
    let parts =
        [(FINGERPRINT, entry.fingerprint, &attached.fingerprint), (LOG, entry.log, &attached.log)];
    for (name, content, bytes) in parts {
        match bytes {
            Some(bytes) if Content::of(bytes) == content => {
                packer.add(name, content.size, &mut bytes.as_slice())?;
            }
            Some(_) => return Err(Diagnostic::new(Code::CacheFailed, "its entry is damaged")),
            None => packer.add_blob(name, content, blobs)?,
        }
    }
    for content in distinct(entry) {
        packer.add_blob(&blob_name(content.digest), content, blobs)?;
    }
    packed(packed(packer.0.into_inner())?.finish())?;
    Ok(())
}

struct Packer<W: Write>(tar::Builder<W>);

impl<W: Write> Packer<W> {
    fn add(&mut self, name: &str, size: u64, source: &mut dyn Read) -> Result<(), Diagnostic> {
        let mut header = tar::Header::new_gnu();
        packed(header.set_path(name))?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        packed(self.0.append(&header, source))
    }

    /// Adds a blob, which must hold what it should to its last byte.
    fn add_blob(&mut self, name: &str, content: Content, blobs: &Blobs) -> Result<(), Diagnostic> {
        let mut source = Hashing { source: blobs.open(content)?, hasher: blake3::Hasher::new() };
        self.add(name, content.size, &mut source)?;
        if Digest::finish(&source.hasher) == content.digest {
            return Ok(());
        }
        Err(blobs.discard(content))
    }
}

fn packed<T>(result: io::Result<T>) -> Result<T, Diagnostic> {
    result.map_err(|error| {
        Diagnostic::new(Code::CacheFailed, "it cannot be packed").because(error.to_string())
    })
}

/// Reads an archive of a key: its blobs into the local cache, its entry as a value.
pub(super) fn unpack(
    source: &mut dyn Read,
    key: Key<'_>,
    blobs: &Blobs,
    signer: &Signer,
) -> Result<Unpacked, Refusal> {
    let bytes_left = Cell::new(packed_size_max(REMOTE_ENTRY_BYTES_MAX));
    let mut source = Bounded { source, bytes_left: &bytes_left };
    let mut archive = open(&mut source)?;
    let mut members = members(&mut archive)?;
    let entry = read_entry(key, signer, &mut members)?;
    let declared_bytes = declared_size(&entry).unwrap_or_default();
    let _room = blobs.room(declared_bytes).map_err(Refusal::Local)?;
    let headers_bytes = HEADER_BYTES_MAX * distinct(&entry).len() as u64;
    bytes_left.set(bytes_left.get() + packed_size_max(declared_bytes + headers_bytes));
    let mut added_bytes = 0;
    let mut member = fingerprint_member(&mut members, signer)?;
    let fingerprint = receive_part(&mut member, entry.fingerprint, blobs, &mut added_bytes)?;
    let mut member = next_member(&mut members, LOG)?;
    let log = receive_part(&mut member, entry.log, blobs, &mut added_bytes)?;
    for content in distinct(&entry) {
        let mut member = next_member(&mut members, &blob_name(content.digest))?;
        added_bytes += receive(&mut member, content, blobs)?;
    }
    if members.next().is_some() {
        return Err(refused("there is more in it than its entry names"));
    }
    // The connection can serve the next request only if this answer has been read to its end.
    let mut rest = archive.into_inner().take(PADDING_BYTES_MAX);
    drop(io::copy(&mut rest, &mut io::sink()));
    Ok(Unpacked { entry, attached: Attached { log, fingerprint }, added_bytes })
}

/// Reads no more of an archive than its entry.
pub(super) fn peek(
    source: &mut dyn Read,
    key: Key<'_>,
    signer: &Signer,
) -> Result<Entry<Content>, Refusal> {
    let bytes_left = Cell::new(packed_size_max(REMOTE_ENTRY_BYTES_MAX));
    let mut source = Bounded { source, bytes_left: &bytes_left };
    let mut archive = open(&mut source)?;
    read_entry(key, signer, &mut members(&mut archive)?)
}

/// The most that so many bytes, with what is around them, can become by packing.
fn packed_size_max(bytes: u64) -> u64 {
    bytes + bytes / PACKED_SLACK_DIVISOR + PACKED_SLACK_BYTES
}

type Archive<'a> = tar::Archive<zstd::Decoder<'static, io::BufReader<Start<'a>>>>;
type Members<'m, 'a> = tar::Entries<'m, zstd::Decoder<'static, io::BufReader<Start<'a>>>>;
type Member<'m, 'a> = tar::Entry<'m, zstd::Decoder<'static, io::BufReader<Start<'a>>>>;

/// A source whose first bytes have been looked at.
type Start<'a> = io::Chain<io::Cursor<Vec<u8>>, &'a mut dyn Read>;

fn open(source: &mut dyn Read) -> Result<Archive<'_>, Refusal> {
    let mut magic = Vec::new();
    (&mut *source).take(4).read_to_end(&mut magic).map_err(|error| broken(&error))?;
    if magic.first() == Some(&b'<') || magic.starts_with(b"\xef\xbb\xbf") {
        return Err(Refusal::NoArchive);
    }
    let start = io::Cursor::new(magic).chain(source);
    let mut decoder = zstd::Decoder::new(start).map_err(|error| broken(&error))?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(|error| broken(&error))?;
    Ok(tar::Archive::new(decoder))
}

/// The members as they are: what other tars say of one member in another is not understood, and
/// so not obeyed.
fn members<'m, 'a>(archive: &'m mut Archive<'a>) -> Result<Members<'m, 'a>, Refusal> {
    Ok(archive.entries().map_err(|error| broken(&error))?.raw(true))
}

fn next_member<'m, 'a>(
    members: &mut Members<'m, 'a>,
    name: &str,
) -> Result<Member<'m, 'a>, Refusal> {
    next_of(members, &[name], name)
}

/// The next member, which must have one of these names; a refusal speaks of `name`.
fn next_of<'m, 'a>(
    members: &mut Members<'m, 'a>,
    names: &[&str],
    name: &str,
) -> Result<Member<'m, 'a>, Refusal> {
    let Some(member) = members.next() else {
        return Err(refused(format!("it ends before `{name}`")));
    };
    let member = member.map_err(|error| broken(&error))?;
    if !names.iter().any(|name| member.path_bytes() == name.as_bytes()) {
        return Err(refused(format!("something else is in the place of `{name}`")));
    }
    if !member.header().entry_type().is_file() {
        return Err(refused(format!("`{name}` is not a file")));
    }
    Ok(member)
}

/// Reads and checks the entry, which decides on all that follows.
fn read_entry(
    key: Key<'_>,
    signer: &Signer,
    members: &mut Members<'_, '_>,
) -> Result<Entry<Content>, Refusal> {
    let bytes = read_small(&mut next_member(members, ENTRY)?, REMOTE_ENTRY_BYTES_MAX)?;
    let entry = match Entry::<Content>::parse(&bytes) {
        Ok(entry) => entry,
        // An entry of another version has another key: here it is damage.
        Err(Unusable::Foreign) => return Err(refused("it is not of this version of qik")),
        Err(Unusable::Damaged(cause)) => return Err(refused(cause)),
    };
    if entry.digest != key.digest || entry.runnable != key.runnable.as_str() {
        return Err(refused("it is the entry of something else"));
    }
    reach::check(&entry.artifacts).map_err(Refusal::Refused)?;
    if declared_size(&entry).is_none_or(|size| size > UNPACKED_BYTES_MAX) {
        return Err(refused(format!("it claims more than {} GiB", UNPACKED_BYTES_MAX >> 30)));
    }
    if signer.is_on() {
        let member = next_member(members, SIGNATURE).map_err(|_| refused("it is not signed"))?;
        let signature = read_small(&mut { member }, SIGNATURE_BYTES_MAX)?;
        if !signer.verify(&bytes, &signature) {
            return Err(refused("it is signed with another key"));
        }
    }
    Ok(entry)
}

fn read_small(member: &mut Member<'_, '_>, bytes_max: u64) -> Result<Vec<u8>, Refusal> {
    if member.size() > bytes_max {
        return Err(refused("its entry is larger than it may be"));
    }
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    Ok(bytes)
}

/// The fingerprint. Whoever has no key to sign with passes over the signature of those who have.
fn fingerprint_member<'m, 'a>(
    members: &mut Members<'m, 'a>,
    signer: &Signer,
) -> Result<Member<'m, 'a>, Refusal> {
    let signature = if signer.is_on() { FINGERPRINT } else { SIGNATURE };
    let mut member = next_of(members, &[FINGERPRINT, signature], FINGERPRINT)?;
    if member.path_bytes() == SIGNATURE.as_bytes() {
        read_small(&mut member, SIGNATURE_BYTES_MAX)?;
        return next_member(members, FINGERPRINT);
    }
    Ok(member)
}

/// Takes what belongs into the entry's file, or puts a blob of it into the local cache.
fn receive_part(
    member: &mut Member<'_, '_>,
    content: Content,
    blobs: &Blobs,
    added_bytes: &mut u64,
) -> Result<Option<Vec<u8>>, Refusal> {
    if !attached::is_attached(content) {
        *added_bytes += receive(member, content, blobs)?;
        return Ok(None);
    }
    if member.size() != content.size {
        return Err(refused(OTHER_SIZE));
    }
    let bytes = read_small(member, attached::SIZE_BYTES_MAX)?;
    if Content::of(&bytes) == content { Ok(Some(bytes)) } else { Err(refused(OTHER_DIGEST)) }
}

/// Takes a blob into the local cache. Gives how many bytes were added.
fn receive(member: &mut Member<'_, '_>, content: Content, blobs: &Blobs) -> Result<u64, Refusal> {
    if member.size() != content.size {
        return Err(refused(OTHER_SIZE));
    }
    let mut source = Watched::new(member);
    let stored = blobs.store_verified(content, &mut source);
    if let Some(error) = source.error {
        return Err(broken(&error));
    }
    match stored {
        Ok(Some(added_bytes)) => Ok(added_bytes),
        Ok(None) => Err(refused(OTHER_DIGEST)),
        Err(cause) => Err(Refusal::Local(cause)),
    }
}

fn refused(cause: impl Into<String>) -> Refusal {
    Refusal::Refused(Diagnostic::new(Code::CacheFailed, cause))
}

fn broken(error: &io::Error) -> Refusal {
    refused(format!("it is damaged: {error}"))
}

fn blob_name(digest: Digest) -> String {
    format!("blobs/{digest}")
}

/// What the artifacts hold, each content once.
fn distinct(entry: &Entry<Content>) -> BTreeSet<Content> {
    entry.artifacts.contents().map(|(_, content)| content).collect()
}

/// How much an entry names; `None` if it is more than can be counted.
fn declared_size(entry: &Entry<Content>) -> Option<u64> {
    let sizes = distinct(entry).into_iter().map(|content| content.size);
    let mut sizes = sizes.chain([entry.log.size, entry.fingerprint.size]);
    sizes.try_fold(0, u64::checked_add)
}
