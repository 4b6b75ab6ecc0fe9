//! The command line as typed: one field per option, in the order of `--help`.

use clap::{ArgAction, Parser, ValueEnum};

use super::settings::WatchMode;
use crate::config::CacheWhen;
use crate::report::Logger;
use crate::select::CacheStatus;

/// What follows the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  qik                      run every command that is cold, replay the others
  qik lint test            run two commands and what is upstream of them
  qik lint -m api          only for the module `api`
  qik lint#api             the same, by the name that --ls prints
  qik lint --watch         run it again whenever its inputs change
  qik --since main --ls    what the changes since `main` affect
  qik --cache repo --cache-status cold --fail --ls
                           fail if a committed result is out of date (for CI)

Every option can be set in the environment: QIK__WORKERS=4, QIK__TAGS=fast,slow.
qik's own words go to stderr; the output of commands and --ls go to stdout.
The exit code is the highest of the commands'; 2 is an error of qik's own.";

/// Runs the commands of `qik.toml` whose inputs have changed, and replays the others.
#[derive(Debug, Clone, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "one field per option, as typed")]
#[command(name = "qik", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Args {
    /// Commands to run, or runnables by the names that --ls prints [default: all not hidden]
    #[arg(value_name = "COMMAND")]
    pub(super) commands: Vec<String>,

    /// Only for this module; again for any of several
    #[arg(short, long = "module", value_name = "MODULE", help_heading = "Select")]
    pub(super) modules: Vec<String>,

    /// Only in this space; again for any of several
    #[arg(short, long = "space", value_name = "SPACE", help_heading = "Select")]
    pub(super) spaces: Vec<String>,

    /// Only with this tag; again for any of several
    #[arg(short, long = "tag", value_name = "TAG", help_heading = "Select")]
    pub(super) tags: Vec<String>,

    /// Only of this cache: local, repo, none or a configured one; again for any of several
    #[arg(long = "cache", alias = "cache-type", value_name = "CACHE", help_heading = "Select")]
    pub(super) caches: Vec<String>,

    /// Only what is warm (would be replayed) or cold (would run); uncached commands are neither
    #[arg(long, value_name = "STATUS", help_heading = "Select")]
    pub(super) cache_status: Option<CacheStatusArg>,

    /// Only what the changes since a commit affect; `REF...` compares with the merge base
    #[arg(long, value_name = "REF", help_heading = "Select")]
    pub(super) since: Option<String>,

    /// Leave out upstream commands that are not selected themselves
    #[arg(long, help_heading = "Select")]
    pub(super) isolated: bool,

    /// Print the selected names, sorted, one a line, and run nothing
    #[arg(long, help_heading = "Instead of running")]
    pub(super) ls: bool,

    /// Exit with 1 if anything is selected, and run nothing
    #[arg(long, help_heading = "Instead of running")]
    pub(super) fail: bool,

    /// Run even what is warm; results are cached all the same
    #[arg(short, long, help_heading = "Run")]
    pub(super) force: bool,

    /// Commands at once [default: processors]
    #[arg(short = 'n', long, value_name = "N", help_heading = "Run")]
    pub(super) workers: Option<String>,

    /// Run, then run again what changes affect, until Ctrl-C or `q`
    #[arg(long, help_heading = "Watch")]
    pub(super) watch: bool,

    /// What becomes of a run when what it works on changes [default: queue]
    #[arg(long, value_name = "MODE", help_heading = "Watch")]
    pub(super) watch_mode: Option<WatchModeArg>,

    /// How long files have to be left alone before a run begins [default: 20]
    #[arg(long, value_name = "MS", help_heading = "Watch")]
    pub(super) debounce: Option<String>,

    /// Which exit codes to cache: success, failed or finished (either)
    #[arg(long, value_name = "WHEN", help_heading = "Run")]
    pub(super) cache_when: Option<CacheWhenArg>,

    /// Use a profile of the context
    #[arg(short, long, value_name = "PROFILE", help_heading = "Run")]
    pub(super) profile: Option<String>,

    /// How to tell what happens [default: stdout for one command or worker, else progress]
    #[arg(short, long, value_name = "LOGGER", help_heading = "Output")]
    pub(super) logger: Option<LoggerArg>,

    /// 0: nothing, 1: output of what failed, 2: output of everything; -v alone is 2 [default: 1]
    #[arg(
        short,
        long,
        value_name = "0|1|2",
        num_args = 0..=1,
        default_missing_value = "2",
        action = ArgAction::Set,
        help_heading = "Output"
    )]
    pub(super) verbosity: Option<String>,

    /// Tell at the end how long each stage took, and how much was looked at
    #[arg(long, help_heading = "Output")]
    pub(super) timings: bool,
}

/// `--cache-status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CacheStatusArg {
    Warm,
    Cold,
}

/// `--cache-when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CacheWhenArg {
    Success,
    Failed,
    #[value(alias = "always")]
    Finished,
}

/// `--watch-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WatchModeArg {
    /// It goes on to its end, and what has changed runs after it
    Queue,
    /// It is stopped and started anew
    Restart,
}

/// `--logger`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LoggerArg {
    /// Live bars on a terminal, lines elsewhere; output of what failed
    Progress,
    /// The output of every command
    Stdout,
    /// One JSON object a line, for programs
    Json,
}

impl From<WatchModeArg> for WatchMode {
    fn from(arg: WatchModeArg) -> Self {
        match arg {
            WatchModeArg::Queue => Self::Queue,
            WatchModeArg::Restart => Self::Restart,
        }
    }
}

impl From<CacheStatusArg> for CacheStatus {
    fn from(arg: CacheStatusArg) -> Self {
        match arg {
            CacheStatusArg::Warm => Self::Warm,
            CacheStatusArg::Cold => Self::Cold,
        }
    }
}

impl From<CacheWhenArg> for CacheWhen {
    fn from(arg: CacheWhenArg) -> Self {
        match arg {
            CacheWhenArg::Success => Self::Success,
            CacheWhenArg::Failed => Self::Failed,
            CacheWhenArg::Finished => Self::Finished,
        }
    }
}

impl From<LoggerArg> for Logger {
    fn from(arg: LoggerArg) -> Self {
        match arg {
            LoggerArg::Progress => Self::Progress,
            LoggerArg::Stdout => Self::Stdout,
            LoggerArg::Json => Self::Json,
        }
    }
}
