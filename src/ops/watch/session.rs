//! The loop of `--watch`: it owns the state, all others send messages.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use rustix::process::Signal;

use super::memory::Memory;
use super::project::{self, Configuration, Project};
use super::round::{Round, RoundEnd};
use super::show::Show;
use crate::cli::ExitCode;
use crate::error::Result;
use crate::exec::{self, Request};
use crate::ops::load::Loaded;
use crate::sys::{Sys, clock, keys::Keys, ui::Ui};
use crate::watch::{
    Batch, Chain, Change, Notice, Notices, Saves, Settle, Source, Touch, input_name,
};

/// Messages that are heard before it is asked what is due.
const MESSAGES_AT_ONCE: usize = 4096;

/// What the session hears.
pub(super) enum Message {
    Notice(Notice),
    Key(u8),
    Request(Request),
    Ended(RoundEnd),
}

/// Loads the project as at the start, from whatever the files say now.
pub(super) type Reload<'a> = &'a dyn Fn() -> Result<Loaded>;

/// Runs the selection, then what changes affect, until a key or a signal ends it.
pub fn run(loaded: &Loaded, reload: Reload<'_>, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    // A qik that is one of our commands is not meant to watch.
    let mut sys = sys.clone();
    sys.env.remove(OsStr::new("QIK__WATCH"));
    let sys = &sys;
    let (sender, inbox) = channel();
    let settings = &loaded.settings;
    let mut show = Show::new(sys, ui, (settings.logger, settings.verbosity));
    let settle = Settle::new(settings.debounce);
    let (signals, keyboard, notices) = (sender.clone(), sender.clone(), sender.clone());
    let notices: Notices = Arc::new(move |notice| drop(notices.send(Message::Notice(notice))));
    // Read before it is loaded: it may be changing.
    let configuration = project::configuration(loaded);
    let project = Project::open(reload()?, sys)?;
    // Until here, where a remote may keep us waiting, a signal just ends us.
    exec::listen_to_process(move |request| drop(signals.send(Message::Request(request))))?;
    let (source, warning) = Source::open(project.worktree.repo().root(), notices);
    if let Some(warning) = warning {
        show.warning(&warning);
    }
    let keys = Keys::listen(move |key| drop(keyboard.send(Message::Key(key))));
    if keys.is_some() {
        show.has_keys();
    }
    let session = Session {
        sys,
        ui,
        reload,
        inbox,
        sender,
        show,
        keys,
        source,
        settle,
        project,
        configuration,
        is_broken: false,
        memory: Memory::default(),
        phase: Phase::Idle,
        pending: Batch::default(),
        saves: Saves::default(),
        asked: None,
        chain: Chain::new(clock::instant()),
        restart_count: 0,
    };
    session.watch()
}

/// A session.
pub(super) struct Session<'a> {
    pub(super) sys: &'a Sys,
    pub(super) ui: &'a Ui,
    pub(super) reload: Reload<'a>,
    pub(super) inbox: Receiver<Message>,
    pub(super) sender: Sender<Message>,
    pub(super) show: Show,
    pub(super) keys: Option<Keys>,
    pub(super) source: Source,
    pub(super) settle: Settle,
    /// The last that could be loaded.
    pub(super) project: Project,
    /// What the files of the configuration held when they were loaded, or could not be.
    pub(super) configuration: Configuration,
    pub(super) is_broken: bool,
    pub(super) memory: Memory,
    pub(super) phase: Phase,
    /// Noticed and not acted on yet.
    pub(super) pending: Batch,
    /// Counted since the latest round began.
    pub(super) saves: Saves,
    pub(super) asked: Option<Ask>,
    pub(super) chain: Chain,
    /// Rounds in a row that were stopped to be started anew.
    pub(super) restart_count: usize,
}

/// What a session is doing.
pub(super) enum Phase {
    Idle,
    Running {
        round: Round,
        ending: Option<Ending>,
    },
    /// A round has ended, and what it wrote last may not have been noticed yet.
    Settling {
        round: Round,
        until: Instant,
    },
}

/// Why a running round is being stopped.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Anew,
    Quit(ExitCode),
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Rerun,
    Force,
}

