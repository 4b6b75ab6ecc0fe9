//! Bytes on their way: from a command to the terminal, to its log, and back from the cache.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::support::{Output, Project};

/// A cached command whose output is the file `bytes`.
fn cat(bytes: &[u8]) -> Project {
    let project = Project::new();
    project.toml("[commands.cat]\nexec = '{tick cat}; cat bytes'\ndeps = ['bytes']\n");
    project.file("bytes", bytes).commit();
    project
}

/// Output is the same when it runs, when it is replayed, and in its file.
#[track_caller]
fn check_bytes(bytes: &[u8]) {
    let project = cat(bytes);
    for run in ["run", "replayed"] {
        let output = project.qik(["cat"]).ok();
        assert_eq!(output.stdout, bytes, "{run}");
        let file = std::fs::read(project.root.join("._qik/out/cat.out")).unwrap();
        assert_eq!(file, bytes, "{run}");
    }
    assert_eq!(project.runs("cat"), 1);
}

#[test]
fn output_is_bytes() {
    check_bytes(b"");
    check_bytes(b"\n");
    check_bytes(b"no final newline");
    check_bytes(b"invalid \xff\xfe\xc3( UTF-8\n");
    check_bytes(b"a\0b\0\n");
    check_bytes(b"[/nope] [red]markup[/red] [bold]\n");
    check_bytes(b"\n\n  indented\n\n\ttabbed  \n   \n");
    check_bytes(b"crlf\r\nprogress 1%\rprogress 100%\r\n");
    check_bytes("日本 é 🎈 {} {{x}} %s \\n $HOME\n".as_bytes());
}

#[test]
fn a_line_may_be_long_and_a_log_may_have_many() {
    check_bytes(&[vec![b'x'; 1 << 20], b"\n".to_vec()].concat());
    let lines: Vec<u8> = (0..50_000).flat_map(|n| format!("line {n:05}\n").into_bytes()).collect();
    check_bytes(&lines);
}

#[test]
fn stdout_and_stderr_keep_the_order_of_writing() {
    let project = Project::new();
    let exec = "for n in 1 2 3 4 5 6 7 8 9; do echo out-$n; echo err-$n >&2; done";
    project.toml(&format!("[commands.mix]\nexec = '{exec}'\ndeps = ['qik.toml']\n")).commit();
    let expected: String = (1..10).map(|n| format!("out-{n}\nerr-{n}\n")).collect();
    for _ in 0..2 {
        project.qik(["mix"]).ok().prints(&expected);
    }
}

#[test]
fn lots_of_output_takes_little_memory() {
    let project = Project::new();
    let exec = "{tick big}; head -c 20000000 /dev/zero | tr '\\0' x";
    project.toml(&format!("[commands.big]\nexec = '''{exec}'''\ndeps = ['qik.toml']\n")).commit();
    let limit = "ulimit -v 1000000 2>/dev/null";
    let qik = env!("CARGO_BIN_EXE_qik");
    for run in ["run", "replayed"] {
        let script = format!("{limit}; {qik} big & pid=$!; wait $pid; code=$?; exit $code");
        let output = project.sh(&script).ok();
        assert_eq!(output.stdout.len(), 20_000_000, "{run}");
    }
    assert_eq!(project.runs("big"), 1);
}

