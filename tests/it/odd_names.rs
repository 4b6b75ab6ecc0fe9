//! Deps with any name that git allows: matched by a folder, by a glob, and by the name itself.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::hashing::check_edits;
use crate::support::Project;

const NAMES: &[&str] = &[
    "two words.dat",
    " leading and trailing ",
    "it's \"quoted\" `twice`.dat",
    "-dash.dat",
    "--option=value",
    "[ab].dat",
    "star*.dat",
    "question?.dat",
    "back\\slash.dat",
    "new\nline.dat",
    "tab\there.dat",
    "dollar $HOME $(touch PWNED).dat",
    "semi;colon&and|pipe.dat",
    "ümläut-日本-🎈.dat",
    "#hash@at!bang.dat",
    "{brace}.dat",
    "comma,colon:.dat",
];

#[test]
fn a_folder_holds_files_of_any_name() {
    let project = Project::hello(r#"["odd"]"#);
    for name in NAMES {
        project.file(format!("odd/{name}"), "one\n");
    }
    project.commit();
    project.reruns("hello");
    for name in NAMES {
        for content in ["once\n", "more\n"] {
            project.file(format!("odd/{name}"), content);
            assert!(project.reruns("hello"), "{name:?} {content:?}");
        }
    }
    assert!(!project.reruns("hello"));
    assert!(!project.exists("PWNED"));
}

#[test]
fn names_that_are_not_utf8_are_bytes() {
    let project = Project::hello(r#"["odd/*"]"#);
    let name = |bytes: &'static [u8]| std::path::Path::new("odd").join(OsStr::from_bytes(bytes));
    project.file(name(b"\xff.dat"), "one\n").file(name(b"\xfe.dat"), "one\n").commit();
    check_edits(&project, name(b"\xff.dat"));
    check_edits(&project, name(b"\xfe.dat"));
    project.remove(name(b"\xff.dat"));
    assert!(project.reruns("hello"));
    project.commit();
    assert!(!project.reruns("hello"));
}

#[test]
fn a_name_of_its_own_is_a_pattern() {
    let names = ["two words.dat", "it's.dat", "-dash.dat", "--option", "ümläut.dat", "#x", "a&b"];
    for name in names {
        let project = Project::hello(&format!("[\"{name}\"]"));
        project.file(name, "one\n").commit();
        project.reruns("hello");
        project.file("a.txt", "foreign\n");
        assert!(!project.reruns("hello"), "{name:?} holds other files");
        check_edits(&project, name);
    }
}

#[test]
fn names_with_magic_characters_can_be_named() {
    for (pattern, name) in [
        ("[ab].dat", "[ab].dat"),
        (":(literal)[ab].dat", "[ab].dat"),
        ("back\\\\\\\\slash", "back\\slash"),
        ("./:colon", ":colon"),
        (":(literal):colon", ":colon"),
        ("new\\nline", "new\nline"),
        ("tab\\there", "tab\there"),
        ("star\\\\*", "star*"),
        ("{{brace}}", "{brace}"),
        ("{brace}", "{brace}"),
    ] {
        let project = Project::hello(&format!("[\"{pattern}\"]"));
        project.file(name, "one\n").file("starfish", "one\n").commit();
        project.reruns("hello");
        project.file("starfish", "two\n").file("a.txt", "foreign\n");
        assert!(!project.reruns("hello"), "{pattern:?} holds other files");
        check_edits(&project, name);
    }
}

#[test]
fn artifacts_and_commands_may_have_odd_names() {
    let project = Project::new();
    project.toml(
        r#"
        [commands."build it (now) & then"]
        exec = "{tick odd}; cp a.txt 'two words.out'; cp a.txt ./-dash.out; cp a.txt 'é.out'"
        deps = ["a.txt"]
        artifacts = ["two words.out", "-dash.out", "é.out"]
        "#,
    );
    project.file("a.txt", "one\n").commit();
    for _ in 0..2 {
        project.qik(["build it (now) & then"]).ok().warns_not();
        for name in ["two words.out", "-dash.out", "é.out"] {
            assert_eq!(project.read(name), "one\n");
            project.remove(name);
        }
    }
    assert_eq!(project.runs("odd"), 1);
    assert_eq!(project.ls([""; 0]), ["build it (now) & then"]);
}
