//! The documentation is true: its configurations load, its sessions run, its links lead somewhere.
//!
//! - `toml` blocks are complete configurations; `toml error CODE` ones fail with that code;
//!   `toml ignore` ones are not looked at.
//! - `console` blocks are sessions in a repository that the blocks of one `##` section share; its
//!   `qik.toml` is the section's last `toml` block before it, be it right or an error. `$ ` begins a command, what
//!   follows is all that it says; a line `...` stands for any lines, a duration for any duration.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Project;

/// A fenced block.
#[derive(Debug, Clone)]
struct Block {
    place: String,
    section: usize,
    info: String,
    text: String,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        paths.push(entry.unwrap().path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    assert!(paths.len() > 1);
    paths
}

fn blocks(path: &Path) -> Vec<Block> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let (mut section, mut open) = (0, None);
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => {
                let indent = line.len() - line.trim_start().len();
                let place = format!("{name}:{}", index + 1);
                let info = info.trim().to_owned();
                open = Some((indent, Block { place, section, info, text: String::new() }));
            }
            (Some(_), Some("")) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), _) => {
                let cut = (*indent).min(line.len() - line.trim_start().len());
                let _ = writeln!(block.text, "{}", &line[cut..]);
            }
            (None, None) if line.starts_with("## ") => section += 1,
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block is never closed");
    blocks
}

#[test]
fn configurations_load() {
    let mut count = 0;
    for block in documents().iter().flat_map(|path| blocks(path)) {
        let words: Vec<&str> = block.info.split_whitespace().collect();
        let project = Project::new();
        project.file("qik.toml", &block.text);
        match words.as_slice() {
            ["toml"] => {
                let output = project.qik(["--ls"]);
                assert_eq!(output.code, Some(0), "{}\n{}", block.place, output.dump());
            }
            ["toml", "error", code] => {
                let heading = format!("error[{code}]");
                let is_told = |args: &[&str]| project.qik(args).stderr().contains(&heading);
                let is_told = is_told(&["--ls"]) || is_told(&[]);
                assert!(is_told, "{}: no {heading}\n{}", block.place, project.qik(["--ls"]).dump());
            }
            ["toml", "ignore"] => {}
            ["toml", ..] => panic!("{}: what is `{}`?", block.place, block.info),
            _ => continue,
        }
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn sessions_go_as_told() {
    for path in documents() {
        let mut session: Option<(usize, Session)> = None;
        for block in blocks(&path) {
            if session.as_ref().is_none_or(|(section, _)| *section != block.section) {
                session = Some((block.section, Session::new()));
            }
            let Some((_, session)) = &mut session else { continue };
            match block.info.split_whitespace().next() {
                Some("toml") if block.info != "toml ignore" => {
                    session.project.file("qik.toml", &block.text);
                }
                Some("console") => session.play(&block),
                _ => {}
            }
        }
    }
}

/// A repository and the folder that the reader is in.
struct Session {
    project: Project,
    folder: PathBuf,
}

impl Session {
    fn new() -> Self {
        let project = Project::new();
        Self { folder: project.root.clone(), project }
    }

    /// Types the commands of a block and compares what they say.
    fn play(&mut self, block: &Block) {
        let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in block.text.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push((command, Vec::new())),
                (None, Some((_, expected))) => expected.push(line),
                (None, None) => panic!("{}: a session begins with `$ `", block.place),
            }
        }
        for (command, expected) in steps {
            let said = self.type_in(command);
            let said: Vec<&str> = said.lines().collect();
            let is_as_told = matches(&expected, &said);
            let (expected, said) = (expected.join("\n"), said.join("\n"));
            assert!(
                is_as_told,
                "{}\n$ {command}\n{said}\n--- the document has\n{expected}",
                block.place
            );
        }
    }

    fn type_in(&mut self, command: &str) -> String {
        let pwd = self.project.world().join("pwd");
        let script =
            format!("cd '{}'\n{command}\npwd > '{}'", self.folder.display(), pwd.display());
        let output = self.project.sh(&format!("exec 2>&1\n{script}"));
        self.folder = PathBuf::from(fs::read_to_string(pwd).unwrap().trim_end());
        output.stdout()
    }
}

/// Whether lines are as told.
fn matches(expected: &[&str], said: &[&str]) -> bool {
    match (expected.split_first(), said.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=said.len()).any(|skip| matches(rest, &said[skip..])),
        (Some((one, expected)), Some((other, said))) => {
            loose(one) == loose(other) && matches(expected, said)
        }
        _ => false,
    }
}

/// A line without its trailing blanks, every duration in it `TIME`.
fn loose(line: &str) -> String {
    let words = line.trim_end().split(' ').map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let unit = bare.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let is_duration =
            unit.len() < bare.len() && ["ns", "µs", "ms", "s", "m", "h"].contains(&unit);
        if is_duration { word.replace(bare, "TIME") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_are_compared_loosely() {
    assert!(matches(&["a (0.2s)", "...", "z"], &["a (113ms)", "b", "c", "z"]));
    assert!(matches(&["..."], &[]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(!matches(&["3 commands"], &["4 commands"]));
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let mut is_code = false;
        for line in text.lines() {
            is_code ^= line.trim_start().starts_with("```");
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if !is_code && !link.contains("://") && !link.starts_with("mailto:") {
                    check_link(&path, link);
                }
            }
        }
    }
}

fn check_link(document: &Path, link: &str) {
    let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => document.to_path_buf(),
        _ => document.parent().unwrap().join(file),
    };
    assert!(target.exists(), "{}: `{link}` leads nowhere", document.display());
    if !fragment.is_empty() {
        let text = fs::read_to_string(&target).unwrap();
        let mut headings = text.lines().filter(|line| line.starts_with('#'));
        let is_there = headings.any(|heading| anchor(heading) == fragment);
        assert!(is_there, "{}: `{link}` has no such heading", document.display());
    }
}