#[test]
fn memory_does_not_grow_with_output() {
    let project = Project::new();
    let write = |bytes: usize| {
        let exec = format!("head -c {bytes} /dev/zero; touch written; {{wait go}}");
        project.toml(&format!("[commands.big]\nexec = '{exec}'\n"));
        let started = project.start(["big"]);
        crate::support::until("it has written", || {
            project.exists("written") && started.stdout_so_far().len() >= bytes
        });
        let status = std::fs::read_to_string(format!("/proc/{}/status", started.id()));
        project.file("go", "");
        started.wait().ok();
        project.remove("go").remove("written");
        let status = status.unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    let (small, large) = (write(1000), write(20_000_000));
    assert!(large < small + 15_000, "{small} kB for a little, {large} kB for a lot");
}

#[test]
fn a_reader_that_leaves_early_is_no_catastrophe() {
    let project = Project::new();
    project.toml(
        r"
        [commands.long]
        exec = '{tick long}; seq 1 100000'
        deps = ['qik.toml']
        ",
    );
    project.commit();
    let mut child: std::process::Child = project
        .qik_command(["long"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked") && !stderr.contains("bug"), "{stderr}");
    let result = project.sh("qik long | head -n 1").ok().prints("1\n");
    assert!(!result.stderr().contains("panicked"), "{}", result.dump());
    let all: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    project.qik(["long"]).ok().prints(&all);
    project.sh("qik --ls | true").ok();
    project.sh("qik long >&- 2>&-").no_panic();
    project.sh("qik --help | head -n 1").no_panic();
    project.sh("qik nonesuch 2>&1 | true").no_panic();
}

#[test]
fn stdin_is_empty() {
    let project = Project::new();
    project.toml("[commands]\nreads = 'cat > got; echo read'\n").commit();
    let mut command = project.qik_command(["reads"]);
    command.stdin(Stdio::piped());
    let started = crate::support::Started::of(&mut command);
    // Nothing is typed and nothing closed: who reads the terminal would wait for ever.
    started.wait().ok().prints("read\n");
    assert_eq!(project.read("got"), "");
}

/// A run where one command fails, at a verbosity.
fn verbosity(args: &[&str]) -> Output {
    let project = Project::new();
    project.toml("[commands]\ngood = 'cat good.txt'\nbad = 'cat bad.txt; exit 1'\n");
    project.file("good.txt", "output-of-good\n").file("bad.txt", "output-of-bad\n").commit();
    project.qik(args).exits(1)
}

/// Whether the output of the failed command and of the other one is to be read.
#[track_caller]
fn check_verbosity(args: &[&str], expected: (bool, bool)) {
    let output = verbosity(args);
    let all = [output.stdout(), output.stderr()].concat();
    let shown = (all.contains("output-of-bad"), all.contains("output-of-good"));
    assert_eq!(shown, expected, "{args:?}\n{}", output.dump());
}

#[test]
fn verbosity_chooses_what_is_shown() {
    check_verbosity(&["-n", "2"], (true, false));
    check_verbosity(&["-n", "2", "-v", "1"], (true, false));
    check_verbosity(&["-n", "2", "-v", "0"], (false, false));
    check_verbosity(&["-n", "1", "-v", "0"], (false, false));
    check_verbosity(&["-n", "2", "-v", "2"], (true, true));
    check_verbosity(&["-n", "2", "-v"], (true, true));
    check_verbosity(&["-v", "good", "bad", "-n", "2"], (true, true));
    check_verbosity(&["-n", "1"], (true, true));
    check_verbosity(&["-n", "2", "-l", "stdout"], (true, true));
    check_verbosity(&["-n", "1", "-l", "progress"], (true, false));
    check_verbosity(&["good", "bad", "--logger", "progress"], (true, false));
}

#[test]
fn a_verbosity_that_is_none_is_an_error() {
    let project = Project::hello("[]");
    for word in ["-1", "loud"] {
        project.env("QIK__VERBOSITY", word).qik(["hello"]).errs("ctx1").says(word);
    }
}

#[test]
fn the_terminals_words_and_the_commands_do_not_mix() {
    let project = cat(b"of the command\n");
    project.qik(["cat"]).ok().prints("of the command\n").says("cat");
    project.qik(["cat"]).ok().prints("of the command\n").says("cat");
    let cold = project.qik(["cat", "-f"]).ok().stderr();
    let warm = project.qik(["cat"]).ok().stderr();
    assert_ne!(cold, warm, "a header tells a cached run from an uncached one");
    let output = project.qik(["nonesuch"]).exits(2);
    output.prints("").says("nonesuch");
}

#[test]
fn colour_is_for_those_who_can_see_it() {
    let project = cat(b"\x1b[31mred\x1b[0m\n");
    let colourful = |project: &Project| {
        let output = project.qik(["cat"]).ok();
        let has = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == b"\x1b[");
        (has(&output.stdout), has(&output.stderr))
    };
    let bare = project.without_env("TERM");
    assert!(!colourful(&project).1);
    assert!(!colourful(&bare).1);
    assert!(colourful(&bare.env("CLICOLOR_FORCE", "1")).1);
    assert!(!colourful(&bare.env("NO_COLOR", "1")).1);
    assert!(!colourful(&bare.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1")).1);
}

#[test]
fn a_terminal_shows_progress_and_a_dumb_one_does_not() {
    let project = Project::new();
    project.toml("[commands]\none = 'echo one'\ntwo = 'echo two'\n").commit();
    let on_terminal = |term: &str| {
        let mut command: Command = project.command("script", &project.root);
        let run = format!("exec {} -n 2", env!("CARGO_BIN_EXE_qik"));
        command.env("TERM", term).args(["-qefc", &run, "/dev/null"]);
        crate::support::Started::of(&mut command).wait().ok().stdout()
    };
    assert!(on_terminal("xterm-256color").contains("\x1b["));
    assert!(!on_terminal("dumb").contains("\x1b["));
}

#[test]
fn a_narrow_terminal_and_any_locale_will_do() {
    let project = cat("é\n".as_bytes());
    for (name, value) in [("COLUMNS", "1"), ("COLUMNS", "0"), ("COLUMNS", "wide"), ("LC_ALL", "C")]
    {
        project.env(name, value).qik(["cat", "-l", "progress"]).ok();
        project.env(name, value).qik(["cat"]).ok().prints("é\n");
        project.env(name, value).qik(["nonesuch"]).errs("conf5");
        project.env(name, value).qik(["--help"]).ok();
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let project = Project::new();
    let commands =
        "[commands.x]\nexec = '{tick x}; echo x'\ndeps = ['qik.toml']\n[commands]\ny = 'exit 7'\n";
    project.toml(commands).commit();
    let qik = |args: &str| project.sh(&format!("qik {args} > /dev/full"));
    for args in ["x", "x", "-n 1 x", "-v x", "--logger json x", "--ls", "--help", "--version"] {
        qik(args).exits(2).says("error[run0]: stdout cannot be written to").says("No space left");
    }
    assert_eq!(project.runs("x"), 1, "the result is one all the same");
    qik("-n 1").exits(7);
    qik("-v 0 x").ok().warns_not();
    project.sh("qik x 2> /dev/full").ok();
}
