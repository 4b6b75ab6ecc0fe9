//! `merge.qik` in the repository's configuration: how git calls qik back when the repo cache is
//! merged. Written by git itself, which leaves the rest of the file as it is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::time::Duration;

use git2::Config;

use super::binary::failure;
use super::quote::sh_quoted;
use super::repo::Repo;
use crate::error::Diagnostic;
use crate::sys::clock;

/// How long a locked configuration is waited for: who has it writes a line or two, but on a busy
/// machine many may want to.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// How long to wait before trying again, at least, and how much longer at most.
const LOCK_RETRY: Duration = Duration::from_millis(10);
const LOCK_JITTER_MS: u32 = 20;

const NAME: &str = "keep one's own results of qik";

/// Makes `exe` the merge driver in the configuration that all work trees share. Returns whether it
/// wrote: nothing is written that is there already.
///
/// # Errors
/// A configuration that is locked or cannot be written.
pub fn ensure_merge_driver(repo: &Repo, exe: &Path) -> Result<bool, Diagnostic> {
    let start = clock::instant();
    // Those who were started together must not all try at the same moments.
    let jitter = Duration::from_millis(u64::from(std::process::id() % LOCK_JITTER_MS));
    loop {
        // Another process may be setting it right now.
        match try_ensure(repo, exe) {
            Err(_) if start.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_RETRY + jitter),
            result => return result,
        }
    }
}

fn try_ensure(repo: &Repo, exe: &Path) -> Result<bool, Diagnostic> {
    let driver = driver(exe);
    // What libgit2 cannot read is set again, which changes nothing if it is there.
    let path = repo.common_dir().join("config");
    let config = Config::open(path.as_path()).and_then(|mut config| config.snapshot());
    let has = |name: &str, value: &OsStr| {
        let config = config.as_ref().ok();
        config.is_some_and(|config| config.get_bytes(name).is_ok_and(|set| set == value.as_bytes()))
    };
    let mut wrote = false;
    for (name, value) in [("merge.qik.name", OsStr::new(NAME)), ("merge.qik.driver", &driver)] {
        if has(name, value) {
            continue;
        }
        let args = [OsStr::new("config"), "--local".as_ref(), "--replace-all".as_ref()];
        let args: Vec<&OsStr> = args.into_iter().chain([OsStr::new(name), value]).collect();
        let output = repo.git().run(&args, b"")?;
        if !output.status.success() {
            return Err(failure(&args, &output)
                .because(format!("`{name}` is not set: merges of the repo cache may conflict")));
        }
        wrote = true;
    }
    Ok(wrote)
}

/// What git gives to `sh`, which fills in the names of the three files.
fn driver(exe: &Path) -> OsString {
    let quoted = sh_quoted(exe.as_os_str().as_bytes());
    let mut driver = Vec::new();
    for byte in quoted {
        driver.extend(if byte == b'%' { &b"%%"[..] } else { std::slice::from_ref(&byte) });
    }
    driver.extend(b" :merge-driver %O %A %B");
    OsString::from_vec(driver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_quoted_for_the_shell_and_for_git() {
        let driver = driver(Path::new("/a b/it's 5%"));
        assert_eq!(driver, "'/a b/it'\\''s 5%%' :merge-driver %O %A %B");
    }
}
