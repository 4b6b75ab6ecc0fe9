//! A project in a temporary folder, with real caches and without git.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cache::{Claims, Key, Local, Lookup, Miss, NewEntry, Store, Stores};
use crate::config::{CacheWhen, Strictness};
use crate::error::{Code, Diagnostic, RunnableError};
use crate::exec::{
    Event, EventReceiver, InputSource, Job, Outcome, ReadCaches, Received, RunSummary, Signals,
    Status, event_channel, run,
};
use crate::hash::{ArtifactList, Digest, Document, Files, Fingerprint, GraphResult, Inputs};
use crate::paths::ProjectPath;
use crate::paths::{AbsPath, WorkDirs};
use crate::plan::{Action, Dep, Graph, Runnable, RunnableId, RunnableName, Upstream};
use crate::sys::veil::Veil;
use crate::sys::{Env, fs};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Project {
    folder: PathBuf,
    /// Removes it at the end.
    _guard: Option<tempfile::TempDir>,
    pub(crate) world: Arc<World>,
    pub(crate) runnables: Vec<Runnable>,
    pub(crate) worker_count: usize,
    pub(crate) read_caches: ReadCaches,
    pub(crate) veil: Veil,
}

/// What a run did and said.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) summary: RunSummary,
    pub(crate) events: Vec<Event>,
}

impl Project {
    pub(crate) fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let project = Self::at(guard.path().to_path_buf());
        Self { _guard: Some(guard), ..project }
    }

    /// In a folder that is there.
    pub(crate) fn at(root: PathBuf) -> Self {
        let path = std::env::split_paths("/usr/local/bin:/usr/bin:/bin");
        let env = Env::from([("PATH".into(), std::env::join_paths(path).unwrap())]);
        let world = World { root: root.clone(), env: Mutex::new(env) };
        Self {
            folder: root,
            _guard: None,
            world: Arc::new(world),
            runnables: Vec::new(),
            worker_count: 2,
            read_caches: ReadCaches::Yes,
            veil: Veil::default(),
        }
    }

    /// Adds a command without cache that runs after others.
    pub(crate) fn command(&mut self, name: &str, exec: &str, upstreams: &[&str]) -> &mut Runnable {
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
            secrets: Vec::new(),
            name: RunnableName::from(name.to_owned()),
            command: name.to_owned(),
            module: None,
            space: "default".to_owned(),
            exec: exec.to_owned(),
            action: Action::Shell,
            deps: Vec::new(),
            upstreams: upstreams.collect(),
            dotenv: Vec::new(),
            venv_files: Vec::new(),
            stamp: None,
            requirements: Vec::new(),
            venv: None,
            declared: Vec::new(),
            env: BTreeMap::new(),
            needs: None,
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
    pub(crate) fn cached(&mut self, name: &str, exec: &str, files: &[&str]) -> &mut Runnable {
        let runnable = self.command(name, exec, &[]);
        runnable.cache = Some("local".to_owned());
        runnable.deps = files.iter().map(|file| Dep::Glob((*file).to_owned())).collect();
        runnable
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write_atomic(&self.path(path), text.as_bytes()).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(&self.path(path)).unwrap()).into_owned()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    pub(crate) fn job(&self) -> Job {
        Job {
            graph: Arc::new(Graph { runnables: self.runnables.clone() }),
            dirs: self.dirs(),
            claims: Claims::new(&self.dirs()),
            inputs: Arc::<World>::clone(&self.world),
            stores: self.stores(),
            worker_count: self.worker_count,
            read_caches: self.read_caches.clone(),
            cache_when: None,
            veil: self.veil.clone(),
        }
    }

    fn dirs(&self) -> WorkDirs {
        WorkDirs::new(AbsPath::new(&*self.folder).unwrap())
    }

    fn stores(&self) -> Stores {
        let local: Arc<dyn Store> = Arc::new(Local::new(&self.dirs(), u64::MAX));
        let full: Arc<dyn Store> = Arc::new(Full);
        Stores::new(BTreeMap::from([("local".to_owned(), local), ("full".to_owned(), full)]))
    }

    /// How many results the local cache has.
    pub(crate) fn entry_count(&self) -> usize {
        let entries = self.path("._qik/cache/v1/entries");
        let folders = fs::list(&entries).unwrap_or_default();
        let files = folders.iter().flat_map(|folder| fs::list(folder).unwrap());
        files.filter(|file| file.extension().is_none_or(|it| it != "latest")).count()
    }

    pub(crate) fn run(&self) -> Done {
        self.run_with(Signals::Never, |_| {})
    }

    /// Runs with an eye on the events as they come.
    pub(crate) fn run_with(&self, signals: Signals, watch: impl FnMut(&Event) + Send) -> Done {
        let (sender, receiver) = event_channel(true);
        let job = self.job();
        std::thread::scope(|scope| {
            let events = scope.spawn(move || gather(&receiver, watch));
            let summary = run(job, signals, sender).unwrap();
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
                let is_last = matches!(event, Event::RunEnded { .. });
                events.push(event);
                if is_last {
                    // As the reporters do: a thread that hangs never lets its sender go.
                    return events;
                }
            }
            Received::Closed => return events,
            Received::Nothing => panic!("nothing happens"),
        }
    }
}

