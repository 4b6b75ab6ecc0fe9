//! qik: a command runner that knows by content, through git, what has changed.
//!
//! The folders are the pipeline, in this order; each uses only those below it in the table of
//! `tests/it/meta.rs`:
//!
//! `cli` parses what was typed · `ops` has a file per verb · `config` reads `qik.toml` ·
//! `context` renders templates · `space` resolves modules and environments · `plan` makes the
//! graph of runnables · `git` sees the files · `python` finds distributions · `hash` makes
//! fingerprints · `cache` keeps results · `select` chooses · `exec` runs · `report` tells.
//!
//! # Files on disk
//!
//! | path | what | who |
//! | --- | --- | --- |
//! | `._qik/.gitignore` | `._qik` ignores itself | `cache::private` |
//! | `._qik/cache/` | the local cache | `cache::local` |
//! | `._qik/stale/` | what files hold whose stat data git has stale | `git::memo` |
//! | `.git/qik/claims/` | locks of runnables that run | `cache::lock` |
//! | `._qik/out/NAME.out` | output of the last run | `exec::output` |
//! | `._qik/out/manifest.json` | how each runnable of the last run ended | `report::manifest` |
//! | `.qik/cache/COMMAND/SLUG.json`, `.out` | the repo cache | `cache::repo` |
//! | `.gitattributes`, at the git root | one line for `.qik` | `git::attributes` |
//! | the repository's config | `merge.qik` | `git::merge_config` |
//!
//! `docs/architecture.md` says more.

pub mod cache;
pub mod cli;
pub mod config;
pub mod context;
pub mod error;
pub mod exec;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod git;
pub mod hash;
pub mod ops;
pub mod paths;
pub mod plan;
pub mod pygraph;
pub mod python;
pub mod report;
pub mod select;
pub mod space;
pub mod sys;
pub mod watch;
