//! Source files → their imports, read and parsed in parallel.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha1::{Digest as _, Sha1};

use super::scan::{Scan, scan};
use crate::error::Diagnostic;
use crate::git::{BlobId, FileMode};
use crate::paths::AbsPath;
use crate::sys::fs;

/// A larger source file is none that anybody wrote.
const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// A thread for fewer files than this takes longer to start than to do without.
const FILES_PER_THREAD_MIN: usize = 16;

/// The parser's stack: sources may be nested deeply.
const STACK_BYTES: usize = 64 << 20;

/// What a file is said to hold.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// In the graph.
    pub(super) position: u32,
    pub(super) path: String,
    pub(super) mode: FileMode,
    pub(super) id: BlobId,
}

/// A file's imports, and whether its content is surely the blob's.
pub(super) struct Scanned {
    pub(super) scan: Scan,
    pub(super) is_sure: bool,
}

/// Scans some sources, relative to the root, in as many threads as it is worth; in their order.
pub(super) fn scan_all(
    root: &AbsPath,
    sources: &[&Source],
    thread_count_max: usize,
) -> Result<Vec<Scanned>, Diagnostic> {
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = sources.get(at) else { return done };
            done.push((at, scan_file(&root.as_path().join(&source.path), source)));
        }
    };
    let count = (sources.len() / FILES_PER_THREAD_MIN).clamp(1, thread_count_max.max(1));
    let mut all = std::thread::scope(|scope| {
        let start =
            |_| std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok();
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
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, scanned)| scanned).collect()
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
