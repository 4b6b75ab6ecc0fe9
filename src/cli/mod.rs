//! The only folder that knows clap: argv → [`Settings`] → a verb of [`crate::ops`] → exit code.

mod args;
mod exit_code;
mod qikx;
mod settings;

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};

use clap::Parser as _;

use args::Args;
pub use exit_code::ExitCode;
use qikx::Request;
pub use settings::{Settings, WatchMode};

use crate::error::{Code, Diagnostic, Error, Result, Severity, render};
use crate::ops;
use crate::ops::load::Purpose;
use crate::ops::qikx::Wanted;
use crate::sys::timings::Timings;
use crate::sys::ui::{Ui, lost_output};
use crate::sys::{self, Sys};

/// The word by which git calls the merge driver.
const MERGE_DRIVER: &str = ":merge-driver";

/// The word for questions about the import graph.
const GRAPH: &str = ":graph";

/// The whole program but for the process's end.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    let sys = match Sys::new() {
        Ok(sys) => sys,
        Err(error) => {
            let mut stderr = anstream::stderr();
            return report(&mut stderr, &error);
        }
    };
    let ui = Ui::new(&sys);
    let timings = Timings::default();
    let dispatched = dispatch(argv, &sys, &ui, &timings);
    // As with any word of ours, a closed stderr is no reason to fail.
    drop(ui.stderr().write_all(timings.render().as_bytes()));
    match dispatched {
        Ok(code) => code,
        Err(error) => report(&mut ui.stderr(), &error),
    }
}

fn dispatch(argv: Vec<OsString>, sys: &Sys, ui: &Ui, timings: &Timings) -> Result<ExitCode> {
    if let Some(words) = qikx::words(&argv) {
        sys::log::start(sys, None);
        return dispatch_qikx(words, sys, ui);
    }
    if let Some(verb) = argv.get(1).filter(|word| *word == MERGE_DRIVER || *word == GRAPH) {
        sys::log::start(sys, None);
        return if verb == GRAPH { graph(&argv[2..], sys, ui) } else { merge(&argv, sys) };
    }
    let typed = match Args::try_parse_from(settings::with_verbosity(argv)) {
        Ok(typed) => typed,
        Err(error) => {
            let printed = error.print();
            // A reader who has seen enough is no reason to fail.
            return match printed {
                _ if error.use_stderr() => Ok(ExitCode::Error),
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    Err(lost_output(&error).into())
                }
                Ok(()) | Err(_) => Ok(ExitCode::Success),
            };
        }
    };
    sys::log::start(sys, typed.timings.then_some(timings));
    let load = || {
        let typed = typed.clone();
        let profile = typed.profile.clone();
        let purpose = match &typed {
            Args { ls: true, cache_status: None, since: None, .. } => Purpose::Declarations,
            _ => Purpose::Files,
        };
        ops::load::load(sys, purpose, profile.as_deref(), |settings| {
            Settings::new(typed, sys, settings)
        })
    };
    let loaded = load()?;
    if loaded.settings.lists || loaded.settings.fails {
        let listed = ops::list::run(&loaded, sys, ui);
        loaded.end();
        return listed;
    }
    if loaded.settings.watch.is_some() {
        return ops::watch::run(&loaded, &load, sys, ui);
    }
    let ran = ops::run::run(&loaded, sys, ui);
    loaded.end();
    ran
}

/// What git calls to merge two versions of a file of the repo cache.
fn merge(argv: &[OsString], sys: &Sys) -> Result<ExitCode> {
    let [_, _, _base, ours, theirs, ..] = argv else {
        let message = format!("`{MERGE_DRIVER}` takes the three files of a merge");
        return Err(Diagnostic::new(Code::UsageInvalid, message)
            .hint("git calls it; there is no need to")
            .into());
    };
    ops::merge_driver::run(sys, ours.as_ref(), theirs.as_ref())?;
    Ok(ExitCode::Success)
}

/// `:graph imports MODULE [OTHER]`.
fn graph(words: &[OsString], sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let (module, other) = match words.as_slice() {
        ["imports", module] => (*module, None),
        ["imports", module, other] => (*module, Some(*other)),
        _ => {
            let message = format!("`{GRAPH}` takes `imports MODULE` or `imports MODULE OTHER`");
            return Err(Diagnostic::new(Code::UsageInvalid, message)
                .hint(format!(
                    "`qik {GRAPH} imports web.views` lists what imports it, and what it imports"
                ))
                .into());
        }
    };
    let loaded = ops::load::load(sys, Purpose::Files, None, |profile| {
        Settings::new(Args::parse_from(["qik"]), sys, profile)
    })?;
    ops::graph::imports(&loaded, (module, other), sys, ui)
}

/// `qikx`, which has no options of `qik`; what the environment sets holds for it as well.
fn dispatch_qikx(words: &[OsString], sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let print = |text: &str| {
        // A closed stdout is no reason to fail.
        drop(ui.stdout().write_all(text.as_bytes()));
        Ok(ExitCode::Success)
    };
    let load = || {
        let typed = Args::parse_from(["qik"]);
        ops::load::load(sys, Purpose::Declarations, None, |settings| {
            Settings::new(typed, sys, settings)
        })
    };
    match qikx::parse(words)? {
        Request::Help => print(qikx::HELP),
        Request::Version => print(concat!("qikx ", env!("CARGO_PKG_VERSION"), "\n")),
        Request::Install(spaces) => ops::qikx::install(&mut load()?, &spaces, sys, ui),
        Request::Program { program, space, args } => {
            ops::qikx::run(&load()?, &Wanted { program, space, args }, sys, ui)
        }
    }
}

/// Shows every diagnostic of an error.
fn report(stderr: &mut impl std::io::Write, error: &Error) -> ExitCode {
    for diagnostic in error.diagnostics() {
        // A closed stderr is no reason to fail differently.
        drop(stderr.write_all(render(diagnostic, Severity::Error).as_bytes()));
    }
    ExitCode::Error
}
