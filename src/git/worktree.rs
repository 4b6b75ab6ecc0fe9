//! The tracked files as they are on disk now.
//!
//! What was seen holds until [`Worktree::forget`]: within such an epoch a file is looked at once,
//! however many pattern sets share it. No lock is held while files are looked at or hashed.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::content::{Contents, Hashed};
use super::diff::{file_at, tree_differences};
use super::file_set::{BlobId, File, FileMode, FileSet};
use super::index::IndexSnapshot;
use super::index_reader::{IndexStamp, read_index, stamp_index};
use super::look::{Look, PATHS_PER_THREAD_MIN, Reading, Ways, look_at};
use super::memo::Memo;
use super::pathspec::Patterns;
use super::repo::{Commit, Repo};
use super::submodule::Submodules;
use crate::error::{Code, Diagnostic, Result, RunnableError};
use crate::paths::{AbsPath, ProjectPath, WorkDirs};
use crate::sys::parallel;
use crate::sys::{clock, fs};

/// So many files are looked at by all threads at once.
const LARGE_COUNT_MIN: usize = 2 * PATHS_PER_THREAD_MIN;

/// So many pattern sets are worth a thread of their own: each takes a microsecond, more or less, a
/// thread a hundred or two to start.
const SETS_PER_THREAD_MIN: usize = 400;

/// The work tree of a repository, seen from a project in it.
#[derive(Debug)]
pub struct Worktree {
    repo: Arc<Repo>,
    prefix: Vec<u8>,
    seen: Mutex<Seen>,
    /// Held while many files are looked at: whoever wants the same ones waits for them.
    large: Mutex<()>,
    contents: Contents,
    ways: Ways,
    submodules: Submodules,
}

/// What was seen, and in which epoch.
#[derive(Debug, Default)]
pub(super) struct Seen {
    epoch: u64,
    index: Option<(IndexStamp, Arc<IndexSnapshot>)>,
    /// Whether the index was found unchanged, or read, in this epoch.
    is_index_current: bool,
    /// By position in the index; empty if nothing was ever looked at.
    states: Vec<State>,
    /// The positions of those that are known: what is forgotten does not depend on how many files
    /// there are.
    known: Vec<u32>,
    /// What patterns were asked for.
    sets: FxHashMap<Patterns, Matched>,
    /// Counts how often the files of sets were forgotten.
    sets_epoch: u64,
}

/// What patterns match: their entries as long as the index stays, their files until they are
/// forgotten.
#[derive(Debug, Clone)]
struct Matched {
    entries: Arc<[u32]>,
    files: Option<Arc<FileSet>>,
    epoch: u64,
}

impl Seen {
    fn set(&self, patterns: &Patterns) -> Option<Matched> {
        let Matched { entries, files, epoch } = self.sets.get(patterns)?;
        let files = files.clone().filter(|_| *epoch == self.sets_epoch);
        Some(Matched { entries: Arc::clone(entries), files, epoch: *epoch })
    }

    fn keep_set(&mut self, patterns: &Patterns, entries: Arc<[u32]>, files: Option<Arc<FileSet>>) {
        let matched = Matched { entries, files, epoch: self.sets_epoch };
        self.sets.insert(patterns.clone(), matched);
    }

    fn keep_state(&mut self, entry: u32, state: State) {
        let kept = &mut self.states[entry as usize];
        if matches!(kept, State::Unknown) {
            self.known.push(entry);
        }
        *kept = state;
    }

    fn forget_states(&mut self) {
        for entry in self.known.drain(..) {
            self.states[entry as usize] = State::Unknown;
        }
    }
}

/// What is known of a tracked path. There are as many as files, so what is rare is shared.
#[derive(Debug, Clone, Default)]
pub(super) enum State {
    #[default]
    Unknown,
    Gone,
    AsIndexed,
    Present(Arc<(FileMode, BlobId)>),
    Failed(Arc<Diagnostic>),
}

/// What a path has in a tree, in the index or on disk; `None` if nothing.
pub(super) type Content = Option<(FileMode, BlobId)>;

impl Worktree {
    /// The work tree as seen from a project root inside of it.
    pub fn open(repo: Arc<Repo>, project_root: &AbsPath) -> Result<Self> {
        Self::with_memo(repo, project_root, Memo::none())
    }

    /// The same, of a project that keeps what it learned of the files.
    pub fn of_project(repo: Arc<Repo>, dirs: &WorkDirs) -> Result<Self> {
        Self::with_memo(repo, &dirs.root, Memo::of(dirs))
    }

