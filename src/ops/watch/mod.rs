//! `--watch`: a run of the selection, and after each settled change a run of what it affects.
//!
//! ```text
//! notices ─ settle ─▶ batch ─▶ candidates ─ by content ─▶ affected ─▶ a round ─▶ learn ─┐
//!    ▲                           ▲                                                      │
//!    └────── source              └───────── what changed while the round ran ───────────┘
//! ```
//!
//! The loop (`session.rs`, `act.rs`) owns all state; notices, keys, signals and the ends of rounds are
//! messages to it. What a runnable's latest result stands for is a digest of its inputs
//! (`memory.rs`): whoever has other inputs now is affected, whatever was noticed. The inputs of a
//! round are recorded as its commands start and end (`record.rs`), so that what changed meanwhile
//! can be told from what commands wrote themselves.

mod act;
mod memory;
mod project;
mod record;
mod round;
mod session;
mod show;

pub use session::run;
