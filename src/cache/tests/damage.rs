//! Whatever is not as it was stored is a miss that says so, and is replaced.

use super::*;

/// A project with one stored result, which has an artifact, that is not in the work tree.
fn stored() -> (Project, Local, Run<'static>) {
    stored_with(b"the log\n")
}

fn stored_with(log: &[u8]) -> (Project, Local, Run<'static>) {
    let project = Project::new();
    let local = project.local();
    project.write("out/x", "made");
    let run = Run::new("one").with_log(log).with_artifacts(project.collect(&["out/x"]).unwrap());
    run.store(&local).unwrap();
    project.remove("out");
    (project, local, run)
}

/// Puts something else in the place of a file: a folder, a symlink, a fifo, nothing, other bytes.
fn replacements(good: &[u8]) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let mut flipped = good.to_vec();
    flipped[0] ^= 1;
    vec![
        ("gone", None),
        ("folder", None),
        ("link", None),
        ("fifo", None),
        ("empty", Some(Vec::new())),
        ("truncated", Some(good[..good.len() - 2].to_vec())),
        ("longer", Some([good, b"x"].concat())),
        ("altered", Some(flipped)),
    ]
}

fn replace(project: &Project, path: &std::path::Path, what: &str, bytes: Option<&[u8]>) {
    fs::remove_file(path).unwrap();
    let relative = path.strip_prefix(project.dirs.root.as_path()).unwrap().to_str().unwrap();
    match (what, bytes) {
        (_, Some(bytes)) => project.write(relative, bytes),
        ("folder", _) => fs::create_folder(path).unwrap(),
        ("link", _) => project.link(relative, "/etc/passwd"),
        ("fifo", _) => project.fifo(relative),
        _ => {}
    }
}

#[track_caller]
fn check_heals(local: &Local, run: &Run<'_>, project: &Project, what: &str) {
    project.write("out/x", "made");
    run.store(local).unwrap_or_else(|diagnostic| panic!("{what}: {diagnostic:?}"));
    project.remove("out");
    run.check_hit(local);
    project.restore(&run.hit(local)).unwrap_or_else(|diagnostic| panic!("{what}: {diagnostic:?}"));
    assert_eq!(project.read("out/x"), b"made", "{what}");
}

#[test]
fn a_damaged_log_is_a_miss() {
    let log = b"the log\n".repeat(10_000);
    for (what, bytes) in replacements(&log) {
        let (project, local, run) = stored_with(&log);
        replace(&project, &project.blob(&log), what, bytes.as_deref());
        let diagnostic = run.hit(&local).open_log().expect_err(what);
        assert_eq!(diagnostic.message, "the cached result of `build` cannot be used");
        assert!(!diagnostic.causes.is_empty(), "{what}");
        check_heals(&local, &run, &project, what);
    }
}

#[test]
fn a_damaged_log_in_an_entry_is_a_miss() {
    let (project, local, run) = stored();
    let good = fs::read(&project.entry()).unwrap();
    let place = memchr::memmem::find(&good, b"the log\n").unwrap();
    for at in place..place + 8 {
        let mut altered = good.clone();
        altered[at] ^= 1;
        fs::write_atomic(&project.entry(), &altered).unwrap();
        let diagnostic = run.hit(&local).open_log().unwrap_err();
        assert_eq!(diagnostic.message, "the cached result of `build` cannot be used");
        check_heals(&local, &run, &project, "altered");
    }
}

#[test]
fn a_long_log_is_verified_before_it_is_shown() {
    let project = Project::new();
    let local = project.local();
    let log = b"0123456789abcde\n".repeat(100_000);
    let run = Run::new("one").with_log(&log);
    run.store(&local).unwrap();
    for place in [0, log.len() / 2, log.len() - 1] {
        let mut altered = log.clone();
        altered[place] ^= 1;
        fs::write_atomic(&project.blob(&log), &altered).unwrap();
        run.hit(&local).open_log().unwrap_err();
        run.store(&local).unwrap();
        run.check_hit(&local);
    }
}

#[test]
fn a_damaged_artifact_is_a_miss_that_touches_nothing() {
    for (what, bytes) in replacements(b"made") {
        let (project, local, run) = stored();
        replace(&project, &project.blob(b"made"), what, bytes.as_deref());
        project.restore(&run.hit(&local)).expect_err(what);
        assert!(!project.exists("out"), "{what}");
        check_heals(&local, &run, &project, what);
    }
}

