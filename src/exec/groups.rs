//! The process groups of all commands that run. Whatever happens to qik's run, dropping this
//! kills them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::sys::fs;

/// The groups, by the process id of their leader.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<BTreeSet<i32>>);

impl Groups {
    pub(super) fn add(&self, leader: Pid) {
        self.lock().insert(leader.as_raw_pid());
    }

    /// The group is no longer ours to signal.
    pub(super) fn remove(&self, leader: Pid) {
        self.lock().remove(&leader.as_raw_pid());
    }

    /// Sends a signal to every member of every group; one that is gone is fine.
    pub(super) fn signal(&self, signal: Signal) {
        for leader in self.lock().iter().filter_map(|leader| Pid::from_raw(*leader)) {
            let _ = kill_process_group(leader, signal);
        }
    }

    /// A set of numbers is whole whatever a panicking thread was doing with it.
    fn lock(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Whether a group, whose leader has been awaited, has members that still run.
pub(super) fn is_alive(leader: Pid) -> bool {
    test_kill_process_group(leader).is_ok() && !has_only_zombies(leader)
}

/// Whether all members of a group have ended and just nobody awaits them, as in containers whose
/// first process does not care. `false` where the system does not tell.
fn has_only_zombies(leader: Pid) -> bool {
    let folders = fs::list(Path::new("/proc")).unwrap_or_default();
    let mut members = folders.iter().filter_map(|folder| {
        let name = folder.file_name()?.to_str()?;
        name.parse::<i32>().ok()?;
        let text = String::from_utf8_lossy(&fs::read(&folder.join("stat")).ok()?).into_owned();
        // `ID (NAME) STATE PARENT GROUP …`, where the name may hold anything.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?.to_owned();
        let group = fields.nth(1)?.parse::<i32>().ok()?;
        (group == leader.as_raw_pid()).then_some(state)
    });
    members.by_ref().next().is_some_and(|state| state == "Z") && members.all(|state| state == "Z")
}
