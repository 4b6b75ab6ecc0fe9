//! Where artifacts may lie, whoever says so: never outside of the project, never where git or
//! qik keep their own. Pure.
//!
//! A manifest is checked as a whole when it is stored and again before anything of it is
//! restored, so that one that was sent by a stranger can do no more than one of our own.

use std::collections::BTreeSet;

use super::{Artifact, ArtifactKind, Manifest};
use crate::error::{Code, Diagnostic};
use crate::paths::escape;

/// Longest path; what Linux takes.
const PATH_BYTES_MAX: usize = 4095;

/// Longest part of a path; what all usual file systems take.
const NAME_BYTES_MAX: usize = 255;

/// Folders in each other that are walked, each on the stack and with a file open; a program that
/// has lost its way makes thousands.
const DEPTH_MAX: usize = 256;

/// Whether a path belongs to git or to qik: `.git` at any depth, as a nested repository's hooks
/// run programs too; `._qik` but for its `artifacts`; `.qik/cache`. Upper case counts as lower case, as it does on some
/// file systems.
pub(super) fn is_reserved(path: &[u8]) -> bool {
    let mut parts = parts_of(path);
    if parts_of(path).any(|part| part.eq_ignore_ascii_case(b".git")) {
        return true;
    }
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_artifact = first == b"._qik" && second == b"artifacts" && parts.next().is_some();
    first.eq_ignore_ascii_case(b"._qik") && !is_artifact
        || first.eq_ignore_ascii_case(b".qik") && second.eq_ignore_ascii_case(b"cache")
}

/// Whether the artifacts of our own commands, which nobody else names, lie below a folder.
pub(super) fn is_above_artifacts(path: &[u8]) -> bool {
    matches!(path, b"._qik" | b"._qik/artifacts")
}

/// Whether all of a manifest may be stored, and restored.
pub(super) fn check(manifest: &Manifest) -> Result<(), Diagnostic> {
    let leaf = |artifact: &Artifact| !matches!(artifact.kind, ArtifactKind::Folder { .. });
    let leaves: BTreeSet<&[u8]> =
        manifest.artifacts.iter().filter(|a| leaf(a)).map(|a| a.path.as_bytes()).collect();
    for artifact in &manifest.artifacts {
        let path = artifact.path.as_bytes();
        if let Some(reason) = path_refusal(path).or_else(|| kind_refusal(artifact)) {
            return Err(refusal(path, reason));
        }
        let mut parents = slashes(path).map(|end| &path[..end]);
        if let Some(parent) = parents.find(|parent| leaves.contains(parent)) {
            return Err(Diagnostic::new(
                Code::CacheFailed,
                format!("the artifact `{}` lies below a file or symlink", shortened(path)),
            )
            .because(format!("`{}` is no folder", shortened(parent))));
        }
    }
    Ok(())
}

/// Whether folders are walked as deep as this path lies.
pub(super) fn check_depth(path: &[u8]) -> Result<(), Diagnostic> {
    if slashes(path).nth(DEPTH_MAX).is_none() {
        Ok(())
    } else {
        Err(refusal(path, "lies too deep"))
    }
}

fn refusal(path: &[u8], reason: &str) -> Diagnostic {
    let message = format!("the artifact `{}` {reason}", shortened(path));
    Diagnostic::new(Code::CacheFailed, message)
}

fn slashes(path: &[u8]) -> impl Iterator<Item = usize> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(index, _)| index)
}

/// A path for a message: one from a stranger may be of any length.
fn shortened(path: &[u8]) -> String {
    const SHOWN_MAX: usize = 200;
    match path.get(..SHOWN_MAX) {
        Some(start) => format!("{}…", escape(start)),
        None => escape(path).into_owned(),
    }
}

fn path_refusal(path: &[u8]) -> Option<&'static str> {
    if path.starts_with(b"/") {
        return Some("has an absolute path");
    }
    if path.len() > PATH_BYTES_MAX || parts_of(path).any(|part| part.len() > NAME_BYTES_MAX) {
        return Some("has a path that is too long");
    }
    if path.contains(&0) || parts_of(path).any(|part| matches!(part, b"" | b".")) {
        return Some("has a path that is none");
    }
    if parts_of(path).any(|part| part == b"..") {
        return Some("leads out of the project");
    }
    is_reserved(path).then_some("belongs to git or to qik")
}

