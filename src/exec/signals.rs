//! Signals as messages.

use std::collections::BTreeSet;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use super::runtime;
use crate::error::{Code, Diagnostic, Result};
use crate::sys::{fs, parallel};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To end, by SIGINT, SIGTERM, SIGHUP or SIGQUIT.
    Stop(Number),
    /// To pause: Ctrl-Z.
    Suspend,
    /// To go on.
    Resume,
}

/// Where a run hears of signals.
#[derive(Debug)]
pub enum Signals {
    /// The process's own.
    Process,
    /// Those that somebody sends: tests, or a caller that listens itself.
    Sent(UnboundedReceiver<Request>),
    /// None at all.
    Never,
}

/// The signals that end a run.
const STOPPING: [Number; 4] = [Number::INT, Number::TERM, Number::HUP, Number::QUIT];

impl Signals {
    /// Begins to listen; to be called within a runtime.
    pub(super) fn listen(self) -> Result<Listener> {
        match self {
            Self::Process => Ok(Listener::Process(Streams::open()?)),
            Self::Sent(receiver) => Ok(Listener::Sent(receiver)),
            Self::Never => Ok(Listener::Never),
        }
    }
}

/// Calls for every signal of the process from now on, for a caller that outlives its runs and
/// hands them on by [`Signals::Sent`].
pub fn listen_to_process(heard: impl Fn(Request) + Send + 'static) -> Result<()> {
    let runtime = runtime::new()?;
    let mut streams = {
        let _within = runtime.enter();
        Streams::open()?
    };
    parallel::start(move || {
        runtime.block_on(async {
            loop {
                heard(streams.next().await);
            }
        });
    })?;
    Ok(())
}

/// Stops this process, as Ctrl-Z does, until it is told to go on.
pub fn suspend() {
    // Nothing else can be done about a system that does not let us.
    let _ = rustix::process::kill_process(rustix::process::getpid(), Number::STOP);
}

/// [`Signals`] that are being listened to.
#[derive(Debug)]
pub(super) enum Listener {
    Process(Streams),
    Sent(UnboundedReceiver<Request>),
    Never,
}

impl Listener {
    /// The next request; waits for ever where there will be none.
    pub(super) async fn next(&mut self) -> Request {
        match self {
            Self::Process(streams) => streams.next().await,
            Self::Sent(receiver) => match receiver.recv().await {
                Some(request) => request,
                None => std::future::pending().await,
            },
            Self::Never => std::future::pending().await,
        }
    }
}

/// The process's signals, each with what it asks for.
#[derive(Debug)]
pub(super) struct Streams(Vec<(Request, Stream)>);

impl Streams {
    /// What was ignored when qik started stays ignored: `nohup` and background jobs of scripts
    /// rely on it.
    fn open() -> Result<Self> {
        let ignored = ignored_signals();
        let stopping = STOPPING.map(|number| (number, Request::Stop(number)));
        let pausing = [(Number::TSTP, Request::Suspend), (Number::CONT, Request::Resume)];
        let mut streams = Vec::new();
        for (number, request) in stopping.into_iter().chain(pausing) {
            if ignored.contains(&number.as_raw()) {
                continue;
            }
            let stream = signal(SignalKind::from_raw(number.as_raw())).map_err(|error| {
                Diagnostic::new(Code::SpawnFailed, "signals cannot be listened to")
                    .because(error.to_string())
            })?;
            streams.push((request, stream));
        }
        Ok(Self(streams))
    }

    async fn next(&mut self) -> Request {
        std::future::poll_fn(|context| {
            for (request, stream) in &mut self.0 {
                if stream.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*request);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// The signals that are ignored now, where the system tells.
fn ignored_signals() -> BTreeSet<i32> {
    let status = fs::read(std::path::Path::new("/proc/self/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (1..=64).filter(|number| mask >> (number - 1) & 1 == 1).collect()
}
