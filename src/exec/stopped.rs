//! Commands that are stopped although nobody told them to be.
//!
//! A command runs in the background of its terminal, so reading there, or changing how it works,
//! stops it, for ever. What stops itself may be continued by somebody.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::groups::Groups;
use crate::error::{Code, Diagnostic};

/// Why a command is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It wants the terminal.
    ByTerminal,
    /// It, or somebody, has stopped it.
    BySomebody,
}

/// Hears when a command is stopped.
#[derive(Debug)]
pub(super) struct Stops {
    leader: Option<Pid>,
    children: Option<Stream>,
}

impl Stops {
    /// Begins to listen; what stopped before is found by the first call of [`Stops::next`].
    pub(super) fn of(leader: Option<Pid>) -> Self {
        Self { leader, children: signal(SignalKind::child()).ok() }
    }

    /// Waits until the command is stopped, if it ever is.
    pub(super) async fn next(&mut self, groups: &Groups) -> Stopped {
        loop {
            let signal = self.leader.and_then(stopping_signal);
            match signal.and_then(Signal::from_named_raw) {
                Some(Signal::TTIN | Signal::TTOU) => return Stopped::ByTerminal,
                Some(_) if !groups.is_paused() => return Stopped::BySomebody,
                _ => {}
            }
            let heard = match &mut self.children {
                Some(children) => children.recv().await,
                None => None,
            };
            if heard.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The signal that has stopped a child since it was last asked for.
fn stopping_signal(leader: Pid) -> Option<i32> {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
    waitid(WaitId::Pid(leader), options).ok()??.stopping_signal()
}

impl Stopped {
    /// What there is to say.
    pub(super) fn diagnostic(self, name: &str, leader: Pid) -> Diagnostic {
        match self {
            Self::ByTerminal => Diagnostic::new(
                Code::SpawnFailed,
                format!("`{name}` wants to read the terminal, or to set it up, and is ended"),
            )
            .because("commands run side by side, and have no terminal of their own")
            .hint("give it what it asks for by an option, a variable or a file"),
            Self::BySomebody => {
                Diagnostic::new(Code::SpawnFailed, format!("`{name}` is stopped, and waited for"))
                    .hint(format!("`kill -CONT -{}` lets it go on", leader.as_raw_pid()))
            }
        }
    }
}
