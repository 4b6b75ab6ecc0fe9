//! Runnables that are being run above this process: a command may call qik again.
//!
//! What an ancestor has claimed is never waited for, for the ancestor waits for us. The list
//! travels in the environment, since that is all that a command's own programs are sure to pass
//! on. Pure.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::paths::AbsPath;
use crate::sys::Env;

/// The variable that holds the list.
pub(super) const VARIABLE: &str = "QIK__ANCESTRY";

/// One line of the list. No name holds a control character; a root that holds one can at worst
/// be taken for another, whose claims are then not waited for.
fn line(root: &AbsPath, runnable: &str) -> Vec<u8> {
    [root.as_path().as_os_str().as_bytes(), b"\t", runnable.as_bytes(), b"\n"].concat()
}

/// Whether a runnable is run by an ancestor of a process with this environment.
pub(super) fn holds(env: &Env, root: &AbsPath, runnable: &str) -> bool {
    let Some(list) = env.get(OsStr::new(VARIABLE)) else { return false };
    has_line(list.as_bytes(), &line(root, runnable))
}

/// Whether a process with this environment, as the system lists it, is run for a runnable.
pub(super) fn is_in(environment: &[u8], root: &AbsPath, runnable: &str) -> bool {
    let name = [VARIABLE.as_bytes(), b"="].concat();
    let mut variables = environment.split(|byte| *byte == 0);
    let list = variables.find_map(|variable| variable.strip_prefix(&name[..]));
    list.is_some_and(|list| has_line(list, &line(root, runnable)))
}

fn has_line(list: &[u8], line: &[u8]) -> bool {
    list.split_inclusive(|byte| *byte == b'\n').any(|other| other == line)
}

/// The list for a command of this runnable.
pub(super) fn extended(env: &Env, root: &AbsPath, runnable: &str) -> OsString {
    let mut list = env.get(OsStr::new(VARIABLE)).map(|list| list.as_bytes().to_vec());
    let list = list.get_or_insert_default();
    list.extend(line(root, runnable));
    OsString::from_vec(std::mem::take(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_above_is_known() {
        let [here, there] = ["/here", "/there"].map(|path| AbsPath::new(path).unwrap());
        let mut env = Env::new();
        assert!(!holds(&env, &here, "ci"));
        for name in ["ci", "lint#a"] {
            let list = extended(&env, &here, name);
            env.insert(VARIABLE.into(), list);
        }
        assert!(holds(&env, &here, "ci") && holds(&env, &here, "lint#a"));
        assert!(!holds(&env, &here, "lint") && !holds(&env, &there, "ci"));
        let listed = [b"A=1\0QIK__ANCESTRY=", env[OsStr::new(VARIABLE)].as_bytes(), b"\0B=2\0"];
        let listed = listed.concat();
        assert!(is_in(&listed, &here, "ci") && is_in(&listed, &here, "lint#a"));
        assert!(!is_in(&listed, &there, "ci") && !is_in(b"", &here, "ci"));
    }
}
