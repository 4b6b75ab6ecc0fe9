//! Programs that run beside the test. Every wait is bounded and none is a sleep that must be long
//! enough.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Output;
use super::output::shown;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
        thread::sleep(INTERVAL);
    }
}

/// A program under way; it is killed when the test lets go of it.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    shown: String,
    stdin: Option<ChildStdin>,
    stdout: File,
    stderr: File,
}

impl Started {
    /// Starts a program whose output goes to files, so that it never waits for its reader.
    pub(crate) fn of(command: &mut Command) -> Self {
        let shown = shown(command);
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        Self { child, shown, stdin, stdout, stderr }
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the program alone.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Types something.
    pub(crate) fn type_in(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has written to its stderr so far.
    pub(crate) fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&bytes_of(&self.stderr)).into_owned()
    }

    /// What it has written to its stdout so far.
    pub(crate) fn stdout_so_far(&self) -> String {
        String::from_utf8_lossy(&bytes_of(&self.stdout)).into_owned()
    }

    /// Waits for its end. Its stdin stays open until then, as a terminal's does.
    #[must_use = "assert something of it"]
    #[track_caller]
    pub(crate) fn wait(mut self) -> Output {
        let shown = self.shown.clone();
        until(&format!("{shown} ends"), || !self.is_running());
        let status = self.child.wait().unwrap();
        Output::new(shown, status, bytes_of(&self.stdout), bytes_of(&self.stderr))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// All of a file, whose position the program that writes it shares only until it has ended.
fn bytes_of(file: &File) -> Vec<u8> {
    let mut file = File::open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file)))
        .unwrap_or_else(|_| file.try_clone().unwrap());
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The reading end of a fifo that processes hold open for as long as they live: its end of file
/// proves that all of them are gone.
#[derive(Debug)]
pub(crate) struct Lifeline(Receiver<Option<String>>);

impl Lifeline {
    /// Makes the fifo and waits for writers; each of them writes a line when it is up.
    pub(crate) fn at(path: &Path) -> Self {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
        let (sender, receiver) = channel();
        let path = path.to_path_buf();
        thread::spawn(move || {
            let lines = BufReader::new(File::open(path).unwrap()).lines();
            for line in lines.map_while(Result::ok) {
                drop(sender.send(Some(line)));
            }
            drop(sender.send(None));
        });
        Self(receiver)
    }

    /// Waits until one more process is up; its line.
    #[track_caller]
    pub(crate) fn up(&self) -> String {
        self.0.recv_timeout(PATIENCE).unwrap().expect("all processes are gone")
    }

    /// Waits until all of them are gone.
    #[track_caller]
    pub(crate) fn down(&self) {
        let end = self.0.recv_timeout(PATIENCE).expect("a process is still there");
        assert_eq!(end, None, "one more process came up");
    }
}
