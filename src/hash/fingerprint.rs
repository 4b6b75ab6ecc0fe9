//! All inputs of a runnable, as a value with a digest and as a document that is kept. Pure.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::Digest;
use super::encode::Encoder;
use super::file_list::FileList;
use crate::git::FileSet;
use crate::paths::escape;
use crate::sys::parallel;
use crate::sys::veil::Veil;

/// The version of the encoding: raised whenever the same inputs would give another digest, so
/// that no entry of another version is ever a hit.
///
/// - 1: the first.
/// - 2: files in parts, so that they are hashed in parallel.
pub const VERSION: u64 = 2;

/// Files of a part. Another number is another encoding.
const PART_FILE_COUNT: usize = 4096;

/// Everything that a result depends on.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// The tracked files that the deps match.
    pub files: Files,
    /// The rest: small, and kept as it is, but for what is hidden.
    pub inputs: Inputs,
    /// What hides secrets from what is kept.
    pub veil: Veil,
    document: OnceLock<Document>,
}

/// All inputs but the tracked files.
///
/// What is deliberately not here: `cache`, `cache-when`, `tags` and `hidden` (they say what to
/// do with a result, not what it is), time, user, working directory, and the place of the
/// checkout (entries are portable).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Inputs {
    /// The runnable's name: two commands with the same definition have entries of their own.
    pub runnable: String,
    /// The rendered command line.
    pub exec: String,
    /// The rendered deps as declared, dotenv and requirements files in their order, so that a dep more is a change even if it matches nothing.
    pub deps: Vec<String>,
    /// The artifact patterns.
    pub artifacts: Vec<String>,
    /// The space, whose environment the command runs in.
    pub space: String,
    /// The values of const deps, in the order of declaration.
    pub consts: Vec<String>,
    /// Dotenv and requirements files by path, tracked or not: the digest of their content.
    pub settings: BTreeMap<String, String>,
    /// Distributions and their versions.
    pub distributions: BTreeMap<String, String>,
    /// The secret variables whose values are in the command line or in consts. The values are
    /// part of the digest there, and are seen nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// By upstream runnable: its artifacts, path → what it is (mode and digest).
    pub upstreams: BTreeMap<String, BTreeMap<String, String>>,
}

/// A file set with its digest.
#[derive(Debug, Clone)]
pub struct Files {
    pub set: Option<Arc<FileSet>>,
    pub digest: Digest,
}

impl Files {
    /// The files of a set, hashed by so many threads at most.
    pub fn new(set: Arc<FileSet>, thread_count_max: usize) -> Self {
        let digest = set.digest(|set| *digest_of(set, thread_count_max).as_bytes());
        Self { set: Some(set), digest: Digest::from_bytes(digest) }
    }

    /// No files, where there is no set of them either.
    pub fn none() -> Self {
        let mut encoder = Encoder::new("qik files");
        encoder.number(0);
        Self { set: None, digest: encoder.digest() }
    }
}

fn digest_of(set: &FileSet, thread_count_max: usize) -> Digest {
    if set.len() <= PART_FILE_COUNT {
        return digest_of_part(set, 0);
    }
    let starts: Vec<usize> = (0..set.len()).step_by(PART_FILE_COUNT).collect();
    let parts = parallel::map(&starts, 1, thread_count_max, |starts| {
        starts.iter().map(|start| digest_of_part(set, *start)).collect()
    });
    let mut encoder = Encoder::new("qik files, of parts");
    encoder.number(set.len() as u64);
    for part in &parts {
        encoder.bytes(part.as_bytes());
    }
    encoder.digest()
}

fn digest_of_part(set: &FileSet, start: usize) -> Digest {
    let mut encoder = Encoder::new("qik files");
    encoder.number((set.len() - start).min(PART_FILE_COUNT) as u64);
    for (path, file) in set.iter_from(start).take(PART_FILE_COUNT) {
        encoder.bytes(&path);
        encoder.text(file.mode.as_str());
        encoder.bytes(file.id.as_bytes());
    }
    encoder.digest()
}

/// A fingerprint as it is kept with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Document {
    pub version: u64,
    pub inputs: Inputs,
    /// Escaped path → mode and blob id.
    pub files: FileList,
}

impl Fingerprint {
    /// The key of the caches.
    pub fn digest(&self) -> Digest {
        let inputs = &self.inputs;
        let mut encoder = Encoder::new("qik fingerprint");
        encoder.number(VERSION);
        encoder.text(&inputs.runnable);
        encoder.text(&inputs.exec);
        encoder.texts(&inputs.deps);
        encoder.texts(&inputs.artifacts);
        encoder.text(&inputs.space);
        encoder.texts(&inputs.consts);
        encoder.pairs(inputs.settings.iter());
        encoder.pairs(inputs.distributions.iter());
        encoder.number(inputs.upstreams.len() as u64);
        for (runnable, artifacts) in &inputs.upstreams {
            encoder.text(runnable);
            encoder.pairs(artifacts.iter());
        }
        encoder.bytes(self.files.digest.as_bytes());
        // What was stored before a variable was secret may show it, and is no hit any more.
        if !inputs.secrets.is_empty() {
            encoder.texts(&inputs.secrets);
        }
        encoder.digest()
    }

    /// A fingerprint of these.
    pub fn new(files: Files, inputs: Inputs, veil: Veil) -> Self {
        Self { files, inputs, veil, document: OnceLock::new() }
    }

    /// How many tracked files are in it.
    pub fn file_count(&self) -> usize {
        self.files.set.as_ref().map_or(0, |set| set.len())
    }

    /// All of it, to be kept; masks stand in it for secrets.
    pub fn document(&self) -> &Document {
        self.document.get_or_init(|| self.to_document())
    }

    fn to_document(&self) -> Document {
        let mut files = FileList::default();
        for (path, file) in self.files.set.iter().flat_map(|set| set.iter()) {
            files.push_with(&escape(&path), |text| {
                text.push_str(file.mode.as_str());
                text.push(' ');
                file.id.push_to(text);
            });
        }
        let (inputs, files) = (self.inputs.clone(), files.sorted());
        let mut document = Document { version: VERSION, inputs, files };
        document.hide(&self.veil);
        document
    }
}

impl Document {
    /// Puts masks in the place of secrets.
    pub fn hide(&mut self, veil: &Veil) {
        let Inputs { exec, deps, consts, .. } = &mut self.inputs;
        for text in deps.iter_mut().chain(consts).chain([exec]) {
            veil.hide_in(text);
        }
    }
}
