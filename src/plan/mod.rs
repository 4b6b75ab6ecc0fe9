//! Declarations × modules × spaces → runnables → graph. Pure.

mod name;
mod runnable;

pub use name::RunnableName;
pub use runnable::{Dep, Graph, Runnable, RunnableId, Upstream};
