//! The tracked source files → the graph: reads what is kept, parses what is new, in parallel.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use sha1::{Digest as _, Sha1};

use super::assemble::{Rules, SourceFile, assemble, regular_files};
use super::graph::Graph;
use super::kept::{self, Kept, Key};
use super::scan::{Scan, scan};
use super::table::{Record, Table};
use crate::error::Diagnostic;
use crate::git::{BlobId, File, FileMode, FileSet};
use crate::paths::{AbsPath, WorkDirs};
use crate::sys::fs;

/// A larger source file is none that anybody wrote.
const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// What is kept is a few hundred bytes a file.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// A thread for fewer files than this takes longer to start than to do without.
const FILES_PER_THREAD_MIN: usize = 16;

/// The parser's stack: sources may be nested deeply.
const STACK_BYTES: usize = 64 << 20;

/// Builds the graph, and remembers it.
#[derive(Debug)]
pub struct Builder {
    dirs: WorkDirs,
    rules: Rules,
    thread_count_max: usize,
    latest: Mutex<Option<Latest>>,
}

/// The graph of the latest files.
#[derive(Debug)]
struct Latest {
    key: Key,
    graph: Arc<Graph>,
    /// Files whose imports somebody asked for, by position.
    wanted: Vec<u32>,
    /// Read when it is wanted.
    table: Option<Table>,
}

/// The digest of a set of files.
pub(super) type Digest = [u8; 32];

/// A graph, or what keeps it from being made.
pub(super) type Built = Result<Arc<Graph>, Diagnostic>;

/// What a graph is made from.
struct From<'a> {
    key: Key,
    table: Table,
    sources: Vec<Source>,
    gone: &'a [String],
}

/// What a file is said to hold.
#[derive(Debug, Clone)]
struct Source {
    path: String,
    mode: FileMode,
    id: BlobId,
}

impl Builder {
    /// A builder for a project.
    pub fn new(dirs: &WorkDirs, rules: Rules, thread_count_max: usize) -> Self {
        Self { dirs: dirs.clone(), rules, thread_count_max, latest: Mutex::default() }
    }

