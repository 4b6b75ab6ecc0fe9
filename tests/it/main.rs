//! qik through its binary, in hermetic git repositories: one file for each rule of the contract.
//!
//! One test binary, so that it links once; `meta` fails on a file that is not listed here.

mod support;

mod caching;
mod meta;
