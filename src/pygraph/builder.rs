//! The tracked source files → the graph: reads what is kept, and what has changed since.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustc_hash::FxHashMap;

use super::assemble::{Rules, assemble, below};
use super::graph::{Content, Graph};
use super::kept::{self, Key};
use super::link::SourceFile;
use super::reading::{Scanned, Source, scan_all};
use super::table::{Record, Table};
use crate::error::{Code, Diagnostic, Place};
use crate::git::{BlobId, File, FileMode, FileSet};
use crate::paths::WorkDirs;
use crate::sys::fs;

/// What is kept is a few hundred bytes a file.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// So many files are scanned sooner than what each content imports is read, and written again.
const SCANNED_COUNT_MAX: usize = 32;

/// The latest graph, in `._qik`.
const GRAPH: &str = "imports/graph";

/// What each content imports, in `._qik`.
const TABLE: &str = "imports/contents";

/// Builds the graph, and remembers it.
#[derive(Debug)]
pub struct Builder {
    dirs: WorkDirs,
    rules: Rules,
    /// Where the configuration names the roots.
    places: BTreeMap<String, Place>,
    thread_count_max: usize,
    latest: Mutex<Option<Latest>>,
    /// Writes the latest graph down, while others work with it.
    keeping: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Builder {
    fn drop(&mut self) {
        self.wait_for_keeping();
    }
}

/// The graph of the latest files.
#[derive(Debug)]
struct Latest {
    digest: Digest,
    key: Key,
    graph: Arc<Graph>,
}

/// The digest of a set of files.
pub(super) type Digest = [u8; 32];

/// A graph, or what keeps it from being made.
pub(super) type Built = Result<Arc<Graph>, Diagnostic>;

/// The files that a graph is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    pub set: &'a FileSet,
    /// Of the set, contents included.
    pub digest: &'a Digest,
    /// Paths of files that are no more, as if they were empty.
    pub gone: &'a [String],
}

/// What a file imports, and the content that says so.
struct Read {
    content: Content,
    record: Arc<Record>,
}

