//! The project root, on disk.

use std::path::Path;

use super::*;
use crate::paths::AbsPath;
use crate::sys::fs;

/// A temporary folder with empty files in it.
fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, AbsPath) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = AbsPath::new(folder.path()).expect("an absolute path");
    for (name, text) in files {
        let path = root.join(name);
        fs::create_folder(path.as_path().parent().expect("a parent")).expect("a folder");
        fs::write_atomic(path.as_path(), text.as_bytes()).expect("a file");
    }
    (folder, root)
}

#[track_caller]
fn check(files: &[(&str, &str)], cwd: &str, expected: Option<(&str, ConfigFile)>) {
    let (_folder, root) = folder(files);
    fs::create_folder(root.join(cwd).as_path()).expect("a folder");
    let found = discover(&root.join(cwd), Some(&root)).ok();
    let expected = expected.map(|(folder, file)| Found { root: root.join(folder), file });
    // Joining an empty path adds a slash, which is equal by component.
    let shown = |found: Option<Found>| {
        found.map(|f| (f.root.as_path().components().collect::<std::path::PathBuf>(), f.file))
    };
    assert_eq!(shown(found), shown(expected));
}

#[test]
fn the_outermost_file_up_to_the_git_root_wins() {
    let qik = Some(("", ConfigFile::QikToml));
    check(&[("qik.toml", "")], "", qik);
    check(&[("qik.toml", "")], "a/b", qik);
    check(&[("qik.toml", ""), ("a/qik.toml", "")], "a/b", qik);
    check(&[("a/qik.toml", "")], "a/b", Some(("a", ConfigFile::QikToml)));
    check(&[("a/qik.toml", "")], "", None);
}

#[test]
fn nothing_above_the_git_root_counts() {
    let (_folder, root) = folder(&[("qik.toml", ""), ("repo/x", "")]);
    let repo = root.join("repo");
    assert!(discover(&repo, Some(&repo)).is_err());
    assert!(discover(&repo, None).is_ok());
}

#[test]
fn a_pyproject_counts_where_there_is_no_qik_toml() {
    let tool = "[tool.qik]\n";
    let pyproject = Some(("", ConfigFile::Pyproject));
    check(&[("pyproject.toml", tool)], "a", pyproject);
    check(&[("pyproject.toml", tool), ("a/pyproject.toml", tool)], "a", pyproject);
    check(&[("pyproject.toml", "[project]\n")], "a", None);
    check(&[("pyproject.toml", "broken = [")], "a", None);
    check(&[("pyproject.toml", "broken = [\n[tool.qik]\n")], "a", None);
    check(&[("pyproject.toml", tool), ("a/qik.toml", "")], "a", Some(("a", ConfigFile::QikToml)));
}

#[test]
fn a_folder_of_that_name_is_no_file() {
    let (_folder, root) = folder(&[("qik.toml/x", "")]);
    let error = discover(&root, Some(&root)).expect_err("no project");
    let text = rendered(&error).replace(&root.to_string(), "[ROOT]");
    insta::assert_snapshot!(text, @r#"
    error[conf0]: there is no `qik.toml` in `[ROOT]`
    because: `[ROOT]/qik.toml` is not a file
    hint: write a `qik.toml` to begin with:
      [commands.hello]
      exec = "echo hello"
      deps = ["*.md"]
    more: docs/errors.md#conf0
    "#);
}

#[test]
fn without_a_file_the_way_to_start_is_shown() {
    let (_folder, root) = folder(&[("a/x", "")]);
    let error = discover(&root.join("a"), Some(&root)).expect_err("no project");
    let text = rendered(&error).replace(&root.to_string(), "[ROOT]");
    insta::assert_snapshot!(text, @r#"
    error[conf0]: there is no `qik.toml` in `[ROOT]/a` or above it, up to `[ROOT]`
    hint: write a `qik.toml` to begin with:
      [commands.hello]
      exec = "echo hello"
      deps = ["*.md"]
    more: docs/errors.md#conf0
    "#);
}

#[test]
fn files_are_read_below_the_root() {
    let (_folder, root) = folder(&[
        ("qik.toml", "spaces.default.modules = [\"m\", \"n\"]\n"),
        ("m/qik.toml", "[commands]\na = \"x\"\n"),
    ]);
    let project = load(ConfigFile::QikToml, &read_from_disk(&root), 1).expect("it loads");
    assert!(project.declarations.commands.contains_key("m/a"));
}

#[test]
fn a_folder_in_the_place_of_a_module_s_file_is_an_error() {
    let (_folder, root) =
        folder(&[("qik.toml", "spaces.default.modules = [\"m\"]\n"), ("m/qik.toml/x", "")]);
    let error = load(ConfigFile::QikToml, &read_from_disk(&root), 1).expect_err("no file");
    let text = rendered(&error).replace(&root.to_string(), "[ROOT]");
    insta::assert_snapshot!(text, @"
    error[run0]: cannot read `[ROOT]/m/qik.toml`
    because: not a regular file
    more: docs/errors.md#run0
    ");
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let (_folder, root) = folder(&[]);
    let path = root.join("qik.toml");
    fs::write_atomic(path.as_path(), b"").expect("a file");
    let file = std::fs::OpenOptions::new().write(true).open(path.as_path() as &Path);
    file.expect("a file").set_len(1 << 40).expect("a hole");
    let error = load(ConfigFile::QikToml, &read_from_disk(&root), 1).expect_err("too large");
    assert!(rendered(&error).contains("larger than 16 MiB"));
}
