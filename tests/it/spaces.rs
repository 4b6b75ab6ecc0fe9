//! Spaces and modules: names, roots, dotenv files, virtual environments, module files.

use crate::support::Project;

/// No arguments: everything.
const ALL: [&str; 0] = [];

fn with(toml: &str, files: &[&str]) -> Project {
    let project = Project::new();
    project.toml(toml);
    for path in files {
        project.file(path, "one\n");
    }
    project.commit();
    project
}

#[test]
fn a_parametrized_command_runs_for_each_module() {
    let project = with(
        r"
        [defaults]
        python-path = 'src'
        [spaces.default]
        modules = ['a', 'src/nested/b', {name = 'short', path = './very/deep/one/'}]
        [commands.each]
        exec = 'echo {module.name} {module.dir} {module.pyimport} {module} >> log'
        deps = ['{module.dir}/**.txt']
        ",
        &["a/x.txt", "src/nested/b/x.txt", "very/deep/one/x.txt"],
    );
    assert_eq!(project.ls(ALL), ["each#a", "each#short", "each#src/nested/b"]);
    let lines = || {
        let text = project.read("log");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        project.remove("log");
        lines
    };
    project.qik(["each"]).ok();
    assert_eq!(
        lines(),
        [
            "a a a a",
            "short very/deep/one very.deep.one short",
            "src/nested/b src/nested/b nested.b src/nested/b",
        ]
    );
    project.file("a/x.txt", "two").qik(["each"]).ok();
    assert_eq!(lines(), ["a a a a"], "each module is cached on its own");
    assert_eq!(project.ls(["-m", "a", "-m", "short"]), ["each#a", "each#short"]);
    assert_eq!(project.ls(["each#short"]), ["each#short"]);
    project.qik(["-m", "nonesuch"]).errs("conf2").says("nonesuch");
    project.qik(["-m", "shrt"]).errs("conf2").says("did you mean `short`?");
}

#[test]
fn a_module_may_be_called_by_its_dotted_name() {
    let project = with(
        "[spaces.default]\nmodules = ['nested_module/b', 'x']\n[commands]\neach = 'echo {module}'\n",
        &[],
    );
    assert_eq!(project.ls(["-m", "nested_module.b"]), ["each#nested_module/b"]);
    assert_eq!(project.ls(["-m", "nested_module/b"]), ["each#nested_module/b"]);
}

const SPACES: &str = "
    [spaces.default]
    modules = ['a']
    [spaces.first]
    modules = ['b']
    [spaces.second]
    modules = ['c', 'd']
    [commands]
    plain = 'true'
    each = 'echo {module.dir}'
    [commands.own]
    exec = 'echo {module.dir}'
    space = 'second'
    [commands.in-first]
    exec = 'true'
    space = 'first'
";

#[test]
fn names_say_the_space_where_there_are_several() {
    let project = with(SPACES, &[]);
    assert_eq!(
        project.ls(ALL),
        [
            "each@default#a",
            "each@first#b",
            "each@second#c",
            "each@second#d",
            "in-first@first",
            "own@second#c",
            "own@second#d",
            "plain@default",
        ]
    );
    assert_eq!(project.ls(["-s", "first"]), ["each@first#b", "in-first@first"]);
    assert_eq!(project.ls(["each", "-s", "first", "--space", "default"]).len(), 2);
    assert_eq!(project.ls(["-s", "second", "-m", "d"]), ["each@second#d", "own@second#d"]);
    assert_eq!(project.ls(["-s", "second", "-m", "b"]), Vec::<String>::new());
    assert_eq!(project.ls(["each@first#b", "plain@default"]), ["each@first#b", "plain@default"]);
    project.qik(["-s", "nonesuch"]).errs("conf8").says("nonesuch");
    project.qik(["each@nonesuch#b"]).fails().says("each@nonesuch#b");
}

