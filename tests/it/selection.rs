//! Selectors: names, modules, spaces, tags, caches, status, and how they narrow each other.

use crate::support::Project;

/// No arguments: everything.
const ALL: [&str; 0] = [];

const CACHES: &str = "
    [commands]
    bare = '{tick bare}'
    [commands.never]
    exec = '{tick never}'
    deps = ['a.txt']
    cache = 'none'
    tags = ['t']
    [commands.here]
    exec = '{tick here}'
    deps = ['a.txt']
    tags = ['t', 'fast']
    [commands.shared]
    exec = '{tick shared}'
    deps = ['b.txt']
    cache = 'repo'
    tags = ['slow']
";

fn caches() -> Project {
    let project = Project::new();
    project.toml(CACHES).file("a.txt", "one").file("b.txt", "one").commit();
    project
}

/// How often each of the commands has run.
fn runs(project: &Project) -> [usize; 4] {
    ["bare", "never", "here", "shared"].map(|name| project.runs(name))
}

#[track_caller]
fn check(project: &Project, args: &[&str], expected: &[&str]) {
    assert_eq!(project.ls(args), expected, "{args:?}");
}

#[test]
fn names_select_and_the_rest_does_not_run() {
    let project = caches();
    project.qik(["bare", "here", "bare"]).ok();
    assert_eq!(runs(&project), [1, 0, 1, 0]);
    project.qik(ALL).ok();
    assert_eq!(runs(&project), [2, 1, 1, 1]);
    project.qik(["bare", "nonesuch", "heer"]).errs("conf5").says("nonesuch").says("`here`");
    assert_eq!(runs(&project), [2, 1, 1, 1], "one wrong name stops all");
}

#[test]
fn lists_are_sorted_names_on_stdout_and_nothing_runs() {
    let project = caches();
    project.qik(["--ls"]).ok().prints("bare\nhere\nnever\nshared\n");
    project.qik(["shared", "bare", "--ls"]).ok().prints("bare\nshared\n");
    project.qik(["--ls", "--cache-status", "warm"]).ok().prints("");
    assert_eq!(runs(&project), [0; 4]);
    assert_eq!(project.ls(ALL), project.ls(["-n", "1", "-v", "2", "-l", "json"]));
}

#[test]
fn fail_fails_if_anything_is_selected_and_runs_nothing() {
    let project = caches();
    project.qik(["--fail"]).exits(1);
    project.qik(["--fail", "--ls", "bare"]).exits(1).prints("bare\n");
    project.qik(["--fail", "--cache-status", "warm"]).ok().prints("");
    assert_eq!(runs(&project), [0; 4]);
}

#[test]
fn caches_and_their_status_select() {
    let project = caches();
    check(&project, &["--cache", "repo"], &["shared"]);
    check(&project, &["--cache", "repo", "--cache", "local"], &["here", "shared"]);
    check(&project, &["--cache", "none"], &["bare", "never"]);
    check(&project, &["--cache-type", "repo"], &["shared"]);
    check(&project, &["here", "--cache", "repo"], &[]);
    check(&project, &["--cache-status", "cold"], &["here", "shared"]);
    check(&project, &["-f", "--cache-status", "cold"], &["here", "shared"]);
    project.qik(["here"]).ok();
    check(&project, &["--cache-status", "cold"], &["shared"]);
    check(&project, &["--cache-status", "warm"], &["here"]);
    check(&project, &["-f", "--cache-status", "warm"], &["here"]);
    project.qik(["--cache-status", "warm"]).ok();
    assert_eq!(runs(&project), [0, 0, 1, 0]);
    project.qik(["--cache-status", "cold"]).ok();
    assert_eq!(runs(&project), [0, 0, 1, 1]);
    project.file("a.txt", "two");
    check(&project, &["--cache-status", "cold"], &["here"]);
    project.qik(["--cache", "nonesuch"]).errs("conf9").says("nonesuch");
    project.qik(["--cache", "rpo"]).errs("conf9").says("did you mean `repo`?");
    project.qik(["--cache-status", "tepid"]).no_panic().exits(2).says("tepid").says("warm");
}

#[test]
fn status_looks_at_what_would_be_replayed_down_the_graph() {
    let project = Project::new();
    project.toml(
        r"
        [commands.gen]
        exec = 'cp in.txt gen.out'
        deps = ['in.txt']
        artifacts = ['gen.out']
        [commands.use]
        exec = 'cat gen.out'
        deps = [{type = 'command', name = 'gen'}]
        ",
    );
    project.file("in.txt", "one").file(".gitignore", "*.out\n").commit();
    check(&project, &["--cache-status", "cold"], &["gen", "use"]);
    project.qik(ALL).ok();
    check(&project, &["--cache-status", "warm"], &["gen", "use"]);
    project.remove("gen.out");
    check(&project, &["--cache-status", "warm"], &["gen", "use"]);
    assert!(!project.exists("gen.out"));
    project.file("in.txt", "two");
    assert!(project.ls(["--cache-status", "cold"]).contains(&"gen".to_owned()));
    project.qik(ALL).ok();
    project.file("in.txt", "one");
    check(&project, &["--cache-status", "warm"], &["gen", "use"]);
}

