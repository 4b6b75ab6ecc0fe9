//! The local cache: what is replayed, what is kept, and when.

use crate::support::Project;

/// No arguments: everything.
const ALL: [&str; 0] = [];

#[test]
fn a_hit_replays_log_and_exit_code() {
    let project = Project::new();
    project.toml(
        r"
        [commands.hello]
        exec = '{tick hello}; cat out; cat err >&2; printf no-final-newline; exit 3'
        deps = ['out', 'err']
        cache-when = 'finished'
        ",
    );
    project.file("out", "to the first\n\n  indented\n").file("err", "to the second\n").commit();
    let first = project.qik(["hello"]).exits(3);
    let second = project.qik(["hello"]).exits(3);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(first.stdout(), "to the first\n\n  indented\nto the second\nno-final-newline");
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn what_is_cached_by_default() {
    let project = Project::new();
    project.toml(
        r"
        [base]
        deps = ['a.txt']

        [commands]
        bare = '{tick bare}'

        [commands.only-settings]
        exec = '{tick only-settings}'
        cache = 'local'

        [commands.never]
        exec = '{tick never}'
        deps = ['a.txt']
        cache = 'none'

        [commands.silent]
        exec = '{tick silent}'
        deps = ['a.txt']

        [commands.fails]
        exec = '{tick fails}; exit 3'
        deps = ['a.txt']
        ",
    );
    project.file("a.txt", "one\n").commit();
    project.qik(ALL).exits(3);
    project.qik(ALL).exits(3);
    let runs = ["bare", "only-settings", "never", "silent", "fails"].map(|it| project.runs(it));
    assert_eq!(runs, [2, 2, 2, 1, 2]);
    assert_eq!(project.git(["status", "--porcelain"]), "", "`._qik` ignores itself");
}

#[test]
fn the_local_cache_keeps_history() {
    let project = Project::hello(r#"["a.txt"]"#);
    for content in ["one\n", "two\n", "three\n"] {
        project.file("a.txt", content);
        assert!(project.reruns("hello"), "{content}");
    }
    for content in ["one\n", "three\n", "two\n", "one\n"] {
        project.file("a.txt", content);
        assert!(!project.reruns("hello"), "{content}");
    }
}

#[test]
fn switching_branches_back_and_forth_stays_warm() {
    let project = Project::hello(r#"["."]"#);
    project.git(["branch", "topic"]);
    project.reruns("hello");
    project.git(["checkout", "-q", "topic"]);
    project.file("b.txt", "one\n").commit();
    assert!(project.reruns("hello"));
    for branch in ["main", "topic", "main"] {
        project.git(["checkout", "-q", branch]);
        assert!(!project.reruns("hello"), "{branch}");
    }
}

#[test]
fn the_cache_may_be_deleted_at_any_time() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.reruns("hello");
    for folder in ["._qik/cache", "._qik/out", "._qik"] {
        project.remove(folder);
        let was_cache = folder != "._qik/out";
        assert_eq!(project.reruns("hello"), was_cache, "{folder}");
        assert!(!project.reruns("hello"), "{folder}");
    }
}

#[test]
fn a_moved_checkout_keeps_its_cache_and_restores_into_itself() {
    let project = Project::hello(r#"["a.txt"]"#);
    let exec = "{tick hello}; mkdir -p out; cp a.txt out/made";
    project.toml(&format!(
        "[commands.hello]\nexec = '{exec}'\ndeps = ['a.txt']\nartifacts = ['out/*']\n"
    ));
    project.reruns("hello");
    let moved = project.at(project.world().join("moved elsewhere"));
    std::fs::rename(&project.git_root, &moved.git_root).unwrap();
    moved.remove("out");
    assert!(!moved.reruns("hello"));
    assert_eq!(moved.read("out/made"), "one\n");
    assert!(!project.git_root.exists());
}

/// How often a command ran that succeeds and one that fails, called twice each.
#[track_caller]
fn check_when(defaults: &str, own: &str, args: &[&str], expected: (usize, usize)) {
    let project = Project::new();
    project.toml(&format!(
        "{defaults}
        [commands.good]\nexec = '{{tick good}}'\ndeps = ['a.txt']\n{own}
        [commands.bad]\nexec = '{{tick bad}}; exit 4'\ndeps = ['a.txt']\n{own}"
    ));
    for _ in 0..2 {
        project.qik(["good"].iter().chain(args)).ok();
        project.qik(["bad"].iter().chain(args)).exits(4);
    }
    assert_eq!((project.runs("good"), project.runs("bad")), expected, "{defaults} {own} {args:?}");
}

#[test]
fn cache_when_says_which_exit_codes_are_kept() {
    let default = |word: &str| format!("[defaults]\ncache-when = '{word}'\n");
    let own = |word: &str| format!("cache-when = '{word}'\n");
    check_when("", "", &[], (1, 2));
    check_when("", &own("success"), &[], (1, 2));
    check_when("", &own("failed"), &[], (2, 1));
    check_when("", &own("finished"), &[], (1, 1));
    check_when("", &own("always"), &[], (1, 1));
    check_when(&default("finished"), "", &[], (1, 1));
    check_when(&default("finished"), &own("failed"), &[], (2, 1));
    check_when("", "", &["--cache-when", "finished"], (1, 1));
    check_when("", "", &["--cache-when", "failed"], (2, 1));
    check_when("", &own("finished"), &["--cache-when", "success"], (1, 2));
}

#[test]
fn a_hit_whose_code_would_not_be_kept_now_is_a_miss() {
    let project = Project::new();
    let toml = "[commands.bad]\nexec = '{tick bad}; exit 4'\ndeps = ['a.txt']\n";
    project.toml(&format!("{toml}cache-when = 'finished'\n")).file("a.txt", "").commit();
    for (when, runs) in [("finished", 1), ("finished", 1), ("success", 2), ("failed", 2)] {
        project.qik(["bad", "--cache-when", when]).exits(4);
        assert_eq!(project.runs("bad"), runs, "{when}");
    }
    project.toml(toml).qik(["bad"]).exits(4);
    assert_eq!(project.runs("bad"), 3);
}

#[test]
fn a_failure_that_is_repaired_is_run_again() {
    let project = Project::new();
    let exec = "{tick check}; grep good a.txt";
    let when = "cache-when = 'finished'";
    project.toml(&format!("[commands.check]\nexec = '{exec}'\ndeps = ['a.txt']\n{when}\n"));
    project.file("a.txt", "bad\n").commit();
    project.qik(["check"]).exits(1);
    project.qik(["check"]).exits(1);
    project.file("a.txt", "good\n").qik(["check"]).ok().prints("good\n");
    assert_eq!(project.runs("check"), 2);
    project.file("a.txt", "bad\n").qik(["check"]).exits(1);
    assert_eq!(project.runs("check"), 2);
}

#[test]
fn force_reads_no_cache_and_still_writes() {
    let project = Project::hello(r#"["a.txt"]"#);
    let exec = "exec = \"cat untracked; echo x";
    let text = project.read("qik.toml").replace("exec = \"echo x", exec);
    project.file("qik.toml", text).file("untracked", "first\n");
    project.qik(["hello"]).ok().prints("first\n");
    for (flag, words) in [("-f", "second\n"), ("--force", "third\n")] {
        project.file("untracked", words);
        project.qik(["hello", flag]).ok().prints(words);
        project.file("untracked", "not seen\n");
        project.qik(["hello"]).ok().prints(words);
    }
    assert_eq!(project.runs("hello"), 3);
}

#[test]
fn same_definitions_have_entries_of_their_own() {
    let project = Project::new();
    let names = ["a-b", "a_b", "a.b", "a b", "A-B", "é", "ü", "a/b", "x", "X"];
    let command =
        |name: &str| format!("[commands.\"{name}\"]\nexec = '{{tick n}}'\ndeps = ['f']\n");
    project.toml(&names.map(command).concat()).file("f", "").commit();
    for _ in 0..2 {
        project.qik(ALL).ok();
        assert_eq!(project.runs("n"), names.len());
    }
    for name in names {
        project.qik([name]).ok();
    }
    assert_eq!(project.runs("n"), names.len());
}

#[test]
fn modules_whose_names_differ_in_punctuation_or_case_share_nothing() {
    for cache in ["local", "repo"] {
        let project = Project::new();
        let modules = ["x/y", "x_y", "x-y", "x.y", "X_Y"];
        let list = modules.map(|name| format!("'{name}'")).join(", ");
        project.toml(&format!(
            "[spaces.default]\nmodules = [{list}]\n
            [commands.each]\nexec = '{{tick n}}; cat {{module.dir}}/f'
            deps = ['{{module.dir}}/f']\ncache = '{cache}'"
        ));
        for name in modules {
            project.file(format!("{name}/f"), name);
        }
        project.commit();
        project.qik(["-n", "4"]).ok();
        project.qik(["-n", "4"]).ok();
        assert_eq!(project.runs("n"), modules.len(), "{cache}");
        for name in modules {
            project.qik(["each", "-m", name]).ok().prints(name);
        }
        assert_eq!(project.runs("n"), modules.len(), "{cache}");
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_a_warning() {
    let project = Project::hello(r#"["a.txt", "nothing/*.zip"]"#);
    project.qik(["hello"]).ok().says("warning").says("nothing/*.zip");
    assert_eq!(project.runs("hello"), 1);
    project.qik(["hello"]).ok();
    assert_eq!(project.runs("hello"), 1);
    project.file("nothing/here.zip", "").commit();
    project.qik(["hello"]).ok().lacks("nothing/*.zip");
    assert_eq!(project.runs("hello"), 2);
}

#[test]
fn time_saved_is_told() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.toml("[commands.slow]\nexec = 'sleep 1'\ndeps = ['a.txt']\n");
    project.qik(["slow", "-l", "progress"]).ok().lacks("saved");
    project.qik(["slow", "-l", "progress"]).ok().says("(saved 1");
}

#[test]
fn a_bound_evicts_the_least_recently_used() {
    let project = Project::new();
    project.toml(
        r"
        defaults.cache-max-size = '300 kB'

        [commands.big]
        exec = '{tick big}; cat seed; head -c 100000 /dev/zero'
        deps = ['seed']
        ",
    );
    let run = |seed: usize| {
        let before = project.runs("big");
        project.file("seed", format!("{seed}\n")).qik(["big", "-v", "0"]).ok().warns_not();
        project.runs("big") > before
    };
    project.file("seed", "").commit();
    for seed in 0..6 {
        assert!(run(seed), "{seed}");
        assert!(!run(seed), "{seed} is the newest");
    }
    assert!(run(0), "the oldest are gone");
    let mut seed = 6;
    // What is very new may be somebody else's and stays for a moment.
    crate::support::until("the cache is below its bound", || {
        seed += 1;
        run(seed);
        let size = project.sh("du -sk ._qik/cache/v1 | cut -f1").ok().stdout();
        size.trim().parse::<usize>().unwrap() < 400
    });
}

#[test]
fn a_bound_smaller_than_any_entry_still_runs() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.file("qik.toml", format!("defaults.cache-max-size = 1\n{}", project.read("qik.toml")));
    for _ in 0..3 {
        project.qik(["hello"]).ok();
    }
}

#[test]
fn the_cache_of_a_command_may_be_a_template() {
    let project = Project::hello(r#"["a.txt"]"#);
    let text = project.read("qik.toml").replace("deps", "cache = '{ctx.where}'\ndeps");
    project.file("qik.toml", format!("ctx = [{{name = 'where', default = 'none'}}]\n{text}"));
    project.qik(["hello"]).ok();
    project.qik(["hello"]).ok();
    assert_eq!(project.runs("hello"), 2);
    let local = project.env("WHERE", "local");
    assert!(local.reruns("hello") && !local.reruns("hello"));
    project.env("WHERE", "nonesuch").qik(["hello"]).errs("conf9").says("nonesuch");
}