#[test]
fn a_modules_file_has_commands_of_its_own() {
    let project = with(
        "[spaces.default]\nmodules = ['my/module', {name = 'short', path = 'my/other'}]\n
        [commands]\ntop = 'true'\n",
        &["x.txt", "my/module/x.txt"],
    );
    let toml = "[commands.hello]\nexec = '{tick hello}; pwd > where; echo {module.dir} >> where'\n
        deps = ['x.txt', {type = 'const', val = '1'}, {type = 'command', name = 'top'}]\n";
    project.toml_at("my/module/qik.toml", toml);
    project.toml_at("my/other/qik.toml", "[commands]\nhello = 'echo {module.name} > other'\n");
    assert_eq!(project.ls(ALL), ["my/module/hello", "short/hello", "top"]);
    for folder in ["", "my", "my/module"] {
        let output = project.qik_in(folder, ["--ls"]).ok();
        output.prints("my/module/hello\nshort/hello\ntop\n");
    }
    project.qik(["my/module/hello", "short/hello"]).ok();
    assert_eq!(project.read("where"), format!("{}\nmy/module\n", project.root.display()));
    assert_eq!(project.read("other"), "short\n");
    project.file("my/module/x.txt", "two");
    assert!(!project.reruns("my/module/hello"), "globs are relative to the root");
    project.file("x.txt", "two");
    project.qik(["my/module/hello"]).ok();
    assert_eq!(project.runs("hello"), 2);
    project.qik(["my/other/hello"]).errs("conf2").says("my/other");
    project.toml_at("my/other/qik.toml", "[commands.hello]\nexec = 'true'\nnonesuch = 1\n");
    project.qik(["top"]).errs("conf1").says("my/other/qik.toml:3").says("nonesuch");
    project.toml_at("my/other/qik.toml", "[spaces.x]\n");
    project.qik(["top"]).errs("conf1").says("my/other/qik.toml").says("spaces");
}

#[test]
fn dotenv_files_are_applied_in_order_and_are_deps() {
    let project = with(
        r"
        [defaults]
        dotenv = 'base.env'
        [spaces.app]
        dotenv = ['one.env', 'two.env']
        [spaces.lib]
        [commands.app]
        exec = '{tick app}; printf %s, $ONE $BOTH $GIVEN $KEPT $QUOTED $EXPORTED $URL $BASE'
        deps = ['a.txt']
        space = 'app'
        [commands.lib]
        exec = '{tick lib}; printf %s, $ONE $BASE'
        deps = ['a.txt']
        space = 'lib'
        ",
        &["a.txt"],
    );
    let one = "# comment\n\nONE=1\nBOTH=from-one\nGIVEN=from-file\nQUOTED=\"a  b\"\nexport EXPORTED='x'\n\
               URL=http://host/?a=b&c=d\n";
    project.file("one.env", one).file("two.env", "BOTH=from-two\n").file("base.env", "BASE=b\n");
    project.file("deep/er/x", "").commit();
    let env = project.env("GIVEN", "from-env").env("KEPT", "kept");
    let expected = "1,from-two,from-file,kept,a,b,x,http://host/?a=b&c=d,";
    env.qik_in("deep/er", ["app"]).ok().prints(expected);
    env.qik(["lib"]).ok().prints("b,");
    env.qik(["-n", "1"]).ok().prints(&format!("{expected}b,"));
    assert_eq!((project.runs("app"), project.runs("lib")), (1, 1));
    project.file("two.env", "BOTH=newer\n");
    env.qik(ALL).ok();
    assert_eq!((project.runs("app"), project.runs("lib")), (2, 1));
}

#[test]
fn a_dotenv_file_counts_even_if_it_is_ignored() {
    let project = with(
        "[spaces.default]\ndotenv = '.env'\n[commands.hello]\nexec = '{tick hello}'\ndeps = ['a.txt']\n",
        &["a.txt"],
    );
    project.file(".gitignore", ".env\n").file(".env", "A=1\n").commit();
    assert!(project.reruns("hello") && !project.reruns("hello"));
    project.file(".env", "A=2\n");
    assert!(project.reruns("hello") && !project.reruns("hello"));
}

#[test]
fn a_missing_or_malformed_dotenv_file_fails_its_space_alone() {
    let project = with(
        r"
        [spaces.app]
        dotenv = 'app.env'
        [commands.inside]
        exec = '{tick inside}'
        space = 'app'
        [commands.outside]
        exec = '{tick outside}'
        ",
        &[],
    );
    project.qik(ALL).no_panic().exits(2).says("error[space2]").says("app.env");
    project.file("app.env", "A=1\nno equals sign here\n");
    project.qik(ALL).no_panic().exits(2).says("error[space3]").says("line 2");
    assert_eq!((project.runs("inside"), project.runs("outside")), (0, 2));
}

const ROOTS: &str = "
    [spaces.app]
    root = 'apps/one'
    dotenv = 'apps/one/.env'
    [spaces.more]
    root = 'apps/one-more'
    [spaces.lib]
    root = 'libs'
    modules = ['libs/x']
    [commands]
    plain = 'true'
    each = 'echo {module.dir}'
    [commands.serve]
    exec = 'echo $NAME > served; pwd >> served'
    space = 'app'
    [commands.extra]
    exec = 'true'
    space = 'more'
