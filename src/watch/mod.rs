//! The eyes of `--watch`: what is looked at, what was noticed, when it has settled, whom it
//! affects, and what was our own doing.
//!
//! ```text
//! source (notify | poll) → change → settle → affected → a run → own_writes → affected → …
//! ```
//!
//! *Architecture invariant:* only `source.rs` knows notify. Notices are hints; whether something
//! did change is decided by content, so that touches, saves without changes and our own writes
//! start nothing.

mod affected;
mod chain;
mod change;
mod own_writes;
mod poll;
mod scope;
mod settle;
mod source;

pub use affected::{candidates, inputs_in, is_large, summary};
pub use chain::{Chain, Next};
pub use change::{Batch, Change, Saves, Touch};
pub use own_writes::{Habits, Observed};
pub use scope::{Scope, input_name};
pub use settle::{DEBOUNCE_DEFAULT, IndexLock, Settle};
pub use source::{Notice, Notices, Source};
