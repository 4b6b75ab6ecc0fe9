//! How the program is linked. A build script: no part of the library.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by variables alone")]

use std::env::var_os;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let is_set = |name: &str, value: &str| var_os(name).is_some_and(|it| it == value);
    // At a fixed address: otherwise each start takes a third of its time for 38,000 addresses that
    // have to be put right, in a program that does little else when all is warm.
    if is_set("CARGO_CFG_TARGET_OS", "linux") && is_set("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
