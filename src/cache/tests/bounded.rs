//! The local cache stays below its bound.

use super::*;

/// A log of 100 kB that no other run has.
fn big(inputs: &str) -> Vec<u8> {
    let mut log = vec![0; 100_000];
    log[..inputs.len()].copy_from_slice(inputs.as_bytes());
    log
}

fn size(project: &Project) -> u64 {
    let files = project.files("._qik/cache");
    files.iter().map(|path| fs::stat(path).unwrap().len()).sum()
}

/// Makes all blobs and entries look a little older, as they would be in the next run.
fn age(project: &Project, hours: u64) {
    for path in project.files("._qik/cache") {
        let modified = fs::stat(&path).unwrap().modified().unwrap();
        let older = modified - Duration::from_hours(hours);
        fs::open(&path).unwrap().set_modified(older).unwrap();
    }
}

fn store(project: &Project, run: &Run<'_>, size_bytes_max: u64) {
    let local = Local::new(&project.dirs, size_bytes_max);
    run.store(&local).unwrap();
    assert!(local.finish().is_empty());
    assert!(local.finish().is_empty());
}

#[test]
fn the_least_recently_used_goes() {
    let project = Project::new();
    let runs = ["one", "two", "three", "four", "five", "six"]
        .map(|inputs| Run::new(inputs).with_log(&big(inputs)));
    for run in &runs {
        store(&project, run, 350_000);
        assert!(size(&project) < 450_000, "{}", size(&project));
        age(&project, 1);
    }
    runs[0].check_absent(&project.local());
    runs[5].check_hit(&project.local());
    store(&project, &Run::new("seven"), 150_000);
    assert!(size(&project) < 150_000, "{}", size(&project));
    runs[4].check_absent(&project.local());
    Run::new("seven").check_hit(&project.local());
}

#[test]
fn each_runnable_keeps_its_last_as_long_as_possible() {
    let project = Project::new();
    let old = Run::of("one", "old").with_log(&big("old"));
    store(&project, &old, PLENTY);
    for inputs in ["a", "b", "c"] {
        age(&project, 1);
        store(&project, &Run::of(inputs, "busy").with_log(&big(inputs)), 250_000);
    }
    old.check_hit(&project.local());
    Run::of("c", "busy").with_log(&big("c")).check_hit(&project.local());
    Run::of("a", "busy").check_absent(&project.local());
}

#[test]
fn what_is_too_large_on_its_own_is_kept_until_the_next() {
    let project = Project::new();
    let run = Run::new("one").with_log(&big("one"));
    store(&project, &run, 10);
    run.check_hit(&project.local());
    age(&project, 1);
    store(&project, &Run::new("two"), 10);
    run.check_absent(&project.local());
    Run::new("two").check_hit(&project.local());
}

#[test]
fn a_shared_blob_stays_while_somebody_names_it() {
    let project = Project::new();
    let (one, two) =
        (Run::new("one").with_log(&big("same")), Run::new("two").with_log(&big("same")));
    store(&project, &one, PLENTY);
    age(&project, 1);
    store(&project, &two, 90_000);
    one.check_absent(&project.local());
    two.check_hit(&project.local());
}

#[test]
fn a_lost_estimate_is_counted_anew() {
    let project = Project::new();
    store(&project, &Run::new("one").with_log(&big("one")), PLENTY);
    let estimate = || -> u64 {
        String::from_utf8(project.read("._qik/cache/size")).unwrap().trim().parse().unwrap()
    };
    let counted = estimate();
    assert!((100_000..110_000).contains(&counted), "{counted}");
    for broken in ["", "x", "-5", "99999999999999999999999999"] {
        project.write("._qik/cache/size", broken);
        store(&project, &Run::new("two"), PLENTY);
        assert!((counted..110_000).contains(&estimate()), "{}", estimate());
    }
}

#[test]
fn eviction_waits_for_nobody() {
    let project = Project::new();
    let run = Run::new("one").with_log(&big("one"));
    store(&project, &run, PLENTY);
    let held = lock::shared(&project.dirs);
    assert!(held.is_some());
    store(&project, &Run::new("two"), 10);
    run.check_hit(&project.local());
    drop(held);
    age(&project, 1);
    store(&project, &Run::new("three"), 10);
    run.check_absent(&project.local());
}
