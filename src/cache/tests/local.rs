//! What the local cache promises.

use super::*;

#[test]
fn a_hit_is_what_the_run_printed_and_gave() {
    let project = Project::new();
    let local = project.local();
    let run = Run { code: 3, ..Run::new("one").with_log(b"a\xff\0\r\nb") };
    run.check_absent(&local);
    run.store(&local).unwrap();
    run.check_hit(&local);
    let hit = run.hit(&local);
    assert_eq!(hit.duration, Some(Duration::from_millis(1500)));
    assert_eq!((hit.log_size(), hit.log_digest()), (6, Digest::of(b"a\xff\0\r\nb")));
}

#[test]
fn a_lookup_makes_nothing() {
    let project = Project::new();
    Run::new("one").check_absent(&project.local());
    assert!(project.local().finish().is_empty());
    assert!(!project.exists("._qik"));
}

#[test]
fn earlier_results_stay_warm() {
    let project = Project::new();
    let local = project.local();
    let (one, two) = (Run::new("one"), Run::new("two"));
    one.store(&local).unwrap();
    two.store(&local).unwrap();
    one.check_hit(&local);
    two.check_hit(&project.local());
}

#[test]
fn runnables_do_not_share_results() {
    let project = Project::new();
    let local = project.local();
    let names = ["a.b", "a-b", "a/b", "é", "ü", "A", "a"];
    for name in names {
        Run::of("one", name).with_log(name.as_bytes()).store(&local).unwrap();
    }
    for name in names {
        Run::of("one", name).with_log(name.as_bytes()).check_hit(&local);
    }
}

#[test]
fn the_most_recent_fingerprint_is_kept() {
    let project = Project::new();
    let local = project.local();
    let name = RunnableName::from("build".to_owned());
    assert_eq!(local.latest(&name, "build"), None);
    let (one, two) = (Run::new("one"), Run::new("two"));
    one.store(&local).unwrap();
    two.store(&local).unwrap();
    assert_eq!(local.latest(&name, "build"), Some(two.document()));
    one.store(&local).unwrap();
    assert_eq!(local.latest(&name, "build"), Some(one.document()));
}

#[test]
fn a_long_log_is_replayed_whole() {
    let project = Project::new();
    let local = project.local();
    let run = Run::new("one").with_log(&b"0123456789abcde\n".repeat(200_000));
    run.store(&local).unwrap();
    run.check_hit(&local);
}

#[test]
fn artifacts_come_back() {
    let project = Project::new();
    let local = project.local();
    project.write("out/tool", "#!/bin/sh\n");
    project.chmod("out/tool", 0o750);
    project.write("out/deep/er/x.bin", b"\0\xff\r\n");
    project.link("out/link", "deep/er");
    fs::create_folder(&project.path("out/empty/folder")).unwrap();
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    run.store(&local).unwrap();

    project.remove("out");
    assert_eq!(project.restore(&run.hit(&local)).unwrap(), run.artifacts);
    assert_eq!(project.read("out/tool"), b"#!/bin/sh\n");
    assert_eq!(project.mode("out/tool"), 0o750);
    assert_eq!(project.read("out/deep/er/x.bin"), b"\0\xff\r\n");
    assert_eq!(fs::read_link(&project.path("out/link")).unwrap(), PathBuf::from("deep/er"));
    assert!(fs::stat(&project.path("out/empty/folder")).unwrap().is_dir());
    assert!(project.files("._qik/cache/tmp").is_empty());
}

#[test]
fn what_is_there_already_is_left_alone() {
    let project = Project::new();
    let local = project.local();
    project.write("out/same", "same");
    project.write("out/other", "right");
    project.link("out/link", "same");
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    run.store(&local).unwrap();

    project.write("out/other", "wrong");
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::open(&project.path("out/same")).unwrap().set_modified(old).unwrap();
    project.restore(&run.hit(&local)).unwrap();
    assert_eq!(fs::stat(&project.path("out/same")).unwrap().modified().unwrap(), old);
    assert_eq!(project.read("out/other"), b"right");
    let restored = fs::stat(&project.path("out/other")).unwrap().modified().unwrap();
    assert!(restored > old, "git tells by the time that it may have changed");
}

