//! The loop of `--watch`: it owns the state, all others send messages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;

use rustix::process::Signal;

use super::memory::{Affected, Memory};
use super::project::{Configuration, Project};
use super::round::{Orders, Round, RoundEnd};
use super::show::Show;
use crate::cli::{ExitCode, WatchMode};
use crate::error::{Code, Diagnostic, Result};
use crate::exec::{self, Request};
use crate::ops::load::Loaded;
use crate::plan::RunnableName;
use crate::sys::{Sys, clock, keys::Keys, ui::Ui};
use crate::watch::{
    Batch, Bursts, IndexLock, Notice, Notices, Settle, Source, candidates, input_name, is_large,
    summary,
};

/// So many rounds in a row may be caused by what changed during the round before. People who
/// save while tests run are slower than commands that start each other.
const CHAIN_LENGTH_MAX: usize = 20;

/// So many rounds in a row may be stopped to be started anew before one is let to its end.
const RESTART_COUNT_MAX: usize = 20;

/// A configuration that changes while it is loaded is loaded again, but not for ever.
const LOAD_COUNT_MAX: usize = 3;

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
pub fn run(loaded: Loaded, reload: Reload<'_>, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let (sender, inbox) = channel();
    let settings = &loaded.settings;
    let mut show = Show::new(sys, ui, (settings.logger, settings.verbosity));
    let settle = Settle::new(settings.debounce);
    let (signals, keyboard, notices) = (sender.clone(), sender.clone(), sender.clone());
    exec::listen_to_process(move |request| drop(signals.send(Message::Request(request))))?;
    let notices: Notices = Arc::new(move |notice| drop(notices.send(Message::Notice(notice))));
    let project = Project::open(loaded, sys)?;
    let (source, warning) = Source::open(project.worktree.repo().root(), notices);
    warning.iter().for_each(|warning| show.warning(warning));
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
        configuration: Configuration::new(),
        is_broken: false,
        memory: Memory::default(),
        phase: Phase::Idle,
        pending: Batch::default(),
        bursts: Bursts::default(),
        asked: None,
        chain_length: 0,
        restart_count: 0,
    };
    session.watch()
}

struct Session<'a> {
    sys: &'a Sys,
    ui: &'a Ui,
    reload: Reload<'a>,
    inbox: Receiver<Message>,
    sender: Sender<Message>,
    show: Show,
    keys: Option<Keys>,
    source: Source,
    settle: Settle,
    /// The last that could be loaded.
    project: Project,
    /// What the files of the configuration held when they were loaded, or could not be.
    configuration: Configuration,
    is_broken: bool,
    memory: Memory,
    phase: Phase,
    /// Noticed and not acted on yet.
    pending: Batch,
    /// Counted since the latest round began.
    bursts: Bursts,
    asked: Option<Ask>,
    /// Rounds in a row that were caused by changes during the round before.
    chain_length: usize,
    /// Rounds in a row that were stopped to be started anew.
    restart_count: usize,
}

enum Phase {
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
enum Ending {
    Anew,
    Quit(ExitCode),
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Rerun,
    Force,
}

impl Session<'_> {
    fn watch(mut self) -> Result<ExitCode> {
        self.load_again()?;
        self.begin_all(self.project.loaded.settings.forces);
        loop {
            let message = self.receive();
            if let Some(code) = message.and_then(|message| self.hear(message)) {
                self.show.clear();
                return Ok(code);
            }
            while let Ok(message) = self.inbox.try_recv() {
                if let Some(code) = self.hear(message) {
                    self.show.clear();
                    return Ok(code);
                }
            }
            self.advance();
        }
    }

    /// The next message; `None` when something is due before one comes.
    fn receive(&self) -> Option<Message> {
        let until = match self.phase {
            Phase::Settling { until, .. } => Some(until),
            Phase::Idle | Phase::Running { .. } => None,
        };
        let due = self.settle.due(self.project.scope.index_lock());
        let Some(due) = due.into_iter().chain(until).min() else {
            return self.inbox.recv().ok();
        };
        match self.inbox.recv_timeout(due.saturating_duration_since(clock::instant())) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
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
        if let Notice::Path(path) = notice
            && self.project.scope.is_folder(path)
        {
            self.source.forget_below(path);
        }
        if *notice == Notice::Lost {
            self.source.forget_below(self.project.worktree.repo().root());
        }
        let now = clock::instant();
        for change in self.project.scope.changes(notice) {
            self.settle.note(change, now);
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
            Phase::Idle => self.act(Batch::default(), BTreeSet::new()),
            Phase::Running { .. } if self.mode() == WatchMode::Restart => self.stop(Ending::Anew),
            Phase::Running { .. } | Phase::Settling { .. } => {}
        }
        None
    }