fn parts_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

fn kind_refusal(artifact: &Artifact) -> Option<&'static str> {
    let ArtifactKind::Symlink { target } = &artifact.kind else { return None };
    if target.is_empty() || target.contains(&0) || target.len() > PATH_BYTES_MAX {
        return Some("is a symlink without a valid target");
    }
    leaves_project(artifact.path.as_bytes(), target)
        .then_some("is a symlink that leads out of the project")
}

/// Whether a symlink can lead out of the project. `..` is taken at the beginning of the target
/// alone: there it climbs from the link's own folder, which is a real one, while after another
/// name it may climb from wherever another symlink leads.
fn leaves_project(path: &[u8], target: &[u8]) -> bool {
    if target.starts_with(b"/") {
        return true;
    }
    let depth = slashes(path).count();
    let parts = || parts_of(target).filter(|part| !matches!(*part, b"" | b"."));
    let climb_count = parts().take_while(|part| *part == b"..").count();
    climb_count > depth || parts().skip(climb_count).any(|part| part == b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Content;
    use crate::paths::ProjectPath;

    fn file(path: &[u8]) -> Artifact {
        let kind = ArtifactKind::File { mode: 0o644, content: Content::of(b"") };
        Artifact { path: ProjectPath::from_bytes(path), kind }
    }

    fn link(path: &str, target: &str) -> Artifact {
        let kind = ArtifactKind::Symlink { target: target.into() };
        Artifact { path: ProjectPath::from_bytes(path.as_bytes()), kind }
    }

    #[track_caller]
    fn check_one(artifacts: &[Artifact], expected: Option<&str>) {
        let manifest = Manifest { artifacts: artifacts.to_vec(), unmatched: Vec::new() };
        let message = check(&manifest).err().map(|diagnostic| diagnostic.message);
        match expected {
            None => assert_eq!(message, None),
            Some(part) => assert!(message.clone().is_some_and(|m| m.contains(part)), "{message:?}"),
        }
    }

    #[test]
    fn paths_inside_of_the_project_are_fine() {
        for path in ["a", "a/b/c", ".hidden", "a..b/...", ".gitignore", ".qik/artifacts/x", "C:\\x"]
        {
            check_one(&[file(path.as_bytes())], None);
        }
        check_one(&[file(b"\xff/\n")], None);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        check_one(&[file(b"/etc/passwd")], Some("absolute"));
        for path in ["..", "../x", "a/../../x", "a/.."] {
            check_one(&[file(path.as_bytes())], Some("out of the project"));
        }
        for path in ["", "a//b", "./a", "a/.", "a/", "a\0b"] {
            check_one(&[file(path.as_bytes())], Some("that is none"));
        }
        check_one(&[file("x".repeat(256).as_bytes())], Some("too long"));
        check_one(&[file("x/".repeat(2100).as_bytes())], Some("too long"));
    }

    #[test]
    fn what_is_gits_or_ours_is_refused() {
        for path in [
            ".git/hooks/post-checkout",
            "sub/.git",
            ".GIT/config",
            "._qik/cache/x",
            "._qik/artifacts",
            "._QIK/artifacts/x",
            ".qik/cache/x",
        ] {
            check_one(&[file(path.as_bytes())], Some("belongs to git or to qik"));
        }
    }

    #[test]
    fn symlinks_stay_inside() {
        check_one(&[link("a/b/l", "../../x/y"), link("l", "a/b"), link("m", "./m.1")], None);
        for target in ["/etc", "../x", "a/../../x", "a/..", "./../x"] {
            check_one(&[link("l", target)], Some("leads out"));
        }
        check_one(&[link("a/l", "../../x")], Some("leads out"));
        check_one(&[link("l", "")], Some("without a valid target"));
        check_one(&[link("l", "a\0b")], Some("without a valid target"));
    }

    #[test]
    fn nothing_lies_below_a_symlink_or_a_file() {
        check_one(&[link("a", "b"), file(b"a/x")], Some("below a file or symlink"));
        check_one(&[file(b"a"), file(b"a-b"), file(b"a/x/y")], Some("below a file or symlink"));
        check_one(&[file(b"a"), file(b"a-b"), file(b"ab/x")], None);
    }
}
