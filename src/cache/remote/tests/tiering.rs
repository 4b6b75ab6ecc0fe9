//! Which tier is asked, when, and what is said.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::*;
use crate::cache::{Ask, Peek};

fn waiting() -> (Sender<()>, Trouble) {
    let (sender, receiver) = channel();
    (sender, Trouble::Waits(Arc::new(Mutex::new(receiver))))
}

#[test]
fn another_machine_has_what_one_has_made() {
    let run = Run::new("one").with_code(3).with_artifacts(vec![named("out/a"), named("out/b")]);
    let bucket = shared(&run);
    let machine = Machine::new();
    let tiered = machine.tiered(&bucket);
    run.check_hit(&tiered);
    assert_eq!(bucket.requests(), [format!("GET {}", run.object())]);
    let Lookup::Hit(hit) = tiered.lookup(run.key()) else { panic!() };
    hit.restore(&machine.dirs.root, &|_| false).unwrap();
    assert_eq!(fs::read(machine.dirs.root.join("out/a").as_path()).unwrap(), b"out/a");
}

#[test]
fn what_is_here_is_not_asked_for() {
    let run = Run::new("one");
    let bucket = shared(&run);
    let machine = Machine::new();
    run.check_hit(&machine.tiered(&bucket));
    bucket.requests();
    bucket.inside().objects.clear();
    run.check_hit(&machine.tiered(&bucket));
    assert!(matches!(machine.local.lookup(run.key()), Lookup::Hit(_)));
    assert_eq!(bucket.requests(), [] as [String; 0]);
}

#[test]
fn a_miss_costs_one_request_and_a_store_one_more() {
    let (run, bucket) = (Run::new("one"), Bucket::default());
    let tiered = Machine::new().tiered(&bucket);
    assert_eq!(run.check_miss(&tiered), None);
    assert_eq!(run.check_miss(&tiered), None);
    run.store(&tiered);
    assert!(tiered.finish().is_empty());
    let object = run.object();
    assert_eq!(bucket.requests(), [format!("GET {object}"), format!("PUT-NEW {object}")]);
}

#[test]
fn what_is_not_wanted_is_replaced() {
    let failed = Run::new("one").with_code(1);
    let better = Run::new("one");
    for look_up in [true, false] {
        let bucket = shared(&failed);
        let tiered = Machine::new().tiered(&bucket);
        if look_up {
            failed.check_hit(&tiered); // its code is not one to keep, says the caller
        }
        better.store(&tiered);
        tiered.finish();
        better.check_hit(&Machine::new().tiered(&bucket));
    }
}

#[test]
fn modes_open_one_way_or_both() {
    for (mode, requests) in
        [(Mode::ReadWrite, "GET PUT-NEW"), (Mode::ReadOnly, "GET"), (Mode::WriteOnly, "PUT-NEW")]
    {
        let (run, bucket) = (Run::new("one"), Bucket::default());
        let tiered = Machine::new().tiered_with(&bucket, |settings| settings.mode = mode);
        assert_eq!(run.check_miss(&tiered), None);
        run.store(&tiered);
        assert!(tiered.finish().is_empty());
        let verbs: Vec<String> =
            bucket.requests().iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(verbs.join(" "), requests, "{mode:?}");
    }
}

#[test]
fn a_remote_that_is_down_is_asked_once_and_spoken_of_once() {
    let bucket = Bucket::default();
    for _ in 0..10 {
        bucket.next(Trouble::Fails(Kind::Unreachable));
    }
    let tiered = Machine::new().tiered(&bucket);
    let runs: Vec<Run> = ["one", "two", "three"].map(Run::new).into();
    let warnings: Vec<_> = runs.iter().filter_map(|run| run.check_miss(&tiered)).collect();
    for run in &runs {
        run.store(&tiered);
    }
    assert!(tiered.finish().is_empty());
    let messages: Vec<_> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(messages, ["the cache `ci` cannot be reached: this run goes on without it"]);
    assert_eq!(bucket.requests().len(), 1);
    // The next run of the same process, soon after, leaves it alone; other processes do not.
    bucket.inside().troubles.clear();
    assert_eq!(Run::new("four").check_miss(&tiered), None);
    assert_eq!(bucket.requests().len(), 0);
    assert_eq!(runs[0].check_miss(&Machine::new().tiered(&bucket)), None);
    assert_eq!(bucket.requests().len(), 1);
}

