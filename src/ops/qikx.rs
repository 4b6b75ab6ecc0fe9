//! `qikx`: a program in the place of this one, in the environment of a space.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::load::Loaded;
use super::run;
use crate::cli::ExitCode;
use crate::error::{Code, Diagnostic, Error, Result, Severity, render};
use crate::paths::AbsPath;
use crate::plan::{Isolation, venv_folder};
use crate::select::Selectors;
use crate::space::{Space, Venv, environment};
use crate::sys::{Env, Sys, fs, spawn, ui::Ui};

/// What shells return for a program that is not there, and for one that cannot be started.
const CODE_NOT_FOUND: i32 = 127;
const CODE_NOT_STARTED: i32 = 126;

/// A program to be run.
#[derive(Debug)]
pub struct Wanted {
    pub program: OsString,
    /// `None` for the space of the working directory.
    pub space: Option<String>,
    pub args: Vec<OsString>,
}

/// Becomes the program; returns only if that fails.
pub fn run(loaded: &Loaded, wanted: &Wanted, sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let space = find_space(loaded, wanted.space.as_deref())?;
    let (venv, dotenv) = loaded.planner().surroundings(space)?;
    let env = environment(&sys.env, &loaded.dirs.root, venv.as_deref(), &dotenv)?;
    let Some(path) = find(&wanted.program, &sys.cwd, &env) else {
        return Ok(fail(ui, &not_found(loaded, space, wanted), CODE_NOT_FOUND));
    };
    tracing::debug!(program = %path.display(), space = space.name, "becomes the program");
    let error = spawn::replace(&path, &wanted.program, &wanted.args, (sys.cwd.as_path(), &env));
    Ok(fail(ui, &not_started(&wanted.program, &path, &error), CODE_NOT_STARTED))
}

/// Brings the virtual environments of spaces up to date, of all if none is given.
pub fn install(loaded: &mut Loaded, names: &[String], sys: &Sys, ui: &Ui) -> Result<ExitCode> {
    let unknown =
        names.iter().filter_map(|name| loaded.project.declarations.check_space(name).err());
    if let Some(error) = Error::from_all(unknown.collect()) {
        return Err(error);
    }
    let is_wanted = |space: &&Space| names.is_empty() || names.contains(&space.name);
    let owners = loaded.spaces.iter().filter(is_wanted).filter_map(|space| match &space.venv {
        Venv::Uv(venv) => Some(venv.space.clone()),
        Venv::Active { .. } => None,
    });
    let mut owners: Vec<String> = owners.collect();
    owners.sort();
    owners.dedup();
    let commands = loaded.project.declarations.install_commands();
    if owners.is_empty() || commands.is_empty() {
        let message = "there is no virtual environment to install";
        let warning = Diagnostic::new(Code::VenvNotFound, message)
            .because("qik makes those of `qik.uv` alone")
            .hint("add `uv = \"qik.uv\"` to `[plugins]`, and a `venv` to a space");
        super::warn(ui, &[warning]);
        return Ok(ExitCode::Success);
    }
    // Whatever the environment or a profile selects by is not meant here.
    loaded.settings.selectors = Selectors {
        commands,
        modules: Vec::new(),
        spaces: owners,
        tags: Vec::new(),
        caches: Vec::new(),
        cache_status: None,
        since: None,
        isolation: Isolation::Joined,
    };
    run::run(loaded, sys, ui)
}

fn find_space<'l>(loaded: &'l Loaded, name: Option<&str>) -> Result<&'l Space> {
    let name = match name {
        Some(name) => {
            loaded.project.declarations.check_space(name)?;
            name
        }
        None => loaded.working_space().map_or(crate::config::DEFAULT_SPACE, |it| &it.name),
    };
    Ok(loaded.spaces.find(name).unwrap_or_else(|| unreachable!("declared spaces are resolved")))
}

/// The file of a program: a path as it is, a name by `PATH`.
fn find(program: &OsStr, folder: &AbsPath, env: &Env) -> Option<PathBuf> {
    if is_path(program) {
        let path = folder.join(program);
        return fs::stat_target(path.as_path()).is_ok().then(|| path.as_path().to_path_buf());
    }
    spawn::find_program(program, folder.as_path(), env)
}

fn is_path(program: &OsStr) -> bool {
    program.as_encoded_bytes().contains(&b'/')
}

fn not_found(loaded: &Loaded, space: &Space, wanted: &Wanted) -> Diagnostic {
    let program = wanted.program.display().to_string();
    let message =
        format!("no program `{program}` in the environment of the space `{}`", space.name);
    let mut diagnostic = Diagnostic::new(Code::ProgramFailed, message);
    let programs = |folder: &str| loaded.dirs.root.join(folder).join("bin");
    for other in loaded.spaces.iter() {
        if let Venv::Uv(venv) = &other.venv
            && venv.space == other.name
            && fs::is_file(programs(&venv_folder(&other.name)).join(&program).as_path())
        {
            diagnostic = diagnostic.hint(format!("`qik :x {program}@{}` has it", other.name));
        }
    }
    match &space.venv {
        Venv::Uv(venv) => {
            let listed = fs::list(programs(&venv_folder(&venv.space)).as_path());
            let names: Vec<String> = listed
                .unwrap_or_default()
                .iter()
                .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
                .collect();
            let reqs = venv.reqs.first().map_or("its requirements", |reqs| reqs.value.as_str());
            diagnostic
                .did_you_mean(&program, names.iter().map(String::as_str))
                .hint(format!("add what has it to `{reqs}`, then `qik :x --install`"))
        }
        Venv::Active { .. } => diagnostic.hint("install it, or add its folder to `PATH`"),
    }
}

fn not_started(program: &OsStr, path: &Path, error: &io::Error) -> Diagnostic {
    // What is typed as a path is known; what is found on `PATH` may be another than was meant.
    let shown = if is_path(program) { Path::new(program) } else { path };
    let message = format!("`{}` cannot be started", shown.display());
    let diagnostic = Diagnostic::new(Code::ProgramFailed, message).because(error.to_string());
    match error.kind() {
        io::ErrorKind::NotFound => {
            diagnostic.hint("its first line names an interpreter that is not there")
        }
        io::ErrorKind::PermissionDenied => diagnostic.hint("`chmod +x` lets it run"),
        _ => diagnostic,
    }
}

/// Says what is wrong, and ends as a shell would.
fn fail(ui: &Ui, diagnostic: &Diagnostic, code: i32) -> ExitCode {
    use std::io::Write as _;
    // A closed stderr is no reason to end otherwise.
    drop(ui.stderr().write_all(render(diagnostic, Severity::Error).as_bytes()));
    ExitCode::Run(code)
}