    fn with_memo(repo: Arc<Repo>, project_root: &AbsPath, memo: Memo) -> Result<Self> {
        let prefix = prefix_of(&repo, project_root)?;
        Ok(Self {
            repo,
            prefix,
            seen: Mutex::default(),
            large: Mutex::default(),
            contents: Contents::new(memo),
            ways: Ways::default(),
            submodules: Submodules::default(),
        })
    }

    /// Keeps what was learned of the files for other runs.
    pub fn keep_learned(&self) {
        self.contents.keep();
    }

    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// The project root relative to the git root; empty if they are the same.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The tracked files that match and exist, with modes and blob ids.
    ///
    /// # Errors
    /// A file that cannot be read, or whose clean filter fails.
    pub fn file_set(&self, patterns: &Patterns) -> Result<Arc<FileSet>, RunnableError> {
        let is_large = {
            let mut seen = self.seen();
            let snapshot = self.current_index(&mut seen)?;
            let count = match seen.set(patterns) {
                Some(Matched { files: Some(files), .. }) => return Ok(files),
                Some(Matched { entries, .. }) => entries.len(),
                None => snapshot.candidates(patterns).iter().map(ExactSizeIterator::len).sum(),
            };
            count >= LARGE_COUNT_MIN
        };
        let turn = is_large.then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
        let files = self.look_up(patterns);
        drop(turn);
        files
    }

    /// Looks at the files of many pattern sets at once, in parallel, before somebody asks for one
    /// set after the other. What cannot be told is told to whoever asks.
    pub fn look_ahead(&self, patterns: &[Patterns]) {
        let Ok((epoch, snapshot)) = self.current_epoch() else { return };
        let matched: Vec<Arc<[u32]>> =
            parallel::map(patterns, SETS_PER_THREAD_MIN, self.repo.cpu_count, |chunk| {
                chunk.iter().map(|patterns| snapshot.matching(patterns).into()).collect()
            });
        let mut entries: Vec<u32> = matched.iter().flat_map(|set| set.iter().copied()).collect();
        entries.sort_unstable();
        entries.dedup();
        self.states(epoch, &snapshot, &entries);
        let mut seen = self.seen();
        if seen.epoch == epoch {
            for (patterns, entries) in patterns.iter().zip(matched) {
                let known = |entry: &u32| match seen.states.get(*entry as usize)? {
                    State::Unknown => None,
                    state => Some(state),
                };
                let states: Option<Vec<&State>> = entries.iter().map(known).collect();
                let files = states.and_then(|it| file_set_of(&snapshot, &entries, it).ok());
                seen.keep_set(patterns, entries, files.map(Arc::new));
            }
        }
    }

    /// Reads the index before somebody asks for it; what fails is told then.
    pub fn read_ahead(&self) {
        drop(self.current_epoch());
    }

    fn current_epoch(&self) -> Result<(u64, Arc<IndexSnapshot>), Diagnostic> {
        let mut seen = self.seen();
        let snapshot = self.current_index(&mut seen)?;
        Ok((seen.epoch, snapshot))
    }

    fn look_up(&self, patterns: &Patterns) -> Result<Arc<FileSet>, RunnableError> {
        let (epoch, snapshot, known) = {
            let mut seen = self.seen();
            let snapshot = self.current_index(&mut seen)?;
            (seen.epoch, snapshot, seen.set(patterns))
        };
        let entries = match known {
            Some(Matched { files: Some(files), .. }) => return Ok(files),
            Some(Matched { entries, .. }) => entries,
            None => snapshot.matching(patterns).into(),
        };
        let states = self.states(epoch, &snapshot, &entries);
        let files = Arc::new(file_set_of(&snapshot, &entries, &states)?);
        let mut seen = self.seen();
        if seen.epoch == epoch {
            seen.keep_set(patterns, entries, Some(Arc::clone(&files)));
        }
        Ok(files)
    }

