//! The settings as meant: command line over `QIK__*` over profile over default, validated.
//! Nothing below this file knows an option.

use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;

use super::args::Args;
use crate::config::{CacheWhen, Value};
use crate::context::{self, QikFields};
use crate::error::{Code, Diagnostic, Error, Result};
use crate::plan::Isolation;
use crate::report::{Logger, Verbosity};
use crate::select::{CacheStatus, Selectors};
use crate::sys::Sys;
use crate::watch::DEBOUNCE_DEFAULT;

/// More workers than this are as good as this many.
const WORKER_COUNT_MAX: usize = 4096;

/// What becomes of a run when what it works on changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchMode {
    /// It goes on, and what has changed runs after it.
    Queue,
    /// It is stopped and started anew.
    Restart,
}

/// What the user wants.
#[derive(Debug, Clone)]
pub struct Settings {
    pub selectors: Selectors,
    pub lists: bool,
    pub fails: bool,
    pub forces: bool,
    /// `None` if nothing is watched.
    pub watch: Option<WatchMode>,
    /// How long files have to be left alone before a run begins.
    pub debounce: Duration,
    pub worker_count: usize,
    pub cache_when: Option<CacheWhen>,
    pub logger: Option<Logger>,
    pub verbosity: Verbosity,
    /// The machine's architecture, as templates show it.
    pub arch: String,
}

/// The layers below the command line: the environment over the profile.
struct Lower {
    env: context::Settings,
    profile: context::Settings,
}

/// A setting's text and who set it.
struct Given {
    text: String,
    source: String,
    code: Code,
}

impl Given {
    /// Typed on the command line.
    fn typed(option: &str, text: String) -> Self {
        Self { text, source: option.to_owned(), code: Code::UsageInvalid }
    }

    fn refuse(&self, expected: &str) -> Error {
        Diagnostic::new(self.code, format!("`{}` is `{}`", self.source, self.text))
            .because(format!("it takes {expected}"))
            .into()
    }
}

impl Lower {
    fn value(&self, name: &str) -> Option<&Value> {
        self.env.get(name).or_else(|| self.profile.get(name))
    }

    fn given(&self, name: &str) -> Option<Given> {
        let text = match self.value(name)? {
            Value::Str(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Bool(_) | Value::List(_) => return None,
        };
        let is_env = self.env.contains_key(name);
        let source = if is_env { format!("QIK__{}", name.to_uppercase()) } else { name.to_owned() };
        Some(Given { text, source, code: Code::ValueInvalid })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.given(name).map(|given| given.text)
    }

    fn list(&self, name: &str, typed: Vec<String>) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(items)) if typed.is_empty() => items.clone(),
            _ => typed,
        }
    }

    fn flag(&self, name: &str, typed: bool) -> bool {
        typed || self.value(name) == Some(&Value::Bool(true))
    }

    fn choice<T: ValueEnum>(&self, name: &str, typed: Option<T>) -> Result<Option<T>> {
        let Some(given) = self.given(name).filter(|_| typed.is_none()) else { return Ok(typed) };
        T::from_str(&given.text, true).map(Some).map_err(|_| {
            let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let names: Vec<_> = names.map(|value| format!("`{}`", value.get_name())).collect();
            given.refuse(&names.join(" or "))
        })
    }
}

impl Settings {
    /// Puts the layers together. `profile` are the profile's settings.
    pub(super) fn new(args: Args, sys: &Sys, profile: context::Settings) -> Result<Self> {
        let lower = Lower { env: context::settings_from_env(&sys.env)?, profile };
        let watch_mode = lower.choice("watch_mode", args.watch_mode)?;
        let watch_mode = watch_mode.map_or(WatchMode::Queue, Into::into);
        let is_isolated = lower.flag("isolated", args.isolated);
        Ok(Self {
            selectors: Selectors {
                commands: lower.list("commands", args.commands),
                modules: lower.list("modules", args.modules),
                spaces: lower.list("spaces", args.spaces),
                tags: lower.list("tags", args.tags),
                caches: lower.list("caches", args.caches),
                cache_status: lower.choice("cache_status", args.cache_status)?.map(Into::into),
                since: args.since.or_else(|| lower.text("since")),
                isolation: if is_isolated { Isolation::Isolated } else { Isolation::Joined },
            },
            lists: lower.flag("ls", args.ls),
            fails: lower.flag("fail", args.fail),
            forces: lower.flag("force", args.force),
            watch: lower.flag("watch", args.watch).then_some(watch_mode),
            debounce: debounce(&lower, args.debounce)?,
            worker_count: worker_count(&lower, args.workers, sys)?,
            cache_when: lower.choice("cache_when", args.cache_when)?.map(Into::into),
            logger: lower.choice("logger", args.logger)?.map(Into::into),
            verbosity: verbosity(&lower, args.verbosity)?,
            arch: lower.text("arch").unwrap_or_else(|| context::arch(&sys.env)),
        })
    }

