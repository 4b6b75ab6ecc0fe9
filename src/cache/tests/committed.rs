//! What the repo cache promises.

use std::sync::{Arc, Mutex};

use super::*;
use crate::paths::ProjectPath;

impl Project {
    fn shared(&self) -> Shared {
        Shared::new(&self.dirs, Arc::new(self.local()), Box::new(|_| Vec::new()))
    }

    /// Another checkout with the committed files, and those alone.
    fn clone_committed(&self) -> Self {
        let clone = Self::new();
        for path in self.files("") {
            let relative = path.strip_prefix(self.dirs.root.as_path()).unwrap().to_str().unwrap();
            if !relative.starts_with("._qik") {
                clone.write(relative, fs::read(&path).unwrap());
                clone.chmod(relative, if self.mode(relative) & 0o100 == 0 { 0o664 } else { 0o775 });
            }
        }
        clone
    }
}

const JSON: &str = ".qik/cache/build/build.json";
const OUT: &str = ".qik/cache/build/build.out";

#[test]
fn a_clone_is_warm() {
    let project = Project::new();
    let run = Run { code: 4, ..Run::new("one") };
    run.check_absent(&project.shared());
    run.store(&project.shared()).unwrap();
    assert_eq!(project.read(OUT), b"log of one\n");
    run.check_hit(&project.shared());
    let clone = project.clone_committed();
    run.check_hit(&clone.shared());
    assert_eq!(run.hit(&clone.shared()).duration, None);
    assert_eq!(clone.shared().latest(&run.runnable, "build"), Some(run.document()));
}

#[test]
fn only_the_most_recent_result_is_kept() {
    let project = Project::new();
    let shared = project.shared();
    let (one, two) = (Run::new("one"), Run::new("two"));
    one.store(&shared).unwrap();
    two.store(&shared).unwrap();
    one.check_absent(&shared);
    two.check_hit(&shared);
    assert_eq!(project.files(".qik").len(), 2);
}

#[test]
fn the_same_result_is_the_same_bytes() {
    let (one, two) = (Project::new(), Project::new());
    for (project, mode) in [(&one, 0o600), (&two, 0o664)] {
        project.write("out/x", "made");
        project.chmod("out/x", mode);
        let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
        run.store(&project.shared()).unwrap();
    }
    assert_eq!(one.read(JSON), two.read(JSON));
    let written = fs::stat(&one.path(JSON)).unwrap().modified().unwrap();
    let run = Run::new("one").with_artifacts(one.collect(&["out"]).unwrap());
    run.store(&one.shared()).unwrap();
    assert_eq!(fs::stat(&one.path(JSON)).unwrap().modified().unwrap(), written);
    assert_eq!(one.mode(JSON), 0o644);
}