#[test]
fn what_breaks_off_is_a_miss_with_a_warning() {
    let run = Run::new("one").with_artifacts(vec![named("out/a")]);
    let bucket = shared(&run);
    let length = bucket.bytes(&run.object()).len();
    for count in [0, 1, 100, length - 1] {
        bucket.next(Trouble::BreaksOff(count, Kind::Interrupted));
        let machine = Machine::new();
        let tiered = machine.tiered(&bucket);
        let warning = run.check_miss(&tiered).unwrap();
        assert!(warning.message.contains("broke off its answer"), "{count}: {warning:?}");
        assert_eq!(warning.causes, ["cut"]);
        machine.make("out/a", b"out/a");
        run.store(&tiered);
        assert!(tiered.finish().is_empty());
        assert_eq!(bucket.requests().last().unwrap(), &format!("PUT-NEW {}", run.object()));
    }
}

/// Some results that another machine has sent.
fn shared_runs(count: usize) -> (Vec<Run>, Bucket) {
    let bucket = Bucket::default();
    let runs: Vec<Run> = (0..count).map(|n| Run::new(&n.to_string())).collect();
    let maker = Machine::new().tiered(&bucket);
    for run in &runs {
        run.store(&maker);
    }
    assert!(maker.finish().is_empty());
    bucket.requests();
    (runs, bucket)
}

#[test]
fn a_remote_that_breaks_off_each_answer_is_left_alone() {
    let (runs, bucket) = shared_runs(6);
    (0..6).for_each(|_| bucket.next(Trouble::BreaksOff(100, Kind::Interrupted)));
    let tiered = Machine::new().tiered(&bucket);
    let warnings: Vec<_> = runs.iter().filter_map(|run| run.check_miss(&tiered)).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(bucket.requests().len(), 3);
    assert!(tiered.finish().is_empty());
}

#[test]
fn many_results_that_are_refused_are_spoken_of_twice() {
    let (runs, bucket) = shared_runs(6);
    let machine = Machine::new();
    let keys = vec![Secret::new("key")];
    let tiered = machine.tiered_with(&bucket, |it| it.signing_keys = keys);
    let warnings: Vec<_> = runs.iter().filter_map(|run| run.check_miss(&tiered)).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(bucket.requests().len(), 6, "a refusal is an answer");
    let rest = tiered.finish();
    assert_eq!(rest.len(), 1);
    let message = "what the cache `ci` has for 5 more runnables is not used either";
    assert_eq!(rest[0].message, message);
}

#[test]
fn a_damaged_entry_is_spoken_of_though_the_remote_has_a_good_one() {
    let run = Run::new("one");
    let bucket = shared(&run);
    let machine = Machine::new();
    let tiered = machine.tiered(&bucket);
    run.check_hit(&tiered);
    for shard in fs::list(machine.dirs.private.join("cache/v1/entries").as_path()).unwrap() {
        for entry in fs::list(&shard).unwrap() {
            fs::write_atomic(&entry, b"{}").unwrap();
        }
    }
    let tiered = machine.tiered(&bucket);
    run.check_hit(&tiered);
    let warnings = tiered.finish();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.contains("cannot be used"), "{warnings:?}");
}

#[test]
fn uploads_that_are_refused_are_spoken_of_once() {
    let bucket = Bucket::default();
    let tiered = Machine::new().tiered(&bucket);
    let runs: Vec<Run> = (0..6).map(|n| Run::new(&n.to_string())).collect();
    for run in &runs {
        assert_eq!(run.check_miss(&tiered), None);
    }
    (0..6).for_each(|_| bucket.next(Trouble::Fails(Kind::Denied)));
    for run in &runs {
        run.store(&tiered);
    }
    let warnings = tiered.finish();
    assert_eq!(warnings.len(), 1);
    let message = "the cache `ci` denies writing: results are not sent to it";
    assert_eq!(warnings[0].message, message);
    assert!(bucket.objects().is_empty());
}

#[test]
fn uploads_overlap_with_the_run_and_are_waited_for() {
    let bucket = Bucket::default();
    let (go, trouble) = waiting();
    bucket.next(trouble);
    let tiered = Machine::new().tiered_with(&bucket, |it| it.mode = Mode::WriteOnly);
    let runs: Vec<Run> = (0..3).map(|n| Run::new(&n.to_string())).collect();
    for run in &runs {
        // none of these waits
        run.store(&tiered);
    }
    let waiter = thread::spawn(move || tiered.finish());
    while bucket.objects().len() < 2 {
        thread::yield_now();
    }
    go.send(()).unwrap();
    assert!(waiter.join().unwrap().is_empty());
    assert_eq!(bucket.objects().len(), 3);
}

#[test]
fn uploads_that_do_not_move_are_given_up() {
    let bucket = Bucket::default();
    let (_keep, trouble) = waiting();
    bucket.next(trouble);
    let tiered = Machine::new().tiered_with(&bucket, |it| it.mode = Mode::WriteOnly);
    Run::new("one").store(&tiered);
    let warnings = tiered.finish();
    assert_eq!(warnings[0].message, "1 result is not sent to the cache `ci`");
}

