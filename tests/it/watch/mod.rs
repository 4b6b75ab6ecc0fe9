//! `--watch`: what runs when files change, what does not, and what it says.

mod affected;
mod editors;
mod edits;
mod environments;
mod folders;
mod limits;
mod own_writes;
mod reload;
mod remotes;
mod terminal;

use crate::support::{Output, Project, Started, until};

/// What is said between rounds, where there is no terminal.
const IDLE: &str = "waiting for changes";

/// A project with these declarations, and a command that tells that a watcher is alive.
fn project(toml: &str) -> Project {
    let project = Project::new();
    write_toml(&project, toml);
    project.file("probe.txt", "0\n");
    project
}

fn write_toml(project: &Project, toml: &str) {
    project.toml(&format!(
        "{toml}\n[commands.probe]\nexec = '{{tick probe}}'\ndeps = ['probe.txt']\ncache = 'none'\n"
    ));
}

/// A running `qik --watch`.
struct Watching {
    project: Project,
    started: Started,
}

impl Watching {
    /// Starts it, and waits until the first round is over.
    #[track_caller]
    fn start(project: &Project, args: &[&str]) -> Self {
        let watching = Self::begin(project, args);
        until("the first round is over", || watching.idle_count() == 1);
        watching
    }

    /// Starts it and waits for nothing.
    fn begin(project: &Project, args: &[&str]) -> Self {
        let started = project.start(args.iter().chain(&["--watch"]));
        Self { project: project.clone(), started }
    }

    fn said(&self) -> String {
        self.started.stderr_so_far()
    }

    fn idle_count(&self) -> usize {
        self.said().matches(IDLE).count()
    }

    /// The causes of all rounds but the first.
    fn causes(&self) -> Vec<String> {
        let said = self.said();
        let rules = said.lines().filter(|line| line.starts_with("── "));
        rules
            .filter_map(|rule| Some(rule.split(" ── ").nth(1)?.trim_end_matches('─').trim().into()))
            .collect()
    }

    /// Makes a change and waits until a round has come and gone. Gives what it was for.
    #[track_caller]
    fn round(&self, change: impl FnOnce(&Project)) -> String {
        let before = self.idle_count();
        change(&self.project);
        until(&format!("a round is over:\n{}", self.said()), || self.idle_count() > before);
        self.causes().pop().unwrap_or_default()
    }

    /// Writes a file and waits until a round has come and gone. Gives what it was for.
    #[track_caller]
    fn edit(&self, path: &str, text: impl AsRef<[u8]>) -> String {
        self.round(|project| {
            project.file(path, text);
        })
    }

    /// Waits until everything that was noticed before has been acted on, and whatever that
    /// caused. Gives the causes of rounds that were for something else than to learn this.
    #[track_caller]
    fn settled(&self) -> Vec<String> {
        for _ in 0..2 {
            let number = self.project.read("probe.txt").trim().parse::<u32>().unwrap() + 1;
            self.edit("probe.txt", format!("{number}\n"));
        }
        self.causes().into_iter().filter(|cause| cause != "probe.txt").collect()
    }

    fn runs(&self, name: &str) -> usize {
        self.project.runs(name)
    }

    /// Ends it as Ctrl-C would.
    #[track_caller]
    fn end(self) -> Output {
        self.started.signal(rustix::process::Signal::INT);
        self.started.wait().no_panic()
    }
}
