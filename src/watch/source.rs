//! Notices of what may have changed: from the system through notify, or by looking again and
//! again where the system does not tell. The only file that knows notify.
//!
//! Only folders are watched, none with all that is below it, and only those that are asked for:
//! what git ignores costs nothing. Folders that are not there yet are noticed by the folder above
//! them; whoever hears of them calls [`Source::sync`] again.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, WatcherKind};
use rustix::io::Errno;

use super::Touch;
use super::poll::Poller;
use crate::error::{Code, Diagnostic};
use crate::paths::AbsPath;
use crate::sys::fs;

/// What a source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something happened to what has, had or will have this path.
    Path(AbsPath, Touch),
    /// More happened than can be told.
    Lost,
}

/// Where notices go.
pub type Notices = Arc<dyn Fn(Notice) + Send + Sync>;

/// A source of notices.
pub struct Source {
    way: Way,
    notices: Notices,
}

enum Way {
    Told { watcher: RecommendedWatcher, folders: BTreeSet<AbsPath> },
    Looking(Poller),
}

/// Why the system does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// No more folders may be watched.
    WatchLimit,
    /// No more programs may watch.
    InstanceLimit,
    /// Others may write without our system knowing.
    Remote(&'static str),
    /// The system has no such service, as in some containers.
    Unsupported,
}

impl Source {
    /// The best source for the files below a folder, with a warning if it is not a quick one.
    pub fn open(root: &AbsPath, notices: Notices) -> (Self, Option<Diagnostic>) {
        if let Some(kind) = fs::remote_kind(root.as_path()) {
            return Self::looking(Reason::Remote(kind), notices);
        }
        let heard = Arc::clone(&notices);
        match RecommendedWatcher::new(move |event| hear(event, &*heard), notify::Config::default())
        {
            Ok(watcher) => {
                let folders = BTreeSet::new();
                (Self { way: Way::Told { watcher, folders }, notices }, None)
            }
            Err(error) => Self::looking(reason(&error).unwrap_or(Reason::Unsupported), notices),
        }
    }

    fn looking(reason: Reason, notices: Notices) -> (Self, Option<Diagnostic>) {
        let poller = Poller::start(Arc::clone(&notices));
        (Self { way: Way::Looking(poller), notices }, Some(reason.warning()))
    }

    /// Watches these folders and no others; from here on, nothing in them goes unnoticed.
    /// `files` are those to be looked at where nobody tells. Gives whether there is something
    /// new to be watched, and a warning if nobody tells any more.
    pub fn sync(
        &mut self,
        wanted: &BTreeSet<AbsPath>,
        files: impl FnOnce() -> Vec<AbsPath>,
    ) -> (bool, Option<Diagnostic>) {
        let limit = match &mut self.way {
            Way::Looking(poller) => return (poller.look_at(files()), None),
            Way::Told { watcher, folders } => match tell_of(watcher, folders, wanted) {
                Ok(is_more) => return (is_more, None),
                Err(limit) => limit,
            },
        };
        // Replacing the watcher gives back what it has taken of the limit.
        let (source, warning) = Self::looking(limit, Arc::clone(&self.notices));
        *self = source;
        if let Way::Looking(poller) = &self.way {
            poller.look_at(files());
        }
        (true, warning)
    }

    /// A folder came, went or was moved: what is watched below it may be something else now.
    pub fn forget_below(&mut self, folder: &AbsPath) {
        if let Way::Told { folders, .. } = &mut self.way {
            folders.retain(|path| !path.as_path().starts_with(folder.as_path()));
        }
    }

    /// How late a notice may be.
    pub fn delay(&self) -> std::time::Duration {
        match &self.way {
            Way::Told { .. } => std::time::Duration::ZERO,
            Way::Looking(poller) => poller.interval(),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Told { folders, .. } => write!(f, "Source(watches {})", folders.len()),
            Way::Looking(poller) => write!(f, "Source({poller:?})"),
        }
    }
}

/// Brings a watcher in line with what is asked for. Gives whether it watches something new, or
/// what keeps it from watching at all.
fn tell_of(
    watcher: &mut RecommendedWatcher,
    folders: &mut BTreeSet<AbsPath>,
    wanted: &BTreeSet<AbsPath>,
) -> Result<bool, Reason> {
    let (wanted, mode) = if RecommendedWatcher::kind() == WatcherKind::Fsevent {
        // There, all below a folder costs as much as the folder.
        (topmost(wanted), RecursiveMode::Recursive)
    } else {
        (wanted.clone(), RecursiveMode::NonRecursive)
    };
    folders.retain(|folder| {
        let is_wanted = wanted.contains(folder);
        if !is_wanted {
            // One that is gone is no longer watched anyway.
            drop(watcher.unwatch(folder.as_path()));
        }
        is_wanted
    });
    let count = folders.len();
    for folder in wanted {
        // A symlink leads to what is not ours to watch.
        if folders.contains(&folder) || !fs::stat(folder.as_path()).is_ok_and(|meta| meta.is_dir())
        {
            continue;
        }
        match watcher.watch(folder.as_path(), mode).map_err(|error| reason(&error)) {
            Ok(()) => drop(folders.insert(folder)),
            // A folder that vanished meanwhile, or cannot be read, has nothing to tell.
            Err(None) => {}
            Err(Some(reason)) => return Err(reason),
        }
    }
    Ok(folders.len() > count)
}

