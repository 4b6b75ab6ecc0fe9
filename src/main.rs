//! The program `qik`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    qik::cli::run(std::env::args_os().collect()).into()
}