impl Done {
    pub(crate) fn outcome(&self, unit: usize) -> &Outcome {
        let mut outcomes = self.events.iter().filter_map(|event| match event {
            Event::Ended { runnable, outcome } if *runnable == unit => Some(outcome),
            _ => None,
        });
        let outcome = outcomes.next().expect("it has ended");
        assert!(outcomes.next().is_none(), "it ended twice");
        outcome
    }

    pub(crate) fn statuses(&self) -> Vec<Status> {
        (0..self.summary.statuses.len()).map(|unit| self.outcome(unit).status).collect()
    }

    /// All that a unit wrote while it ran.
    pub(crate) fn output(&self, unit: usize) -> Vec<u8> {
        let pieces = self.events.iter().filter_map(|event| match event {
            Event::Output { runnable, bytes } if *runnable == unit => Some(bytes.to_vec()),
            _ => None,
        });
        pieces.flatten().collect()
    }

    /// What was kept of a unit's output.
    pub(crate) fn log(&self, unit: usize) -> Vec<u8> {
        let log = &self.outcome(unit).log;
        let mut bytes = log.path.as_ref().map_or(Vec::new(), |path| fs::read(path).unwrap());
        bytes.extend_from_slice(&log.rest);
        bytes
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning { diagnostic, .. } => Some(diagnostic.message.clone()),
            _ => None,
        });
        warnings.collect()
    }
}

/// Inputs without git: a pattern is a path.
#[derive(Debug)]
pub(crate) struct World {
    root: PathBuf,
    pub(crate) env: Mutex<Env>,
}

impl InputSource for World {
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
        if runnable.space == "hanging" {
            loop {
                std::thread::park();
            }
        }
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
        Ok(Fingerprint::new(Files::none(), inputs, Veil::default()))
    }

    fn graph_result(&self, _: &Runnable) -> Result<GraphResult, RunnableError> {
        Ok(GraphResult::default())
    }

    fn forget_untracked(&self) {}

    fn is_tracked(&self, _: &ProjectPath) -> bool {
        false
    }

    fn unmatched_globs(&self, _: &Runnable) -> Vec<String> {
        Vec::new()
    }

    fn forget_files(&self) {}
}

/// A cache that takes nothing.
#[derive(Debug)]
struct Full;

impl Store for Full {
    fn lookup(&self, _: Key<'_>) -> Lookup {
        Lookup::Miss(Miss::Absent)
    }

    fn store(&self, _: Key<'_>, _: NewEntry<'_>) -> Result<(), Diagnostic> {
        Err(Diagnostic::new(Code::CacheFailed, "the cache is full"))
    }

    fn latest(&self, _: &RunnableName, _: &str) -> Option<Document> {
        None
    }

    fn finish(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}
