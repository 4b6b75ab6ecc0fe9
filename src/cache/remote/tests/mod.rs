//! The remote tier over a remote in memory that does what it is told.

mod archives;
mod tiering;

use std::collections::{BTreeMap, VecDeque};
use std::io::{Cursor, Read, Seek as _, Write as _};
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::failure::{Failure, Kind};
use super::settings::{Mode, S3Settings, Secret};
use super::tiers::Tiered;
use super::{Label, Overwrite, Remote, Upload, object};
use crate::cache::{
    Artifact, ArtifactKind, Content, Key, Local, Lookup, Manifest, Miss, NewEntry, Store as _,
};
use crate::error::Diagnostic;
use crate::hash::{Digest, Document, FileList, Inputs};
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::plan::RunnableName;
use crate::sys::fs;

/// A project in a temporary folder, with its local cache.
struct Machine {
    folder: Arc<tempfile::TempDir>,
    dirs: WorkDirs,
    local: Arc<Local>,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(folder.path().canonicalize().unwrap()).unwrap());
        let local = Arc::new(Local::new(&dirs, 1 << 30));
        Self { folder: Arc::new(folder), dirs, local }
    }

    fn tiered(&self, bucket: &Bucket) -> Kept {
        self.tiered_with(bucket, |_| {})
    }

    fn tiered_with(&self, bucket: &Bucket, change: impl FnOnce(&mut S3Settings)) -> Kept {
        let mut settings = S3Settings::new("ci", "bucket");
        settings.timeout = Duration::from_millis(300);
        change(&mut settings);
        let remote = Box::new(bucket.clone());
        let tiered = Tiered::over(Arc::clone(&self.local), remote, &settings);
        Kept { tiered, _folder: Arc::clone(&self.folder) }
    }

    /// A file below the root, as an artifact.
    fn make(&self, path: &str, bytes: &[u8]) -> Artifact {
        let full = self.dirs.root.join(path);
        fs::create_folder(full.parent().unwrap().as_path()).unwrap();
        fs::write_atomic(full.as_path(), bytes).unwrap();
        file(path, bytes)
    }
}

/// Both tiers, with the folder that the local one is in.
struct Kept {
    tiered: Tiered,
    _folder: Arc<tempfile::TempDir>,
}

impl Deref for Kept {
    type Target = Tiered;

    fn deref(&self) -> &Tiered {
        &self.tiered
    }
}

fn file(path: &str, bytes: &[u8]) -> Artifact {
    let kind = ArtifactKind::File { mode: 0o644, content: Content::of(bytes) };
    Artifact { path: ProjectPath::from_bytes(path.as_bytes()), kind }
}

fn manifest(artifacts: Vec<Artifact>) -> Manifest {
    Manifest { artifacts, unmatched: Vec::new() }
}

/// What a run gave.
struct Run {
    runnable: RunnableName,
    inputs: String,
    code: i32,
    artifacts: Manifest,
}

impl Run {
    fn new(inputs: &str) -> Self {
        Self {
            runnable: RunnableName::from("build".to_owned()),
            inputs: inputs.to_owned(),
            code: 0,
            artifacts: Manifest::default(),
        }
    }

    fn with_artifacts(self, artifacts: Vec<Artifact>) -> Self {
        Self { artifacts: manifest(artifacts), ..self }
    }

    fn with_code(self, code: i32) -> Self {
        Self { code, ..self }
    }

    fn key(&self) -> Key<'_> {
        let digest = Digest::of(self.inputs.as_bytes());
        Key { runnable: &self.runnable, command: "build", digest }
    }

    fn object(&self) -> String {
        object::name("", self.key())
    }

    fn log(&self) -> Vec<u8> {
        format!("log of {}\n", self.inputs).into_bytes()
    }

    fn store(&self, store: &Tiered) {
        let mut log = tempfile::tempfile().unwrap();
        log.write_all(&self.log()).unwrap();
        let inputs = Inputs { exec: self.inputs.clone(), ..Inputs::default() };
        let fingerprint = Document { version: 1, inputs, files: FileList::default() };
        let entry = NewEntry {
            code: self.code,
            duration: Duration::from_secs(1),
            log: &mut log,
            artifacts: &self.artifacts,
            fingerprint: &fingerprint,
        };
        store.store(self.key(), entry).unwrap();
    }

    /// A hit is exactly what was stored.
    #[track_caller]
    fn check_hit(&self, store: &Tiered) {
        match store.lookup(self.key()) {
            Lookup::Hit(hit) => {
                let mut log = Vec::new();
                hit.open_log().unwrap().read_to_end(&mut log).unwrap();
                assert_eq!((hit.code, log), (self.code, self.log()));
                assert_eq!(*hit.manifest(), self.artifacts);
            }
            Lookup::Miss(miss) => panic!("{miss:?}"),
        }
    }

    /// A miss, with its warning.
    #[track_caller]
    fn check_miss(&self, store: &Tiered) -> Option<Diagnostic> {
        match store.lookup(self.key()) {
            Lookup::Hit(hit) => panic!("{hit:?}"),
            Lookup::Miss(Miss::Absent) => None,
            Lookup::Miss(Miss::Damaged(warning)) => Some(warning),
        }
    }
}