#[test]
fn the_format_stays() {
    let project = Project::new();
    project.write("out/x", "made");
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    run.store(&project.shared()).unwrap();
    let text = String::from_utf8(project.read(JSON)).unwrap();
    insta::assert_snapshot!(text, @r#"
{
  "version": 1,
  "runnable": "build",
  "digest": "d33fb48ab5adff269ae172b29a6913ff04f6f266207a7a8e976f2ecd571d4492",
  "code": 0,
  "log": {
    "size": 11,
    "digest": "ac2065385cee6289d4ea0cbc1f76603b3375733f6fdfbe343aa53f429c6e0eb1"
  },
  "artifacts": {
    "out/x": "file 0644 4 8ed2f556480aa7e32ff1324149a5c6e2491e4c092174df502f7110b1e35ec7b8"
  },
  "fingerprint": {
    "version": 1,
    "inputs": {
      "runnable": "",
      "exec": "one",
      "deps": [],
      "artifacts": [],
      "space": "",
      "consts": [],
      "settings": {},
      "distributions": {},
      "upstreams": {}
    },
    "files": {
      "a.txt": "100644 abc"
    }
  },
  "seal": "75e216b663b705262b44ca4cb086b32504343aa4dc8b0bad112405192bc1f557"
}
"#);
}

#[test]
fn commands_with_odd_names_have_files_of_their_own() {
    let project = Project::new();
    let shared = project.shared();
    for (command, runnable) in
        [("web/lint", "web/lint"), ("Lint", "Lint#a.b"), ("lint", "lint#a-b"), ("..", "..")]
    {
        let run = Run::of("one", runnable);
        let key = Key { command, ..run.key() };
        let mut log = tempfile::tempfile().unwrap();
        let (artifacts, fingerprint) = (&run.artifacts, &run.document());
        let duration = Duration::ZERO;
        let entry = NewEntry { code: 0, duration, log: &mut log, artifacts, fingerprint };
        shared.store(key, entry).unwrap();
        assert!(matches!(shared.lookup(key), Lookup::Hit(_)));
    }
    let files = project.files(".qik/cache");
    assert_eq!(files.len(), 8);
    assert!(files[..].iter().any(|path| path.starts_with(project.path(".qik/cache/web/lint"))));
}

#[test]
fn an_altered_log_is_a_miss() {
    let project = Project::new();
    let shared = project.shared();
    let run = Run::new("one").with_log(b"a\nb\n");
    for altered in [&b"a\nc\n"[..], b"a\r\nc\r\n", b"", b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"]
    {
        run.store(&shared).unwrap();
        project.write(OUT, altered);
        let text = match shared.lookup(run.key()) {
            Lookup::Hit(hit) => hit.open_log().unwrap_err().causes[0].clone(),
            Lookup::Miss(Miss::Damaged(diagnostic)) => diagnostic.causes[0].clone(),
            Lookup::Miss(Miss::Absent) => panic!("{altered:?}"),
        };
        assert!(text.contains("does not hold what the command wrote"), "{text}");
    }
    project.remove(OUT);
    assert!(matches!(shared.lookup(run.key()), Lookup::Miss(Miss::Damaged(_))));
    project.link(OUT, "/etc/passwd");
    assert!(matches!(shared.lookup(run.key()), Lookup::Miss(Miss::Damaged(_))));
    run.store(&shared).unwrap();
    run.check_hit(&shared);
}

#[test]
fn other_line_ends_are_those_of_the_checkout() {
    let project = Project::new();
    let shared = project.shared();
    let run = Run::new("one").with_log(b"a\nb\n");
    run.store(&shared).unwrap();
    for path in [JSON, OUT] {
        let text = String::from_utf8(project.read(path)).unwrap();
        project.write(path, text.replace('\n', "\r\n"));
    }
    run.check_hit(&shared);
    let mut log = Vec::new();
    run.hit(&shared).open_log().unwrap().read_to_end(&mut log).unwrap();
    assert_eq!(log, b"a\nb\n");
}

#[test]
fn a_conflict_in_the_entry_is_a_miss() {
    let project = Project::new();
    let shared = project.shared();
    let run = Run::new("one");
    run.store(&shared).unwrap();
    let good = String::from_utf8(project.read(JSON)).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let conflict = format!("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n", lines[3], lines[3]);
    for bad in [
        good.replace(&format!("{}\n", lines[3]), &conflict),
        good.replace("100644", "100755"),
        String::new(),
    ] {
        assert_ne!(bad, good);
        project.write(JSON, &bad);
        let lookup = shared.lookup(run.key());
        assert!(matches!(lookup, Lookup::Miss(Miss::Damaged(_))), "{lookup:?}");
        assert_eq!(shared.latest(&run.runnable, "build"), None);
    }
    run.store(&shared).unwrap();
    assert_eq!(project.read(JSON), good.as_bytes());
}

#[test]
fn the_entry_of_another_version_is_left_alone() {
    let project = Project::new();
    let shared = project.shared();
    let run = Run::new("one");
    run.store(&shared).unwrap();
    let text = String::from_utf8(project.read(JSON)).unwrap();
    let other = text.replace("\"version\": 1,\n  \"runnable\"", "\"version\": 2,\n  \"runnable\"");
    assert_ne!(other, text);
    project.write(JSON, &other);
    run.check_absent(&shared);
    run.store(&shared).unwrap_err();
    assert_eq!(project.read(JSON), other.as_bytes());
}

#[test]
fn committed_artifacts_are_used_as_they_are() {
    let project = Project::new();
    project.write("out/x", "made");
    project.write("out/tool", "#!/bin/sh\n");
    project.chmod("out/tool", 0o755);
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    run.store(&project.shared()).unwrap();

    let clone = project.clone_committed();
    let hit = run.hit(&clone.shared());
    clone.restore(&hit).unwrap();
    assert_eq!(clone.mode("out/x"), 0o664, "what git keeps as the same is left alone");
    assert_eq!(hit.manifest().to_list(), run.artifacts.to_list());

    clone.write("out/x", "else");
    run.check_absent(&clone.shared());
    clone.remove("out/x");
    run.check_absent(&clone.shared());
}

#[test]
fn a_lost_artifact_comes_back_from_the_local_cache() {
    let project = Project::new();
    project.write("out/x", "made");
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    let shared = project.shared();
    run.store(&shared).unwrap();
    assert!(shared.finish().is_empty());
    project.write("out/x", "else");
    project.restore(&run.hit(&shared)).unwrap();
    assert_eq!(project.read("out/x"), b"made");
    project.remove("out");
    project.restore(&run.hit(&shared)).unwrap();
    assert_eq!(project.read("out/x"), b"made");
}

#[test]
fn all_that_is_new_is_published_once() {
    let project = Project::new();
    let published = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&published);
    let publish: Publish = Box::new(move |results: &[Publication]| {
        sink.lock().unwrap().push(results.to_vec());
        vec![Diagnostic::new(crate::error::Code::GitFailed, "the index is locked")]
    });
    let shared = Shared::new(&project.dirs, Arc::new(project.local()), publish);
    assert!(shared.finish().is_empty());
    project.write("out/x", "made");
    project.link("out/link", "x");
    fs::create_folder(&project.path("out/empty")).unwrap();
    let artifacts = project.collect(&["out"]).unwrap();
    Run::new("one").with_artifacts(artifacts).store(&shared).unwrap();
    Run::of("one", "build#web").store(&shared).unwrap();
    assert_eq!(shared.finish().len(), 1);
    assert!(shared.finish().is_empty());

    let calls = published.lock().unwrap();
    assert_eq!(calls.len(), 1);
    let names = |paths: &[ProjectPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(calls[0].iter().all(|it| it.is_new));
    assert_eq!(names(&calls[0][0].files), [JSON, OUT]);
    assert_eq!(names(&calls[0][0].artifacts), ["out/link", "out/x"]);
    let module = [".qik/cache/build/build#web.json", ".qik/cache/build/build#web.out"];
    assert_eq!(names(&calls[0][1].files), module);
    assert!(calls[0][1].artifacts.is_empty());
}

#[test]
fn a_symlink_in_the_repository_leads_nowhere() {
    let (project, outside) = (Project::new(), Project::new());
    fs::create_folder(&project.path(".qik/cache")).unwrap();
    project.link(".qik/cache/build", outside.dirs.root.as_path().to_str().unwrap());
    Run::new("one").store(&project.shared()).unwrap_err();
    assert!(outside.files("").is_empty());
}

#[test]
fn without_a_private_folder_results_are_still_committed() {
    let project = Project::new();
    project.write("._qik", "in the way");
    let shared = project.shared();
    let run = Run::new("one");
    let diagnostic = run.store(&shared).unwrap_err();
    assert!(diagnostic.causes[0].contains("._qik"), "{diagnostic:?}");
    run.check_hit(&shared);
    assert_eq!(project.files("").len(), 3, "nothing unfinished is left in the project");
}
