//! What is fuzzed: entry points that take any bytes, for `tests/fuzz`; their corpora are replayed
//! by `cargo test`. Pure but for those that read files, of a temporary folder.
//!
//! An entry point panics if what it calls does, or if a property does not hold that is worth more
//! than not to panic.

use crate::config::{self, ConfigFile, Project};
use crate::context::{Context, QikFields};
use crate::error::{Error, Severity, render};
use crate::plan::{self, Isolation, Planner};
use crate::pygraph;
use crate::python;
use crate::space::Spaces;
use crate::sys::Env;
use crate::sys::veil::Veil;

pub use crate::cache::fuzzing::{archive, entry, memo};
pub use crate::config::fuzzing::template;
pub use crate::git::fuzzing::{attributes, listings, pathspec, repository};
pub use crate::hash::fuzzing::load;
pub use crate::pygraph::fuzzing::imports;
pub use crate::report::fuzzing::output;
pub use crate::space::fuzzing::dotenv;

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// The entry points; each is also a program of `tests/fuzz` and a folder of its corpus.
pub const TARGETS: [(&str, Target); 16] = [
    ("archive", archive),
    ("attributes", attributes),
    ("config", config),
    ("dotenv", dotenv),
    ("entry", entry),
    ("environment", environment),
    ("imports", imports),
    ("listings", listings),
    ("load", load),
    ("lock_file", lock_file),
    ("memo", memo),
    ("output", output),
    ("pathspec", pathspec),
    ("repository", repository),
    ("sources", sources),
    ("template", template),
];

/// What stands between several files.
const NEXT_FILE: &[u8] = b"\n#---\n";

/// A configuration in both dialects: read, its errors shown, its commands planned.
pub fn config(bytes: &[u8]) {
    let texts = files(bytes);
    for file in [ConfigFile::QikToml, ConfigFile::Pyproject] {
        let read = |name: &str| {
            let place = usize::from(name != file.name());
            Ok(texts.get(place).map(|text| text.to_vec()))
        };
        match config::load(file, &read, 1) {
            Ok(project) => plan(&project),
            Err(error) => show(&error),
        }
    }
}

/// What is installed: the files of a `site-packages`, each with its path in the first line.
pub fn environment(bytes: &[u8]) {
    python::fuzzing::environment(&files(bytes));
}

/// A lock file or requirements, and a file that they may include.
pub fn lock_file(bytes: &[u8]) {
    python::fuzzing::lock_file(&files(bytes));
}

/// Python sources, each with its path in the first line.
pub fn sources(bytes: &[u8]) {
    pygraph::fuzzing::sources(&files(bytes));
}

fn files(bytes: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE) {
        files.push(&rest[..at]);
        rest = &rest[at + NEXT_FILE.len()..];
    }
    files.push(rest);
    files
}

/// Everything up to the graph, for every command by itself.
fn plan(project: &Project) {
    let declarations = &project.declarations;
    let qik = QikFields::default();
    let context = match Context::new(declarations, &Env::new(), None, qik, &Veil::default()) {
        Ok(context) => context,
        Err(error) => return show(&error),
    };
    let spaces = Spaces::new(declarations);
    let planner = Planner::new(declarations, &spaces, &context);
    for name in declarations.commands.keys() {
        let candidates = match planner.expand(name) {
            Ok(candidates) => candidates,
            Err(error) => {
                show(&error);
                continue;
            }
        };
        match plan::build(&planner, candidates, Isolation::Joined) {
            Ok(graph) => assert_eq!(graph.topological().len(), graph.runnables.len()),
            Err(error) => show(&error),
        }
    }
}

fn show(error: &Error) {
    for diagnostic in error.diagnostics() {
        assert!(!diagnostic.message.is_empty());
        assert!(!render(diagnostic, Severity::Error).is_empty());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TARGETS;
    use crate::sys::fs;

    #[test]
    fn every_corpus_is_taken() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
        for (name, target) in TARGETS {
            let inputs = fs::list(&folder.join(name)).unwrap();
            assert!(!inputs.is_empty(), "{name} has no corpus");
            for input in inputs {
                let bytes = fs::read(&input).unwrap();
                let done = std::panic::catch_unwind(|| target(&bytes));
                assert!(done.is_ok(), "{} fails", input.display());
            }
        }
    }

    #[test]
    fn every_target_is_a_program_and_has_a_corpus_and_no_other_is_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
        let stems = |folder: &str, paths: &Path| -> Vec<String> {
            let list = fs::list(&paths.join(folder)).unwrap();
            let stem =
                |path: &std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut stems: Vec<String> = list.iter().map(stem).collect();
            stems.sort();
            stems
        };
        let names = TARGETS.map(|(name, _)| name.to_owned());
        assert_eq!(stems("targets", &folder), names);
        assert_eq!(stems("corpus", &folder), names);
        let manifest = String::from_utf8(fs::read(&folder.join("Cargo.toml")).unwrap()).unwrap();
        for name in names {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
        }
    }
}
