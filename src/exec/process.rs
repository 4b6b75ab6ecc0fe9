//! One command: started as its own process group, its output taken as it comes, its end awaited.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::time::{Instant as Timer, sleep, sleep_until};

use super::ancestry;
use super::groups::{self, Groups};
use super::log_file::LogFile;
use super::output::PIECE_BYTES_MAX;
use super::stop::Stop;
use super::stopped::{Stopped, until_stopped};
use super::{Event, EventSender, orphans};
use crate::cache::Claim;
use crate::error::{Code, Diagnostic};
use crate::paths::AbsPath;
use crate::plan::{NeededProgram, Runnable};
use crate::sys::veil::Masker;
use crate::sys::{Env, clock, spawn};

/// After its end a command's output is waited for this long: whoever still holds it open is a
/// process that was left behind.
const LEAK_PATIENCE: Duration = Duration::from_millis(100);

/// What is read at once of the output of a command that has not written more yet: most never do,
/// and a large buffer has to be cleared for each.
const PIECE_BYTES_FIRST: usize = 4 * 1024;

/// What a pipe can hold at most, unless the administrator changed it.
const PIPE_BYTES_MAX: usize = 1024 * 1024;

/// Held while a pipe is made and handed to a command, where not both are one step: another command
/// that starts just then would hold it open, too.
static STARTING: Mutex<()> = Mutex::new(());

/// How long processes, memory or files that are short now may take to be there again.
const SHORTAGE_DELAYS: [Duration; 6] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(150),
    Duration::from_millis(300),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// How often it is looked whether what a stopped command left behind is gone.
const LEFTOVER_INTERVAL: Duration = Duration::from_millis(5);
const LEFTOVER_INTERVAL_MAX: Duration = Duration::from_millis(100);

/// What the shells return for a program that is not there, and for one that cannot be started.
const CODE_NOT_FOUND: i32 = 127;
const CODE_NOT_STARTED: i32 = 126;

/// What a shell runs whose own command line, which everybody on the machine can read, must show
/// no secret. What it starts does not get the variable.
const EVAL: &str = "eval \"unset QIK__EXEC; $QIK__EXEC\"";
const EXEC_VARIABLE: &str = "QIK__EXEC";

/// What is to be run, and where.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) runnable: &'a Runnable,
    pub(super) unit: usize,
    pub(super) worker: usize,
    pub(super) root: &'a AbsPath,
    pub(super) env: Arc<Env>,
    /// Of the runnable, if it has one.
    pub(super) claim: Option<&'a Claim>,
}

/// What is to know of a command while it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) groups: &'a Groups,
    pub(super) events: &'a EventSender,
    pub(super) stop: &'a Stop,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Exit {
    /// 128 + n if signal n ended it.
    pub(super) code: i32,
    pub(super) is_killed: bool,
    pub(super) duration: Duration,
    /// Some process that it started still holds its output open.
    pub(super) is_leaky: bool,
}

/// A command that could not be started.
#[derive(Debug)]
pub(super) struct NotStarted {
    pub(super) code: i32,
    pub(super) diagnostic: Diagnostic,
}

/// Runs a command to its end.
pub(super) async fn run_command(
    task: &Task<'_>,
    surroundings: Surroundings<'_>,
    masker: Masker,
    log: &mut LogFile,
) -> Result<Exit, NotStarted> {
    let begin = clock::instant();
    let (child, pipe) = start(task).await?;
    let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(leader) = leader {
        surroundings.groups.add(leader);
    }
    orphans::note(task.claim, leader);
    let running =
        Running { child, pipe, surroundings, task, masker, log, leader, wants_terminal: false };
    running.follow(begin).await
}

