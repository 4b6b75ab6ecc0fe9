//! The log of a command that runs: a file while that goes well, then memory, up to a bound.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Log;
use super::output::REST_BYTES_MAX;
use crate::error::{Code, Diagnostic};
use crate::sys::fault::Filling;
use crate::sys::fs;
use crate::sys::unfinished::Unfinished;

/// A log that is being written.
#[derive(Debug)]
pub(super) struct LogFile {
    /// `None` if there never was a file.
    path: Option<PathBuf>,
    /// Why there is none, or none any more.
    file: Result<File, Diagnostic>,
    rest: Vec<u8>,
}

/// A log that has ended.
#[derive(Debug)]
pub(super) struct WrittenLog {
    pub(super) log: Log,
    /// The complete file; or why there is none.
    pub(super) file: Result<File, Diagnostic>,
}

impl LogFile {
    /// A new file of this name. Whoever reads or writes the old one keeps it.
    pub(super) fn create(unfinished: &Unfinished, path: PathBuf) -> Self {
        match create(unfinished, &path) {
            Ok(file) => Self { path: Some(path), file: Ok(file), rest: Vec::new() },
            Err(error) => Self::in_memory(unkept(error.diagnostic())),
        }
    }

    /// One without a file, for a reason.
    pub(super) fn in_memory(reason: Diagnostic) -> Self {
        Self { path: None, file: Err(reason), rest: Vec::new() }
    }

    /// Never fails: what the file does not take is kept in memory, as far as it fits.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if let Ok(file) = &mut self.file
            && let path = self.path.as_deref().unwrap_or(Path::new(""))
            && let Err(error) = write_all(Filling { file, path }, &mut rest)
        {
            let name = path.display();
            let diagnostic = Diagnostic::new(Code::FileFailed, format!("cannot write `{name}`"));
            self.file = Err(unkept(diagnostic.because(error.to_string())));
        }
        let room = REST_BYTES_MAX - self.rest.len();
        self.rest.extend_from_slice(&rest[..rest.len().min(room)]);
    }

    pub(super) fn finish(self) -> WrittenLog {
        let file = self.file.as_ref().ok().and_then(|file| file.try_clone().ok()).map(Arc::new);
        let log = Log { path: self.path, file, rest: self.rest.into() };
        WrittenLog { log, file: self.file }
    }
}

/// What is added to whatever keeps output from being kept.
pub(super) fn unkept(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.hint("until then output is shown but not kept, and its result not cached")
}

fn create(unfinished: &Unfinished, path: &Path) -> fs::Result<File> {
    if let Ok(file) = unfinished.replace(path) {
        return Ok(file);
    }
    // A name with `/` in it, or `._qik` was deleted during the run.
    fs::create_folder(path.parent().unwrap_or(path))?;
    unfinished.replace(path)
}

/// As [`io::Write::write_all`]; `bytes` is left with what was not written.
fn write_all(mut file: Filling<'_>, bytes: &mut &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_full_disk_does_not_take_stays_in_memory() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let path = Some(PathBuf::from("/dev/full"));
        let mut log = LogFile { path, file: Ok(full), rest: Vec::new() };
        log.write(b"one ");
        log.write(b"two");
        let written = log.finish();
        assert_eq!(&*written.log.rest, b"one two");
        assert_eq!(written.file.unwrap_err().message, "cannot write `/dev/full`");
    }

    #[test]
    fn memory_is_bounded() {
        let mut log = LogFile::in_memory(Diagnostic::new(Code::FileFailed, "no"));
        for _ in 0..20 {
            log.write(&vec![b'x'; REST_BYTES_MAX / 10]);
        }
        assert_eq!(log.finish().log.rest.len(), REST_BYTES_MAX);
    }
}
