//! Text → typed declarations with places; no git, no process, no environment.
//!
//! A file becomes a tree of TOML with places (`document`). 0.1's spellings in it are lowered to
//! 0.2's (`legacy`), then one decoder walks it (`decoder`, and a file for each table), and at last
//! the declarations are checked against each other (`check`). Nothing stops at an error: one run
//! shows all of them, of the project's file and of those of its modules, in the order of the text.
//!
//! Templates stay as they are written; their syntax is here (`braces`), their values are not.

mod braces;
mod check;
mod circles;
mod command;
mod decoder;
mod dep;
mod discover;
mod document;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod legacy;
mod load;
mod misplaced;
mod module_file;
mod names;
mod plugins;
mod resolve;
mod root;
mod schema;
mod size;
mod space;
mod syntax;
mod tree;
mod value;
mod vars;
mod venv;

#[cfg(test)]
mod tests;

pub use braces::{Piece, as_literal, has_braces, names_module, parse_pieces};
pub use discover::{ConfigFile, Found, discover, read_from_disk};
pub use load::{Project, Reader, load};
pub use resolve::BUILT_IN_CACHES;
pub use root::DEFAULT_SPACE;
pub use schema::*;
pub use value::{parse_bool, parse_int};
pub use vars::NAMESPACES;
