//! How commands are run: in which order, how many at once, in which world, and what is told of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Project;

/// No arguments: everything.
const ALL: [&str; 0] = [];

fn with(toml: &str) -> Project {
    let project = Project::new();
    project.toml(toml).commit();
    project
}

#[test]
fn the_exit_code_is_the_highest() {
    let project = with(
        r"
        [commands]
        good = 'true'
        two = 'exit 2'
        seven = 'exit 7'
        highest = 'exit 255'
        killed = 'kill -9 $$'
        absent = 'no-such-program-anywhere'
        ",
    );
    for (names, code) in [
        (vec!["good"], 0),
        (vec!["two"], 2),
        (vec!["good", "two", "seven"], 7),
        (vec!["highest", "seven"], 255),
        (vec!["absent"], 127),
        (vec!["killed"], 137),
        (vec!["killed", "good", "two"], 137),
    ] {
        for workers in ["1", "4"] {
            project.qik(names.iter().chain(&["-n", workers])).no_panic().exits(code);
        }
    }
    project.qik(["killed"]).exits(137).says("signal 9");
    project.qik(["absent", "-l", "stdout"]).exits(127).shows("no-such-program-anywhere");
}

#[test]
fn a_killed_command_is_never_cached() {
    let project = with(
        r"
        [commands.killed]
        exec = '{tick killed}; kill -9 $$'
        deps = ['qik.toml']
        cache-when = 'finished'

        [commands.reported]
        exec = '{tick reported}; exit 137'
        deps = ['qik.toml']
        cache-when = 'finished'
        ",
    );
    for _ in 0..2 {
        project.qik(["killed"]).exits(137);
        project.qik(["reported"]).exits(137);
    }
    assert_eq!((project.runs("killed"), project.runs("reported")), (2, 2));
}

#[test]
fn commands_are_shell_scripts_in_the_root() {
    let project = with(
        r#"
        [commands]
        pipe = "printf 'b\\na\\n' | sort | tr '\\n' ' ' > pipe.txt"
        logic = 'false || (cd sub && pwd > ../logic.txt)'
        braces = "printf 'x y\\n' | awk '{print $2}' > braces.txt; echo ${HOME} {a,b} {} >> braces.txt"
        many = """
            echo first > many.txt
            echo second >> many.txt
        """
        "#,
    );
    project.file("sub/x", "").file("deep/down/x", "");
    project.qik_in("deep/down", ALL).ok();
    assert_eq!(project.read("pipe.txt"), "a b ");
    assert_eq!(project.read("logic.txt").trim(), project.root.join("sub").to_str().unwrap());
    let home = project.world().join("home");
    assert_eq!(project.read("braces.txt"), format!("y\n{} {{a,b}} {{}}\n", home.display()));
    assert_eq!(project.read("many.txt"), "first\nsecond\n");
    assert!(!project.exists("deep/down/._qik"));
}

#[test]
fn the_environment_says_what_runs() {
    let project = with(
        r"
        [spaces.default]
        modules = ['m']
        [spaces.other]
        [commands]
        each = 'echo $QIK__CMD $QIK__RUNNABLE $QIK__WORKER {module.name} > m.txt'
        [commands.plain]
        exec = 'echo $QIK__CMD $QIK__RUNNABLE $QIK__WORKER $MINE > plain.txt'
        space = 'other'
        ",
    );
    project.env("MINE", "inherited").qik(["-n", "1"]).ok();
    assert_eq!(project.read("m.txt"), "each each@default#m 1 m\n");
    assert_eq!(project.read("plain.txt"), "plain plain@other 1 inherited\n");
}

#[test]
fn commands_run_side_by_side_on_workers_of_their_own() {
    let one = |name: &str, other: &str| {
        format!("{name} = 'echo $QIK__WORKER > {name}.w; mv {name}.w {name}; {{wait {other}}}'\n")
    };
    let project = with(&format!("[commands]\n{}{}", one("one", "two"), one("two", "one")));
    project.qik(["-n", "2"]).ok();
    let mut workers = [project.read("one"), project.read("two")];
    workers.sort();
    assert_eq!(workers, ["1\n", "2\n"]);
}

