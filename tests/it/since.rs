//! `--since`: what the changes since a commit affect.

use crate::support::Project;

const SINCE: &str = "
    [commands]
    bare = '{tick bare}'
    [commands.a]
    exec = '{tick a}'
    deps = ['a/**.txt']
    [commands.b]
    exec = '{tick b}'
    deps = ['b.txt', './b']
    [commands.fixed]
    exec = '{tick fixed}'
    deps = [{type = 'const', val = 'v1'}]
";

fn since() -> Project {
    files(Project::new(), SINCE)
}

fn files(project: Project, toml: &str) -> Project {
    project.toml(toml);
    for name in ["a/deep/er/a.txt", "a/a.txt", "b.txt", "b/b.bin", "c.txt"] {
        project.file(name, "one");
    }
    project.commit();
    project
}

#[track_caller]
fn check(project: &Project, reference: &str, expected: &[&str]) {
    assert_eq!(project.ls(["--since", reference]), expected, "{reference}");
}

#[test]
fn the_work_tree_is_compared() {
    let project = since();
    check(&project, "HEAD", &[]);
    project.file("c.txt", "two");
    check(&project, "HEAD", &[]);
    project.file("a/deep/er/a.txt", "two");
    check(&project, "HEAD", &["a"]);
    project.file("b/b.bin", "two").git(["add", "b"]);
    check(&project, "HEAD", &["a", "b"]);
    assert_eq!(project.ls(["b", "--since", "HEAD"]), ["b"]);
    project.qik(["--since", "HEAD"]).ok();
    assert_eq!(["bare", "a", "b", "fixed"].map(|name| project.runs(name)), [0, 1, 1, 0]);
    project.git(["checkout", "-q", "HEAD", "."]);
    check(&project, "HEAD", &[]);
}

#[test]
fn deleted_renamed_and_added_files_count() {
    let project = since();
    project.remove("b/b.bin");
    check(&project, "HEAD", &["b"]);
    project.commit();
    check(&project, "HEAD~1", &["b"]);
    project.git(["mv", "a/a.txt", "z.txt"]);
    check(&project, "HEAD", &["a"]);
    project.commit();
    project.git(["mv", "z.txt", "b/z.txt"]);
    check(&project, "HEAD", &["b"]);
    project.commit();
    check(&project, "HEAD~2", &["a", "b"]);
}

#[test]
fn untracked_files_count_once_they_are_added() {
    let project = since();
    project.file("b/new", "one");
    check(&project, "HEAD", &[]);
    project.git(["add", "-N", "b/new"]);
    check(&project, "HEAD", &["b"]);
    project.git(["add", "b/new"]);
    check(&project, "HEAD", &["b"]);
}

#[test]
fn modes_and_links_count() {
    let project = since();
    project.chmod("b.txt", 0o755);
    check(&project, "HEAD", &["b"]);
    project.chmod("b.txt", 0o644).remove("a/a.txt").link("a/a.txt", "one");
    check(&project, "HEAD", &["a"]);
    project.remove("a/a.txt").file("a/a.txt", "one");
    check(&project, "HEAD", &[]);
}

#[test]
fn any_word_for_a_commit_will_do() {
    let project = since();
    let start = project.git(["rev-parse", "HEAD"]).trim().to_owned();
    project.git(["tag", "v1"]);
    project.git(["tag", "-a", "annotated", "-m", "x"]);
    project.git(["checkout", "-q", "-b", "topic"]);
    project.file("a/a.txt", "two").commit();
    project.file("b.txt", "two").commit();
    for reference in [
        "main",
        "v1",
        "annotated",
        &start,
        &start[..12],
        "HEAD~2",
        "@~2",
        "topic^^",
        "refs/heads/main",
    ] {
        check(&project, reference, &["a", "b"]);
    }
    check(&project, "HEAD~1", &["b"]);
    check(&project, "HEAD", &[]);
    project.qik(["--since", "main~7"]).errs("git1").says("main~7");
    project.qik(["--since", "no-such-ref"]).errs("git1").says("no-such-ref");
    project.qik(["--since", ""]).no_panic();
    assert_eq!(project.runs("a") + project.runs("b"), 0);
}

#[test]
fn three_dots_mean_the_merge_base() {
    let project = since();
    project.git(["checkout", "-q", "-b", "topic"]);
    project.file("a/a.txt", "of topic").commit();
    project.git(["checkout", "-q", "main"]);
    project.file("b.txt", "of main").commit();
    project.git(["checkout", "-q", "topic"]);
    check(&project, "main", &["a", "b"]);
    check(&project, "main...", &["a"]);
    project.file("b/b.bin", "in the work tree");
    check(&project, "main...", &["a", "b"]);
    project.git(["checkout", "-q", "--orphan", "alone"]);
    project.git(["commit", "-q", "-m", "no common past"]);
    project.qik(["--since", "main..."]).errs("git1").says("main");
}

#[test]
fn a_ref_is_never_an_option_or_a_script() {
    let project = since();
    for reference in [
        "-x",
        "--output=PWNED",
        "HEAD; touch PWNED;",
        "$(touch PWNED)",
        "`touch PWNED`",
        "HEAD -- a",
        "a\nb",
    ] {
        let output = project.qik([format!("--since={reference}"), "--ls".to_owned()]);
        output.errs("git1").prints("");
    }
    project.qik(["--since", "-x", "--ls"]).no_panic().exits(2);
    assert!(!project.exists("PWNED"));
    project.git(["update-ref", "refs/heads/it's;odd&$HOME", "HEAD"]);
    project.file("b.txt", "two");
    check(&project, "it's;odd&$HOME", &["b"]);
}

