//! The process groups of all commands that run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::sys::fs;

/// The groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    /// The process ids of the leaders.
    leaders: BTreeSet<i32>,
    /// What all were told: who comes later is told the same.
    told: Vec<Signal>,
}

impl Groups {
    /// A group has started, perhaps just when the others were sent a signal.
    pub(super) fn add(&self, leader: Pid) {
        let mut members = self.lock();
        members.leaders.insert(leader.as_raw_pid());
        for signal in &members.told {
            let _ = kill_process_group(leader, *signal);
        }
    }

    /// The group is no longer ours to signal.
    pub(super) fn remove(&self, leader: Pid) {
        self.lock().leaders.remove(&leader.as_raw_pid());
    }

    /// Sends a signal to every member of every group; one that is gone is fine.
    pub(super) fn signal(&self, signal: Signal) {
        let mut members = self.lock();
        for leader in members.leaders.iter().filter_map(|leader| Pid::from_raw(*leader)) {
            let _ = kill_process_group(leader, signal);
        }
        members.told.retain(|told| *told != Signal::STOP);
        if signal != Signal::CONT {
            members.told.push(signal);
        }
    }

    /// Kills what is left when it is dropped, after a panic above all.
    pub(super) fn last_rites(&self) -> LastRites<'_> {
        LastRites(self)
    }

    /// What a look gives while no signal is sent, and whether whoever is stopped was told to.
    pub(super) fn look<R>(&self, look: impl FnOnce() -> R) -> (R, bool) {
        let members = self.lock();
        (look(), members.told.contains(&Signal::STOP))
    }

    /// A set of numbers is whole whatever a panicking thread was doing with it.
    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a registry, while threads may still have it.
#[derive(Debug)]
pub(super) struct LastRites<'a>(&'a Groups);

impl Drop for LastRites<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::KILL);
    }
}

/// Whether a group, whose leader has been awaited, has members that still run.
pub(super) fn is_alive(leader: Pid) -> bool {
    test_kill_process_group(leader).is_ok() && !has_only_zombies(leader)
}

/// Whether all members of a group have ended and just nobody awaits them, as in containers whose
/// first process does not care. `false` where the system does not tell.
fn has_only_zombies(leader: Pid) -> bool {
    let members = members(leader);
    !members.is_empty() && members.iter().all(|member| member.is_zombie)
}

/// A process of a group.
#[derive(Debug)]
pub(super) struct Member {
    /// Where the system tells about it.
    pub(super) folder: PathBuf,
    is_zombie: bool,
}

/// The members of a group, as far as the system tells.
pub(super) fn members(leader: Pid) -> Vec<Member> {
    let folders = fs::list(Path::new("/proc")).unwrap_or_default();
    let members = folders.into_iter().filter_map(|folder| {
        let name = folder.file_name()?.to_str()?;
        name.parse::<i32>().ok()?;
        let text = String::from_utf8_lossy(&fs::read(&folder.join("stat")).ok()?).into_owned();
        // `ID (NAME) STATE PARENT GROUP …`, where the name may hold anything.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace();
        let is_zombie = fields.next()? == "Z";
        let group = fields.nth(1)?.parse::<i32>().ok()?;
        (group == leader.as_raw_pid()).then_some(Member { folder, is_zombie })
    });
    members.collect()
}
