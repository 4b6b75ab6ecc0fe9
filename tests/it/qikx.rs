//! `qikx`: a program in the environment of a space, in the place of qik.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::support::{Output, Project, until};

fn project(toml: &str) -> Project {
    let project = Project::new();
    project.toml(toml).commit();
    project
}

/// Runs `qik :x` in the root.
fn qikx(project: &Project, args: &[&str]) -> Output {
    project.qik([&[":x"], args].concat())
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let project = project("");
    let args = ["a b", "--help", "-n", "--install", "$HOME", "", "@x", "--"];
    let output = qikx(&project, &[&["printf", "%s|"], &args[..]].concat()).ok();
    output.prints("a b|--help|-n|--install|$HOME||@x|--|");
}

#[test]
fn a_link_of_the_name_is_enough() {
    let project = project("");
    let link = project.world().join("qikx");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_qik"), link).unwrap();
    project.sh("../qikx printf %s --ls").ok().prints("--ls");
    project.sh("../qikx --version").ok().shows("qikx ");
    project.sh("../qikx --help").ok().shows("Usage: qikx PROGRAM[@SPACE]");
    project.sh("echo given | ../qikx cat").ok().prints("given\n");
    project.sh("PATH=..:$PATH; qikx sh -c 'exit 7'").exits(7);
}

#[test]
fn the_program_is_the_process() {
    let project = project("");
    qikx(&project, &["sh", "-c", "exit 7"]).exits(7);
    let killed = qikx(&project, &["sh", "-c", "kill -TERM $$"]);
    assert_eq!(killed.signal, Some(Signal::TERM.as_raw()), "{}", killed.dump());
    let started = project.start([
        ":x",
        "sh",
        "-c",
        "trap 'echo bye; exit 3' INT; echo $$ > pid; while :; do sleep 0.01; done",
    ]);
    until("it runs", || project.exists("pid") && !project.read("pid").is_empty());
    assert_eq!(project.read("pid").trim(), started.id().to_string());
    started.signal(Signal::INT);
    started.wait().exits(3).prints("bye\n");
}

#[test]
fn a_closed_pipe_ends_the_program_as_it_ends_any() {
    let project = project("");
    let script = "{ qik :x sh -c 'yes; echo $? >&2' | head -1; } 2>&1";
    project.sh(script).ok().shows("y\n").lacks("roken pipe");
}

#[test]
fn the_space_is_named_or_that_of_the_folder() {
    let project = Project::new();
    project.toml(
        "
        ctx = ['which']
        [defaults]
        dotenv = 'base.env'
        [spaces.app]
        root = 'apps/one'
        modules = ['mod']
        dotenv = '{ctx.which}.env'
        [spaces.lib]
        dotenv = []
        ",
    );
    project.file("base.env", "WHO=base\n").file("app.env", "WHO=app\n");
    project.file("apps/one/src/x", "").file("apps/one-more/x", "").file("mod/x", "").commit();
    let project = project.env("WHICH", "app").env("WHO", "outside");
    let who = |folder: &str, program: &str| {
        let output = project.qik_in(folder, [":x", program, "-c", "echo $WHO"]).ok();
        output.stdout().trim().to_owned()
    };
    assert_eq!(who("", "sh@app"), "app");
    assert_eq!(who("", "sh@lib"), "outside");
    assert_eq!(who("", "sh@default"), "base");
    assert_eq!(who("", "sh"), "base");
    assert_eq!(who("apps/one", "sh"), "app");
    assert_eq!(who("apps/one/src", "sh"), "app");
    assert_eq!(who("apps/one/src", "sh@lib"), "outside");
    assert_eq!(who("apps/one-more", "sh"), "base");
    assert_eq!(who("mod", "sh"), "base");
    qikx(&project, &["sh@nonesuch", "-c", "touch ran"]).errs("conf8").says("nonesuch");
    assert!(!project.exists("ran"));
}

#[test]
fn the_program_stays_in_the_folder() {
    let project = project("");
    project.file("deep/down/tool", "#!/bin/sh\npwd\n").chmod("deep/down/tool", 0o755);
    let expected = format!("{}/deep/down\n", project.root.display());
    project.qik_in("deep/down", [":x", "pwd"]).ok().prints(&expected);
    project.qik_in("deep/down", [":x", "./tool"]).ok().prints(&expected);
}