/// Starts a command; what is short is tried again for a while.
async fn start(task: &Task<'_>) -> Result<(Child, pipe::Receiver), NotStarted> {
    let folder = task.root.as_path();
    if let Some(needed) = task.runnable.needs
        && spawn::find_program(needed.name, folder, &task.env).is_none()
    {
        return Err(without_program(task, needed));
    }
    let mut delays = SHORTAGE_DELAYS.into_iter();
    loop {
        let error = match try_start(task) {
            Ok(started) => return Ok(started),
            Err(error) => error,
        };
        match delays.next() {
            Some(delay) if is_shortage(&error) => sleep(delay).await,
            _ => return Err(not_started(task, &error)),
        }
    }
}

fn try_start(task: &Task<'_>) -> io::Result<(Child, pipe::Receiver)> {
    let shell = spawn::find_program("sh", task.root.as_path(), &task.env)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no `sh` on its PATH"))?;
    let is_exclusive = !cfg!(target_os = "linux");
    let _alone = is_exclusive.then(|| STARTING.lock().unwrap_or_else(PoisonError::into_inner));
    let (reader, writer) = io::pipe()?;
    let mut command = spawn::command(shell, task.root.as_path(), &task.env);
    command.arg("-c");
    if task.runnable.secrets.is_empty() {
        command.arg(&task.runnable.exec);
    } else {
        command.arg(EVAL).env(EXEC_VARIABLE, &task.runnable.exec);
    }
    command
        .env(
            ancestry::VARIABLE,
            ancestry::extended(&task.env, task.root, task.runnable.name.as_str()),
        )
        .envs(&task.runnable.env)
        .env("QIK__CMD", &task.runnable.command)
        .env("QIK__RUNNABLE", task.runnable.name.as_str())
        .env("QIK__WORKER", task.worker.to_string())
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer))
        .process_group(0);
    let pipe = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    // The command holds the pipe's other end: it must be gone before the end is awaited.
    let child = tokio::process::Command::from(command).spawn()?;
    Ok((child, pipe))
}

fn without_program(task: &Task<'_>, needed: &NeededProgram) -> NotStarted {
    let (runnable, program) = (&task.runnable.name, needed.name);
    let message = format!("`{runnable}` needs `{program}`, which is not on its `PATH`");
    let diagnostic = Diagnostic::new(needed.code, message);
    let diagnostic = needed.hints.iter().fold(diagnostic, |it, hint| it.hint(*hint));
    NotStarted { code: CODE_NOT_FOUND, diagnostic }
}

fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
    shortages.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn not_started(task: &Task<'_>, error: &io::Error) -> NotStarted {
    let name = &task.runnable.name;
    let diagnostic = Diagnostic::new(Code::SpawnFailed, format!("`{name}` cannot be started"))
        .because(error.to_string());
    let is_too_long = error.raw_os_error() == Some(Errno::TOOBIG.raw_os_error());
    let diagnostic = match error.kind() {
        io::ErrorKind::NotFound => diagnostic.hint("qik runs commands with `sh -c`"),
        _ if is_too_long => diagnostic.hint("move a long `exec` to a script of its own"),
        _ => diagnostic,
    };
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    NotStarted { code: if is_missing { CODE_NOT_FOUND } else { CODE_NOT_STARTED }, diagnostic }
}

/// A command that has started.
struct Running<'a> {
    child: Child,
    pipe: pipe::Receiver,
    surroundings: Surroundings<'a>,
    task: &'a Task<'a>,
    masker: Masker,
    log: &'a mut LogFile,
    leader: Option<Pid>,
    /// Whether it was stopped for that, and asked to end.
    wants_terminal: bool,
}