impl Session<'_> {
    fn watch(mut self) -> Result<ExitCode> {
        self.show_warnings();
        self.sync();
        self.look(&mut Batch { is_anything: true, ..Batch::default() })?;
        if self.is_broken {
            self.show.idle();
        } else {
            self.begin_all(self.project.loaded.settings.forces);
        }
        loop {
            let mut message = self.receive();
            for _ in 0..MESSAGES_AT_ONCE {
                let Some(heard) = message else { break };
                if let Some(code) = self.hear(heard) {
                    self.show.clear();
                    return Ok(code);
                }
                message = self.inbox.try_recv().ok();
            }
            self.advance();
        }
    }

    /// The next message; `None` when something is due before one comes.
    fn receive(&self) -> Option<Message> {
        let until = match self.phase {
            Phase::Settling { until, .. } => Some(until),
            Phase::Idle => self.chain.wakes_at(),
            Phase::Running { .. } => None,
        };
        // What is noticed has to settle first.
        let due = self.settle.due(|| self.project.scope.index_lock()).or(until);
        let Some(due) = due else { return self.inbox.recv().ok() };
        self.inbox.recv_timeout(due.saturating_duration_since(clock::instant())).ok()
    }

    fn hear(&mut self, message: Message) -> Option<ExitCode> {
        match message {
            Message::Notice(notice) => {
                self.hear_notice(&notice);
                None
            }
            Message::Key(key) => self.hear_key(key),
            Message::Request(request) => self.hear_request(request),
            Message::Ended(end) => self.hear_end(end),
        }
    }

    fn hear_notice(&mut self, notice: &Notice) {
        let project = &self.project;
        let touch = match notice {
            Notice::Path(path, touch) => {
                if project.scope.is_folder(path) {
                    self.source.forget_below(path);
                }
                *touch
            }
            Notice::Lost => {
                self.source.forget_below(project.worktree.repo().root());
                Touch::Other
            }
        };
        let now = clock::instant();
        for change in project.scope.changes(notice) {
            match &change {
                Change::File(path) => self.saves.note(input_name(&project.worktree, path), touch),
                Change::Setting(path) => self.saves.note(path.clone(), touch),
                _ => {}
            }
            self.settle.note(change, touch, now);
        }
    }

    fn hear_key(&mut self, key: u8) -> Option<ExitCode> {
        match key {
            b'q' => return self.quit(ExitCode::Success, Signal::TERM),
            b'r' => self.asked = Some(Ask::Rerun),
            b'f' => self.asked = Some(Ask::Force),
            _ => return None,
        }
        match &self.phase {
            Phase::Idle => self.act(Batch::default(), &BTreeSet::new()),
            Phase::Running { .. } if self.restarts() => self.stop(Ending::Anew),
            Phase::Running { .. } | Phase::Settling { .. } => {}
        }
        None
    }

    fn hear_request(&mut self, request: Request) -> Option<ExitCode> {
        match request {
            Request::Stop(signal) => {
                let is_interrupt = signal == Signal::INT;
                let is_running = matches!(self.phase, Phase::Running { .. });
                let code = if is_interrupt && !is_running {
                    ExitCode::Success
                } else {
                    ExitCode::Run(128 + signal.as_raw())
                };
                return self.quit(code, signal);
            }
            Request::Suspend => {
                self.show.clear();
                self.keys.iter().for_each(Keys::pause);
                match &self.phase {
                    Phase::Running { round, .. } => round.ask(request),
                    Phase::Idle | Phase::Settling { .. } => exec::suspend(),
                }
            }
            Request::Resume => {
                self.keys.iter().for_each(Keys::resume);
                match &self.phase {
                    Phase::Running { round, .. } => round.ask(request),
                    Phase::Idle => self.show.idle(),
                    Phase::Settling { .. } => {}
                }
            }
        }
        None
    }

    /// Ends the session, once no command runs any more.
    fn quit(&mut self, code: ExitCode, signal: Signal) -> Option<ExitCode> {
        let Phase::Running { round, ending } = &mut self.phase else { return Some(code) };
        round.ask(Request::Stop(signal));
        *ending = Some(Ending::Quit(code));
        None
    }

    pub(super) fn stop(&mut self, why: Ending) {
        if let Phase::Running { round, ending: ending @ None } = &mut self.phase {
            round.ask(Request::Stop(Signal::TERM));
            *ending = Some(why);
        }
    }

    fn hear_end(&mut self, end: RoundEnd) -> Option<ExitCode> {
        let summary = match end {
            Ok(summary) => summary,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let Phase::Running { mut round, ending } = std::mem::replace(&mut self.phase, Phase::Idle)
        else {
            return None;
        };
        match summary {
            Ok(summary) => round.statuses = summary.statuses,
            Err(error) => self.show.error(&error),
        }
        match ending {
            Some(Ending::Quit(code)) => return Some(code),
            Some(Ending::Anew) => {
                round.is_stopped = true;
                self.restart_count += 1;
                self.conclude(&round);
            }
            None => {
                self.chain.add();
                self.restart_count = 0;
                let delay = self.project.loaded.settings.debounce + self.source.delay();
                self.phase = Phase::Settling { round, until: clock::instant() + delay };
            }
        }
        None
    }
}
