//! Fuzzes the entry point of this name in `qik::fuzzing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| qik::fuzzing::sources(bytes));