impl Running<'_> {
    /// Takes the output until the command and its output have ended.
    async fn follow(mut self, begin: Instant) -> Result<Exit, NotStarted> {
        let groups = self.surroundings.groups;
        let mut stopped = pin!(until_stopped(self.leader, groups));
        let mut buffer = vec![0; PIECE_BYTES_FIRST];
        let mut end: Option<(Option<ExitStatus>, Duration)> = None;
        let mut deadline = Timer::now();
        let is_leaky = loop {
            // The end comes first: what was left behind may write for ever.
            tokio::select! {
                biased;
                status = self.child.wait(), if end.is_none() => {
                    end = Some((status.ok(), begin.elapsed()));
                    deadline = Timer::now() + LEAK_PATIENCE;
                }
                stopped_by = &mut stopped, if end.is_none() => {
                    self.is_stopped(stopped_by);
                    stopped.set(until_stopped(self.leader, groups));
                }
                () = sleep_until(deadline), if end.is_some() => break !self.drain(&mut buffer).await,
                count = self.pipe.read(&mut buffer) => match count {
                    Ok(0) | Err(_) => break false,
                    Ok(count) => {
                        self.take(&buffer[..count]).await;
                        if count == buffer.len() {
                            buffer.resize(PIECE_BYTES_MAX, 0);
                        }
                    }
                },
            }
        };
        let (status, duration) = match end {
            Some(end) => end,
            None => (self.child.wait().await.ok(), begin.elapsed()),
        };
        let held = self.masker.finish();
        self.keep(&held).await;
        self.part().await;
        let signal = status.and_then(|status| status.signal());
        let code = status.and_then(|status| status.code());
        Ok(Exit {
            code: code.or(signal.map(|signal| 128 + signal)).unwrap_or(CODE_NOT_STARTED),
            is_killed: signal.is_some(),
            duration,
            is_leaky,
        })
    }

    /// The command is stopped. If it wants the terminal, it is asked to end, then made to.
    fn is_stopped(&mut self, stopped: Stopped) {
        let Some(leader) = self.leader else { return };
        if stopped == Stopped::ByTerminal {
            let signals: &[Signal] =
                if self.wants_terminal { &[Signal::KILL] } else { &[Signal::TERM, Signal::CONT] };
            for signal in signals {
                let _ = kill_process_group(leader, *signal);
            }
            if self.wants_terminal {
                return;
            }
            self.wants_terminal = true;
        }
        let diagnostic = stopped.diagnostic(self.task.runnable.name.as_str(), leader);
        let (runnable, diagnostic) = (Some(self.task.unit), Box::new(diagnostic));
        self.surroundings.events.send(Event::Warning { runnable, diagnostic });
    }

    async fn take(&mut self, bytes: &[u8]) {
        let shown = self.masker.push(bytes);
        self.keep(&shown).await;
    }

    /// Writes what holds no secret.
    async fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.log.write(bytes);
        let events = self.surroundings.events;
        if events.wants_output() {
            // A reader that does not read must not keep a killed run alive.
            tokio::select! {
                () = events.output(self.task.unit, bytes) => {}
                () = self.surroundings.stop.until_killed() => {}
            }
        }
    }

    /// Takes what the pipe holds now: all of it was written before the command's end, or nearly.
    /// Gives whether nothing will follow.
    async fn drain(&mut self, buffer: &mut [u8]) -> bool {
        let mut length = 0;
        while length < PIPE_BYTES_MAX {
            match self.pipe.try_read(buffer) {
                Ok(0) => return true,
                Ok(count) => {
                    length += count;
                    self.take(&buffer[..count]).await;
                }
                Err(_) => return false,
            }
        }
        false
    }

    /// The command has ended. In a run that is being stopped, what it started must end as well;
    /// otherwise a daemon may stay.
    async fn part(&mut self) {
        let Some(leader) = self.leader else { return };
        let stop = self.surroundings.stop;
        let mut interval = LEFTOVER_INTERVAL;
        let mut was_killed = false;
        while stop.is_asked() && !was_killed && groups::is_alive(leader) {
            // What was killed needs a moment to be gone, and what is stuck in the kernel is
            // beyond reach: one more look is enough.
            was_killed = stop.is_killed();
            sleep(interval).await;
            interval = (interval * 2).min(LEFTOVER_INTERVAL_MAX);
        }
        self.surroundings.groups.remove(leader);
    }
}