/// The folders that no other of them is above.
fn topmost(folders: &BTreeSet<AbsPath>) -> BTreeSet<AbsPath> {
    let is_below = |folder: &AbsPath, other: &AbsPath| {
        folder != other && folder.as_path().starts_with(other.as_path())
    };
    let mut top: Vec<AbsPath> = Vec::new();
    for folder in folders {
        if !top.iter().any(|other| is_below(folder, other)) {
            top.push(folder.clone());
        }
    }
    top.into_iter().collect()
}

/// What keeps a watcher from working at all; `None` if it is just this folder.
fn reason(error: &notify::Error) -> Option<Reason> {
    let os_error = match &error.kind {
        ErrorKind::MaxFilesWatch => return Some(Reason::WatchLimit),
        ErrorKind::Io(error) => error.raw_os_error().map(Errno::from_raw_os_error)?,
        _ => return None,
    };
    match os_error {
        Errno::NOSPC | Errno::NOMEM => Some(Reason::WatchLimit),
        Errno::MFILE | Errno::NFILE => Some(Reason::InstanceLimit),
        Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM => Some(Reason::Unsupported),
        _ => None,
    }
}

impl Reason {
    fn warning(self) -> Diagnostic {
        let instead = "qik looks for changes twice a second or less often instead";
        let (why, hint) = match self {
            Self::WatchLimit => (
                "the system allows no more watched folders".to_owned(),
                Some("raise the limit: `sudo sysctl fs.inotify.max_user_watches=1048576`"),
            ),
            Self::InstanceLimit => (
                "the system allows no more programs that watch".to_owned(),
                Some("raise the limit: `sudo sysctl fs.inotify.max_user_instances=1024`"),
            ),
            Self::Remote(kind) => {
                (format!("{kind} does not tell of changes that are made elsewhere"), None)
            }
            Self::Unsupported => ("the system does not tell of changes".to_owned(), None),
        };
        let diagnostic = Diagnostic::new(Code::WatchLimited, format!("{why}: {instead}"));
        match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

fn tells_of_ends() -> bool {
    RecommendedWatcher::kind() == WatcherKind::Inotify
}

/// Passes on what notify says, but for the mere reading of files.
fn hear(event: notify::Result<notify::Event>, notices: &(dyn Fn(Notice) + Send + Sync)) {
    let Ok(event) = event else { return notices(Notice::Lost) };
    if event.need_rescan() {
        return notices(Notice::Lost);
    }
    let touch = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Touch::Closed,
        // Both ends of a rename were told already, one by one.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Touch::Replaced,
        // Elsewhere nobody tells of the end of a save.
        EventKind::Modify(ModifyKind::Data(_)) if !tells_of_ends() => Touch::Replaced,
        EventKind::Modify(ModifyKind::Data(_)) => Touch::Written,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => Touch::Other,
    };
    event
        .paths
        .into_iter()
        .filter_map(AbsPath::new)
        .for_each(|path| notices(Notice::Path(path, touch)));
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[track_caller]
    fn check(error: &notify::Error, expected: Option<Reason>) {
        assert_eq!(reason(error), expected);
    }

    fn io_error(errno: Errno) -> notify::Error {
        notify::Error::io(io::Error::from_raw_os_error(errno.raw_os_error()))
    }

    #[test]
    fn limits_and_absences_are_told_apart() {
        check(&notify::Error::new(ErrorKind::MaxFilesWatch), Some(Reason::WatchLimit));
        check(&io_error(Errno::NOSPC), Some(Reason::WatchLimit));
        check(&io_error(Errno::MFILE), Some(Reason::InstanceLimit));
        check(&io_error(Errno::NOSYS), Some(Reason::Unsupported));
        check(&io_error(Errno::ACCESS), None);
        check(&notify::Error::path_not_found(), None);
    }

    #[test]
    fn limits_say_how_they_are_raised() {
        for reason in [Reason::WatchLimit, Reason::InstanceLimit] {
            assert!(reason.warning().hints[0].contains("sysctl"));
        }
        assert!(Reason::Remote("NFS").warning().message.contains("NFS"));
    }

    #[test]
    fn all_below_a_folder_is_watched_by_the_folder() {
        let folders = |paths: &[&str]| -> BTreeSet<AbsPath> {
            paths.iter().filter_map(|path| AbsPath::new(*path)).collect()
        };
        let all = folders(&["/a", "/a/b", "/a/b/c", "/ab", "/c/d"]);
        assert_eq!(topmost(&all), folders(&["/a", "/ab", "/c/d"]));
    }
}