    fn kept(&self) -> AbsPath {
        self.dirs.private.join("imports/v1")
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The graph of the files of a set, which `digest` stands for, with the imports of packages.
    /// Positions of files in the graph are those in the set; past them, those in `gone`, the paths
    /// of files that are no more, as if they were empty.
    pub fn graph(&self, set: &FileSet, digest: &Digest, gone: &[String]) -> Built {
        let key = self.key(digest, gone);
        // Whoever comes meanwhile wants the same graph.
        let mut latest = self.lock();
        if let Some(known) = &*latest
            && known.key == key
        {
            return Ok(Arc::clone(&known.graph));
        }
        let mut table = latest.take().and_then(|known| known.table);
        if table.is_none() {
            let bytes = self.read_kept();
            let opened = Kept::open(&bytes);
            if let Some(kept) = opened.as_ref().filter(|kept| kept.key == key)
                && let Some(graph) = kept.graph().filter(Graph::is_sound)
            {
                let graph = Arc::new(graph);
                let wanted = Vec::new();
                *latest = Some(Latest { key, graph: Arc::clone(&graph), wanted, table: None });
                return Ok(graph);
            }
            table = opened.and_then(|kept| kept.table());
        }
        let sources = sources(set);
        let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
        let wanted = regular_files(&self.rules, &paths);
        let from = From { key, table: table.unwrap_or_default(), sources, gone };
        self.build(&mut latest, from, wanted)
    }

    /// The same graph with the imports of some files more, by position.
    pub fn extended(
        &self,
        set: &FileSet,
        digest: &Digest,
        gone: &[String],
        wanted: &[u32],
    ) -> Built {
        let key = self.key(digest, gone);
        let mut latest = self.lock();
        let known = latest.take();
        let mut wanted = wanted.to_vec();
        if let Some(known) = known.as_ref().filter(|known| known.key == key) {
            wanted.extend_from_slice(&known.wanted);
        }
        let table = known.and_then(|known| known.table);
        let table = table.or_else(|| Kept::open(&self.read_kept()).and_then(|kept| kept.table()));
        let sources = sources(set);
        let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
        wanted.extend(regular_files(&self.rules, &paths));
        wanted.sort_unstable();
        wanted.dedup();
        let from = From { key, table: table.unwrap_or_default(), sources, gone };
        self.build(&mut latest, from, wanted)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_kept(&self) -> Vec<u8> {
        fs::read_bounded(self.kept().as_path(), KEPT_BYTES_MAX).unwrap_or_default()
    }

    fn build(&self, latest: &mut Option<Latest>, from: From<'_>, wanted: Vec<u32>) -> Built {
        let From { key, mut table, sources, gone } = from;
        let unsure = self.scan_new(&mut table, &sources, &wanted)?;
        let mut graph = self.assemble(&table, &sources, &unsure, gone);
        graph.is_unsure = !unsure.is_empty();
        let graph = Arc::new(graph);
        if gone.is_empty() {
            let kept = if unsure.is_empty() { key } else { kept::NO_KEY };
            self.keep(&kept, &graph, &table, &sources);
        }
        let table = Some(table);
        *latest = Some(Latest { key, graph: Arc::clone(&graph), wanted, table });
        Ok(graph)
    }

    /// What decides a graph.
    fn key(&self, digest: &Digest, gone: &[String]) -> Key {
        kept::key_of(format!("{digest:?} {:?} {gone:?}", self.rules).as_bytes())
    }

    /// Scans the sources that the table has not. Gives what is not surely the content that git
    /// says it is, by position: that is scanned anew each time.
    fn scan_new(
        &self,
        table: &mut Table,
        sources: &[Source],
        wanted: &[u32],
    ) -> Result<FxHashMap<usize, Arc<Record>>, Diagnostic> {
        let mut new: Vec<usize> = wanted
            .iter()
            .map(|position| *position as usize)
            .filter(|position| {
                sources.get(*position).is_some_and(|it| !table.records.contains_key(&it.id))
            })
            .collect();
        new.sort_unstable();
        new.dedup();
        tracing::debug!(files = sources.len(), new = new.len(), "scans imports");
        let mut unsure = FxHashMap::default();
        for (position, scanned) in self.scan_all(sources, &new) {
            let Scanned { scan, is_sure } = scanned?;
            let record = table.record(scan);
            if is_sure {
                table.records.insert(sources[position].id, record);
            } else {
                unsure.insert(position, record);
            }
        }
        Ok(unsure)
    }

    /// Scans some sources in as many threads as it is worth.
    fn scan_all(
        &self,
        sources: &[Source],
        new: &[usize],
    ) -> Vec<(usize, Result<Scanned, Diagnostic>)> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(position) = new.get(next.fetch_add(1, Ordering::Relaxed)) {
                let source = &sources[*position];
                let path = self.dirs.root.as_path().join(&source.path);
                done.push((*position, scan_file(&path, source)));
            }
            done
        };
        let count = (new.len() / FILES_PER_THREAD_MIN).clamp(1, self.thread_count_max.max(1));
        let mut all = std::thread::scope(|scope| {
            let start = |_| {
                std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok()
            };
            let threads: Vec<_> = (0..count).filter_map(start).collect();
            let mut all = Vec::new();
            for thread in threads {
                let done = thread.join();
                all.extend(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            // All of it, where no thread could be started.
            all.extend(work());
            all
        });
        // Numbers of names must not depend on who was faster.
        all.sort_unstable_by_key(|(position, _)| *position);
        all
    }

    fn assemble(
        &self,
        table: &Table,
        sources: &[Source],
        unsure: &FxHashMap<usize, Arc<Record>>,
        gone: &[String],
    ) -> Graph {
        let empty = Record::default();
        let record = |(position, source): (usize, &Source)| -> Option<&Record> {
            Some(unsure.get(&position).or_else(|| table.records.get(&source.id))?)
        };
        let files = sources
            .iter()
            .enumerate()
            .map(|(position, source)| (source.path.as_str(), record((position, source))))
            .chain(gone.iter().map(|path| (path.as_str(), Some(&empty))))
            .map(|(path, record)| SourceFile { path, record });
        assemble(&self.rules, &table.names, &files.collect::<Vec<_>>())
    }

    /// Keeps it for the next run, which does without if that fails.
    fn keep(&self, key: &Key, graph: &Graph, table: &Table, sources: &[Source]) {
        let mut current: Vec<BlobId> = sources.iter().map(|source| source.id).collect();
        current.sort_unstable();
        current.dedup();
        let private = self.dirs.private.as_path();
        if !fs::stat(private).is_ok_and(|meta| meta.is_dir()) {
            // Whoever runs something makes the folder; to look at something does not.
            return;
        }
        let path = self.kept();
        let bytes = kept::encode(key, graph, table, &current);
        let folder = path.parent();
        let made = folder.map_or(Ok(()), |folder| fs::create_folder(folder.as_path()));
        let written = made.and_then(|()| self.dirs.unfinished.write(path.as_path(), &bytes));
        if let Err(error) = written {
            tracing::debug!(?error, "the import graph is not kept");
        }
    }
}

fn sources(set: &FileSet) -> Vec<Source> {
    let source = |(path, file): (Cow<'_, [u8]>, File)| Source {
        path: String::from_utf8_lossy(&path).into_owned(),
        mode: file.mode,
        id: file.id,
    };
    set.iter().map(source).collect()
}

/// A file's imports, and whether its content is surely the blob's.
struct Scanned {
    scan: Scan,
    is_sure: bool,
}

fn scan_file(path: &Path, source: &Source) -> Result<Scanned, Diagnostic> {
    match source.mode {
        FileMode::Plain | FileMode::Executable => {}
        FileMode::Symlink => {
            // What it leads to may change without it, and need not be there.
            let bytes = fs::read_start(path, SOURCE_BYTES_MAX).unwrap_or_default();
            return Ok(Scanned { scan: scan(&bytes), is_sure: false });
        }
        FileMode::Submodule => return Ok(Scanned { scan: Scan::default(), is_sure: true }),
    }
    let bytes = match fs::optional(fs::read_bounded(path, SOURCE_BYTES_MAX)) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(error) => {
            let error = Diagnostic::from(error);
            return Err(error.hint("the import graph is made of all tracked Python files"));
        }
    };
    let is_sure = is_blob(&bytes, source.id);
    Ok(Scanned { scan: scan(&bytes), is_sure })
}

/// Whether some bytes are a blob, as they are or with the line ends that git would give them.
fn is_blob(bytes: &[u8], id: BlobId) -> bool {
    if id.as_bytes() == blob_id(bytes) {
        return true;
    }
    bytes.contains(&b'\r') && id.as_bytes() == blob_id(&without_returns(bytes))
}

fn blob_id(bytes: &[u8]) -> [u8; 20] {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", bytes.len()));
    hasher.update(bytes);
    hasher.finalize().into()
}

fn without_returns(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte != b'\r' || rest.peek() != Some(&&b'\n') {
            plain.push(*byte);
        }
    }
    plain
}