/// A bucket that several machines share.
#[derive(Debug, Clone, Default)]
struct Bucket(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    objects: BTreeMap<String, (Vec<u8>, i32)>,
    /// Verb and object of each request.
    requests: Vec<String>,
    /// What the next requests meet instead of the bucket.
    troubles: VecDeque<Trouble>,
}

#[derive(Debug, Clone)]
enum Trouble {
    Fails(Kind),
    /// Bytes of the answer, then an error of the connection.
    BreaksOff(usize, Kind),
    /// Nobody answers until the sender is dropped or sends.
    Waits(Arc<Mutex<std::sync::mpsc::Receiver<()>>>),
}

impl Bucket {
    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn objects(&self) -> Vec<String> {
        self.inside().objects.keys().cloned().collect()
    }

    /// The requests since the last time.
    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.inside().requests)
    }

    fn put(&self, object: String, bytes: Vec<u8>) {
        self.inside().objects.insert(object, (bytes, 0));
    }

    fn bytes(&self, object: &str) -> Vec<u8> {
        self.inside().objects[object].0.clone()
    }

    fn next(&self, trouble: Trouble) {
        self.inside().troubles.push_back(trouble);
    }

    fn meet(&self, verb: &str, object: &str) -> Result<Option<(usize, Kind)>, Failure> {
        let mut inside = self.inside();
        inside.requests.push(format!("{verb} {object}"));
        let trouble = inside.troubles.pop_front();
        drop(inside);
        match trouble {
            None => Ok(None),
            Some(Trouble::Fails(kind)) => Err(Failure::new(kind, "as told")),
            Some(Trouble::BreaksOff(count, kind)) => Ok(Some((count, kind))),
            Some(Trouble::Waits(receiver)) => {
                let _ = receiver.lock().unwrap().recv();
                Ok(None)
            }
        }
    }
}

impl Remote for Bucket {
    fn fetch(&self, object: &str) -> Result<Option<Box<dyn Read + Send>>, Failure> {
        let broken = self.meet("GET", object)?;
        let Some((bytes, _)) = self.inside().objects.get(object).cloned() else { return Ok(None) };
        Ok(Some(match broken {
            Some((count, kind)) => {
                Box::new(Cursor::new(bytes).take(count as u64).chain(BrokenOff(kind)))
            }
            None => Box::new(Cursor::new(bytes)),
        }))
    }

    fn look(&self, object: &str) -> Result<Option<Label>, Failure> {
        self.meet("HEAD", object)?;
        let code = self.inside().objects.get(object).map(|(_, code)| *code);
        Ok(code.map(|code| Label { code: Some(code) }))
    }

    fn send(&self, object: &str, upload: &Upload<'_>) -> Result<(), Failure> {
        let verb = match upload.overwrite {
            Overwrite::No => "PUT-NEW",
            Overwrite::Yes => "PUT",
        };
        self.meet(verb, object)?;
        let mut bytes = Vec::new();
        let mut file = upload.file;
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        upload.moved_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let mut inside = self.inside();
        if upload.overwrite == Overwrite::Yes || !inside.objects.contains_key(object) {
            inside.objects.insert(object.to_owned(), (bytes, upload.code));
        }
        Ok(())
    }
}

struct BrokenOff(Kind);

impl Read for BrokenOff {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other(Failure::new(self.0.clone(), "cut")))
    }
}

/// A machine that has stored a run in a bucket.
fn shared(run: &Run) -> Bucket {
    let bucket = Bucket::default();
    let machine = Machine::new();
    for artifact in &run.artifacts.artifacts {
        machine.make(&artifact.path.escaped(), artifact.path.as_bytes());
    }
    let tiered = machine.tiered(&bucket);
    run.store(&tiered);
    assert!(tiered.finish().is_empty());
    bucket.requests();
    bucket
}

/// An artifact that holds its own path.
fn named(path: &str) -> Artifact {
    file(path, path.as_bytes())
}
