//! The caches with real files: a project in a temporary folder, and what can happen to it.

mod bounded;
mod collecting;
mod committed;
mod damage;
mod hostile;
mod local;
mod parallel;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::hash::{Digest, Inputs};
use crate::paths::{AbsPath, WorkDirs};
use crate::sys::fs;

/// More than any test stores.
const PLENTY: u64 = 1 << 30;

/// A project in a temporary folder.
struct Project {
    _folder: tempfile::TempDir,
    dirs: WorkDirs,
}

/// What a run gave.
#[derive(Clone)]
struct Run<'a> {
    /// Stands for all inputs.
    inputs: &'a str,
    runnable: RunnableName,
    log: Vec<u8>,
    code: i32,
    artifacts: Manifest,
}

impl<'a> Run<'a> {
    fn new(inputs: &'a str) -> Self {
        Self {
            inputs,
            runnable: RunnableName::from("build".to_owned()),
            log: format!("log of {inputs}\n").into_bytes(),
            code: 0,
            artifacts: Manifest::default(),
        }
    }

    fn of(inputs: &'a str, runnable: &str) -> Self {
        Self { runnable: RunnableName::from(runnable.to_owned()), ..Self::new(inputs) }
    }

    fn with_log(self, log: &[u8]) -> Self {
        Self { log: log.to_vec(), ..self }
    }

    fn with_artifacts(self, artifacts: Manifest) -> Self {
        Self { artifacts, ..self }
    }

    fn key(&self) -> Key<'_> {
        let digest = Digest::of(self.inputs.as_bytes());
        Key { runnable: &self.runnable, command: "build", digest }
    }

    fn document(&self) -> Document {
        let inputs = Inputs { exec: self.inputs.to_owned(), ..Inputs::default() };
        let files = [("a.txt", "100644 abc")].into_iter().collect();
        Document { version: 1, inputs, files }
    }

    fn store(&self, store: &dyn Store) -> Result<(), Diagnostic> {
        let mut log = tempfile::tempfile().unwrap();
        log.write_all(&self.log).unwrap();
        let entry = NewEntry {
            code: self.code,
            duration: Duration::from_millis(1500),
            log: &mut log,
            artifacts: &self.artifacts,
            fingerprint: &self.document(),
        };
        store.store(self.key(), entry)
    }

    #[track_caller]
    fn hit(&self, store: &dyn Store) -> Box<Hit> {
        match store.lookup(self.key()) {
            Lookup::Hit(hit) => hit,
            Lookup::Miss(miss) => panic!("{miss:?}"),
        }
    }

    #[track_caller]
    fn check_absent(&self, store: &dyn Store) {
        let lookup = store.lookup(self.key());
        assert!(matches!(lookup, Lookup::Miss(Miss::Absent)), "{lookup:?}");
    }

    #[track_caller]
    fn check_hit(&self, store: &dyn Store) {
        let hit = self.hit(store);
        assert_eq!(hit.code, self.code);
        assert_eq!(read_log(&hit), self.log);
    }
}

fn read_log(hit: &Hit) -> Vec<u8> {
    let mut bytes = Vec::new();
    hit.open_log().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = AbsPath::new(folder.path().canonicalize().unwrap()).unwrap();
        Self { _folder: folder, dirs: WorkDirs::new(root) }
    }

    fn local(&self) -> Local {
        Local::new(&self.dirs, PLENTY)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dirs.root.as_path().join(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_folder(path.parent().unwrap()).unwrap();
        fs::write_atomic(&path, bytes.as_ref()).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(&self.path(path)).unwrap()
    }

    fn exists(&self, path: &str) -> bool {
        fs::stat(&self.path(path)).is_ok()
    }

    fn remove(&self, path: &str) {
        fs::remove_file(&self.path(path)).or_else(|_| fs::remove_folder(&self.path(path))).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        std::os::unix::fs::symlink(target, self.path(path)).unwrap();
    }

    fn fifo(&self, path: &str) {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, self.path(path), rustix::fs::FileType::Fifo, mode, 0)
            .unwrap();
    }

    fn chmod(&self, path: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(path), permissions).unwrap();
    }

    fn mode(&self, path: &str) -> u32 {
        fs::stat(&self.path(path)).unwrap().permissions().mode() & 0o7777
    }

    fn collect(&self, patterns: &[&str]) -> Result<Manifest, Diagnostic> {
        let patterns: Vec<String> = patterns.iter().map(|&it| it.to_owned()).collect();
        collect(&self.dirs.root, &patterns, &Memo::none())
    }

    /// The paths of all artifacts that patterns match.
    #[track_caller]
    fn check_collected(&self, patterns: &[&str], expected: &[&str]) {
        let manifest = self.collect(patterns).unwrap();
        let paths: Vec<String> =
            manifest.artifacts.iter().map(|artifact| artifact.path.to_string()).collect();
        assert_eq!(paths, expected, "{patterns:?}");
    }

    fn restore(&self, hit: &Hit) -> Result<Manifest, Diagnostic> {
        hit.restore(&self.dirs.root, &|_| false).map(|_| hit.manifest().clone())
    }

    /// All files below a folder.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            for path in fs::list(&folder).unwrap_or_default() {
                if fs::stat(&path).unwrap().is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// The file of a blob.
    fn blob(&self, bytes: &[u8]) -> PathBuf {
        let hex = Digest::of(bytes).to_hex();
        self.path(&format!("._qik/cache/blobs/{}/{}", &hex[..2], &hex[2..]))
    }

    /// The file of an entry.
    fn entry_of(&self, run: &Run<'_>) -> PathBuf {
        let name = format!("{}.{}", slug(run.runnable.as_str()), run.key().digest);
        let files = self.files("._qik/cache/v1/entries");
        files.into_iter().find(|path| path.ends_with(&name)).unwrap()
    }

    /// The file of the only entry.
    fn entry(&self) -> PathBuf {
        let files = self.files("._qik/cache/v1/entries");
        files.into_iter().find(|path| !path.ends_with("build.latest")).unwrap()
    }
}
