//! qik through its binary, in hermetic git repositories: one file for each rule of the contract.
//!
//! One test binary, so that it links once; `meta` fails on a file that is not listed here.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test makes the machine that it looks at, and fails by panicking"
)]
#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::naive_bytecount,
    reason = "speed is nothing to the texts that a test makes, plain words are"
)]

mod support;

mod artifacts;
mod caching;
mod command_deps;
mod concurrent_edits;
mod context;
mod crash;
mod crowds;
mod damage;
mod disks;
mod docs;
mod errors;
mod errors_at_work;
mod errors_in_templates;
mod examples;
mod hashing;
mod legacy;
mod meta;
mod model;
mod odd_names;
mod own_work;
mod pygraph;
mod pygraph_fences;
mod pygraph_generated;
mod pygraph_roots;
mod python_dist;
mod qikx;
mod random_histories;
mod recalling;
mod repo_cache;
mod repositories;
mod running;
mod s3;
mod s3_faults;
mod s3_untrusted;
mod secrets;
mod seeds;
mod selection;
mod shortage;
mod signals;
mod since;
mod spaces;
mod streams;
mod timings;
mod two_processes;
mod upstream_artifacts;
mod uv;
mod watch;
mod worktrees;