    fn hear_request(&mut self, request: Request) -> Option<ExitCode> {
        match request {
            Request::Stop(signal) => {
                let is_interrupt = signal == Signal::INT;
                let is_running = matches!(self.phase, Phase::Running { .. });
                let code = match is_interrupt && !is_running {
                    true => ExitCode::Success,
                    false => ExitCode::Run(128 + signal.as_raw()),
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

    fn stop(&mut self, why: Ending) {
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
                self.chain_length += 1;
                self.restart_count = 0;
                let delay = self.project.loaded.settings.debounce + self.source.delay();
                self.phase = Phase::Settling { round, until: clock::instant() + delay };
            }
        }
        None
    }

    /// Acts on what has settled.
    fn advance(&mut self) {
        let now = clock::instant();
        if let Some(batch) = self.settle.take(self.project.scope.index_lock(), now) {
            if matches!(self.phase, Phase::Idle) {
                self.chain_length = 0;
                self.act(batch, BTreeSet::new());
            } else {
                self.keep(batch);
            }
        }
        let is_quiet = self.settle.due(IndexLock::Free).is_none();
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Settling { round, until } if until <= now && is_quiet => self.conclude(&round),
            phase => self.phase = phase,
        }
    }

    /// Keeps what changed during a round for when it has ended; or stops the round for it.
    fn keep(&mut self, batch: Batch) {
        let worktree = &self.project.worktree;
        let files = batch.files.iter().map(|path| input_name(worktree, path));
        self.bursts.count(files.chain(batch.settings.iter().cloned()));
        let may_restart =
            self.mode() == WatchMode::Restart && self.restart_count < RESTART_COUNT_MAX;
        let is_obsolete = may_restart && self.is_obsolete(&batch);
        self.pending.join(batch);
        if is_obsolete {
            self.stop(Ending::Anew);
        }
    }

    /// Whether a running round works on inputs, or for a configuration, that are no more.
    fn is_obsolete(&self, batch: &Batch) -> bool {
        let Phase::Running { round, ending: None } = &self.phase else { return false };
        if self.is_configured_anew(batch) {
            return true;
        }
        self.project.world().forget_files();
        round.graph.ids().any(|id| self.memory.is_obsolete(round, &self.bursts, id))
    }

    /// A round is over and all that it wrote has been noticed.
    fn conclude(&mut self, round: &Round) {
        let again = self.memory.learn(round, &self.bursts);
        self.bursts = Bursts::default();
        let batch = std::mem::take(&mut self.pending);
        self.act(batch, again);
    }

    /// Runs what a batch affects and what has to run again; nothing may be running.
    fn act(&mut self, mut batch: Batch, again: BTreeSet<RunnableName>) {
        batch.join(std::mem::take(&mut self.pending));
        if self.is_configured_anew(&batch) {
            match self.load_again() {
                Ok(()) => batch.is_anything = true,
                Err(error) => self.show.error(&error),
            }
        }
        match self.project.refresh(&mut batch) {
            Ok(true) => self.sync(),
            Ok(false) => {}
            Err(error) => {
                // It is looked at again with whatever is noticed next.
                self.pending.join(batch);
                self.show.error(&error);
                return self.show.idle();
            }
        }
        if self.is_broken {
            return self.show.idle();
        }
        if let Some(ask) = self.asked.take() {
            self.chain_length = 0;
            self.show.rule(match ask {
                Ask::Rerun => "rerun",
                Ask::Force => "forced",
            });
            return self.begin_all(ask == Ask::Force);
        }
        let affected = self.affected(&batch, &again);
        if affected.is_empty() {
            return self.show.idle();
        }
        if self.chain_length > CHAIN_LENGTH_MAX {
            self.memory.accept(&self.project, &affected);
            let warning = self.endless(&batch, &affected);
            self.show.warning(&warning);
            return self.show.idle();
        }
        let cause = self.cause(&batch, &affected);
        self.show.rule(&cause);
        self.begin(&affected);
    }

    /// Who is affected by a batch; those who are to run again among them.
    fn affected(&mut self, batch: &Batch, again: &BTreeSet<RunnableName>) -> Affected {
        let project = &self.project;
        let mut found = candidates(&project.reaches, &project.worktree, batch);
        if !project.installing.is_empty() {
            // They are looked at when the installation is complete.
            found.retain(|id| project.reaches[id.0].distributions.is_empty());
        }
        for id in project.graph.ids() {
            if again.contains(&project.graph.runnable(id).name) {
                found.insert(id);
            }
        }
        found.extend(self.memory.unfinished(&project.graph));
        self.memory.affected(project, found)
    }

    /// Runs the whole selection.
    fn begin_all(&mut self, is_forced: bool) {
        let all = self.project.graph.ids().collect();
        if is_forced { self.start(&all, None) } else { self.begin(&all) }
    }

    fn begin(&mut self, affected: &Affected) {
        let graph = &self.project.graph;
        let runnables = affected.iter().map(|id| graph.runnable(*id));
        let forced = runnables.filter(|runnable| self.memory.is_forced(runnable));
        let forced = forced.map(|runnable| runnable.name.clone()).collect();
        let is_forced = self.project.loaded.settings.forces;
        self.start(affected, (!is_forced).then_some(forced));
    }

    fn start(&mut self, affected: &Affected, forced: Option<BTreeSet<RunnableName>>) {
        let set = self.memory.run_set(&self.project.graph, affected);
        let orders = Orders { set, forced };
        self.bursts = Bursts::default();
        self.show.clear();
        let round = Round::start(&self.project, orders, self.sender.clone(), (self.sys, self.ui));
        self.phase = Phase::Running { round, ending: None };
    }

    /// Loads the configuration and watches what it asks for. What is there in the end was loaded
    /// when all of it was watched already.
    fn load_again(&mut self) -> Result<()> {
        let mut loaded = Ok(());
        for _ in 0..LOAD_COUNT_MAX {
            self.sync();
            self.configuration = self.project.configuration();
            let opened = (self.reload)().and_then(|loaded| Project::open(loaded, self.sys));
            loaded = opened.map(|project| {
                self.memory.forget_redefined(&self.project.graph, &project.graph);
                self.project = project;
            });
            if let Err(error) = &loaded {
                self.project.blame(error)?;
            }
            self.sync();
            if self.project.configuration() == self.configuration {
                break;
            }
        }
        self.is_broken = loaded.is_err();
        loaded
    }

    fn sync(&mut self) {
        let scope = &self.project.scope;
        if let Some(warning) = self.source.sync(scope.folders(), || scope.files()) {
            self.show.warning(&warning);
        }
    }

    /// Whether a file of the configuration has another content than when it was loaded.
    fn is_configured_anew(&self, batch: &Batch) -> bool {
        !batch.configuration.is_empty() && self.project.configuration() != self.configuration
    }

    fn mode(&self) -> WatchMode {
        self.project.loaded.settings.watch_mode
    }

    fn cause(&self, batch: &Batch, affected: &Affected) -> String {
        let inputs = if is_large(batch) {
            let worktree = &self.project.worktree;
            batch.files.iter().map(|path| input_name(worktree, path)).collect()
        } else {
            self.project.inputs_in(batch, affected.iter().copied())
        };
        let inputs = if inputs.is_empty() { &batch.configuration } else { &inputs };
        match summary(inputs.iter().map(String::as_str)) {
            text if !text.is_empty() => text,
            _ if batch.has_distributions => "distributions".to_owned(),
            _ => "folders".to_owned(),
        }
    }

    fn endless(&self, batch: &Batch, affected: &Affected) -> Diagnostic {
        let names = affected.iter().map(|id| self.project.graph.runnable(*id).name.as_str());
        Diagnostic::new(
            Code::WatchLimited,
            format!("{} is not run again for what changed while it ran", summary(names)),
        )
        .because(format!(
            "{CHAIN_LENGTH_MAX} runs in a row changed {}",
            self.cause(batch, affected)
        ))
        .hint("press `r` or save a file to run again")
    }
}
