//! How the program is linked. A build script: no part of the library.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by variables alone")]

use std::env::var_os;
use std::path::Path;
use std::process::Command;

/// GCC's unwinder as an archive.
const UNWINDER: &str = "libgcc_eh.a";

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let is_set = |name: &str, value: &str| var_os(name).is_some_and(|it| it == value);
    if is_set("CARGO_CFG_TARGET_OS", "linux") && is_set("CARGO_CFG_TARGET_ENV", "gnu") {
        // At a fixed address: otherwise each start takes a third of its time for 38,000 addresses
        // that have to be put right, in a program that does little else when all is warm.
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // One library less to load at each start. What std links to comes first, so that only all
        // of the archive takes its place.
        if has_unwinder() {
            let args = format!("-Wl,--whole-archive,-l:{UNWINDER},--no-whole-archive");
            println!("cargo::rustc-link-arg-bins={args}");
        }
    }
}

/// Whether the compiler that links has the archive: it prints the path where it has.
fn has_unwinder() -> bool {
    let linker = var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(linker).arg(format!("-print-file-name={UNWINDER}")).output();
    let path = asked.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    path.is_ok_and(|path| Path::new(&path).is_absolute())
}