#[test]
fn a_damaged_entry_is_a_miss() {
    let (project, _, _) = stored();
    let good = fs::read(&project.entry()).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let mut cases = replacements(&good);
    cases.retain(|(what, _)| *what != "gone");
    for other in ["", "{\"foo\":1}", "null", "\u{feff}{}", "{\"version\":1}"] {
        cases.push(("other", Some(other.as_bytes().to_vec())));
    }
    for code in ["\"0\"", "-9", "300", "1e99", "1"] {
        let altered = text.replace("\"code\":0", &format!("\"code\":{code}"));
        assert_ne!(altered, text);
        cases.push(("code", Some(altered.into_bytes())));
    }
    cases.push(("not UTF-8", Some(b"\xff\xfe".to_vec())));
    cases.push(("nested", Some(b"[".repeat(100_000))));
    for (what, bytes) in cases {
        let (project, local, run) = stored();
        replace(&project, &project.entry(), what, bytes.as_deref());
        let lookup = local.lookup(run.key());
        let Lookup::Miss(Miss::Damaged(diagnostic)) = lookup else { panic!("{what}: {lookup:?}") };
        assert_eq!(diagnostic.message, "the cached result of `build` cannot be used", "{what}");
        if what == "folder" {
            // Nothing of ours makes one; it is for the user to move away.
            run.store(&local).unwrap_err();
        } else {
            check_heals(&local, &run, &project, what);
        }
    }
}

#[test]
fn the_entry_of_something_else_is_a_miss() {
    let (project, local, run) = stored();
    let bytes = fs::read(&project.entry()).unwrap();
    let (other, elsewhere) = (Run::new("two"), Run::of("one", "other"));
    for other in [other, elsewhere] {
        other.store(&local).unwrap();
        let path = project.entry_of(&other);
        fs::write_atomic(&path, &bytes).unwrap();
        let lookup = local.lookup(other.key());
        assert!(matches!(lookup, Lookup::Miss(Miss::Damaged(_))), "{lookup:?}");
    }
    run.check_hit(&local);
}

#[test]
fn the_entry_of_another_version_is_left_alone() {
    let (project, local, run) = stored();
    let text = String::from_utf8(fs::read(&project.entry()).unwrap()).unwrap();
    for other in [
        text.replace("\"version\":1", "\"version\":2"),
        text.replace("\"code\":0", "\"code\":0,\"later\":{}"),
    ] {
        fs::write_atomic(&project.entry(), other.as_bytes()).unwrap();
        run.check_absent(&local);
        let diagnostic = run.with_artifacts_of_nothing().store(&local).unwrap_err();
        assert!(diagnostic.causes[0].contains("another version"), "{diagnostic:?}");
        assert_eq!(fs::read(&project.entry()).unwrap(), other.as_bytes());
    }
}

impl Run<'_> {
    fn with_artifacts_of_nothing(&self) -> Self {
        self.clone().with_artifacts(Manifest::default())
    }
}

#[test]
fn a_damaged_latest_is_none() {
    let (project, local, run) = stored();
    let latest = project.entry().with_extension("latest");
    let good = fs::read(&latest).unwrap();
    let document = run.document();
    let json = serde_json::to_vec(&document).unwrap();
    assert_eq!(local.latest(&run.runnable, "build"), Some(document));
    let mut altered = good.clone();
    let place = memchr::memmem::rfind(&good, &json).unwrap();
    altered[place + json.len() / 2] ^= 1;
    let cut = &good[..good.len() - 1];
    for bytes in [&b""[..], b"x", b"\xff", &[b'0'; 64], &[b'0'; 200], &altered, cut] {
        fs::write_atomic(&latest, bytes).unwrap();
        assert_eq!(local.latest(&run.runnable, "build"), None);
    }
    Run::of("one", "other").store(&local).unwrap();
    let other = project.files("._qik/cache/v1/entries");
    let other = other.iter().find(|path| path.ends_with("other.latest")).unwrap();
    fs::write_atomic(&latest, &fs::read(other).unwrap()).unwrap();
    assert_eq!(local.latest(&run.runnable, "build"), None, "it is another's");
    fs::remove_file(&latest).unwrap();
    fs::create_folder(&latest).unwrap();
    assert_eq!(local.latest(&run.runnable, "build"), None);
}