    /// These paths, relative to the git root, may have been written, and nothing else: what was
    /// seen of them no longer holds. Nobody may be looking meanwhile.
    pub fn forget_paths<'p>(&self, paths: impl IntoIterator<Item = &'p [u8]>) {
        let mut seen = self.seen();
        seen.sets_epoch += 1;
        if let Some((_, snapshot)) = &seen.index {
            let entries: Vec<u32> = paths.into_iter().filter_map(|p| snapshot.find(p)).collect();
            for entry in entries {
                if let Some(state) = seen.states.get_mut(entry as usize) {
                    *state = State::Unknown;
                }
            }
        }
        drop(seen);
        self.ways.close();
        self.submodules.forget();
    }

    /// Something has been written: what was seen no longer holds.
    pub fn forget(&self) {
        let mut seen = self.seen();
        seen.epoch += 1;
        seen.is_index_current = false;
        seen.forget_states();
        seen.sets_epoch += 1;
        drop(seen);
        self.ways.close();
        self.submodules.forget();
    }

    /// The work tree of a submodule; `None` if it was never checked out.
    pub(super) fn open_submodule(&self, path: &[u8]) -> Result<Option<Arc<Self>>, RunnableError> {
        self.submodules.open(&self.repo, path)
    }

    /// Whether git tracks a path, be it by intent alone.
    pub fn is_tracked(&self, path: &ProjectPath) -> Result<bool, Diagnostic> {
        let snapshot = self.current_index(&mut self.seen())?;
        Ok(self.git_path(path).is_some_and(|path| snapshot.find(&path).is_some()))
    }

    /// The path relative to the git root; `None` if it lies outside of the repository.
    pub(super) fn git_path(&self, path: &ProjectPath) -> Option<Vec<u8>> {
        let mut git_path: Vec<&[u8]> = self.prefix.split(|byte| *byte == b'/').collect();
        for part in path.as_bytes().split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(git_path.pop()?),
                _ => git_path.push(part),
            }
        }
        git_path.retain(|part| !part.is_empty());
        Some(git_path.join(&b'/'))
    }

    /// The paths, relative to the git root, that differ between a commit and the work tree, sorted.
    ///
    /// As with `git diff`, untracked files do not count, those with intent to add do; of a rename,
    /// both paths count.
    pub fn changed_since(&self, commit: &Commit) -> Result<Vec<Vec<u8>>, RunnableError> {
        let changes = self.changes_since(commit)?;
        Ok(changes.into_iter().map(|(path, _)| path).collect())
    }

    /// What differs from a commit, and what is there instead.
    pub(super) fn changes_since(
        &self,
        commit: &Commit,
    ) -> Result<Vec<(Vec<u8>, Content)>, RunnableError> {
        let (epoch, snapshot) = self.current_epoch()?;
        let mut in_tree = tree_differences(&self.repo, commit, &snapshot)?;
        let entries: Vec<u32> = snapshot.all().collect();
        let states = self.states(epoch, &snapshot, &entries);
        let mut changes = Vec::new();
        for (&number, state) in entries.iter().zip(&states) {
            let (path, entry) = (snapshot.git_path(number), snapshot.entry(number));
            let here = content(&snapshot, number, state)?;
            let indexed = (!entry.is_intent_to_add).then_some((entry.mode, entry.id));
            let before = in_tree.remove(path).unwrap_or(indexed);
            if here != before || entry.is_conflicted() {
                changes.push((path.to_vec(), here));
            }
        }
        changes.extend(in_tree.into_keys().map(|path| (path, None)));
        changes.sort();
        Ok(changes)
    }

    /// The content of a file at a commit, its path relative to the git root; `None` if there is no
    /// such file. Symlinks within the commit are followed.
    pub fn file_at(&self, commit: &Commit, path: &[u8]) -> Result<Option<Vec<u8>>, Diagnostic> {
        file_at(&self.repo, commit, path)
    }

    /// The states of entries, looked at unless they are known in this epoch.
    fn states(&self, epoch: u64, snapshot: &IndexSnapshot, entries: &[u32]) -> Vec<State> {
        let mut states: Vec<State> = {
            let seen = self.seen();
            let is_current = seen.epoch == epoch;
            let known = |entry: &u32| seen.states.get(*entry as usize).filter(|_| is_current);
            entries.iter().map(|entry| known(entry).cloned().unwrap_or_default()).collect()
        };
        let unknown: Vec<u32> = entries
            .iter()
            .zip(&states)
            .filter_map(|(entry, state)| matches!(state, State::Unknown).then_some(*entry))
            .collect();
        if unknown.is_empty() {
            return states;
        }
        let mut inspected = self.inspect(snapshot, &unknown).into_iter();
        for state in states.iter_mut().filter(|state| matches!(state, State::Unknown)) {
            *state = inspected.next().unwrap_or_default();
        }
        let mut seen = self.seen();
        if seen.epoch == epoch {
            seen.states.resize(snapshot.all().len(), State::Unknown);
            for (entry, state) in entries.iter().zip(&states) {
                seen.keep_state(*entry, state.clone());
            }
        }
        states
    }

    /// Looks at entries and hashes what has to be hashed.
    fn inspect(&self, snapshot: &IndexSnapshot, entries: &[u32]) -> Vec<State> {
        let now = clock::since_epoch(clock::wall());
        let mut readings: Vec<(u32, Reading)> = Vec::new();
        let mut reading_positions = Vec::new();
        let mut states = Vec::with_capacity(entries.len());
        let looks = look_at(&self.repo, snapshot, entries, &self.ways);
        let mut looks = looks.into_iter().peekable();
        for &entry in entries {
            let look = looks.next_if(|(found, _)| *found == entry);
            states.push(match look.map_or(Look::AsIndexed, |(_, look)| look) {
                Look::Gone => State::Gone,
                Look::AsIndexed => State::AsIndexed,
                Look::Failed(diagnostic) => State::Failed(Arc::from(diagnostic)),
                Look::Submodule => match self.submodules.id(&self.repo, snapshot, entry) {
                    Ok(id) => State::Present(Arc::new((FileMode::Submodule, id))),
                    Err(error) => State::Failed(Arc::from(error.0)),
                },
                Look::Read(reading) => {
                    reading_positions.push(states.len());
                    readings.push((entry, *reading));
                    State::Unknown
                }
            });
        }
        debug_assert!(looks.next().is_none(), "one that is passed over would count as clean");
        let hashed = self.contents.hash(&self.repo, snapshot, &readings, now);
        for ((position, (_, reading)), hashed) in
            reading_positions.into_iter().zip(&readings).zip(hashed)
        {
            states[position] = match hashed {
                Hashed::Id(id) => State::Present(Arc::new((reading.mode, id))),
                Hashed::Gone => State::Gone,
                Hashed::Failed(diagnostic) => State::Failed(diagnostic),
            };
        }
        states
    }

    /// The index, read again if its file is another than before.
    pub(super) fn current_index(&self, seen: &mut Seen) -> Result<Arc<IndexSnapshot>, Diagnostic> {
        if let Some((stamp, snapshot)) = &seen.index
            && (seen.is_index_current || *stamp == stamp_index(&self.repo))
        {
            let snapshot = Arc::clone(snapshot);
            seen.is_index_current = true;
            return Ok(snapshot);
        }
        let (stamp, snapshot) = read_index(&self.repo, &self.prefix)?;
        let snapshot = Arc::new(snapshot);
        seen.index = Some((stamp, Arc::clone(&snapshot)));
        seen.is_index_current = true;
        seen.states.clear();
        seen.known.clear();
        seen.sets.clear();
        Ok(snapshot)
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of entries whose states are known.
fn file_set_of<'s>(
    snapshot: &Arc<IndexSnapshot>,
    entries: &[u32],
    states: impl IntoIterator<Item = &'s State>,
) -> Result<FileSet, Diagnostic> {
    let mut files = FileSet::with_capacity(Arc::clone(snapshot), entries.len());
    for (&entry, state) in entries.iter().zip(states) {
        if matches!(state, State::AsIndexed) {
            files.push_as_indexed(entry);
        } else if let Some((mode, id)) = content(snapshot, entry, state)? {
            files.push(File { entry, mode, id });
        }
    }
    Ok(files)
}

