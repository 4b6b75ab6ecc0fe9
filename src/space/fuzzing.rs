//! Dotenv files as entry points of fuzzing. Pure.

use super::dotenv::assign;
use crate::error::{Severity, render};
use crate::sys::Env;

/// A dotenv file; what it sets does not depend on what follows it.
pub fn dotenv(bytes: &[u8]) {
    let mut env = Env::from([("HOME".into(), "/home".into())]);
    match assign(&mut env, ".env", bytes) {
        Ok(()) => {
            let mut more = Env::from([("HOME".into(), "/home".into())]);
            let followed = [bytes, b"\nLAST=1\n"].concat();
            assert!(assign(&mut more, ".env", &followed).is_ok());
            env.insert("LAST".into(), "1".into());
            assert_eq!(env, more);
        }
        Err(diagnostic) => assert!(!render(&diagnostic, Severity::Error).is_empty()),
    }
}
