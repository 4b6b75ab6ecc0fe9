//! Whole runs in a process of their own, watched through pipes and a terminal, with real signals.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::Winsize;

use super::{Choice, Logger, Manifest, Marks, Reporting, Verbosity, reporter};
use crate::exec::tests::project::{PATIENCE, Project};
use crate::exec::{Signals, begin, output_folder};
use crate::sys::{Env, Sys, clock, fs, spawn, ui::Ui};

/// The run that the tests below start: not a test by itself.
#[test]
#[expect(clippy::exit, clippy::disallowed_methods, reason = "a program within a test program")]
fn a_run() {
    let sys = Sys::new().unwrap();
    let Some(folder) = sys.var("QIK_TEST_FOLDER") else { return };
    let mut project = Project::at(PathBuf::from(folder));
    for line in sys.var("QIK_TEST_COMMANDS").unwrap().lines() {
        let (name, exec) = line.split_once(' ').unwrap();
        project.cached(name, exec, &[]);
    }
    let job = project.job();
    let logger = sys.var("QIK_TEST_LOGGER").map(|_| Logger::Progress);
    let choice = Choice {
        logger,
        verbosity: Verbosity::Normal,
        worker_count: 2,
        runnable_count: project.runnables.len(),
    };
    let mut code = 0;
    for _ in 0..sys.var("QIK_TEST_RUNS").map_or(1, |count| count.parse().unwrap()) {
        let reporter = reporter(choice, &Ui::new(&sys), Marks::ASCII);
        let manifest = Manifest::new(&output_folder(&job.dirs), job.dirs.unfinished.clone());
        let (events, reporting) = Reporting::new(reporter, manifest);
        let begun = begin(job.clone(), Signals::Process, events);
        let reporting = reporting.start().unwrap();
        let summary = begun.finish().unwrap();
        reporting.finish(summary.signal.is_some());
        code = summary.code;
    }
    std::process::exit(code);
}

/// That run as a process, killed if the test ends first.
struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

impl Running {
    fn start(commands: &str, env: &[(&str, &str)], streams: [Stdio; 2]) -> Self {
        Self::start_by(None, commands, env, streams)
    }

    /// `wrapper` is a shell command that ends in `exec "$0" "$@"`.
    fn start_by(
        wrapper: Option<&str>,
        commands: &str,
        env: &[(&str, &str)],
        [out, err]: [Stdio; 2],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sys = Sys::new().unwrap();
        let mut vars = Env::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]);
        vars.insert("QIK_TEST_FOLDER".into(), folder.path().into());
        vars.insert("QIK_TEST_COMMANDS".into(), commands.into());
        vars.insert("TERM".into(), "xterm".into());
        vars.extend(env.iter().map(|(name, value)| (name.into(), value.into())));
        let mut command = match wrapper {
            Some(wrapper) => {
                let mut command = spawn::command("sh", Path::new("/"), &vars);
                command.arg("-c").arg(wrapper).arg(&sys.exe);
                command
            }
            None => spawn::command(&sys.exe, Path::new("/"), &vars),
        };
        command.args(["--exact", "report::tests::a_run", "--nocapture", "--test-threads=1"]);
        Self { child: command.stdout(out).stderr(err).spawn().unwrap(), folder }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_text(&self.folder.path().join(path)).ok()
    }

    fn code(&mut self) -> Option<i32> {
        until(|| self.child.try_wait().unwrap()).code()
    }

    /// Waits for a command to write a file, and gives its text.
    fn wait_for(&self, path: &str) -> String {
        until(|| self.read(path).filter(|text| text.ends_with('\n')))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[track_caller]
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begin = clock::instant();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "it does not happen");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The state of a process, as `R`, `S`, `T` or `Z`; `None` if there is none.
fn state(pid: i32) -> Option<char> {
    let text = fs::read_text(Path::new(&format!("/proc/{pid}/stat"))).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}

fn is_gone(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z'))
}

/// Tells its process id, then waits.
const WAITING: &str = "it echo $$ > pid; exec sleep 60";

#[test]
fn a_signal_to_qik_alone_ends_its_commands_too() {
    for (signal, code) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)]
    {
        let mut running = Running::start(WAITING, &[], [Stdio::null(), Stdio::null()]);
        let command = running.wait_for("pid").trim().parse().unwrap();
        running.signal(signal);
        assert_eq!(running.code(), Some(code));
        assert!(is_gone(command), "the command lives on");
    }
}

#[test]
fn a_run_under_nohup_survives_the_terminal() {
    let wrapper = r#"trap "" HUP; exec "$0" "$@""#;
    let commands = "it echo x > begun; while ! test -e go; do sleep 0.02; done; exit 7";
    let mut running =
        Running::start_by(Some(wrapper), commands, &[], [Stdio::null(), Stdio::null()]);
    running.wait_for("begun");
    running.signal(Signal::HUP);
    fs::write_atomic(&running.folder.path().join("go"), b"").unwrap();
    assert_eq!(running.code(), Some(7));
}

