//! The commands of the plugin `qik.uv`: `PLUGIN.lock` and `PLUGIN.install`, for each space that
//! declares an environment of its own. Pure.
//!
//! An installation ends with a file in the environment that says what is installed. It is an
//! input of the installation itself, which rewrites it: so a result counts only as long as the
//! environment is the one that it speaks of, and one that is half made is never taken for whole.

use std::collections::{BTreeMap, BTreeSet};

use super::render::{CommandDep, Counts};
use super::{Action, Candidate, NeededProgram, Planner, Runnable};
use crate::config::{CacheWhen, Constraint, PluginKind, Strictness, Text, UvOptions};
use crate::error::{Code, Diagnostic, Result};
use crate::space::{INSTALLED_FILE, UvVenv, Venv};

/// What a variable that is not required and has no value renders to.
const NO_VALUE: &str = "None";

/// What uv looks at where no Python is asked for.
const PYTHON_VERSION_FILE: &str = ".python-version";

static UV: NeededProgram = NeededProgram {
    name: "uv",
    code: Code::UvNotFound,
    hints: &[
        "`pip install uv`, `pipx install uv` or `brew install uv` gets it",
        "https://docs.astral.sh/uv/getting-started/installation/ has other ways",
    ],
};

/// One of the plugin's commands, for one environment.
#[derive(Debug, Clone)]
pub struct UvCommand<'a> {
    plugin: &'a str,
    step: Step,
    options: &'a UvOptions,
    venv: &'a UvVenv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Lock,
    Install,
}

impl<'a> UvCommand<'a> {
    /// The command of a name without the plugin's; `None` if the plugin has no such command.
    pub(super) fn new(
        plugin: &'a str,
        step: &str,
        options: &'a UvOptions,
        venv: &'a UvVenv,
    ) -> Option<Self> {
        let step = match step {
            "lock" => Step::Lock,
            "install" => Step::Install,
            _ => return None,
        };
        Some(Self { plugin, step, options, venv })
    }
}

/// The folder of a space's environment, relative to the project root.
pub fn venv_folder(space: &str) -> String {
    format!("._qik/venv/{}", file_name(space))
}

/// Whether a path is one of a file below the project root.
fn is_below(path: &str) -> bool {
    let is_plain = !path.is_empty() && !path.starts_with('/') && !path.ends_with('/');
    is_plain && path.split('/').all(|part| part != "..")
}

fn outside(lock: &str, text: &Text) -> Diagnostic {
    Diagnostic::new(Code::ConfigInvalid, format!("`lock` cannot be `{lock}`"))
        .hint("give the path of a file below the project root")
        .at(&text.place)
}

