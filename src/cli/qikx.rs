//! What was typed after `qikx`, or after `qik :x`. Nothing behind the program's name is looked at.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::error::{Code, Diagnostic, Result};

/// The name by which the program is called to be `qikx`, and the word that means the same.
const LINK_NAME: &str = "qikx";
const WORD: &str = ":x";

/// What `--help` prints.
pub(super) const HELP: &str = "\
Runs a program in the environment of a space of `qik.toml`.

Usage: qikx PROGRAM[@SPACE] [ARGS]...
       qikx --install [SPACE]...

The space is the one whose `root` holds the working directory, unless @SPACE names another,
else `default`. The program takes the place of qikx, and gets all ARGS as they are.
`qik :x` is the same as `qikx`.

Options:
      --install  Bring the virtual environments of all spaces, or of some, up to date
  -h, --help     Print this
  -V, --version  Print the version
";

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Help,
    Version,
    /// The virtual environments of these spaces; of all if there are none.
    Install(Vec<String>),
    Program {
        program: OsString,
        space: Option<String>,
        args: Vec<OsString>,
    },
}

/// The words after `qikx`; `None` if the program was called by another name.
pub(super) fn words(argv: &[OsString]) -> Option<&[OsString]> {
    let (name, rest) = argv.split_first()?;
    if std::path::Path::new(name).file_name() == Some(OsStr::new(LINK_NAME)) {
        return Some(rest);
    }
    let (word, rest) = rest.split_first()?;
    (word == WORD).then_some(rest)
}

/// What the words ask for.
pub(super) fn parse(words: &[OsString]) -> Result<Request> {
    let (first, rest) = match words {
        [dashes, first, rest @ ..] if dashes == "--" => return Ok(program(first, rest)),
        [first, rest @ ..] => (first, rest),
        [] => return Err(usage("there is no program to run").into()),
    };
    match first.to_str() {
        Some("-h" | "--help") => Ok(Request::Help),
        Some("-V" | "--version") => Ok(Request::Version),
        Some("--install") => {
            let spaces = rest.iter().map(|word| word.to_string_lossy().into_owned());
            Ok(Request::Install(spaces.collect()))
        }
        _ if first.as_bytes().starts_with(b"-") => {
            Err(usage(&format!("`{}` is no option of `qikx`", first.display())).into())
        }
        _ => Ok(program(first, rest)),
    }
}

/// `PROGRAM[@SPACE]`: what is behind the last `@` is a space unless it is a path.
fn program(word: &OsStr, args: &[OsString]) -> Request {
    let bytes = word.as_bytes();
    let at = bytes.iter().rposition(|byte| *byte == b'@').filter(|at| *at > 0);
    let space = at.and_then(|at| std::str::from_utf8(&bytes[at + 1..]).ok());
    let space = space.filter(|space| !space.contains('/'));
    let program = match (at, space) {
        (Some(at), Some(_)) => OsStr::from_bytes(&bytes[..at]),
        _ => word,
    };
    Request::Program {
        program: program.to_owned(),
        space: space.map(str::to_owned),
        args: args.to_vec(),
    }
}

fn usage(message: &str) -> Diagnostic {
    Diagnostic::new(Code::UsageInvalid, message).hint("`qikx PROGRAM[@SPACE] ARGS…` runs a program")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[track_caller]
    fn check(words: &[&str], program: &str, space: Option<&str>, args: &[&str]) {
        let expected = Request::Program {
            program: program.into(),
            space: space.map(str::to_owned),
            args: owned(args),
        };
        assert_eq!(parse(&owned(words)).unwrap(), expected);
    }

    #[test]
    fn arguments_are_the_programs_own() {
        check(&["ls", "-h", "--install", "@x"], "ls", None, &["-h", "--install", "@x"]);
        check(&["--", "--install"], "--install", None, &[]);
        check(&["pytest", "--", "-x"], "pytest", None, &["--", "-x"]);
    }

    #[test]
    fn a_space_stands_behind_the_program() {
        check(&["ruff@lint", "check"], "ruff", Some("lint"), &["check"]);
        check(&["a@b@c"], "a@b", Some("c"), &[]);
        check(&["./node_modules/@scope/tool"], "./node_modules/@scope/tool", None, &[]);
        check(&["@odd"], "@odd", None, &[]);
        check(&["ruff@"], "ruff", Some(""), &[]);
    }

    #[test]
    fn options_are_qikxs_own_before_the_program() {
        assert_eq!(parse(&owned(&["--help"])).unwrap(), Request::Help);
        assert_eq!(parse(&owned(&["-V"])).unwrap(), Request::Version);
        let spaces = vec!["one".to_owned(), "two".to_owned()];
        assert_eq!(parse(&owned(&["--install", "one", "two"])).unwrap(), Request::Install(spaces));
        assert!(parse(&owned(&["--watch"])).is_err());
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn it_is_called_by_its_name_or_by_a_word() {
        assert_eq!(words(&owned(&["/opt/bin/qikx", "ls"])), Some(&owned(&["ls"])[..]));
        assert_eq!(words(&owned(&["qik", ":x", "ls"])), Some(&owned(&["ls"])[..]));
        assert_eq!(words(&owned(&["qik", "x"])), None);
        assert_eq!(words(&owned(&["qik"])), None);
    }
}
