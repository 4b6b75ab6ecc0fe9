//! Artifacts as they are on disk: the files that patterns match, and what they hold.

use std::collections::BTreeMap;

use super::artifacts::folder_mode;
use super::pattern::{Part, Pattern};
use super::{Artifact, ArtifactKind, Content, Manifest, Memo, reach};
use crate::error::{Code, Diagnostic};
use crate::paths::{AbsPath, ProjectPath, escape};
use crate::sys::folder::{Folder, Kind, Missing, Stat, Walker};
use crate::sys::fs;

/// The artifacts below a root that patterns match, with the content of all files.
///
/// A pattern that is or matches a folder means all below it. Symlinks are artifacts themselves
/// and are never followed. What belongs to git or qik at the top of the project is passed over
/// by wildcards.
pub fn collect(root: &AbsPath, patterns: &[String], memo: &Memo) -> Result<Manifest, Diagnostic> {
    let mut walk = Walk::default();
    let mut unmatched = Vec::new();
    for text in patterns {
        let pattern = Pattern::parse(text)?;
        let folder = Folder::open(root.as_path())?;
        walk.is_folder_only = pattern.is_folder_only;
        walk.has_matched = false;
        walk.descend(&folder, &mut Vec::new(), &pattern.parts)?;
        if !walk.has_matched {
            unmatched.push(text.clone());
        }
    }
    let artifacts = read_all(root, walk.found, memo)?;
    Ok(Manifest { artifacts, unmatched })
}

/// The search for what one pattern matches.
#[derive(Default)]
struct Walk {
    found: BTreeMap<ProjectPath, Stat>,
    is_folder_only: bool,
    has_matched: bool,
}

impl Walk {
    /// Looks in a folder, whose path is given, for what matches the parts that are left.
    fn descend(
        &mut self,
        folder: &Folder,
        path: &mut Vec<u8>,
        parts: &[Part],
    ) -> Result<(), Diagnostic> {
        let Some((part, rest)) = parts.split_first() else { return Ok(()) };
        match part {
            Part::Literal(name) => self.visit(folder, path, (name, true), rest),
            Part::Wild(_) => {
                for name in folder.list()? {
                    if part.matches(&name) {
                        self.visit(folder, path, (&name, false), rest)?;
                    }
                }
                Ok(())
            }
            Part::AnyDepth => {
                self.descend(folder, path, rest)?;
                for name in folder.list()? {
                    let is_folder = |stat: Stat| stat.kind == Kind::Folder;
                    if part.matches(&name) && folder.stat(&name)?.is_some_and(is_folder) {
                        self.visit(folder, path, (&name, false), parts)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// A name that matches a part of the pattern, literally or not.
    fn visit(
        &mut self,
        folder: &Folder,
        path: &mut Vec<u8>,
        (name, is_literal): (&[u8], bool),
        rest: &[Part],
    ) -> Result<(), Diagnostic> {
        let Some(stat) = folder.stat(name)? else { return Ok(()) };
        let is_end = rest.is_empty();
        with_part(path, name, |path| {
            if stat.kind == Kind::Symlink && is_literal && (!is_end || self.is_folder_only) {
                let link = escape(path);
                return Err(Diagnostic::new(
                    Code::CacheFailed,
                    format!("artifacts are not looked for behind the symlink `{link}`"),
                )
                .hint("name the folder that it leads to"));
            }
            let is_on_the_way = is_literal && !is_end && reach::is_above_artifacts(path);
            if reach::is_reserved(path) && !is_on_the_way {
                return Ok(());
            }
            match stat.kind {
                Kind::Folder if is_end => {
                    self.has_matched = true;
                    self.take_folder(&folder.folder(name)?, path, stat)
                }
                Kind::Folder => match fs::optional(folder.folder(name))? {
                    Some(folder) => self.descend(&folder, path, rest),
                    None => Ok(()),
                },
                _ if is_end && !self.is_folder_only => {
                    self.has_matched = true;
                    self.take(path, stat)
                }
                Kind::File | Kind::Symlink | Kind::Special => Ok(()),
            }
        })
    }

    /// All below a folder; the folder itself if it is empty, or its mode is to be kept.
    fn take_folder(
        &mut self,
        folder: &Folder,
        path: &mut Vec<u8>,
        folder_stat: Stat,
    ) -> Result<(), Diagnostic> {
        let names = folder.list()?;
        if names.is_empty() || folder_mode(folder_stat.mode).is_some() {
            self.found.insert(ProjectPath::from_bytes(path.as_slice()), folder_stat);
        }
        for name in names {
            with_part(path, &name, |path| {
                // At the top alone: a repository within an artifact must not be lost silently,
                // so it stays in, and the manifest is refused when it is to be stored.
                let is_top = [&b".qik/cache"[..], b".git", b"._qik"].contains(&path.as_slice());
                match folder.stat(&name)? {
                    Some(_) if is_top => Ok(()),
                    None => Ok(()),
                    Some(stat) if stat.kind == Kind::Folder => {
                        self.take_folder(&folder.folder(&name)?, path, stat)
                    }
                    Some(stat) => self.take(path, stat),
                }
            })?;
        }
        Ok(())
    }

    fn take(&mut self, path: &[u8], stat: Stat) -> Result<(), Diagnostic> {
        if stat.kind == Kind::Special {
            let path = escape(path);
            return Err(Diagnostic::new(
                Code::CacheFailed,
                format!("the artifact `{path}` is a fifo, socket or device"),
            )
            .hint("let the artifact patterns match files, folders and symlinks alone"));
        }
        self.found.insert(ProjectPath::from_bytes(path), stat);
        Ok(())
    }
}

/// Calls with a path that is longer by one part.
fn with_part(
    path: &mut Vec<u8>,
    name: &[u8],
    call: impl FnOnce(&mut Vec<u8>) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    let length = path.len();
    if length > 0 {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    let result = reach::check_depth(path).and_then(|()| call(path));
    path.truncate(length);
    result
}

fn read_all(
    root: &AbsPath,
    found: BTreeMap<ProjectPath, Stat>,
    memo: &Memo,
) -> Result<Vec<Artifact>, Diagnostic> {
    let is_file = |stat: &&Stat| stat.kind == Kind::File;
    let size = found.values().filter(is_file).map(|stat| stat.size).sum();
    let mut session = memo.session(found.len(), size);
    let mut walker = Walker::new(root.as_path())?;
    let mut artifacts = Vec::with_capacity(found.len());
    for (path, stat) in found {
        let kind = read_one(&mut walker, &mut session, &path, stat);
        artifacts.push(Artifact { kind: kind?, path });
    }
    session.finish();
    Ok(artifacts)
}

fn read_one(
    walker: &mut Walker,
    session: &mut super::memo::Session<'_>,
    path: &ProjectPath,
    stat: Stat,
) -> fs::Result<ArtifactKind> {
    let (folder, name) = walker.parent(path.as_bytes(), Missing::Fail)?;
    Ok(match stat.kind {
        Kind::Folder => ArtifactKind::Folder { mode: folder_mode(stat.mode) },
        Kind::Symlink => ArtifactKind::Symlink { target: folder.link_target(name)? },
        Kind::File | Kind::Special => ArtifactKind::File {
            mode: stat.mode,
            content: session.content(path, stat, || read_content(folder, name))?,
        },
    })
}

/// What a file in an open folder holds.
pub(super) fn read_content(folder: &Folder, name: &[u8]) -> fs::Result<Content> {
    let mut file = folder.file(name)?;
    fs::verb("read", &folder.path_of(name), Content::read(&mut file))
}