    /// The values of `{ctx.qik.…}`, in Python's words, as the templates of existing projects
    /// expect them.
    pub fn fields(&self) -> QikFields {
        let list = |items: &[String]| {
            let quoted: Vec<_> = items.iter().map(|item| format!("'{item}'")).collect();
            format!("[{}]", quoted.join(", "))
        };
        let flag = |is_set: bool| if is_set { "True" } else { "False" }.to_owned();
        let none = || "None".to_owned();
        let logger = self.logger.map_or_else(none, |logger| match logger {
            Logger::Progress => "progress".to_owned(),
            Logger::Stdout => "stdout".to_owned(),
            Logger::Json => "json".to_owned(),
        });
        let cache_status = self.selectors.cache_status.map_or_else(none, |status| match status {
            CacheStatus::Warm => "warm".to_owned(),
            CacheStatus::Cold => "cold".to_owned(),
        });
        QikFields::from([
            ("arch", self.arch.clone()),
            ("cache_status", cache_status),
            ("caches", list(&self.selectors.caches)),
            ("commands", list(&self.selectors.commands)),
            ("fail", flag(self.fails)),
            ("force", flag(self.forces)),
            ("isolated", flag(self.selectors.isolation == Isolation::Isolated)),
            ("logger", logger),
            ("ls", flag(self.lists)),
            ("modules", list(&self.selectors.modules)),
            ("since", self.selectors.since.clone().unwrap_or_else(none)),
            ("spaces", list(&self.selectors.spaces)),
            ("tags", list(&self.selectors.tags)),
            ("verbosity", (self.verbosity as u8).to_string()),
            ("watch", flag(self.watch.is_some())),
            ("workers", self.worker_count.to_string()),
        ])
    }
}

fn worker_count(lower: &Lower, typed: Option<String>, sys: &Sys) -> Result<usize> {
    let typed = typed.map(|text| Given::typed("-n", text));
    let Some(given) = typed.or_else(|| lower.given("workers")) else { return Ok(sys.cpu_count) };
    match given.text.trim().parse::<usize>() {
        Ok(count) if count > 0 => Ok(count.min(WORKER_COUNT_MAX)),
        _ => Err(given.refuse("a number from 1")),
    }
}

fn debounce(lower: &Lower, typed: Option<String>) -> Result<Duration> {
    let typed = typed.map(|text| Given::typed("--debounce", text));
    let Some(given) = typed.or_else(|| lower.given("debounce")) else {
        return Ok(DEBOUNCE_DEFAULT);
    };
    match given.text.trim().parse::<u32>() {
        Ok(ms) => Ok(Duration::from_millis(ms.into())),
        Err(_) => Err(given.refuse("a number of milliseconds")),
    }
}

fn verbosity(lower: &Lower, typed: Option<String>) -> Result<Verbosity> {
    let typed = typed.map(|text| Given::typed("-v", text));
    let Some(given) = typed.or_else(|| lower.given("verbosity")) else {
        return Ok(Verbosity::Normal);
    };
    match given.text.trim().parse::<u64>() {
        Ok(0) => Ok(Verbosity::Silent),
        Ok(1) => Ok(Verbosity::Normal),
        Ok(_) => Ok(Verbosity::Verbose),
        Err(_) => Err(given.refuse("0, 1 or 2")),
    }
}

/// Gives a bare `-v` its value, so that it does not take the command after it for one.
pub(super) fn with_verbosity(argv: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut typed: Vec<OsString> = Vec::new();
    let mut rest = argv.into_iter().peekable();
    while let Some(word) = rest.next() {
        let is_level =
            |next: &OsString| next.to_str().is_some_and(|text| text.parse::<i64>().is_ok());
        let is_bare = word == "-v" || word == "--verbosity";
        if word == "--" {
            typed.push(word);
            typed.extend(rest);
            break;
        }
        typed.push(if is_bare && !rest.peek().is_some_and(is_level) {
            OsString::from("--verbosity=2")
        } else {
            word
        });
    }
    typed
}
