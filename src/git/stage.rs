//! `git add -N`: the only writer of the index.

use std::os::unix::fs::FileTypeExt as _;
use std::process::Output;
use std::sync::PoisonError;
use std::time::Duration;

use super::binary::{Git, failure};
use super::repo::Repo;
use super::worktree::Worktree;
use crate::error::{Code, Diagnostic};
use crate::paths::{ProjectPath, escape};
use crate::sys::{clock, fs};

/// How long another writer of the index is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// How long to wait before trying again.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Tells git of files that are new, so that they are tracked from now on without their content
/// being staged. Paths that are tracked already or are not there are passed over.
///
/// # Errors
/// A file that git ignores, or an index that somebody else keeps locked: what the diagnostic names
/// is not staged.
pub fn intent_to_add(worktree: &Worktree, paths: &[ProjectPath]) -> Result<(), Diagnostic> {
    let repo = worktree.repo();
    let _staging = repo.staging.lock().unwrap_or_else(PoisonError::into_inner);
    let mut wanted = Vec::new();
    for path in paths {
        if worktree.is_tracked(path)? {
            continue;
        }
        let Some(git_path) = worktree.git_path(path) else {
            return Err(not_staged(path.as_bytes()).because("it lies outside of the repository"));
        };
        let on_disk = repo.root().join(ProjectPath::from_bytes(git_path.clone()).as_path());
        let is_addable = fs::stat(on_disk.as_path())
            .is_ok_and(|meta| !meta.is_dir() && !meta.file_type().is_fifo());
        if is_addable {
            wanted.push(git_path);
        }
    }
    let Some(first) = wanted.first() else { return Ok(()) };
    let settings = repo.settings()?;
    if settings.is_sparse && settings.has_sparse_index {
        return Err(sparse_index(first));
    }
    let output = add(repo, &wanted)?;
    worktree.forget();
    if output.status.success() {
        return Ok(());
    }
    Err(explain(repo, &wanted, first, &output))
}

/// Runs `git add -N`, again and again while the index is locked.
fn add(repo: &Repo, paths: &[Vec<u8>]) -> Result<Output, Diagnostic> {
    let mut args = vec!["add", "-N", "--pathspec-from-file=-", "--pathspec-file-nul"];
    if repo.settings()?.is_sparse {
        // What a command makes is wanted wherever it lies.
        args.push("--sparse");
    }
    let git = repo.git().clone().with("GIT_LITERAL_PATHSPECS", "1");
    let input = nul_terminated(paths);
    let start = clock::instant();
    loop {
        let output = git.run(&args, &input)?;
        let is_locked = !output.status.success()
            && String::from_utf8_lossy(&output.stderr).contains(".lock': File exists");
        if !is_locked || start.elapsed() >= LOCK_WAIT {
            return Ok(output);
        }
        std::thread::sleep(LOCK_RETRY);
    }
}

/// Why git did not add all of them.
fn explain(repo: &Repo, paths: &[Vec<u8>], first: &[u8], output: &Output) -> Diagnostic {
    if let Some(ignored) = find_ignored(repo.git(), paths) {
        let shown = escape(&ignored);
        return not_staged(&ignored)
            .because("git ignores it")
            .hint(format!("`git check-ignore -v {shown}` shows the rule to change"));
    }
    let diagnostic = failure(&["add"], output);
    diagnostic.causes.into_iter().fold(not_staged(first), Diagnostic::because)
}

/// git (2.47 at least) crashes on intents in a sparse index, and goes on doing so until they are
/// taken back: nothing that qik should do to a repository.
fn sparse_index(path: &[u8]) -> Diagnostic {
    not_staged(path)
        .because("git cannot keep intents to add in a sparse index")
        .hint("turn the sparse index off: `git sparse-checkout reapply --no-sparse-index`")
        .hint(format!("or `git add --sparse {}`", escape(path)))
}

fn find_ignored(git: &Git, paths: &[Vec<u8>]) -> Option<Vec<u8>> {
    let output = git.run(&["check-ignore", "-z", "--stdin"], &nul_terminated(paths)).ok()?;
    let first = output.stdout.split(|byte| *byte == 0).next()?;
    (!first.is_empty()).then(|| first.to_vec())
}

fn nul_terminated(paths: &[Vec<u8>]) -> Vec<u8> {
    paths.iter().flat_map(|path| path.iter().copied().chain([0])).collect()
}

fn not_staged(path: &[u8]) -> Diagnostic {
    Diagnostic::new(Code::GitFailed, format!("`{}` is not staged", escape(path)))
}
