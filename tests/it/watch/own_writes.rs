//! What commands write themselves starts no loop.

use super::{Watching, project};
use crate::support::{Project, until};

/// Watches, edits `a.txt`, and gives how often each of the commands has run by then and after.
#[track_caller]
fn check(toml: &str, files: &[(&str, &str)], expected: &[(&str, [usize; 2])]) {
    let project = project(toml);
    for (path, text) in files {
        project.file(path, text);
    }
    project.commit();
    check_project(&project, expected);
}

#[track_caller]
fn check_project(project: &Project, expected: &[(&str, [usize; 2])]) {
    let watching = Watching::start(project, &[]);
    watching.settled();
    let first: Vec<usize> = expected.iter().map(|(name, _)| watching.runs(name)).collect();
    watching.edit("a.txt", "an edit\n");
    watching.settled();
    let counts: Vec<(&str, [usize; 2])> = expected
        .iter()
        .zip(first)
        .map(|((name, _), first)| (*name, [first, watching.runs(name)]))
        .collect();
    assert_eq!(counts, expected, "{}", watching.said());
    watching.settled();
    let later: Vec<usize> = expected.iter().map(|(name, _)| watching.runs(name)).collect();
    assert_eq!(later, counts.iter().map(|(_, count)| count[1]).collect::<Vec<_>>());
    watching.end().exits(0).no_panic();
}

/// Writes its input in capitals, in its own time, once it is not yet so.
const FORMATS: &str = "{tick x}; tr a-z A-Z < a.txt > new; cat new > a.txt; rm new";

#[test]
fn a_declared_formatter_runs_once_for_a_save() {
    let toml = |more: &str| {
        format!(
            "[commands.x]\nexec = '{FORMATS}'\ndeps = ['*.txt', ':!probe.txt']\nrewrites = true\n{more}"
        )
    };
    check(&toml(""), &[("a.txt", "one\n")], &[("x", [1, 2])]);
    check(&toml("cache = 'none'\n"), &[("a.txt", "one\n")], &[("x", [1, 2])]);
}

#[test]
fn an_undeclared_formatter_runs_until_there_is_nothing_to_format() {
    let toml = |more: &str| format!("[commands.x]\nexec = '{FORMATS}'\ndeps = ['a.txt']\n{more}\n");
    check(&toml(""), &[("a.txt", "one\n")], &[("x", [2, 4])]);
    check(&toml("cache = 'none'"), &[("a.txt", "one\n")], &[("x", [2, 4])]);
}

#[test]
fn a_formatter_that_fails_does_not_loop() {
    let toml =
        format!("[commands.x]\nexec = '{FORMATS}; false'\ndeps = ['a.txt']\nrewrites = true\n");
    check(&toml, &[("a.txt", "one\n")], &[("x", [1, 2])]);
}

#[test]
fn a_command_that_touches_its_deps_does_not_loop() {
    let toml = "[commands.x]\nexec = '{tick x}; touch a.txt'\ndeps = ['a.txt']\ncache = 'none'\n";
    check(toml, &[("a.txt", "one\n")], &[("x", [1, 2])]);
}

#[test]
fn a_command_that_writes_something_else_each_time_stops_after_two_more_runs() {
    let toml = "[commands.x]\nexec = '{tick x}; date +%N >> log.txt'\ndeps = ['a.txt', 'log.txt']\n\
                cache = 'none'\n";
    check(toml, &[("a.txt", "one\n"), ("log.txt", "")], &[("x", [3, 4])]);
}

#[test]
fn a_code_generator_inside_a_watched_glob_runs_its_readers_once() {
    let toml = "
        [commands.x]\nexec = '{tick x}; cp a.txt src/made.txt'\ndeps = ['a.txt']
        [commands.y]\nexec = '{tick y}'\ndeps = ['src', {type = 'command', name = 'x'}]\n";
    let files = [("a.txt", "one\n"), ("src/made.txt", "zero\n")];
    check(toml, &files, &[("x", [1, 2]), ("y", [1, 2])]);
}

#[test]
fn a_generator_of_its_own_input_does_not_loop() {
    let toml = "[commands.x]\nexec = '{tick x}; wc -c < a.txt > src/made.txt'\n\
                deps = ['a.txt', 'src']\nartifacts = ['src/made.txt']\n";
    let files = [("a.txt", "one\n"), ("src/made.txt", "zero\n")];
    check(toml, &files, &[("x", [1, 2])]);
    check(&toml.replace("artifacts", "cache = 'none'\nartifacts"), &files, &[("x", [1, 2])]);
}

