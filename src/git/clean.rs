//! Blob ids of files after git's clean conversions, made by git itself.
//!
//! All files that need it are hashed in one go, so that line ends, encodings and filter drivers
//! are exactly git's own.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::Output;

use super::binary::{failure, words};
use super::content::Hashed;
use super::file_set::BlobId;
use super::index::IndexSnapshot;
use super::plain;
use super::quote;
use super::repo::Repo;
use crate::error::{Code, Diagnostic};
use crate::paths::escape;
use crate::sys::fs;

/// Paths in one command line.
const PATHS_PER_CALL_MAX: usize = 200;

/// git, asked for the ids of a work tree's files.
pub(super) struct Cleaner<'a> {
    pub(super) repo: &'a Repo,
    pub(super) snapshot: &'a IndexSnapshot,
}

impl Cleaner<'_> {
    pub(super) fn path(&self, entry: u32) -> PathBuf {
        self.repo.root().as_path().join(OsStr::from_bytes(self.snapshot.git_path(entry)))
    }

    /// A content without a path.
    pub(super) fn hash_text(&self, text: &[u8]) -> Hashed {
        let args = ["hash-object", "--stdin"];
        match self.repo.git().run(&args, text) {
            Ok(output) => match parse_ids(&output.stdout).first() {
                Some(id) => Hashed::Id(*id),
                None => failure(&args, &output).into(),
            },
            Err(diagnostic) => diagnostic.into(),
        }
    }

    /// Files, with all conversions.
    pub(super) fn hash_files(&self, entries: &[u32]) -> Vec<Hashed> {
        self.hash_each(&["hash-object", "--stdin-paths"], entries)
    }

    /// Files of which at most the line ends are converted.
    pub(super) fn hash_texts(&self, entries: &[u32]) -> Vec<Hashed> {
        let mut hashed = self.hash_files(entries);
        self.undo_new_line_ends(entries, &mut hashed);
        hashed
    }

    /// Runs git's hasher over files; it stops at the first that it cannot read, so it is started
    /// again after that one.
    fn hash_each(&self, args: &[&str], entries: &[u32]) -> Vec<Hashed> {
        let mut hashed = Vec::with_capacity(entries.len());
        while hashed.len() < entries.len() {
            let rest = &entries[hashed.len()..];
            let mut input = Vec::new();
            for entry in rest {
                input.extend(quote::line(self.snapshot.git_path(*entry)));
                input.push(b'\n');
            }
            match self.repo.git().run(args, &input) {
                Ok(output) => {
                    let ids = parse_ids(&output.stdout);
                    hashed.extend(ids.into_iter().take(rest.len()).map(Hashed::Id));
                    if let Some(failed) = entries.get(hashed.len()) {
                        hashed.push(self.explain(*failed, args, &output));
                    }
                }
                Err(diagnostic) => {
                    hashed.resize(entries.len(), diagnostic.into());
                }
            }
        }
        hashed
    }

    /// Why git could not hash a file.
    fn explain(&self, entry: u32, args: &[&str], output: &Output) -> Hashed {
        if let Err(error) = fs::open_plain(&self.path(entry)) {
            return error.into();
        }
        let path = self.snapshot.git_path(entry);
        let shown = escape(path);
        let query = [OsStr::new("check-attr"), OsStr::new("-z"), OsStr::new("filter")];
        let query = query.into_iter().chain([OsStr::new("--"), OsStr::from_bytes(path)]);
        let query: Vec<&OsStr> = query.collect();
        let answer = self.repo.git().read(&query).unwrap_or_default();
        let filter = answer.split(|byte| *byte == 0).nth(2).unwrap_or_default();
        if matches!(filter, b"" | b"unspecified" | b"unset" | b"set") {
            return failure(args, output).because(format!("the file is `{shown}`")).into();
        }
        let filter = escape(filter);
        let diagnostic = Diagnostic::new(
            Code::FilterFailed,
            format!("git's filter `{filter}` fails on `{shown}`"),
        );
        let diagnostic = words(&output.stderr).into_iter().fold(diagnostic, Diagnostic::because);
        diagnostic
            .hint(format!("install what `git config filter.{filter}.clean` runs, or repair it"))
            .into()
    }

    /// git leaves line ends alone that it would otherwise convert if they are in the index the
    /// same way (`text=auto`), which its hasher does not know of. And whatever its attributes say
    /// by now, a file with the very bytes of the index's blob is that blob.
    fn undo_new_line_ends(&self, entries: &[u32], hashed: &mut [Hashed]) {
        let has_new_id = |position: &usize| {
            let id_before = self.snapshot.id(entries[*position]);
            matches!(hashed[*position], Hashed::Id(id) if id != id_before)
                && self.has_crlf(entries[*position])
        };
        let suspects: Vec<usize> = (0..entries.len()).filter(has_new_id).collect();
        if suspects.is_empty() {
            return;
        }
        let suspect_entries: Vec<u32> = suspects.iter().map(|at| entries[*at]).collect();
        let args = ["hash-object", "--no-filters", "--stdin-paths"];
        let mut kept_by_index = None;
        for (position, raw) in suspects.into_iter().zip(self.hash_each(&args, &suspect_entries)) {
            let (Hashed::Id(raw), Hashed::Id(id)) = (raw, &mut hashed[position]) else { continue };
            let entry = entries[position];
            if *id == raw {
                continue;
            }
            let path = self.snapshot.git_path(entry);
            if raw == self.snapshot.id(entry)
                || kept_by_index
                    .get_or_insert_with(|| self.keeping_crlf(&suspect_entries))
                    .contains(path)
            {
                *id = raw;
            }
        }
    }

    fn has_crlf(&self, entry: u32) -> bool {
        let file = fs::open_plain(&self.path(entry)).ok();
        file.and_then(|file| plain::scan(file).ok()).is_some_and(|(has_crlf, _)| has_crlf)
    }

    /// Of some paths those whose line ends git converts only if the index does not have them.
    fn keeping_crlf(&self, entries: &[u32]) -> BTreeSet<Vec<u8>> {
        let git = self.repo.git().clone().with("GIT_LITERAL_PATHSPECS", "1");
        let mut keeping = BTreeSet::new();
        for chunk in entries.chunks(PATHS_PER_CALL_MAX) {
            let paths = chunk.iter().map(|entry| OsStr::from_bytes(self.snapshot.git_path(*entry)));
            let args = ["ls-files", "--eol", "-z", "--"].map(OsStr::new).into_iter().chain(paths);
            let args: Vec<OsString> = args.map(OsStr::to_owned).collect();
            // Without an answer the ids stay as git's hasher gave them.
            let listing = git.read(&args).unwrap_or_default();
            keeping.extend(listing.split(|byte| *byte == 0).filter_map(parse_eol));
        }
        keeping
    }
}

/// `i/…  w/…  attr/… TAB PATH`: the path if the index has CRLF and conversion is automatic.
pub(super) fn parse_eol(record: &[u8]) -> Option<Vec<u8>> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let facts = std::str::from_utf8(&record[..tab]).ok()?;
    let (ends, attributes) = facts.split_once("attr/")?;
    let is_in_index = ends.starts_with("i/crlf") || ends.starts_with("i/mixed");
    let is_automatic = attributes.trim().is_empty() || attributes.starts_with("text=auto");
    (is_in_index && is_automatic).then(|| record[tab + 1..].to_vec())
}

pub(super) fn parse_ids(stdout: &[u8]) -> Vec<BlobId> {
    let lines = stdout.split(|byte| *byte == b'\n');
    lines.map_while(|line| BlobId::from_hex(std::str::from_utf8(line).ok()?)).collect()
}
