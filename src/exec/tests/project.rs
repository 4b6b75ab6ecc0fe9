//! A project in a temporary folder, with a cache in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::config::{CacheWhen, Strictness};
use crate::error::{Code, Diagnostic, RunnableError};
use crate::exec::{
    Artifacts, Event, EventReceiver, Found, Job, NewResult, Outcome, ReadCaches, Received,
    Restored, RunSummary, Signals, Status, Steps, StoredResult, event_channel, run,
};
use crate::hash::{ArtifactList, Digest, Document, Files, Fingerprint, Inputs};
use crate::paths::{AbsPath, WorkDirs};
use crate::plan::{Dep, Graph, Runnable, RunnableId, RunnableName, Upstream};
use crate::sys::{Env, fs};

/// No test waits longer for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Project {
    folder: tempfile::TempDir,
    pub(super) world: Arc<World>,
    pub(super) runnables: Vec<Runnable>,
    pub(super) worker_count: usize,
    pub(super) read_caches: ReadCaches,
}

/// What a run did and said.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) summary: RunSummary,
    pub(super) events: Vec<Event>,
}

impl Project {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let path = std::env::split_paths("/usr/local/bin:/usr/bin:/bin");
        let env = Env::from([("PATH".into(), std::env::join_paths(path).unwrap())]);
        let world = World {
            root,
            env: Mutex::new(env),
            entries: Mutex::default(),
            is_damaged: AtomicBool::new(false),
        };
        Self {
            folder,
            world: Arc::new(world),
            runnables: Vec::new(),
            worker_count: 2,
            read_caches: ReadCaches::Yes,
        }
    }

    /// Adds a command without cache that runs after others.
    pub(super) fn command(&mut self, name: &str, exec: &str, upstreams: &[&str]) -> &mut Runnable {
        let upstreams = upstreams.iter().map(|upstream| {
            let id = self.runnables.iter().position(|other| other.command == *upstream).unwrap();
            Upstream {
                name: RunnableName::from((*upstream).to_owned()),
                id: Some(RunnableId(id)),
                strictness: Strictness::Lax,
                artifacts: self.runnables[id].artifacts.clone(),
            }
        });
        let runnable = Runnable {
            name: RunnableName::from(name.to_owned()),
            command: name.to_owned(),
            module: None,
            space: "default".to_owned(),
            exec: exec.to_owned(),
            deps: Vec::new(),
            upstreams: upstreams.collect(),
            artifacts: Vec::new(),
            cache: None,
            cache_when: CacheWhen::Success,
            tags: Vec::new(),
            is_hidden: false,
            rewrites: false,
        };
        self.runnables.push(runnable);
        self.runnables.last_mut().unwrap()
    }

    /// Adds a cached command that depends on files.
    pub(super) fn cached(&mut self, name: &str, exec: &str, files: &[&str]) -> &mut Runnable {
        let runnable = self.command(name, exec, &[]);
        runnable.cache = Some("local".to_owned());
        runnable.deps = files.iter().map(|file| Dep::Glob((*file).to_owned())).collect();
        runnable
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        fs::write_atomic(&self.path(path), text.as_bytes()).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(&self.path(path)).unwrap()).into_owned()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(super) fn job(&self) -> Job {
        Job {
            graph: Arc::new(Graph { runnables: self.runnables.clone() }),
            dirs: WorkDirs::new(AbsPath::new(self.folder.path()).unwrap()),
            worker_count: self.worker_count,
            read_caches: self.read_caches.clone(),
            cache_when: None,
        }
    }

    pub(super) fn run(&self) -> Done {
        self.run_with(Signals::Never, |_| {})
    }

    /// Runs with an eye on the events as they come.
    pub(super) fn run_with(&self, signals: Signals, watch: impl FnMut(&Event) + Send) -> Done {
        let (sender, receiver) = event_channel(true);
        let job = self.job();
        std::thread::scope(|scope| {
            let events = scope.spawn(move || gather(&receiver, watch));
            let summary = run(job, Arc::clone(&self.world), signals, sender).unwrap();
            Done { summary, events: events.join().unwrap() }
        })
    }
}

fn gather(receiver: &EventReceiver, mut watch: impl FnMut(&Event)) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        match receiver.next(PATIENCE) {
            Received::Event(event) => {
                watch(&event);
                receiver.shown(&event);
                events.push(event);
            }
            Received::Closed => return events,
            Received::Nothing => panic!("nothing happens"),
        }
    }
}

impl Done {
    pub(super) fn outcome(&self, unit: usize) -> &Outcome {
        let mut outcomes = self.events.iter().filter_map(|event| match event {
            Event::Ended { runnable, outcome } if *runnable == unit => Some(outcome),
            _ => None,
        });
        let outcome = outcomes.next().expect("it has ended");
        assert!(outcomes.next().is_none(), "it ended twice");
        outcome
    }

    pub(super) fn statuses(&self) -> Vec<Status> {
        (0..self.summary.statuses.len()).map(|unit| self.outcome(unit).status).collect()
    }

    /// All that a unit wrote while it ran.
    pub(super) fn output(&self, unit: usize) -> Vec<u8> {
        let pieces = self.events.iter().filter_map(|event| match event {
            Event::Output { runnable, bytes } if *runnable == unit => Some(bytes.to_vec()),
            _ => None,
        });
        pieces.flatten().collect()
    }