#[test]
fn what_is_there_needs_no_copy_in_the_cache() {
    let project = Project::new();
    let local = project.local();
    project.write("out/x", "made");
    let run = Run::new("one").with_artifacts(project.collect(&["out/x"]).unwrap());
    run.store(&local).unwrap();
    fs::remove_file(&project.blob(b"made")).unwrap();
    project.restore(&run.hit(&local)).unwrap();
    project.remove("out/x");
    project.restore(&run.hit(&local)).unwrap_err();
}

#[test]
fn a_changed_mode_or_kind_is_put_right() {
    let project = Project::new();
    let local = project.local();
    for name in ["mode", "link", "folder", "fifo"] {
        project.write(&format!("out/{name}"), name);
    }
    let run = Run::new("one").with_artifacts(project.collect(&["out/*"]).unwrap());
    run.store(&local).unwrap();

    project.chmod("out/mode", 0o600);
    project.write("elsewhere", "untouched");
    for name in ["link", "folder", "fifo"] {
        project.remove(&format!("out/{name}"));
    }
    project.link("out/link", "../elsewhere");
    fs::create_folder(&project.path("out/folder")).unwrap();
    project.fifo("out/fifo");
    project.restore(&run.hit(&local)).unwrap();
    assert_eq!(project.mode("out/mode"), 0o644);
    for name in ["link", "folder", "fifo"] {
        assert_eq!(project.read(&format!("out/{name}")), name.as_bytes());
    }
    assert_eq!(project.read("elsewhere"), b"untouched");
}

#[test]
fn an_artifact_that_changed_meanwhile_is_not_stored() {
    let project = Project::new();
    let local = project.local();
    project.write("x", "one");
    let run = Run::new("one").with_artifacts(project.collect(&["x"]).unwrap());
    project.write("x", "two");
    let diagnostic = run.store(&local).unwrap_err();
    assert_eq!(diagnostic.message, "the result of `build` is not cached");
    run.check_absent(&local);
}

#[test]
fn what_could_not_be_restored_is_not_stored() {
    let project = Project::new();
    let local = project.local();
    project.link("python", "/usr/bin/python3");
    let run = Run::new("one").with_artifacts(project.collect(&["python"]).unwrap());
    let diagnostic = run.store(&local).unwrap_err();
    assert!(diagnostic.causes[0].contains("leads out of the project"), "{diagnostic:?}");
    project.write("out/sub/.git/config", "");
    let run = Run::new("one").with_artifacts(project.collect(&["out"]).unwrap());
    run.store(&local).unwrap_err();
    run.check_absent(&local);
}

#[test]
fn the_cache_may_be_deleted_at_any_time() {
    let project = Project::new();
    let local = project.local();
    project.write("out/x", "made");
    let run = Run::new("one").with_artifacts(project.collect(&["out/x"]).unwrap());
    for folder in ["._qik/cache", "._qik"] {
        project.write("out/x", "made");
        run.store(&local).unwrap();
        let hit = run.hit(&local);
        project.remove(folder);
        project.remove("out/x");
        project.restore(&hit).unwrap_err();
        run.check_absent(&local);
        assert!(local.finish().is_empty());
    }
    project.write("out/x", "made");
    run.store(&local).unwrap();
    assert_eq!(project.read("._qik/.gitignore"), b"*\n");
    run.check_hit(&local);
}

#[test]
fn without_a_place_to_store_there_is_one_warning() {
    for is_link in [true, false] {
        let project = Project::new();
        if is_link {
            project.link("._qik", "/nowhere/at/all");
        } else {
            project.write("._qik", "");
        }
        let local = project.local();
        Run::new("one").check_absent(&local);
        let diagnostic = Run::new("one").store(&local).unwrap_err();
        assert!(diagnostic.causes[0].contains("._qik"), "{diagnostic:?}");
        Run::new("two").store(&local).unwrap();
        assert!(local.finish().is_empty());
        Run::new("two").check_absent(&local);
    }
}

#[test]
fn a_lookup_notes_the_day_of_its_use() {
    let project = Project::new();
    let local = project.local();
    let run = Run::new("one");
    run.store(&local).unwrap();
    let entry = project.entry();
    let modified = || fs::stat(&entry).unwrap().modified().unwrap();
    let fresh = modified();
    run.check_hit(&local);
    assert_eq!(modified(), fresh, "once a day is enough");
    let old = fresh - Duration::from_hours(48);
    fs::open(&entry).unwrap().set_modified(old).unwrap();
    run.check_hit(&local);
    assert!(modified() >= fresh);
}
