//! What a stranger's manifest cannot do.

use super::*;
use crate::cache::attached;
use crate::cache::blobs::Blobs;
use crate::cache::entry::{Entry, Layout};
use crate::paths::ProjectPath;

/// Puts an entry with any artifacts into a project's cache, whose file blobs hold `evil`.
fn plant(project: &Project, artifacts: Vec<Artifact>) -> Box<Hit> {
    let local = project.local();
    let run = Run::new("one");
    run.store(&local).unwrap();
    Blobs::new(&project.dirs).store(&mut &b"evil"[..]).unwrap();
    let good = fs::read(&project.entry_of(&run)).unwrap();
    let (entry, attached) = attached::parse(&good).unwrap();
    let entry = Entry { artifacts: Manifest { artifacts, unmatched: Vec::new() }, ..entry };
    let bytes = entry.render(Layout::Compact).unwrap();
    let file = attached::render(&bytes, &attached);
    fs::write_atomic(&project.entry_of(&run), &file).unwrap();
    run.hit(&local)
}

fn file(path: &str) -> Artifact {
    let kind = ArtifactKind::File { mode: 0o644, content: Content::of(b"evil") };
    Artifact { path: ProjectPath::from_bytes(path.as_bytes()), kind }
}

fn link(path: &str, target: &str) -> Artifact {
    let kind = ArtifactKind::Symlink { target: target.as_bytes().to_vec() };
    Artifact { path: ProjectPath::from_bytes(path.as_bytes()), kind }
}

/// A restore fails, nothing in the project has changed, and nothing was written outside.
#[track_caller]
fn check_refused(project: &Project, artifacts: Vec<Artifact>) {
    let hit = plant(project, artifacts);
    let snapshot = || {
        let all = project.files("").into_iter().filter(|it| !it.starts_with(project.path("._qik")));
        all.map(|path| (path.clone(), fs::read(&path).ok())).collect::<Vec<_>>()
    };
    let before = snapshot();
    let diagnostic = project.restore(&hit).unwrap_err();
    assert_eq!(diagnostic.message, "the cached result of `build` cannot be used");
    assert_eq!(snapshot(), before);
}

#[test]
fn paths_outside_of_the_project_are_refused() {
    let project = Project::new();
    let long = "x/".repeat(2_050) + "x";
    for path in ["../escaped", "/tmp/escaped", "a/../../b", "a\0b", "", ".", "..", "a//b", &long] {
        check_refused(&project, vec![file("good"), file(path)]);
    }
}

#[test]
fn what_belongs_to_git_is_refused() {
    let project = Project::new();
    for path in [".git/hooks/post-checkout", "sub/.GIT/config", "._qik/cache/x", ".qik/cache/x"] {
        check_refused(&project, vec![file("good"), file(path)]);
    }
}

#[test]
fn symlinks_that_lead_out_are_refused() {
    let project = Project::new();
    for target in ["/etc", "../x", "a/../..", "sub/../../x"] {
        check_refused(&project, vec![file("good"), link("link", target)]);
    }
    check_refused(&project, vec![link("dir", "elsewhere"), file("dir/x")]);
}

#[test]
fn a_symlink_in_the_work_tree_leads_nowhere() {
    let (project, outside) = (Project::new(), Project::new());
    project.link("out", outside.dirs.root.as_path().to_str().unwrap());
    check_refused(&project, vec![file("good"), file("out/x")]);
    assert!(!outside.exists("x"));
    check_refused(&project, vec![file("good"), file("out/deep/x")]);
    assert!(!outside.exists("deep"));
}

#[test]
fn a_symlink_in_an_artifacts_place_is_replaced() {
    let (project, outside) = (Project::new(), Project::new());
    outside.write("victim", "untouched");
    project.link("x", outside.path("victim").to_str().unwrap());
    let hit = plant(&project, vec![file("x")]);
    project.restore(&hit).unwrap();
    assert_eq!(outside.read("victim"), b"untouched");
    assert_eq!(project.read("x"), b"evil");
    assert!(fs::stat(&project.path("x")).unwrap().is_file());
}

#[test]
fn what_is_in_the_way_stays() {
    let project = Project::new();
    project.write("full/precious", "mine");
    project.write("plain", "mine");
    project.fifo("pipe");
    check_refused(&project, vec![file("good"), file("full")]);
    check_refused(&project, vec![file("good"), link("full", "x")]);
    check_refused(&project, vec![file("good"), file("plain/x")]);
    check_refused(&project, vec![file("good"), file("pipe/x")]);
    let folder = |path: &str| Artifact { kind: ArtifactKind::Folder { mode: None }, ..file(path) };
    check_refused(&project, vec![file("good"), folder("plain")]);
}

#[test]
fn sizes_that_lie_are_noticed() {
    let project = Project::new();
    for size in [0, 3, 5, u64::MAX] {
        let content = Content { size, ..Content::of(b"evil") };
        let artifact = Artifact { kind: ArtifactKind::File { mode: 0o644, content }, ..file("x") };
        check_refused(&project, vec![file("good"), artifact]);
    }
}

#[test]
fn special_bits_are_dropped() {
    let project = Project::new();
    let kind = ArtifactKind::File { mode: 0o7755, content: Content::of(b"evil") };
    let hit = plant(&project, vec![Artifact { kind, ..file("x") }]);
    project.restore(&hit).unwrap();
    assert_eq!(project.mode("x"), 0o755);
}
