//! Commands that are stopped although nobody told them to be.
//!
//! A command runs in the background of its terminal, so reading there, or changing how it works,
//! stops it, for ever. What stops itself may be continued by somebody.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::time::sleep;

use super::groups::Groups;
use crate::error::{Code, Diagnostic};

/// How often it is looked: hardly felt by whoever waits for an answer, nor by the machine.
const INTERVAL: Duration = Duration::from_millis(100);

/// Why a command is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It wants the terminal.
    ByTerminal,
    /// It, or somebody, has stopped it.
    BySomebody,
}

/// Waits until a command is stopped, if it ever is.
pub(super) async fn until_stopped(leader: Option<Pid>, groups: &Groups) -> Stopped {
    let Some(leader) = leader else { return std::future::pending().await };
    loop {
        // Its parent would be told by a signal, but so it would of every end of a command.
        sleep(INTERVAL).await;
        let (signal, is_paused) = groups.look(|| stopping_signal(leader));
        match signal.and_then(Signal::from_named_raw) {
            Some(Signal::TTIN | Signal::TTOU) => return Stopped::ByTerminal,
            Some(_) if !is_paused => return Stopped::BySomebody,
            _ => {}
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