/// A name as one part of a path.
fn file_name(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

impl<'a> Planner<'a> {
    fn uv_plugin(&self) -> Option<(&'a str, &'a UvOptions)> {
        self.declarations.plugins.iter().find_map(|(name, plugin)| match &plugin.kind {
            PluginKind::Uv(options) => Some((name.as_str(), options)),
            PluginKind::Pygraph(_) | PluginKind::S3 => None,
        })
    }

    /// Where the lock of an environment is, relative to the project root.
    pub(super) fn uv_lock(&self, venv: &UvVenv) -> Result<String> {
        if let Some(text) = &venv.lock {
            let lock = self.render(text, None)?;
            return if is_below(&lock) { Ok(lock) } else { Err(outside(&lock, text).into()) };
        }
        let plugin = self.uv_plugin().map_or("uv", |(plugin, _)| plugin);
        let (plugin, space) = (file_name(plugin), file_name(&venv.space));
        Ok(format!(".qik/artifacts/{plugin}.lock/requirements-{space}-lock.txt"))
    }

    /// What is declared of an environment and makes it another one, beside its lock.
    pub(super) fn uv_declared(&self, venv: &UvVenv) -> Result<Vec<String>> {
        let python = self.uv_python(venv)?;
        Ok(python.map(|python| format!("python {python}")).into_iter().collect())
    }

    /// What has to be done before a command can run in an environment.
    pub(super) fn uv_upstreams(&self, venv: &'a UvVenv) -> Vec<CommandDep<'a>> {
        let Some((plugin, _)) = self.uv_plugin() else { return Vec::new() };
        let steps = ["lock", "install"];
        steps.map(|step| upstream(plugin, step, &venv.space)).into()
    }

    pub(super) fn uv_artifacts(&self, command: &UvCommand<'a>) -> Result<Vec<String>> {
        match command.step {
            Step::Lock => Ok(vec![glob::Pattern::escape(&self.uv_lock(command.venv)?)]),
            Step::Install => Ok(Vec::new()),
        }
    }

    pub(super) fn render_uv(
        &self,
        candidate: &Candidate<'a>,
        command: &UvCommand<'a>,
    ) -> Result<(Runnable, Vec<CommandDep<'a>>)> {
        let mut runnable = Runnable {
            name: candidate.name.clone(),
            command: candidate.command.clone().into_owned(),
            module: None,
            space: candidate.space.name.clone(),
            exec: String::new(),
            secrets: Vec::new(),
            action: Action::Shell,
            deps: Vec::new(),
            upstreams: Vec::new(),
            artifacts: self.artifacts(candidate)?,
            dotenv: Vec::new(),
            venv_files: Vec::new(),
            stamp: None,
            requirements: Vec::new(),
            venv: None,
            declared: self.uv_declared(command.venv)?,
            env: self.uv_variables(command)?,
            needs: Some(&UV),
            cache: Some("local".to_owned()),
            cache_when: CacheWhen::Success,
            tags: Vec::new(),
            is_hidden: false,
            rewrites: false,
        };
        let python = self.uv_python(command.venv)?;
        if python.is_none() {
            runnable.venv_files.push(PYTHON_VERSION_FILE.to_owned());
        }
        let upstreams = match command.step {
            Step::Lock => self.complete_lock(&mut runnable, command, python.as_deref())?,
            Step::Install => self.complete_install(&mut runnable, command, python.as_deref())?,
        };
        Ok((runnable, upstreams))
    }

    fn complete_lock(
        &self,
        runnable: &mut Runnable,
        command: &UvCommand<'a>,
        python: Option<&str>,
    ) -> Result<Vec<CommandDep<'a>>> {
        let reqs = self.render_all(&command.venv.reqs)?;
        let lock = self.uv_lock(command.venv)?;
        let mut constraints = Constraints::default();
        self.add_constraints(command.venv, command.options, &mut constraints)?;
        let mut words = vec!["uv pip compile --quiet --universal".to_owned()];
        words.extend(python.map(|python| format!("--python {}", quoted(python))));
        words.extend(reqs.iter().map(|path| quoted(path)));
        words.extend(constraints.files.iter().map(|path| format!("--constraint {}", quoted(path))));
        words.push(format!("-o {}", quoted(&lock)));
        let folder = lock.rsplit_once('/').map(|(folder, _)| folder);
        let prepare = folder.map(|folder| format!("mkdir -p {} && ", quoted(folder)));
        runnable.exec = prepare.unwrap_or_default() + &words.join(" ");
        runnable.requirements = [reqs, constraints.files].concat();
        runnable.cache = self.uv_cache(command.options)?;
        let indexes = [
            ("index-url", &command.options.index_url),
            ("extra-index-url", &command.options.extra_index_url),
        ];
        // As written: what is secret in it stands in the context.
        let indexes = indexes.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)));
        runnable.declared.extend(indexes.map(|(key, text)| format!("{key} {}", text.value)));
        let upstreams = constraints.locks.into_iter();
        Ok(upstreams.map(|space| upstream(command.plugin, "lock", space)).collect())
    }

    fn complete_install(
        &self,
        runnable: &mut Runnable,
        command: &UvCommand<'a>,
        python: Option<&str>,
    ) -> Result<Vec<CommandDep<'a>>> {
        let lock = self.uv_lock(command.venv)?;
        let folder = venv_folder(&command.venv.space);
        let installed = format!("{folder}/{INSTALLED_FILE}");
        let (option, say) = match python.map(quoted) {
            Some(python) => (
                format!(" --python {python}"),
                format!("{{ echo python {python}; cat {}; }}", quoted(&lock)),
            ),
            None => (
                String::new(),
                format!("{{ cat {} {PYTHON_VERSION_FILE} 2>/dev/null || :; }}", quoted(&lock)),
            ),
        };
        runnable.exec = format!(
            "uv venv --quiet --clear{option} {venv} && \
             uv pip sync --allow-empty-requirements --python {venv}/bin/python {lock} && \
             {say} > {installed}",
            venv = quoted(&folder),
            lock = quoted(&lock),
            installed = quoted(&installed),
        );
        runnable.venv_files.extend([lock, installed.clone()]);
        runnable.stamp = Some(installed);
        runnable.rewrites = true;
        Ok(vec![upstream(command.plugin, "lock", &command.venv.space)])
    }

    fn uv_python(&self, venv: &UvVenv) -> Result<Option<String>> {
        let default = self.uv_plugin().and_then(|(_, options)| options.python.as_ref());
        self.option(venv.python.as_ref().or(default))
    }

    /// The lock is meant to be committed, unless the project says otherwise.
    fn uv_cache(&self, options: &UvOptions) -> Result<Option<String>> {
        let declared = options.cache.as_ref().or(self.declarations.defaults.cache.as_ref());
        let Some(text) = declared else { return Ok(Some("repo".to_owned())) };
        let name = self.render(text, None)?;
        self.declarations.check_cache(&name).map_err(|diagnostic| diagnostic.at(&text.place))?;
        Ok((name != "none").then_some(name))
    }

    /// Indexes are told by variables, so that what is secret in them is in no log and no cache.
    fn uv_variables(&self, command: &UvCommand<'a>) -> Result<BTreeMap<String, String>> {
        let says = format!("qik {}.lock", command.plugin);
        let mut variables = BTreeMap::from([("UV_CUSTOM_COMPILE_COMMAND".to_owned(), says)]);
        for (name, text) in [
            ("UV_INDEX_URL", &command.options.index_url),
            ("UV_EXTRA_INDEX_URL", &command.options.extra_index_url),
        ] {
            variables.extend(self.option(text.as_ref())?.map(|value| (name.to_owned(), value)));
        }
        Ok(variables)
    }

    fn option(&self, text: Option<&Text>) -> Result<Option<String>> {
        let value = text.map(|text| self.render(text, None)).transpose()?;
        Ok(value.filter(|value| !value.is_empty() && value != NO_VALUE))
    }

    /// What bounds the versions of an environment: a file, or another space's lock with all that
    /// bounds that one.
    fn add_constraints(
        &self,
        venv: &'a UvVenv,
        options: &'a UvOptions,
        constraints: &mut Constraints<'a>,
    ) -> Result<()> {
        constraints.seen.insert(&venv.space);
        match venv.constraint.as_ref().or(options.constraint.as_ref()) {
            None => {}
            Some(Constraint::File(text)) => constraints.add(self.render(text, None)?),
            Some(Constraint::Space(text)) => match &self.find_space(text)?.venv {
                Venv::Active { files } => {
                    self.render_all(files)?.into_iter().for_each(|file| constraints.add(file));
                }
                // A space that bounds all others does not bound itself.
                Venv::Uv(other) if constraints.seen.contains(other.space.as_str()) => {}
                Venv::Uv(other) => {
                    constraints.add(self.uv_lock(other)?);
                    constraints.locks.push(&other.space);
                    self.add_constraints(other, options, constraints)?;
                }
            },
        }
        Ok(())
    }
}

/// What bounds the versions of an environment.
#[derive(Default)]
struct Constraints<'a> {
    files: Vec<String>,
    /// The spaces whose locks are among the files.
    locks: Vec<&'a str>,
    seen: BTreeSet<&'a str>,
}

impl Constraints<'_> {
    fn add(&mut self, file: String) {
        if !self.files.contains(&file) {
            self.files.push(file);
        }
    }
}

/// A command of the plugin that has to come before, and whose changes are changes of what is
/// after it.
fn upstream<'a>(plugin: &str, step: &str, space: &'a str) -> CommandDep<'a> {
    CommandDep {
        name: format!("{plugin}.{step}"),
        text: None,
        space: Some(space),
        pyimport: None,
        counts: Counts::Artifacts,
        strictness: Strictness::Strict,
        is_isolated: None,
        is_base: false,
    }
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:,@%=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