#[test]
fn a_program_that_is_not_there_is_127() {
    let project = project("");
    let output = qikx(&project, &["no-such-program", "x"]).exits(127).no_panic();
    output.says("error[run3]").says("no-such-program").says("hint: ").prints("");
    qikx(&project, &["./none"]).exits(127).says("./none");
}

#[test]
fn a_program_that_cannot_be_started_is_126() {
    let project = project("");
    project.file("plain", "text").file("stale", "#!/no/such/python\n").chmod("stale", 0o755);
    qikx(&project, &["./plain"]).exits(126).says("chmod +x");
    qikx(&project, &["./stale"]).exits(126).says("interpreter");
}

#[test]
fn options_before_the_program_are_qikxs_own() {
    let project = project("");
    qikx(&project, &["--frobnicate", "sh"]).errs("args1").says("--frobnicate");
    qikx(&project, &[]).errs("args1").says("PROGRAM");
    let nowhere = Project::without_git();
    qikx(&nowhere, &["sh", "-c", "true"]).errs("conf0");
}

const TWO: &str = "
    [plugins]
    uv = 'qik.uv'
    [spaces.default]
    venv = 'reqs.in'
    [spaces.other]
    venv = 'other.in'
    root = 'other'
    [spaces.heir]
    venv = {type = 'space', name = 'default'}
    [commands.never]
    exec = '{tick never}'
";

fn two() -> Project {
    let project = Project::new().without_env("VIRTUAL_ENV").with_uv();
    project
        .toml(TWO)
        .file("reqs.in", "tool==1.0\n")
        .file("other.in", "tool==2.0\nextra-tool==1.0\n");
    project.file("other/x", "").commit();
    project
}

#[test]
fn install_brings_every_environment_up_to_date() {
    let project = two();
    qikx(&project, &["tool"]).errs("space1").says("qik :x --install");
    project.qik_in("other", [":x", "--install"]).ok();
    assert_eq!(project.uv_calls().len(), 6);
    assert_eq!(project.runs("never"), 0);
    qikx(&project, &["tool"]).ok().prints("tool 1.0\n");
    qikx(&project, &["tool@heir"]).ok().prints("tool 1.0\n");
    qikx(&project, &["tool@other"]).ok().prints("tool 2.0\n");
    project.qik_in("other", [":x", "tool"]).ok().prints("tool 2.0\n");
    project.file("other.in", "tool==3.0\n");
    qikx(&project, &["--install"]).ok();
    assert_eq!(project.uv_calls().len(), 3, "only what has changed");
    qikx(&project, &["tool@other"]).ok().prints("tool 3.0\n");
    project.file("other.in", "tool==4.0\n").file("reqs.in", "tool==4.0\n");
    qikx(&project, &["--install", "heir"]).ok();
    assert_eq!(project.uv_calls().len(), 3, "the one that it inherits");
    qikx(&project, &["tool"]).ok().prints("tool 4.0\n");
    qikx(&project, &["tool@other"]).ok().prints("tool 3.0\n");
    qikx(&project, &["--install", "nonesuch"]).errs("conf8");
}

#[test]
fn a_missing_program_is_looked_for_in_other_spaces() {
    let project = two();
    qikx(&project, &["--install"]).ok();
    qikx(&project, &["extra-tool"])
        .exits(127)
        .says("`qik :x extra-tool@other` has it")
        .says("`reqs.in`");
    qikx(&project, &["tol"]).exits(127).says("did you mean `tool`?");
}

#[test]
fn there_may_be_nothing_to_install() {
    let project = project("[commands.x]\nexec = '{tick x}'\n");
    qikx(&project, &["--install"]).ok().says("no virtual environment");
    assert_eq!(project.runs("x"), 0);
}

#[test]
fn programs_of_an_active_environment_are_found_on_its_path() {
    let project = project("");
    let bin = project.world().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("mine"), "#!/bin/sh\necho mine\n").unwrap();
    std::fs::set_permissions(bin.join("mine"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), project.variable("PATH"));
    qikx(&project.env("PATH", &path), &["mine"]).ok().prints("mine\n");
}
