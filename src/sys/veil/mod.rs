//! Values that nobody may see, taken out of whatever is shown or kept. Pure.
//!
//! One veil goes through a whole run: it learns secrets as they become known (those of the
//! context, a remote cache's credentials), and everything that leaves the program passes it, qik's
//! own words and what commands write alike. Where a secret was there is [`MASK`].

mod masker;
mod secrets;
#[cfg(test)]
mod tests;

pub use masker::Masker;
pub use secrets::{MASK, SECRET_BYTES_MIN, Veil};
