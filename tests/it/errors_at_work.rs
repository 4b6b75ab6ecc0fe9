//! What the user reads when something fails at work: golden texts, as in `errors`.

use std::fs::File;

use insta::assert_snapshot;

use crate::errors::golden;
use crate::support::{Project, until};

/// A project with one command, and its error.
#[track_caller]
fn run(project: &Project, args: &[&str]) -> String {
    let output = project.qik(args).no_panic().exits(2);
    golden(project, &output)
}

fn with(toml: &str) -> Project {
    let project = Project::new();
    project.toml(toml).commit();
    project
}

/// The report of the command `a`, without what the run says beside the errors.
fn diagnostics(text: &str) -> String {
    let is_report = |line: &&str| !line.starts_with(['▶', '✓', '✗', '↺', '●', '·']);
    text.lines().filter(is_report).collect::<Vec<_>>().join("\n")
}

/// The same without git's own words, which differ from version to version.
fn without_git(text: &str) -> String {
    let text = diagnostics(text);
    text.lines().filter(|line| !line.starts_with("because: ")).collect::<Vec<_>>().join("\n")
}

/// The first error, from its code to where more is to be read.
fn first_error(text: &str) -> String {
    let begun = text.lines().skip_while(|line| !line.starts_with("error["));
    let mut is_over = false;
    let lines =
        begun.take_while(|line| !std::mem::replace(&mut is_over, line.starts_with("more:")));
    lines.collect::<Vec<_>>().join("\n")
}

/// A command that needs the imports of the package `x`.
fn with_imports() -> Project {
    with(
        "plugins.g = 'qik.pygraph'\n[commands.a]\nexec = 'true'\ndeps = [{type = 'pygraph', pyimport = 'x'}]\n",
    )
}