    /// What was kept of a unit's output.
    pub(super) fn log(&self, unit: usize) -> Vec<u8> {
        let log = &self.outcome(unit).log;
        let mut bytes = log.path.as_ref().map_or(Vec::new(), |path| fs::read(path).unwrap());
        bytes.extend_from_slice(&log.rest);
        bytes
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning { diagnostic, .. } => Some(diagnostic.message.clone()),
            _ => None,
        });
        warnings.collect()
    }
}

/// Files on disk and entries in memory.
#[derive(Debug)]
pub(super) struct World {
    root: PathBuf,
    pub(super) env: Mutex<Env>,
    entries: Mutex<BTreeMap<(String, Digest), Entry>>,
    /// Whether logs turn out to be broken when they are read.
    pub(super) is_damaged: AtomicBool,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    code: i32,
    duration: Duration,
    log: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    document: Document,
    is_damaged: bool,
}

impl World {
    pub(super) fn entry_count(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

/// The content of files by path; an artifact pattern is a path here.
#[derive(Debug)]
pub(super) struct Made {
    files: BTreeMap<String, Vec<u8>>,
    unmatched: Vec<String>,
}

impl Artifacts for Made {
    fn to_list(&self) -> ArtifactList {
        self.files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes).to_hex())).collect()
    }

    fn unmatched(&self) -> &[String] {
        &self.unmatched
    }
}

impl StoredResult for Entry {
    fn code(&self) -> i32 {
        self.code
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.duration)
    }

    fn log_size_bytes(&self) -> u64 {
        self.log.len() as u64
    }

    fn open_log(&self) -> Result<Box<dyn Read + '_>, Diagnostic> {
        if self.is_damaged {
            return Err(Diagnostic::new(Code::CacheFailed, "the log is damaged"));
        }
        Ok(Box::new(self.log.as_slice()))
    }
}

impl Steps for World {
    type Hit = Entry;
    type Artifacts = Made;

    fn environment(&self, runnable: &Runnable) -> Result<Arc<Env>, RunnableError> {
        if runnable.space == "broken" {
            return Err(Diagnostic::new(Code::DotenvNotFound, "`.env` is missing").into());
        }
        Ok(Arc::new(self.env.lock().unwrap().clone()))
    }

    fn fingerprint(
        &self,
        runnable: &Runnable,
        upstreams: BTreeMap<String, ArtifactList>,
    ) -> Result<Fingerprint, RunnableError> {
        let mut inputs = Inputs {
            runnable: runnable.name.to_string(),
            exec: runnable.exec.clone(),
            upstreams,
            ..Inputs::default()
        };
        for dep in &runnable.deps {
            let Dep::Glob(path) = dep else { continue };
            let bytes = fs::read(&self.root.join(path))?;
            inputs.settings.insert(path.clone(), Digest::of(&bytes).to_hex());
        }
        Ok(Fingerprint { files: Files::new(None), inputs })
    }

    fn forget_files(&self) {}

    fn lookup(&self, runnable: &Runnable, digest: Digest) -> Found<Entry> {
        match self.entries.lock().unwrap().get(&(runnable.name.to_string(), digest)) {
            Some(entry) => Found::Hit(Entry {
                is_damaged: self.is_damaged.load(Ordering::Relaxed),
                ..entry.clone()
            }),
            None => Found::Absent,
        }
    }

    fn restore(&self, hit: &Entry) -> Result<Restored<Made>, Diagnostic> {
        for (path, bytes) in &hit.files {
            fs::write_if_different(&self.root.join(path), bytes)
                .map_err(|error| error.diagnostic())?;
        }
        let artifacts = Made { files: hit.files.clone(), unmatched: Vec::new() };
        Ok(Restored { artifacts, has_written: true })
    }

    fn latest(&self, runnable: &Runnable) -> Option<Document> {
        let entries = self.entries.lock().unwrap();
        let mut entries = entries.iter().filter(|((name, _), _)| *name == runnable.name.as_str());
        entries.next().map(|(_, entry)| entry.document.clone())
    }

    fn collect(&self, patterns: &[String]) -> Result<Made, Diagnostic> {
        let mut made = Made { files: BTreeMap::new(), unmatched: Vec::new() };
        for pattern in patterns {
            if pattern.starts_with("..") {
                return Err(Diagnostic::new(Code::PatternInvalid, "leaves the project"));
            }
            match fs::read(&self.root.join(pattern)) {
                Ok(bytes) => drop(made.files.insert(pattern.clone(), bytes)),
                Err(_) => made.unmatched.push(pattern.clone()),
            }
        }
        Ok(made)
    }

    fn is_worth_keeping(&self, when: CacheWhen, code: i32, is_killed: bool) -> bool {
        let is_wanted = match when {
            CacheWhen::Success => code == 0,
            CacheWhen::Failed => code != 0,
            CacheWhen::Finished => true,
        };
        is_wanted && !is_killed
    }

    fn store(
        &self,
        runnable: &Runnable,
        digest: Digest,
        result: NewResult<'_, Made>,
    ) -> Result<(), Diagnostic> {
        let entry = Entry {
            code: result.code,
            duration: result.duration,
            log: whole(result.log),
            files: result.artifacts.files.clone(),
            document: result.fingerprint.clone(),
            is_damaged: false,
        };
        if runnable.cache.as_deref() == Some("full") {
            return Err(Diagnostic::new(Code::CacheFailed, "the cache is full"));
        }
        self.entries.lock().unwrap().insert((runnable.name.to_string(), digest), entry);
        Ok(())
    }

    fn finish(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}

fn whole(file: &mut File) -> Vec<u8> {
    use std::io::{Seek as _, SeekFrom};
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