#[test]
fn workers_bound_what_runs_at_once() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let modules = names.map(|name| format!("'{name}'")).join(", ");
    let project = with(&format!(
        "[spaces.default]\nmodules = [{modules}]\n[commands]\neach = '''
        mkdir run-{{module.name}} && ls -d run-* | wc -l >> log && echo $QIK__WORKER >> workers
        sleep 0.1; rmdir run-{{module.name}}'''"
    ));
    for (workers, most) in [("1", 1), ("2", 2), ("3", 3)] {
        project.qik(["-n", workers]).ok();
        let numbers = |path: &str| -> Vec<usize> {
            project.read(path).split_whitespace().map(|n| n.parse().unwrap()).collect()
        };
        assert_eq!(numbers("log").len(), names.len());
        assert!(numbers("log").iter().all(|count| *count <= most), "-n {workers}");
        assert!(numbers("workers").iter().all(|number| (1..=most).contains(number)));
        project.remove("log").remove("workers");
    }
    project.qik(["-n", "100000", "each", "-m", "a"]).ok();
}

#[test]
fn a_number_of_workers_that_is_none_is_a_usage_error() {
    let project = with("[commands]\nran = '{tick ran}'\n");
    for number in ["0", "-1", "several", "1.5", "", "99999999999999999999999"] {
        let output = project.qik(["ran", "-n", number]).no_panic().exits(2);
        assert!(output.stderr().contains(number), "{}", output.dump());
    }
    project.env("QIK__WORKERS", "abc").qik(["ran"]).errs("ctx1").says("abc").says("QIK__WORKERS");
    assert_eq!(project.runs("ran"), 0);
}

#[test]
fn the_longest_path_goes_first() {
    let project = with(
        r"
        [commands]
        a = 'echo a >> order'
        b = 'echo b >> order'
        z1 = 'echo z1 >> order'
        [commands.z2]
        exec = 'echo z2 >> order'
        deps = [{type = 'command', name = 'z1'}]
        [commands.z3]
        exec = 'echo z3 >> order'
        deps = [{type = 'command', name = 'z2'}]
        ",
    );
    project.qik(["-n", "1"]).ok();
    let order = project.read("order");
    let position = |name: &str| order.lines().position(|line| line == name).unwrap();
    assert_eq!(position("z1"), 0, "{order}");
    assert!(position("z2") < position("a") || position("z2") < position("b"), "{order}");
}

#[test]
fn a_failure_skips_its_downstreams_alone() {
    let command = |name: &str, exec: &str, upstream: &str| {
        let deps = format!("deps = [{{type = 'command', name = '{upstream}'}}]\n");
        let deps = if upstream.is_empty() { String::new() } else { deps };
        format!("[commands.{name}]\nexec = '{{tick {name}}}; {exec}'\n{deps}")
    };
    let project = with(
        &[
            command("bad", "exit 3", ""),
            command("after", "true", "bad"),
            command("after-that", "true", "after"),
            command("other", "true", ""),
            command("after-other", "true", "other"),
        ]
        .concat(),
    );
    let names = ["bad", "after", "after-that", "other", "after-other"];
    for (round, workers) in [(1, "1"), (2, "4")] {
        project.qik(["-n", workers]).exits(3);
        assert_eq!(names.map(|name| project.runs(name)), [round, 0, 0, round, 1]);
    }
    assert_eq!(statuses(&project)["after-that"], "skipped");
    assert_eq!(statuses(&project)["after-other"], "success");
}

/// `runnable_status` of the manifest.
fn statuses(project: &Project) -> BTreeMap<String, String> {
    let manifest: Value = serde_json::from_str(&project.read("._qik/out/manifest.json")).unwrap();
    serde_json::from_value(manifest["runnable_status"].clone()).unwrap()
}

#[test]
fn the_manifest_tells_how_each_runnable_ended() {
    let project = with(
        r"
        [spaces.default]
        modules = ['m', 'n']
        [commands.warm]
        exec = 'true'
        deps = ['qik.toml']
        [commands.bad]
        exec = 'exit 1'
        [commands.after]
        exec = 'true'
        deps = [{type = 'command', name = 'bad'}]
        [commands.each]
        exec = 'test {module.name} = m'
        ",
    );
    project.qik(["warm"]).ok();
    project.qik(ALL).exits(1);
    let manifest: Value = serde_json::from_str(&project.read("._qik/out/manifest.json")).unwrap();
    let expected = serde_json::json!({
        "after": "skipped", "bad": "failed", "each#m": "success", "each#n": "failed", "warm": "success",
    });
    assert_eq!(manifest["runnable_status"], expected);
    let names: Vec<&String> = expected.as_object().unwrap().keys().collect();
    let mut listed: Vec<String> = serde_json::from_value(manifest["runnables"].clone()).unwrap();
    listed.sort();
    assert_eq!(listed.iter().collect::<Vec<_>>(), names);
    assert_eq!(manifest["cached_runnables"], serde_json::json!(["warm"]));
    let by_command = serde_json::json!({
        "after": "skipped", "bad": "failed", "each": "failed", "warm": "success",
    });
    assert_eq!(manifest["cmd_status"], by_command);
}

#[test]
fn a_running_command_is_pending_in_the_manifest() {
    let project = with("[commands]\nlong = '{wait go}'\n");
    let started = project.start(["long"]);
    crate::support::until("the manifest is there", || {
        project.exists("._qik/out/manifest.json") && statuses(&project)["long"] == "pending"
    });
    project.file("go", "");
    started.wait().ok();
    assert_eq!(statuses(&project)["long"], "success");
}

#[test]
fn output_files_hold_the_last_run_byte_for_byte() {
    let project = with(
        r"
        [spaces.default]
        modules = ['m', 'n/o']
        [commands]
        each = 'cat {module.dir}/x'
        bad = 'cat bad >&2; exit 1'
        [commands.cached]
        exec = 'cat cached'
        deps = ['cached']
        ",
    );
    let files = [("m/x", "of m\n"), ("n/o/x", "\n  of o"), ("bad", "\tbad\n"), ("cached", "c\n\n")];
    for (path, text) in files {
        project.file(path, text);
    }
    project.commit();
    for _ in 0..2 {
        project.qik(["-n", "2"]).exits(1);
        let outs = ["each#m", "each#n/o", "bad", "cached"];
        for (out, (_, text)) in outs.iter().zip([files[0], files[1], files[2], files[3]]) {
            assert_eq!(project.read(format!("._qik/out/{out}.out")), text, "{out}");
        }
        project.remove("._qik/out");
    }
    project.file("m/x", "newer").qik(["each", "-m", "m"]).ok();
    assert_eq!(project.read("._qik/out/each#m.out"), "newer");
}

#[test]
fn output_files_grow_while_a_command_runs() {
    let project = with("[commands]\nlong = 'echo first-words; {wait go}; echo last-words'\n");
    let started = project.start(["long"]);
    let path = "._qik/out/long.out";
    crate::support::until("its output is there", || {
        project.exists(path) && project.read(path) == "first-words\n"
    });
    project.file("go", "");
    started.wait().ok();
    assert_eq!(project.read(path), "first-words\nlast-words\n");
}

#[test]
fn the_next_command_starts_while_the_result_of_one_is_stored() {
    let project = with(
        r"
        [commands.a]
        exec = 'truncate -s 200M big'
        deps = ['qik.toml']
        artifacts = ['big']

        [commands.b]
        exec = 'for i in $(seq 1000); do test -e done && exit; sleep 0.02; done; exit 1'

        [commands.c]
        exec = 'touch done'
        ",
    );
    let lines = project.qik(["-n", "2", "--logger", "json"]).ok().stdout();
    let place = |event: &str, name: &str| {
        let (event, name) = (format!(r#""event":"{event}""#), format!(r#""runnable":"{name}""#));
        let place = lines.lines().position(|line| line.contains(&event) && line.contains(&name));
        place.unwrap_or_else(|| panic!("{event} of {name} is not in\n{lines}"))
    };
    assert!(place("started", "c") < place("ended", "a"), "{lines}");
    project.forget("big");
    project.qik(["a"]).ok();
    assert_eq!(project.read("big").len(), 200 << 20, "it was stored all the same");
}

#[test]
fn json_lines_tell_the_run() {
    let project = with(
        r"
        [commands.warm]
        exec = 'echo warm'
        deps = ['qik.toml']
        [commands.bad]
        exec = 'echo bad; exit 3'
        [commands.after]
        exec = 'true'
        deps = [{type = 'command', name = 'bad'}]
        ",
    );
    project.qik(["warm"]).ok();
    let output = project.qik(["--logger", "json"]).exits(3);
    let text = output.stdout();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(Value::is_object), "{text}");
    assert!(lines.len() >= 5, "{text}");
    for name in ["warm", "bad", "after"] {
        assert!(text.contains(&format!("\"{name}\"")), "{text}");
    }
}

#[test]
fn a_command_that_cannot_be_started_fails_alone() {
    let long = "x".repeat(200_000);
    let project = with(&format!("[commands]\nlong = ': {long}'\ngood = '{{tick good}}'\n"));
    project.qik(ALL).no_panic().exits(126).says("error[run1]");
    assert_eq!(project.runs("good"), 1);
}

#[test]
fn a_project_may_have_no_commands() {
    let project = with("");
    project.qik(ALL).ok();
    project.qik(["--ls"]).ok().prints("");
    project.qik(["any"]).errs("conf5").says("any");
}

#[test]
fn a_thousand_commands_and_a_deep_ladder_take_no_time() {
    let mut toml = String::from("[commands.c0]\nexec = 'true'\n");
    for number in 1..1200 {
        let deps = format!("deps = [{{type = 'command', name = 'c{}'}}]", number - 1);
        toml += &format!("[commands.c{number}]\nexec = 'true'\n{deps}\n");
    }
    for layer in 1..40 {
        let up = |side: &str| format!("{{type = 'command', name = '{side}{}'}}", layer - 1);
        let deps = format!("deps = [{}, {}]", up("l"), up("r"));
        toml += &format!("[commands.l{layer}]\nexec = 'true'\n{deps}\n");
        toml += &format!("[commands.r{layer}]\nexec = 'true'\n{deps}\n");
    }
    toml += "[commands]\nl0 = 'true'\nr0 = 'true'\n";
    let project = with(&toml);
    assert_eq!(project.ls(["c1199"]).len(), 1200);
    assert_eq!(project.ls(["l39"]).len(), 79);
    project.qik(["l39", "-v", "0"]).ok();
}

#[test]
fn developers_get_a_log() {
    let project = Project::hello(r#"["a.txt"]"#);
    let output = project.env("QIK_LOG", "trace").qik(["hello"]).ok();
    assert!(
        output.stderr().len() > project.qik(["hello"]).ok().stderr().len(),
        "{}",
        output.dump()
    );
    project.env("QIK_LOG", "nonsense").qik(["hello"]).ok();
}

#[test]
fn why_a_command_runs_is_told() {
    let project = Project::hello(r#"["*.txt", {type = "const", val = "v1"}]"#);
    let check = |args: &[&str], words: &str| {
        let output = project.qik(["hello", "-l", "stdout"].iter().chain(args)).ok();
        assert!(output.stderr().contains(words), "{words}\n{}", output.dump());
    };
    check(&[], "first run");
    check(&["-f"], "force");
    project.file("a.txt", "two\n");
    check(&[], "`a.txt` changed");
    project.file("b.txt", "").commit();
    check(&[], "`b.txt` added");
    project.remove("b.txt");
    check(&["-f"], "force");
    project.file("c.txt", "").git(["add", "-N", "c.txt"]);
    check(&[], "`c.txt` added");
    project.remove("c.txt").file("a.txt", "three\n");
    check(&[], "`a.txt` changed, +1 more");
    let text = project.read("qik.toml");
    project.file("qik.toml", text.replace("v1", "v2"));
    check(&[], "const `v1` is now `v2`");
    project.file("qik.toml", text.replace("exec = \"", "exec = \"true && "));
    check(&[], "exec changed");
    check(&[], "");
}