impl Builder {
    /// A builder for a project.
    pub fn new(
        dirs: &WorkDirs,
        rules: Rules,
        places: BTreeMap<String, Place>,
        thread_count_max: usize,
    ) -> Self {
        Self {
            dirs: dirs.clone(),
            rules,
            places,
            thread_count_max,
            latest: Mutex::default(),
            keeping: Mutex::default(),
        }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The graph of some files, with the imports of packages and of what is wanted beside them, by
    /// position. Positions of files in the graph are those in the set; past them, those in `gone`.
    pub fn graph(&self, sources: Sources<'_>, wanted: &[u32]) -> Built {
        // Whoever comes meanwhile wants the same graph.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let is_whole = |graph: &Graph| graph.is_sure() && wanted.iter().all(|at| graph.has(*at));
        if sources.gone.is_empty()
            && let Some(known) = &*latest
            && known.digest == *sources.digest
            && is_whole(&known.graph)
        {
            return Ok(Arc::clone(&known.graph));
        }
        self.refuse_absent_roots(sources.set)?;
        let key = self.key(sources);
        let known = latest.take_if(|known| known.key == key);
        let known = known.map(|known| Arc::unwrap_or_clone(known.graph));
        let known = known.or_else(|| kept::decode(&self.read_kept(GRAPH), &key));
        let (graph, has_changed) = self.brought_up_to_date(known, sources, wanted)?;
        let graph = Arc::new(graph);
        if sources.gone.is_empty() {
            if has_changed {
                self.keep_graph(key, &graph);
            }
            let (digest, graph) = (*sources.digest, Arc::clone(&graph));
            *latest = Some(Latest { digest, key, graph });
        }
        Ok(graph)
    }

    /// A root has to be a folder, or to be one in git: a mistyped one would have no modules.
    fn refuse_absent_roots(&self, set: &FileSet) -> Result<(), Diagnostic> {
        for (root, place) in &self.places {
            let folder = self.dirs.root.join(root);
            let is_folder = !root.starts_with('/')
                && fs::stat(folder.as_path()).is_ok_and(|meta| meta.is_dir());
            let is_tracked = |path: &[u8]| below(&String::from_utf8_lossy(path), root).is_some();
            if !is_folder && !set.iter().any(|(path, _)| is_tracked(&path)) {
                let message = format!("there is no folder `{root}` for Python's imports");
                return Err(Diagnostic::new(Code::PythonPathNotFound, message).at(place).hint(
                    "name a folder relative to the project root, or take it out of `python-path`",
                ));
            }
        }
        Ok(())
    }

    /// What decides the modules of a graph, and which files are read for it.
    fn key(&self, Sources { set, gone, .. }: Sources<'_>) -> Key {
        let mut text = format!("{:?} {gone:?}", self.rules).into_bytes();
        for (path, file) in set.iter() {
            text.extend_from_slice(&path);
            text.push(0);
            text.extend_from_slice(file.mode.as_str().as_bytes());
        }
        kept::key_of(&text)
    }

    /// The graph of the files, from one of the same paths if there is one; and whether it is
    /// another one.
    fn brought_up_to_date(
        &self,
        known: Option<Graph>,
        sources: Sources<'_>,
        wanted: &[u32],
    ) -> Result<(Graph, bool), Diagnostic> {
        let is_new = known.is_none();
        let mut graph = known.unwrap_or_else(|| self.modules(sources));
        let mut is_wanted = vec![false; graph.contents.len()];
        let regular = if is_new { graph.regular_files() } else { Vec::new() };
        for position in wanted.iter().chain(&regular) {
            is_wanted[*position as usize] = true;
        }
        let to_read = to_read(&graph, sources.set, &is_wanted);
        if to_read.is_empty() && !is_new {
            return Ok((graph, false));
        }
        let uses_table = is_new || to_read.len() > SCANNED_COUNT_MAX;
        let table = uses_table.then(|| Table::decode(&self.read_kept(TABLE))).flatten();
        let mut table = table.unwrap_or_default();
        let known_count = table.records.len();
        let read = self.read(&to_read, &mut table)?;
        for (source, read) in to_read.iter().zip(&read) {
            graph.contents[source.position as usize] = read.content;
        }
        let files = to_read.iter().zip(&read).map(|(source, read)| {
            (source.position, SourceFile { path: &source.path, record: &read.record })
        });
        graph.link(&self.rules, &table.names, &files.collect());
        if sources.gone.is_empty() && uses_table && table.records.len() > known_count {
            keep(&self.dirs, TABLE, || table.encode(&current(&graph)));
        }
        Ok((graph, true))
    }

    /// The modules of the files, with no imports yet.
    fn modules(&self, Sources { set, gone, .. }: Sources<'_>) -> Graph {
        let paths: Vec<Cow<'_, [u8]>> = set.iter().map(|(path, _)| path).collect();
        let paths: Vec<Cow<'_, str>> =
            paths.iter().map(|path| String::from_utf8_lossy(path)).collect();
        let paths = paths.iter().map(|path| &**path);
        let paths: Vec<&str> = paths.chain(gone.iter().map(String::as_str)).collect();
        let mut graph = assemble(&self.rules, &paths);
        graph.contents[set.len()..].fill(Content::Gone);
        graph
    }

    /// What some sources import: what is known of their contents, else what is found in them.
    fn read(&self, sources: &[Source], table: &mut Table) -> Result<Vec<Read>, Diagnostic> {
        let is_new = |source: &&Source| {
            // A link's blob is no source.
            !matches!(source.mode, FileMode::Plain | FileMode::Executable)
                || !table.records.contains_key(&source.id)
        };
        let new: Vec<&Source> = sources.iter().filter(is_new).collect();
        tracing::debug!(files = sources.len(), new = new.len(), "scans imports");
        let scanned = scan_all(&self.dirs.root, &new, self.thread_count_max)?;
        let mut found = FxHashMap::default();
        for (source, Scanned { scan, is_sure }) in new.iter().zip(scanned) {
            let record = table.record(scan);
            let content = if is_sure {
                table.records.insert(source.id, Arc::clone(&record));
                Content::Of(source.id)
            } else {
                Content::Unsure
            };
            found.insert(source.position, Read { content, record });
        }
        let read = sources.iter().map(|source| {
            found.remove(&source.position).unwrap_or_else(|| Read {
                content: Content::Of(source.id),
                record: table.records.get(&source.id).map(Arc::clone).unwrap_or_default(),
            })
        });
        Ok(read.collect())
    }

    fn read_kept(&self, name: &str) -> Vec<u8> {
        let path = self.dirs.private.join(name);
        fs::read_bounded(path.as_path(), KEPT_BYTES_MAX).unwrap_or_default()
    }

    /// Keeps a graph for the next run, in a thread of its own.
    fn keep_graph(&self, key: Key, graph: &Arc<Graph>) {
        self.wait_for_keeping();
        let (dirs, graph) = (self.dirs.clone(), Arc::clone(graph));
        let keep = move || keep(&dirs, GRAPH, || kept::encode(&key, &graph));
        // Without a thread it is made anew next time.
        let thread = thread::Builder::new().name("keep-graph".to_owned()).spawn(keep);
        *self.keeping.lock().unwrap_or_else(PoisonError::into_inner) = thread.ok();
    }

    /// Waits until the latest graph is written down.
    pub fn wait_for_keeping(&self) {
        let keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner).take();
        // One that panicked has kept nothing, no more.
        if let Some(thread) = keeping {
            drop(thread.join());
        }
    }
}

/// Keeps something for the next run, which does without if that fails.
fn keep(dirs: &WorkDirs, name: &str, bytes: impl FnOnce() -> Vec<u8>) {
    let private = dirs.private.as_path();
    if !fs::stat(private).is_ok_and(|meta| meta.is_dir()) {
        // Whoever runs something makes the folder; to look at something does not.
        return;
    }
    let path = dirs.private.join(name);
    let folder = path.parent();
    let made = folder.map_or(Ok(()), |folder| fs::create_folder(folder.as_path()));
    let written = made.and_then(|()| dirs.unfinished.write(path.as_path(), &bytes()));
    if let Err(error) = written {
        tracing::debug!(?error, name, "the import graph is not kept");
    }
}

/// The sources whose imports the graph has not, as it should: those that are wanted, and those
/// that were read with another content.
fn to_read(graph: &Graph, set: &FileSet, is_wanted: &[bool]) -> Vec<Source> {
    let is_stale = |position: u32, file: &File| match graph.contents[position as usize] {
        Content::Unread => is_wanted[position as usize],
        Content::Of(id) => id != file.id,
        Content::Unsure => true,
        Content::Gone => false,
    };
    let stale = (0_u32..).zip(set.iter()).filter(|(position, (_, file))| is_stale(*position, file));
    let source = |(position, (path, file)): (u32, (Cow<'_, [u8]>, File))| Source {
        position,
        path: String::from_utf8_lossy(&path).into_owned(),
        mode: file.mode,
        id: file.id,
    };
    stale.map(source).collect()
}

fn current(graph: &Graph) -> BTreeSet<BlobId> {
    let ids = graph.contents.iter().filter_map(|content| match content {
        Content::Of(id) => Some(*id),
        Content::Unread | Content::Unsure | Content::Gone => None,
    });
    ids.collect()
}