/// What an entry's state says is there.
fn content(snapshot: &IndexSnapshot, entry: u32, state: &State) -> Result<Content, Diagnostic> {
    match state {
        State::Gone | State::Unknown => Ok(None),
        State::AsIndexed => Ok(Some((snapshot.mode(entry), snapshot.id(entry)))),
        State::Present(found) => Ok(Some(**found)),
        State::Failed(diagnostic) => Err((**diagnostic).clone()),
    }
}

/// The project root relative to the git root, both without symlinks if need be.
fn prefix_of(repo: &Repo, project_root: &AbsPath) -> Result<Vec<u8>, Diagnostic> {
    let below = |root: &Path, project: &Path| {
        let prefix = project.strip_prefix(root).ok()?;
        let is_plain = prefix.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain.then(|| prefix.as_os_str().as_bytes().to_vec())
    };
    let (root, project) = (repo.root().as_path(), project_root.as_path());
    if let Some(prefix) = below(root, project) {
        return Ok(prefix);
    }
    let resolved = fs::resolve(root).ok().zip(fs::resolve(project).ok());
    resolved.and_then(|(root, project)| below(&root, &project)).ok_or_else(|| {
        Diagnostic::new(
            Code::RepositoryNotFound,
            format!("`{project_root}` is not in the repository of `{}`", repo.root()),
        )
    })
}