#[test]
fn a_run_that_is_stopped_waits_for_nothing() {
    let bucket = Bucket::default();
    let (_keep_lookup, lookup) = waiting();
    let (_keep_upload, upload) = waiting();
    bucket.next(lookup);
    bucket.next(upload);
    let tiered =
        Arc::new(Machine::new().tiered_with(&bucket, |it| it.timeout = Duration::from_hours(1)));
    let looking = Arc::clone(&tiered);
    let lookup = thread::spawn(move || Run::new("one").check_miss(&looking));
    while bucket.inside().requests.is_empty() {
        thread::yield_now();
    }
    Run::new("two").store(&tiered);
    let finishing = Arc::clone(&tiered);
    let finish = thread::spawn(move || finishing.finish());
    while bucket.inside().requests.len() < 2 {
        thread::yield_now();
    }
    tiered.hurry();
    assert_eq!(lookup.join().unwrap(), None);
    assert!(finish.join().unwrap().is_empty());
}

#[test]
fn expected_lookups_overlap_and_are_asked_for_once() {
    let (runs, bucket) = shared_runs(8);
    let (go, first) = waiting();
    bucket.next(first);
    let tiered = Machine::new().tiered(&bucket);
    for run in &runs {
        tiered.expect(run.key());
    }
    // The first is held up; all others arrive meanwhile.
    while bucket.inside().requests.len() < runs.len() {
        thread::yield_now();
    }
    go.send(()).unwrap();
    for run in &runs {
        run.check_hit(&tiered);
    }
    assert_eq!(bucket.requests().len(), runs.len());
}

#[test]
fn a_warning_of_what_was_expected_is_not_lost() {
    let bucket = Bucket::default();
    bucket.next(Trouble::Fails(Kind::TimedOut));
    let tiered = Machine::new().tiered(&bucket);
    tiered.expect(Run::new("one").key());
    while bucket.inside().requests.is_empty() || tiered.is_busy() {
        thread::yield_now();
    }
    let warnings = tiered.finish();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn peeking_fetches_nothing() {
    let run = Run::new("one").with_code(1).with_artifacts(vec![named("out/a")]);
    let bucket = shared(&run);
    let machine = Machine::new();
    let tiered = machine.tiered(&bucket);
    let absent = Run::new("two");
    let mut warnings = Vec::new();
    let asks = [
        Ask { key: run.key(), needs_artifacts: false },
        Ask { key: absent.key(), needs_artifacts: false },
        Ask { key: run.key(), needs_artifacts: true },
    ];
    let peeks = tiered.peek(&asks, &mut warnings);
    let list = run.artifacts.to_list();
    let expected = [
        Some(Peek { code: 1, artifacts: None }),
        None,
        Some(Peek { code: 1, artifacts: Some(list) }),
    ];
    assert_eq!(peeks, expected);
    assert!(warnings.is_empty() && !machine.local.has(run.key()));
    let mut requests = bucket.requests();
    requests.sort();
    let (one, two) = (run.object(), absent.object());
    let mut expected = [format!("GET {one}"), format!("HEAD {one}"), format!("HEAD {two}")];
    expected.sort();
    assert_eq!(requests, expected);
}

#[test]
fn peeking_at_a_remote_that_is_down_warns_once() {
    let bucket = Bucket::default();
    (0..40).for_each(|_| bucket.next(Trouble::Fails(Kind::Unreachable)));
    let tiered = Machine::new().tiered(&bucket);
    let runs: Vec<Run> = (0..40).map(|n| Run::new(&n.to_string())).collect();
    let asks: Vec<_> =
        runs.iter().map(|run| Ask { key: run.key(), needs_artifacts: false }).collect();
    let mut warnings = Vec::new();
    assert!(tiered.peek(&asks, &mut warnings).iter().all(Option::is_none));
    assert_eq!(warnings.len(), 1);
    assert!(bucket.requests().len() <= 16, "one for each that was under way");
}

#[test]
fn an_address_without_tls_is_warned_of_if_it_is_used() {
    let exposed = |endpoint: &str| {
        let machine = Machine::new();
        let endpoint = Some(endpoint.to_owned());
        let timeout = Duration::from_millis(1);
        let settings = S3Settings { endpoint, timeout, ..S3Settings::new("ci", "b") };
        let tiered = Tiered::new(Arc::clone(&machine.local), &settings);
        assert!(tiered.finish().is_empty(), "nothing was asked");
        drop(Run::new("one").check_miss(&tiered));
        let run = Run::new("two");
        let ask = Ask { key: run.key(), needs_artifacts: false };
        let mut warnings = Vec::new();
        tiered.peek(&[ask], &mut warnings);
        tiered.peek(&[ask], &mut warnings);
        warnings.extend(tiered.finish());
        warnings.iter().filter(|warning| warning.message.contains("without TLS")).count()
    };
    assert_eq!(exposed("http://203.0.113.1:9"), 1);
}
