//! The only folder that knows clap: argv → [`Settings`] → a verb of [`crate::ops`] → exit code.

mod args;
mod exit_code;
mod settings;

use std::ffi::OsString;

use clap::Parser as _;

use args::Args;
pub use exit_code::ExitCode;
pub use settings::{Settings, WatchMode};

use crate::error::{Code, Diagnostic, Error, Result, Severity, render};
use crate::ops;
use crate::sys::{self, Sys, ui::Ui};

/// The word by which git calls the merge driver.
const MERGE_DRIVER: &str = ":merge-driver";

/// The whole program but for the process's end.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    let sys = match Sys::new() {
        Ok(sys) => sys,
        Err(error) => {
            let mut stderr = anstream::stderr();
            return report(&mut stderr, &error);
        }
    };
    sys::log::start(&sys);
    let ui = Ui::new(&sys);
    match dispatch(argv, &sys, &ui) {
        Ok(code) => code,
        Err(error) => report(&mut ui.stderr(), &error),
    }
}

fn dispatch(argv: Vec<OsString>, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    if argv.get(1).is_some_and(|word| word == MERGE_DRIVER) {
        let [_, _, _base, ours, theirs, ..] = argv.as_slice() else {
            return Err(Diagnostic::new(
                Code::UsageInvalid,
                format!("`{MERGE_DRIVER}` takes the three files of a merge"),
            )
            .hint("git calls it; there is no need to")
            .into());
        };
        ops::merge_driver::run(sys, ours.as_ref(), theirs.as_ref())?;
        return Ok(ExitCode::Success);
    }
    let typed = match Args::try_parse_from(settings::with_verbosity(argv)) {
        Ok(typed) => typed,
        Err(error) => {
            // A closed stdout or stderr is no reason to fail.
            drop(error.print());
            return Ok(if error.use_stderr() { ExitCode::Error } else { ExitCode::Success });
        }
    };
    let load = || {
        let typed = typed.clone();
        let profile = typed.profile.clone();
        ops::load::load(sys, profile.as_deref(), |settings| Settings::new(typed, sys, settings))
    };
    let loaded = load()?;
    if loaded.settings.lists || loaded.settings.fails {
        return ops::list::run(&loaded, sys, ui);
    }
    if loaded.settings.watch.is_some() {
        return ops::watch::run(&loaded, &load, sys, ui);
    }
    ops::run::run(&loaded, sys, ui)
}

/// Shows every diagnostic of an error.
fn report(stderr: &mut impl std::io::Write, error: &Error) -> ExitCode {
    for diagnostic in error.diagnostics() {
        // A closed stderr is no reason to fail differently.
        drop(stderr.write_all(render(diagnostic, Severity::Error).as_bytes()));
    }
    ExitCode::Error
}