#[test]
fn graph0_a_module_that_is_none() {
    assert_snapshot!(first_error(&run(&with_imports(), &["a"])), @r"
    error[graph0]: there is no Python module `x`
     --> qik.toml:4:39
      |
    4 | deps = [{type = 'pygraph', pyimport = 'x'}]
      |                                       ^^^
    hint: the import graph has the modules that git tracks, below `defaults.python-path`
    more: docs/errors.md#graph0
    ");
}

#[test]
fn graph1_a_source_that_is_no_python() {
    let project = with_imports();
    project.file("x/__init__.py", "import json\n\ndef broken(:\n").git(["add", "x"]);
    let output = project.qik(["a"]).no_panic().exits(1);
    assert_snapshot!(first_error(&output.stdout()), @r"
    error[graph1]: `x/__init__.py:3:12` cannot be read as Python
     --> x/__init__.py:3:12
      |
    3 | def broken(:
      |            ^
    because: expected a parameter or the end of the parameter list
    hint: `x` has to be right for its imports to be known
    more: docs/errors.md#graph1
    ");
}

#[test]
fn graph2_a_folder_of_the_python_path_that_is_not_there() {
    let project = with_imports();
    project.toml(&format!("defaults.python-path = ['.', 'src']\n{}", project.read("qik.toml")));
    assert_snapshot!(first_error(&run(&project, &["a"])), @r"
    error[graph2]: there is no folder `src` for Python's imports
     --> qik.toml:1:30
      |
    1 | defaults.python-path = ['.', 'src']
      |                              ^^^^^
    hint: name a folder relative to the project root, or take it out of `python-path`
    more: docs/errors.md#graph2
    ");
}

#[test]
fn pydist0_an_import_of_no_distribution() {
    let project = with_imports();
    project.file("x/__init__.py", "import json, no_such_thing\n").git(["add", "x"]);
    assert_snapshot!(first_error(&run(&project, &["a"])), @r#"
    error[pydist0]: no distribution has the import `no_such_thing` of `x/__init__.py:1:1`
     --> x/__init__.py:1:1
      |
    1 | import json, no_such_thing
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: install it, or name its distribution: `[pydist.modules]` `no_such_thing = "…"`
    hint: `[pydist]` `ignore-missing-modules = true` lets imports be of no distribution
    more: docs/errors.md#pydist0
    "#);
}

#[test]
fn args1_an_option_that_is_none() {
    let project = with("[commands]\na = 'true'\n");
    assert_snapshot!(run(&project, &["-n", "0"]), @r"
    error[args1]: `-n` is `0`
    because: it takes a number from 1
    more: docs/errors.md#args1
    ");
    assert_snapshot!(run(&project, &["--nonesuch"]), @r"
    error: unexpected argument '--nonesuch' found

      tip: to pass '--nonesuch' as a value, use '-- --nonesuch'

    Usage: qik [OPTIONS] [COMMAND]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&project, &["--cache-status", "tepid"]), @r"
    error: invalid value 'tepid' for '--cache-status <STATUS>'
      [possible values: warm, cold]

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&project, &["--iso"]), @r"
    error: unexpected argument '--iso' found

      tip: a similar argument exists: '--isolated'

    Usage: qik --isolated [COMMAND]...

    For more information, try '--help'.
    ");
}

#[test]
fn space2_a_missing_dotenv_file() {
    let project = with("spaces.default.dotenv = 'local.env'\n[commands]\na = 'true'\n");
    assert_snapshot!(diagnostics(&run(&project, &["a"])), @r"
    error[space2]: no dotenv file `local.env`
    hint: create `local.env` or remove it from `dotenv`
    more: docs/errors.md#space2
    ");
}

#[test]
fn space3_a_malformed_dotenv_file() {
    let project = with("spaces.default.dotenv = 'local.env'\n[commands]\na = 'true'\n");
    project.file("local.env", "A=1\nnonsense\n");
    assert_snapshot!(diagnostics(&run(&project, &["a"])), @r"
    error[space3]: line 2 of `local.env` is no `NAME=value`
    hint: write `NAME=value`, with quotes around a value that has spaces
    more: docs/errors.md#space3
    ");
}

#[test]
fn pydist1_a_distribution_that_is_not_installed() {
    let project =
        with("[commands.a]\nexec = 'true'\ndeps = [{type = 'pydist', name = 'no-such-dist'}]\n");
    assert_snapshot!(diagnostics(&run(&project, &["a"])), @r#"
    error[pydist1]: the distribution `no-such-dist` is not installed
    hint: install it, or set its version: `[pydist.versions]` `no-such-dist = "…"`
    hint: `[pydist]` `ignore-missing = true` lets distributions be absent
    more: docs/errors.md#pydist1
    "#);
}

#[test]
fn space1_an_environment_that_is_not_there() {
    let project = with("plugins.uv = 'qik.uv'\nspaces.default = 'reqs.in'\n");
    let missing = run(&project, &[":x", "tool"]);
    assert_snapshot!(missing, @r"
    error[space1]: there is no virtual environment in `._qik/venv/default`
    because: `[ROOT]/._qik/venv/default/bin/python` is not there, or leads nowhere
    hint: `qik :x --install` makes the virtual environments
    more: docs/errors.md#space1
    ");
    project.file("._qik/venv/default/bin/python", "");
    assert_snapshot!(run(&project, &[":x", "tool"]), @r"
    error[space1]: there is no virtual environment in `._qik/venv/default`
    because: its installation has not come to an end
    hint: `qik :x --install` makes the virtual environments
    more: docs/errors.md#space1
    ");
}

#[test]
fn uv0_no_uv() {
    let project = with("plugins.uv = 'qik.uv'\nspaces.default = 'reqs.in'\n");
    project.link("bin/sh", "/bin/sh").link("bin/git", "/usr/bin/git");
    let bin = project.root.join("bin");
    let output = project.env("PATH", bin.to_str().unwrap()).qik(["uv.lock"]).exits(127);
    assert_snapshot!(diagnostics(&golden(&project, &output)), @r"
    error[uv0]: `uv.lock` needs `uv`, which is not on its `PATH`
    hint: `pip install uv`, `pipx install uv` or `brew install uv` gets it
    hint: https://docs.astral.sh/uv/getting-started/installation/ has other ways
    more: docs/errors.md#uv0
    ");
}

#[test]
fn run3_a_program_that_is_not_there() {
    let project = with("");
    let output = project.qik([":x", "no-such-program"]).exits(127);
    assert_snapshot!(golden(&project, &output), @r"
    error[run3]: no program `no-such-program` in the environment of the space `default`
    hint: install it, or add its folder to `PATH`
    more: docs/errors.md#run3
    ");
    let output = project.file("tool", "").qik([":x", "./tool"]).exits(126);
    assert_snapshot!(golden(&project, &output), @r"
    error[run3]: `./tool` cannot be started
    because: Permission denied (os error 13)
    hint: `chmod +x` lets it run
    more: docs/errors.md#run3
    ");
}

#[test]
fn git0_no_repository() {
    let project = Project::without_git();
    project.toml("[commands.a]\nexec = 'true'\ndeps = ['a.txt']\n");
    assert_snapshot!(diagnostics(&golden(&project, &project.qik(["a"]).ok())), @r"
    warning[git0]: `[ROOT]` is not in a git repository
    because: without git nothing is known of the files, so nothing is cached
    hint: `git init` makes one
    ");
    assert_snapshot!(run(&project, &["--since", "HEAD"]), @r"
    error[git0]: `[ROOT]` is not in a git repository
    because: `--since` compares with a commit
    hint: `git init` makes one
    more: docs/errors.md#git0
    ");
}

#[test]
fn git1_an_unknown_ref() {
    let project = with("[commands.a]\nexec = 'true'\ndeps = ['a.txt']\n");
    assert_snapshot!(run(&project, &["--since", "mian"]), @r"
    error[git1]: git knows no commit by the name `mian`
    hint: did you mean `main`?
    more: docs/errors.md#git1
    ");
}

#[test]
fn git2_an_index_that_cannot_be_read() {
    let project = with("[commands.a]\nexec = 'true'\ndeps = ['a.txt']\n");
    project.file(".git/index", "nonsense");
    assert_snapshot!(without_git(&run(&project, &["a"])), @r"
    error[git2]: `git ls-files` failed
    more: docs/errors.md#git2
    ");
}

#[test]
fn git3_a_filter_that_fails() {
    let project = with("[commands.a]\nexec = 'true'\ndeps = ['*.bin']\n");
    project.file("big.bin", "one\n").commit();
    project.file(".gitattributes", "*.bin filter=large\n").file("big.bin", "two\n");
    project.git(["config", "filter.large.clean", "echo no such server >&2; exit 3"]);
    project.git(["config", "filter.large.required", "true"]);
    assert!(run(&project, &["a"]).contains("because: no such server"));
    assert_snapshot!(without_git(&run(&project, &["a"])), @r"
    error[git3]: git's filter `large` fails on `big.bin`
    hint: install what `git config filter.large.clean` runs, or repair it
    more: docs/errors.md#git3
    ");
}

#[test]
fn cache0_an_entry_that_was_tampered_with() {
    let project = with("[commands.a]\nexec = 'echo made'\ndeps = ['qik.toml']\ncache = 'repo'\n");
    project.qik(["a"]).ok();
    let path = project.tracked(".qik").into_iter().find(|path| path.ends_with(".out")).unwrap();
    project.remove("._qik").file(path, "fake\n");
    assert_snapshot!(diagnostics(&golden(&project, &project.qik(["a"]).ok())), @r"
    warning[cache0]: the cached result of `a` cannot be used
    because: `[ROOT]/.qik/cache/a/a.out` does not hold what the command wrote
    hint: `a` runs instead
    ");
}

#[test]
fn cache0_inputs_that_changed_meanwhile() {
    let project = with("[commands.a]\nexec = 'echo more >> a.txt'\ndeps = ['*.txt']\n");
    project.file("a.txt", "").commit();
    assert_snapshot!(diagnostics(&golden(&project, &project.qik(["a"]).ok())), @r"
    warning[cache0]: `a` is not cached: its inputs changed while it ran
    because: `a.txt` changed
    hint: if `a` itself rewrites them, set `rewrites = true` on it
    ");
}

#[test]
fn cache0_artifacts_that_were_not_made() {
    let project = with("[commands.a]\nexec = 'true'\ndeps = ['qik.toml']\nartifacts = ['out/*']\n");
    assert_snapshot!(diagnostics(&golden(&project, &project.qik(["a"]).ok())), @"warning[cache0]: `a` succeeded, but nothing matches its artifacts `out/*`");
}

#[test]
fn cache1_a_bucket_that_cannot_be_reached() {
    let project = with(
        "[caches.ci]\ntype = 's3'\nbucket = 'b'\nendpoint-url = 'http://127.0.0.1:1'\n\
         aws-access-key-id = 'AKID'\naws-secret-access-key = 'hush'\n\
         [commands.a]\nexec = 'true'\ndeps = ['qik.toml']\ncache = 'ci'\n",
    );
    assert_snapshot!(diagnostics(&golden(&project, &project.qik(["a"]).ok())), @r"
    warning[cache1]: the cache `ci` cannot be reached: this run goes on without it
    because: GET: Connection refused (os error 111)
    hint: check `endpoint-url` of `[caches.ci]`, the network and its proxies
    ");
}

#[test]
fn conf0_a_configuration_that_is_a_folder() {
    let project = Project::new();
    project.file("qik.toml/x", "");
    assert_snapshot!(run(&project, &["--ls"]), @r#"
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
fn run0_a_private_folder_that_is_none() {
    let project = with("[commands.a]\nexec = 'true'\ndeps = ['qik.toml']\n");
    project.file("._qik", "mine");
    assert_snapshot!(diagnostics(&golden(&project, &project.qik(["a"]).ok())), @r"
    warning[run0]: `[ROOT]/._qik` is not a folder
    because: qik keeps results and output in a folder of this name
    hint: move it away
    hint: until then output is shown but not kept, and its result not cached
    ");
}

#[test]
fn run0_a_working_directory_that_is_gone() {
    let project = with("[commands]\na = 'true'\n");
    let qik = env!("CARGO_BIN_EXE_qik");
    let output = project.sh(&format!("mkdir gone; cd gone; rmdir ../gone; exec {qik} a"));
    assert_snapshot!(golden(&project, &output.no_panic().exits(2)), @r"
    error[run0]: the working directory cannot be read
    because: No such file or directory (os error 2)
    hint: change to a folder that exists
    more: docs/errors.md#run0
    ");
}

#[test]
fn run0_a_file_that_is_far_too_large() {
    let project = with(
        "[spaces.s]\ndotenv = '.env'\n[commands.a]\nexec = 'true'\nspace = 's'\n\
         deps = [{type = 'load', path = 'deps.json', default = []}]\n",
    );
    for name in [".env", "deps.json"] {
        project.file(".env", "");
        File::create(project.root.join(name)).unwrap().set_len(1 << 40).unwrap();
        project.qik(["a"]).no_panic().exits(2).says(&format!("{name}`")).says("larger than");
    }
    project.remove("deps.json");
    File::create(project.root.join(".env")).unwrap().set_len(1 << 40).unwrap();
    assert_snapshot!(diagnostics(&run(&project, &["a"])), @r"
    error[run0]: cannot read `[ROOT]/.env`
    because: larger than 268435456 bytes
    more: docs/errors.md#run0
    ");
}

#[test]
fn run1_a_command_that_cannot_be_started() {
    let project = with(&format!("[commands]\na = ': {}'\n", "x".repeat(200_000)));
    let output = project.qik(["a", "-v", "0"]).no_panic().exits(126);
    assert_snapshot!(diagnostics(&golden(&project, &output)), @r"
    error[run1]: `a` cannot be started
    because: Argument list too long (os error 7)
    hint: move a long `exec` to a script of its own
    more: docs/errors.md#run1
    ");
}

#[test]
fn run2_a_load_dep_that_cannot_be_loaded() {
    let project =
        with("[commands.a]\nexec = 'true'\ndeps = [{type = 'load', path = 'deps.json'}]\n");
    assert_snapshot!(diagnostics(&run(&project, &["a"])), @r"
    error[run2]: no file `deps.json`
    hint: make it with an upstream command, or give the dep a `default`
    more: docs/errors.md#run2
    ");
    for (content, cause) in [("[]", "a list, expected an object"), ("", "EOF while parsing")] {
        project.file("deps.json", content).qik(["a"]).exits(2).says("error[run2]").says(cause);
    }
    project.link("deps.json", "/dev/zero").qik(["a"]).exits(2).says("not a regular file");
    project.remove("deps.json").file("deps.json", "{\"globs\": 3}");
    assert_snapshot!(diagnostics(&run(&project, &["a"])), @r#"
    error[run2]: `deps.json` holds no deps
    because: invalid type: integer `3`, expected a sequence at line 1 column 11
    hint: write `{"globs": ["…"], "pydists": ["…"]}` into it
    more: docs/errors.md#run2
    "#);
}

#[test]
fn watch0_commands_that_start_each_other() {
    let project = Project::new();
    project.toml(
        "[commands.x]\nexec = 'date +%N > b.txt'\ndeps = ['a.txt']\ncache = 'none'\n
        [commands.y]\nexec = 'date +%N > a.txt'\ndeps = ['b.txt']\ncache = 'none'\n",
    );
    project.file("a.txt", "").file("b.txt", "").commit();
    let started = project.start(["x", "y", "-n", "1", "--watch"]);
    until("it is stopped", || started.stderr_so_far().contains("hint: "));
    started.signal(rustix::process::Signal::INT);
    let text = golden(&project, &started.wait().exits(0));
    let told = text.lines().skip_while(|line| !line.starts_with("warning"));
    let told = told.collect::<Vec<_>>().join("\n").replace("y: not", "x: not");
    assert_snapshot!(told.replace("changed b.txt", "changed a.txt"), @r"
    warning[watch0]: x: not run again for what changed meanwhile
    because: 25 runs in a row changed a.txt
    hint: press `r` or save a file to run again
    waiting for changes
    ");
}
