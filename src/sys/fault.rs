//! The points where qik touches files or sends them, each of which a test can make fail.
//!
//! In a build with debug assertions `QIK_FAULT=KIND:NUMBER` makes the NUMBERth point fail, and with
//! a `+` behind the number all that follow, too. The kinds `kill` (the process is gone), `space`
//! and `io` (the system call fails) count what writes, `read` counts what reads and `lock` what
//! locks. `QIK_FAULT_NOTE` names a file that says afterwards which point it was. In any other
//! build there is nothing here.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// What a point does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Write,
    Read,
    Lock,
}

/// To be passed before an act; an error is that of the system call.
#[cfg(not(debug_assertions))]
#[inline]
pub fn pass(_act: Act, _verb: &str, _path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
pub use armed::pass;

/// A file that is being filled: a fault leaves half of what was to be written.
#[derive(Debug)]
pub struct Filling<'a> {
    pub file: &'a mut File,
    pub path: &'a Path,
}

impl Write for Filling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(debug_assertions)]
        if let Some(fault) = armed::fault(Act::Write) {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(fault.strike("fill", self.path));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::fs::OpenOptions;
    use std::io::{self, Write as _};
    use std::path::Path;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::io::Errno;
    use rustix::process::{Signal, getpid, kill_process};

    use super::Act;

    /// What is to fail, and how.
    #[derive(Debug)]
    pub(super) struct Fault {
        act: Act,
        /// `None` ends the process.
        errno: Option<Errno>,
        number: usize,
        is_lasting: bool,
    }

    static FAULT: LazyLock<Option<Fault>> = LazyLock::new(|| parse(&variable("QIK_FAULT")?));
    static COUNT: AtomicUsize = AtomicUsize::new(0);

    #[expect(clippy::disallowed_methods, reason = "no parameter of qik: of its tests alone")]
    fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn parse(text: &str) -> Option<Fault> {
        let (kind, number) = text.split_once(':')?;
        let (act, errno) = match kind {
            "kill" => (Act::Write, None),
            "space" => (Act::Write, Some(Errno::NOSPC)),
            "io" => (Act::Write, Some(Errno::IO)),
            "read" => (Act::Read, Some(Errno::IO)),
            "lock" => (Act::Lock, Some(Errno::NOLCK)),
            _ => return None,
        };
        let is_lasting = number.ends_with('+');
        let number = number.trim_end_matches('+').parse().ok()?;
        Some(Fault { act, errno, number, is_lasting })
    }

    /// See [`super::Act`].
    pub fn pass(act: Act, verb: &str, path: &Path) -> io::Result<()> {
        fault(act).map_or(Ok(()), |fault| Err(fault.strike(verb, path)))
    }

    /// The fault that this point is to have.
    pub(super) fn fault(act: Act) -> Option<&'static Fault> {
        let fault = FAULT.as_ref().filter(|fault| fault.act == act)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        let is_due = number == fault.number || (fault.is_lasting && number > fault.number);
        is_due.then_some(fault)
    }

    impl Fault {
        pub(super) fn strike(&self, verb: &str, path: &Path) -> io::Error {
            if let Some(note) = variable("QIK_FAULT_NOTE") {
                let file = OpenOptions::new().create(true).append(true).open(note);
                let text = format!("{verb} {}\n", path.display());
                drop(file.and_then(|mut file| file.write_all(text.as_bytes())));
            }
            let Some(errno) = self.errno else {
                // The signal need not have arrived yet.
                while kill_process(getpid(), Signal::KILL).is_ok() {
                    std::thread::yield_now();
                }
                return io::ErrorKind::Interrupted.into();
            };
            errno.into()
        }
    }
}