";

#[test]
fn a_working_folder_below_a_root_selects_its_space() {
    let project = with(ROOTS, &["apps/one/src/x", "apps/one-more/x", "libs/x/x", "apps/two/x"]);
    project.file("apps/one/.env", "NAME=app\n");
    let ls = |folder: &str, args: &[&str]| {
        let output = project.qik_in(folder, args.iter().chain(&["--ls"])).ok();
        output.stdout().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ls("apps/one", &[]), ["serve@app"]);
    assert_eq!(ls("apps/one/src", &[]), ["serve@app"]);
    assert_eq!(ls("apps/one-more", &[]), ["extra@more"]);
    assert_eq!(ls("libs", &[]), ["each@lib#libs/x"]);
    assert_eq!(ls("apps/two", &[]), ls("", &[]));
    assert_eq!(ls("apps/one", &["-s", "default"]), ["plain@default"]);
    assert_eq!(ls("libs/x", &["-s", "lib", "-s", "app"]), ["each@lib#libs/x", "serve@app"]);
    project.qik_in("apps/one", ["serve"]).ok();
    assert_eq!(project.read("served"), format!("app\n{}\n", project.root.display()));
}

#[test]
fn requirements_are_a_dep_of_each_command_of_the_space() {
    for venv in [
        "venv = 'reqs.txt'",
        "venv = ['other.txt', 'reqs.txt']",
        "venv = {type = 'active', reqs = 'reqs.txt'}",
        "venv = {type = 'active', reqs = 'other.txt', lock = 'reqs.txt'}",
    ] {
        let project = with(
            &format!(
                "[spaces.app]\n{venv}\n[spaces.heir]\nvenv = {{type = 'space', name = 'app'}}
                [commands.a]\nexec = '{{tick a}}'\ndeps = ['a.txt']\nspace = 'app'
                [commands.b]\nexec = '{{tick b}}'\ndeps = ['a.txt']\nspace = 'heir'
                [commands.c]\nexec = '{{tick c}}'\ndeps = ['a.txt']\n"
            ),
            &["a.txt", "other.txt", "reqs.txt"],
        );
        project.qik(ALL).ok();
        project.qik(ALL).ok();
        project.file("reqs.txt", "x==2\n");
        assert_eq!(project.ls(["--since", "HEAD"]), ["a@app", "b@heir"], "{venv}");
        project.qik(ALL).ok();
        assert_eq!(["a", "b", "c"].map(|name| project.runs(name)), [2, 2, 1], "{venv}");
    }
}

#[test]
fn spaces_have_short_forms() {
    let project = with(
        r"
        [spaces]
        one = 'one.txt'
        two = ['one.txt', 'two.txt']
        [commands.first]
        exec = 'true'
        space = 'one'
        [commands.second]
        exec = 'true'
        space = 'two'
        ",
        &["one.txt", "two.txt"],
    );
    assert_eq!(project.ls(ALL), ["first@one", "second@two"]);
    project.qik(ALL).ok();
}

#[test]
fn a_folder_may_not_be_two_modules() {
    for modules in ["['a', 'a']", "['a', {name = 'a', path = 'b'}]"] {
        let project = with(&format!("spaces.default.modules = {modules}\n"), &[]);
        project.qik(ALL).errs("conf17").says("`a`");
    }
    let project = with("spaces.one.modules = ['a']\nspaces.two.modules = ['a']\n", &[]);
    project.qik(ALL).errs("conf17").says("`a`");
}

#[test]
fn the_order_and_the_kind_of_a_space_s_files_count() {
    let project = Project::new();
    let toml =
        |space: &str| format!("{space}\n[commands.show]\nexec = 'echo A=$A'\ndeps = ['a.txt']\n");
    project.file("a.txt", "").file("one", "A=1\n").file("two", "A=2\n");
    project.toml(&toml("defaults.dotenv = ['one', 'two']")).commit();
    project.qik(["show"]).ok().prints("A=2\n");
    project.toml(&toml("defaults.dotenv = ['two', 'one']"));
    project.qik(["show"]).ok().prints("A=1\n");
    project.toml(&toml("spaces.default.venv = 'one'"));
    project.qik(["show"]).ok().prints("A=\n");
    project.toml(&toml("spaces.default.dotenv = 'one'"));
    project.qik(["show"]).ok().prints("A=1\n");
}