#[test]
fn pausing_qik_pauses_its_commands() {
    let mut running = Running::start(WAITING, &[], [Stdio::null(), Stdio::null()]);
    let command = running.wait_for("pid").trim().parse().unwrap();
    let own = running.pid().as_raw_pid();
    let both_are = |states: &[char]| {
        let is_so = |pid| state(pid).is_some_and(|state| states.contains(&state));
        until(|| (is_so(command) && is_so(own)).then_some(()));
    };
    running.signal(Signal::TSTP);
    both_are(&['T']);
    running.signal(Signal::CONT);
    both_are(&['S', 'R']);
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(143));
}

#[test]
fn a_reader_that_has_had_enough_leaves_the_run_alone() {
    let (reader, writer) = std::io::pipe().unwrap();
    let commands = "it seq 100000; echo done > done; exit 5";
    let mut running = Running::start(commands, &[], [writer.into(), Stdio::null()]);
    let mut reader = reader;
    let mut begin = Vec::new();
    let mut byte = [0];
    while !begin.ends_with(b"1\n2\n") {
        reader.read_exact(&mut byte).unwrap();
        begin.push(byte[0]);
    }
    drop(reader);
    assert_eq!(running.code(), Some(5));
    assert_eq!(running.read("done").as_deref(), Some("done\n"));
}

/// A terminal: the end that programs have, and what has been written to it so far.
struct Terminal {
    near: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

/// The two ends of a new terminal: the screen's and the programs'.
fn terminal_ends(columns: u16) -> (OwnedFd, OwnedFd) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    let name = ptsname(&far, Vec::new()).unwrap();
    let near = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&near, size).unwrap();
    (far, near.into())
}

fn streams(near: &OwnedFd) -> [Stdio; 2] {
    [near.try_clone().unwrap().into(), near.try_clone().unwrap().into()]
}

impl Terminal {
    fn open(columns: u16) -> Self {
        let (far, near) = terminal_ends(columns);
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let mut far = File::from(far);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // When the last near end is closed, reading fails.
            while let Ok(count @ 1..) = far.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { near, written, reader }
    }

    fn wait_for(&self, text: &str) {
        until(|| {
            String::from_utf8_lossy(&self.written.lock().unwrap()).contains(text).then_some(())
        });
    }

    /// All that was written, once nobody can write any more.
    fn text(self) -> String {
        drop(self.near);
        self.reader.join().unwrap();
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }
}

#[test]
fn a_terminal_gets_live_output_as_it_is_and_replays_without_tricks() {
    let terminal = Terminal::open(80);
    let commands = r"it printf '\033]0;title\007\033[31mred\033[0m'";
    let mut running = Running::start(commands, &[("QIK_TEST_RUNS", "2")], streams(&terminal.near));
    assert_eq!(running.code(), Some(0));
    let text = terminal.text();
    assert_eq!(text.matches("\x1b]0;title").count(), 1, "{text:?}");
    assert_eq!(text.matches("\x1b[31mred").count(), 2, "{text:?}");
    let lines: Vec<String> =
        text.lines().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
    assert!(lines.iter().any(|line| line.starts_with("+ it  ")), "a line of its own: {lines:?}");
    assert!(lines.iter().any(|line| line == "= it  cached"), "{lines:?}");
}

#[test]
fn live_bars_come_and_go() {
    let terminal = Terminal::open(70);
    let commands = "slow until test -e go; do sleep 0.02; done\nbad echo output-of-bad; exit 3";
    let mut running =
        Running::start(commands, &[("QIK_TEST_LOGGER", "progress")], streams(&terminal.near));
    terminal.wait_for("1/2 done");
    fs::write_atomic(&running.folder.path().join("go"), b"").unwrap();
    assert_eq!(running.code(), Some(3));
    let text = anstream::adapter::strip_str(&terminal.text()).to_string();
    assert!(text.contains("> slow  ................  0/1"), "{text:?}");
    assert!(text.contains("1/2 done"), "{text:?}");
    let bad = text.rfind("output-of-bad").expect("what failed is shown");
    assert!(text.find("0/1").unwrap() < bad && text[bad..].contains("2 commands: 1 ran, 1 failed"));
}

#[test]
fn a_closed_terminal_is_no_panic() {
    let (far, near) = terminal_ends(80);
    let commands = "it echo x > begun; while ! test -e go; do sleep 0.02; done; echo y; exit 6";
    let mut running = Running::start(commands, &[], streams(&near));
    running.wait_for("begun");
    drop(far);
    fs::write_atomic(&running.folder.path().join("go"), b"").unwrap();
    assert_eq!(running.code(), Some(6));
}
