//! What a qik that was killed has left running.
//!
//! SIGKILL cannot be passed on. So the claim of a runnable says which group its command has, for
//! as long as the command runs; whoever gets the claim and finds that said ends the group first:
//! two of one command would write the same artifacts.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::ancestry;
use super::groups::{is_alive, members};
use crate::cache::Claim;
use crate::error::{Code, Diagnostic};
use crate::paths::AbsPath;
use crate::plan::RunnableName;
use crate::sys::fs;

/// How often, and how many times, it is looked whether what was killed is gone.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
const LOOKS_MAX: usize = 200;

/// Notes which group runs under a claim.
pub(super) fn note(claim: Option<&Claim>, leader: Option<Pid>) {
    if let (Some(claim), Some(leader)) = (claim, leader) {
        claim.note(&leader.as_raw_pid().to_string());
    }
}

/// Ends what an earlier holder of a claim has left; gives what there is to say of that. Blocks.
///
/// The number of a group may be another's by now: a member must say in its environment that it
/// runs this runnable.
pub(super) fn end(claim: &Claim, root: &AbsPath, name: &RunnableName) -> Option<Diagnostic> {
    let leader = claim.take_note()?.parse().ok().and_then(Pid::from_raw)?;
    let is_ours = members(leader).iter().any(|member| {
        let environment = fs::read(&member.folder.join("environ")).unwrap_or_default();
        ancestry::is_in(&environment, root, name.as_str())
    });
    if !is_ours || kill_process_group(leader, Signal::KILL).is_err() {
        return None;
    }
    for _ in 0..LOOKS_MAX {
        if !is_alive(leader) {
            break;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    let message = format!("`{name}` was still running for a qik that was killed, and is ended");
    Some(Diagnostic::new(Code::SpawnFailed, message))
}