#[test]
fn restored_artifacts_start_nothing() {
    let project = project(
        "[commands.x]\nexec = '{tick x}; cp a.txt out/made.txt'\ndeps = ['a.txt']\n\
         artifacts = ['out/made.txt']\n
         [commands.y]\nexec = '{tick y}'\ndeps = ['out', {type = 'command', name = 'x', strict = true}]\n",
    );
    project.file("a.txt", "one\n").file("out/kept.txt", "kept\n").commit();
    let watching = Watching::start(&project, &[]);
    watching.edit("a.txt", "two\n");
    watching.settled();
    assert_eq!((watching.runs("x"), watching.runs("y")), (2, 2));
    watching.edit("a.txt", "one\n");
    watching.settled();
    assert_eq!(project.read("out/made.txt"), "one\n", "restored");
    assert_eq!((watching.runs("x"), watching.runs("y")), (2, 2), "all of it is warm");
    watching.end().exits(0);
}

#[test]
fn an_artifact_that_git_tracks_is_made_anew_and_starts_nothing_else() {
    let project = project(
        "[commands.x]\nexec = '{tick x}; cp a.txt out/made.txt'\ndeps = ['a.txt']\n\
         artifacts = ['out/made.txt']\n
         [commands.y]\nexec = '{tick y}'\ndeps = ['out', {type = 'command', name = 'x'}]\n",
    );
    project.file("a.txt", "one\n").file("out/made.txt", "one\n").commit();
    let watching = Watching::start(&project, &[]);
    watching.edit("a.txt", "two\n");
    watching.settled();
    assert_eq!((watching.runs("x"), watching.runs("y")), (2, 2));
    watching.edit("a.txt", "one\n");
    watching.settled();
    assert_eq!(project.read("out/made.txt"), "one\n", "made, not restored over somebody's work");
    assert_eq!((watching.runs("x"), watching.runs("y")), (3, 2), "what reads it is warm");
    watching.end().exits(0);
}

#[test]
fn the_repo_cache_s_files_start_nothing() {
    let project = project(
        "[commands.x]\nexec = '{tick x}'\ndeps = ['a.txt', '.qik', '**.json']\ncache = 'repo'\n",
    );
    project.file("a.txt", "one\n").commit();
    let watching = Watching::start(&project, &["x", "probe"]);
    watching.settled();
    let runs = watching.runs("x");
    watching.edit("a.txt", "two\n");
    assert_eq!(watching.settled(), ["a.txt"]);
    assert_eq!((runs, watching.runs("x")), (1, 2));
    assert!(project.exists(".qik/cache/x/x.json") || !project.tracked(".qik").is_empty());
}

#[test]
fn commands_that_start_each_other_are_stopped() {
    let project = project(
        "[commands.x]\nexec = '{tick x}; date +%N > b.txt'\ndeps = ['a.txt']\ncache = 'none'
        [commands.y]\nexec = '{tick y}; date +%N > a.txt'\ndeps = ['b.txt']\ncache = 'none'\n",
    );
    project.file("a.txt", "").file("b.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    // Side by side they write each other's input in every run, which is then known; one after
    // the other they rest after 21 rounds, and in the end are stopped, which is said.
    watching.settled();
    let runs = watching.runs("x");
    watching.settled();
    assert!(watching.runs("x") <= runs + 1, "{}", watching.said());
    let is_told = watching.said().contains("warning[watch0]");
    assert!(is_told || runs <= 21, "{runs}");
    watching.end().exits(0);
}

#[test]
fn a_file_saved_while_a_formatter_runs_for_another_is_formatted() {
    let exec = "{tick x}; for f in a b; do tr a-z A-Z < $f.txt > new; \
                cmp -s new $f.txt || cat new > $f.txt; rm new; \
                if [ -e slow ]; then touch waiting; {wait go}; fi; done";
    let project = project(&format!(
        "[commands.x]\nexec = '{exec}'\ndeps = ['a.txt', 'b.txt']\nrewrites = true\n"
    ));
    project.file("a.txt", "one\n").file("b.txt", "one\n").commit();
    let watching = Watching::start(&project, &[]);
    project.file("slow", "").file("b.txt", "two\n");
    until("it is done with the first file", || project.exists("waiting"));
    let idle_count = watching.idle_count();
    project.file("a.txt", "late\n").remove("slow").file("go", "");
    until("both are formatted", || {
        project.read("a.txt") == "LATE\n" && project.read("b.txt") == "TWO\n"
    });
    until("the rounds are over", || watching.idle_count() > idle_count);
    watching.settled();
    assert_eq!(watching.runs("x"), 3);
}