#[test]
fn tags_select_any_of_several_and_keep_just_what_matches() {
    let project = caches();
    check(&project, &["-t", "t"], &["here", "never"]);
    check(&project, &["--tag", "fast", "-t", "slow"], &["here", "shared"]);
    check(&project, &["never", "-t", "fast"], &[]);
    check(&project, &["-t", "nonesuch"], &[]);
    let text = project
        .read("qik.toml")
        .replace("deps = ['b.txt']", "deps = ['b.txt', {type = 'command', name = 'here'}]");
    project.file("qik.toml", text);
    check(&project, &["-t", "slow"], &["shared"]);
    check(&project, &["shared"], &["here", "shared"]);
}

#[test]
fn hidden_commands_come_by_name_or_as_upstreams() {
    let project = Project::new();
    project.toml(
        r"
        [commands.secret]
        exec = '{tick secret}'
        hidden = true
        [commands.uses]
        exec = '{tick uses}'
        deps = [{type = 'command', name = 'secret'}]
        [commands.other]
        exec = 'true'
        ",
    );
    project.commit();
    check(&project, &[], &["other", "secret", "uses"]);
    check(&project, &["other"], &["other"]);
    check(&project, &["secret"], &["secret"]);
    check(&project, &["--isolated"], &["other", "uses"]);
    project.qik(["uses"]).ok();
    assert_eq!((project.runs("secret"), project.runs("uses")), (1, 1));
}

#[test]
fn selectors_narrow_each_other() {
    let project = Project::new();
    project.toml(
        r"
        [spaces.one]
        [spaces.two]
        [commands.a]
        exec = 'true'
        deps = ['x.txt']
        space = 'one'
        tags = ['t']
        [commands.b]
        exec = 'true'
        deps = ['x.txt']
        space = 'two'
        tags = ['t']
        [commands.c]
        exec = 'true'
        deps = ['y.txt']
        space = 'one'
        cache = 'repo'
        tags = ['t']
        ",
    );
    project.file("x.txt", "one").file("y.txt", "one").commit();
    project.file("x.txt", "two");
    check(&project, &["-t", "t", "-s", "one"], &["a@one", "c@one"]);
    check(&project, &["-s", "one", "--since", "HEAD"], &["a@one"]);
    check(&project, &["-t", "t", "-s", "one", "--cache", "repo"], &["c@one"]);
    check(&project, &["--cache", "local", "--cache-status", "cold", "-s", "two"], &["b@two"]);
    check(&project, &["b", "c", "--cache", "repo"], &["c@one"]);
    check(&project, &["b@two", "c", "-s", "one"], &["c@one"]);
}

#[test]
fn nothing_selected_is_no_error() {
    let project = caches();
    project.qik(["--cache-status", "warm"]).ok().prints("");
    project.qik(["here", "--cache", "repo"]).ok().prints("");
    assert_eq!(runs(&project), [0; 4]);
}

#[test]
fn all_that_is_wrong_with_the_selectors_is_told_at_once() {
    let project = caches();
    let output = project.qik(["-m", "no-module", "-s", "no-space", "--cache", "no-cache"]);
    output.errs("conf2").says("no-module").says("no-space").says("no-cache");
}

#[test]
fn names_may_hold_dots_and_slashes() {
    let project = Project::new();
    project.toml("[commands]\n'test.unit' = '{tick a}'\n'test/unit' = '{tick b}'\n").commit();
    check(&project, &[], &["test.unit", "test/unit"]);
    project.qik(["test.unit"]).ok();
    project.qik(["test/unit"]).ok();
    project.qik(ALL).ok();
    assert_eq!((project.runs("a"), project.runs("b")), (2, 2));
}

#[test]
fn usage_errors_name_the_word() {
    let project = caches();
    for args in [["--nonesuch"].as_slice(), &["-X"], &["here", "--since"], &["--logger", "paper"]] {
        let output = project.qik(args).no_panic().exits(2);
        assert!(output.stderr().contains(args.last().unwrap()), "{}", output.dump());
        output.prints("");
    }
    assert_eq!(runs(&project), [0; 4]);
    let help = project.qik(["--help"]).ok().stdout();
    for word in ["--since", "--cache-status", "--isolated", "--force", "--ls", "--fail"] {
        assert!(help.contains(word), "{word} is not in --help");
    }
    project.qik(["--version"]).ok().shows(env!("CARGO_PKG_VERSION"));
}