#[test]
fn paths_of_any_name_count() {
    let project = files(Project::new(), "[commands.odd]\nexec = 'true'\ndeps = ['odd']\n");
    for name in ["é.txt", "two words", "new\nline", "tab\t", "\"quoted\"", "back\\slash"] {
        project.file(format!("odd/{name}"), "one").commit();
        project.file(format!("odd/{name}"), "two");
        check(&project, "HEAD", &["odd"]);
        project.commit();
        check(&project, "HEAD", &[]);
    }
}

#[test]
fn patterns_match_as_in_the_hash() {
    let project = files(
        Project::new(),
        "[commands.some]\nexec = 'true'\ndeps = ['a', ':(exclude)a/deep']\n
        [commands.any]\nexec = 'true'\ndeps = [':(icase)B.TXT']\n",
    );
    project.file("a/deep/er/a.txt", "two");
    check(&project, "HEAD", &[]);
    project.file("a/a.txt", "two").file("b.txt", "two");
    check(&project, "HEAD", &["any", "some"]);
}

#[test]
fn base_deps_select_all_that_have_deps() {
    let project = files(Project::new(), &format!("{SINCE}[base]\ndeps = ['c.txt']\n"));
    project.file("c.txt", "two");
    check(&project, "HEAD", &["a", "b", "fixed"]);
}

#[test]
fn a_changed_definition_selects_its_command_alone() {
    let project = since();
    let text = project.read("qik.toml");
    let check_text = |text: &str, expected: &[&str]| {
        project.file("qik.toml", text);
        check(&project, "HEAD", expected);
    };
    check_text(&format!("# a comment\n{text}"), &["fixed"]);
    check_text(&text.replace("v1", "v2"), &["fixed"]);
    check_text(&text.replace("['a/**.txt']", "['a']"), &["a", "fixed"]);
    check_text(&text.replace("bare = '", "bare = 'true; "), &["bare", "fixed"]);
    check_text(&format!("{text}\n[commands.new]\nexec = 'true'\n"), &["fixed", "new"]);
    check_text(
        &format!("{text}\n[commands.new]\nexec = 'true'\ndeps = ['x']\n"),
        &["fixed", "new"],
    );
}

#[test]
fn a_configuration_that_was_wrong_or_absent_makes_all_commands_new() {
    for before in ["this is no TOML", ""] {
        let project = Project::new();
        project.file("qik.toml", before).commit();
        if before.is_empty() {
            project.git(["rm", "-q", "qik.toml"]);
            project.commit();
        }
        files(project.clone(), SINCE);
        check(&project, "HEAD~1", &["a", "b", "bare", "fixed"]);
        check(&project, "HEAD", &[]);
    }
}

#[test]
fn dotenv_files_and_module_files_count() {
    let project = Project::new();
    project.toml(
        "[spaces.default]\ndotenv = 'x.env'\nmodules = ['m', 'n']
        [commands.with]\nexec = 'true'\ndeps = ['a.txt']
        [commands.each]\nexec = 'echo {module.dir}'\ndeps = ['{module.dir}/**']\n",
    );
    project.toml_at("m/qik.toml", "[commands.own]\nexec = 'true'\ndeps = ['a.txt']\n");
    project.file("x.env", "A=1\n").file("a.txt", "").file("m/x", "").file("n/x", "").commit();
    project.file("n/x", "two");
    check(&project, "HEAD", &["each#n"]);
    assert_eq!(project.ls(["--since", "HEAD", "-m", "m"]), Vec::<String>::new());
    project.commit();
    project.file("x.env", "A=2\n");
    check(&project, "HEAD", &["each#m", "each#n", "m/own", "with"]);
    project.commit();
    project.toml_at("m/qik.toml", "[commands.own]\nexec = 'echo'\ndeps = ['a.txt']\n");
    check(&project, "HEAD", &["each#m", "m/own"]);
}

#[test]
fn a_project_below_the_git_root_sees_its_own_changes() {
    let project = files(Project::new().below("services/api"), SINCE);
    project.file("b.txt", "two");
    check(&project, "HEAD", &["b"]);
    let output = project.qik_in("a/deep", ["--since", "HEAD", "--ls"]).ok();
    output.prints("b\n");
    project.commit();
    project.file("../../b.txt", "not of the project").file("../b.txt", "neither").commit();
    check(&project, "HEAD~1", &[]);
    check(&project, "HEAD~2", &["b"]);
}

#[test]
fn it_needs_a_repository_with_a_commit() {
    let project = Project::without_git();
    project.toml(SINCE);
    project.qik(["--since", "HEAD"]).errs("git0");
    project.git(["init", "-q"]);
    project.qik(["--since", "HEAD"]).errs("git1").says("HEAD");
}

#[test]
fn a_submodule_and_a_conflict_count() {
    let project = since();
    project.git(["checkout", "-q", "-b", "topic"]);
    project.file("b.txt", "topic").commit();
    project.git(["checkout", "-q", "main"]);
    project.file("b.txt", "main").commit();
    project.try_git(["merge", "-q", "topic"]).exits(1);
    check(&project, "HEAD", &["b"]);
}

#[test]
fn files_that_git_was_told_to_overlook_count_as_changed() {
    let project = since();
    project.git(["update-index", "--assume-unchanged", "b.txt"]);
    project.git(["update-index", "--skip-worktree", "a/a.txt"]);
    project.file("b.txt", "two").file("a/a.txt", "two");
    check(&project, "HEAD", &["a", "b"]);
}

#[test]
fn runs_of_a_selection_use_the_same_hash_as_runs_of_all() {
    let project = since();
    project.file("b.txt", "two").qik(["--since", "HEAD"]).ok();
    project.qik(["b"]).ok();
    assert_eq!(project.runs("b"), 1);
}
