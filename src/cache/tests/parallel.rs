//! Many at once in one checkout.

use super::*;

#[test]
fn a_hit_is_always_one_runs_result() {
    const ROUNDS: usize = 30;
    let project = Project::new();
    project.write("out/x", "made");
    let artifacts = project.collect(&["out"]).unwrap();
    let project = &project;
    let artifacts = &artifacts;
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    // A cache of its own each time, as other processes have; a bound so small
                    // that each of them evicts.
                    let local = Local::new(&project.dirs, 2_000);
                    let inputs = format!("inputs {}", (worker + round) % 3);
                    let run = Run::new(&inputs).with_artifacts(artifacts.clone());
                    if let Lookup::Hit(hit) = local.lookup(run.key()) {
                        // The log may have been evicted, but is never another one.
                        let mut bytes = Vec::new();
                        if let Ok(mut log) = hit.open_log() {
                            log.read_to_end(&mut bytes).unwrap();
                            assert_eq!(bytes, run.log);
                        }
                    }
                    run.store(&local).unwrap();
                    assert!(local.finish().is_empty());
                }
            });
        }
    });
    assert!(project.files("._qik/cache/tmp").is_empty());
    let local = project.local();
    for number in 0..3 {
        let inputs = format!("inputs {number}");
        Run::new(&inputs).with_artifacts(artifacts.clone()).store(&local).unwrap();
        Run::new(&inputs).check_hit(&local);
    }
}

#[test]
fn restores_at_once_leave_whole_files() {
    let project = Project::new();
    let local = project.local();
    let results = ["one", "two"].map(|inputs| {
        project.write("out/a", inputs.repeat(50_000));
        project.write("out/b", inputs);
        let run = Run::new(inputs).with_artifacts(project.collect(&["out"]).unwrap());
        run.store(&local).unwrap();
        run
    });
    let (project, local, results) = (&project, &local, &results);
    std::thread::scope(|scope| {
        for run in results {
            scope.spawn(move || {
                for _ in 0..50 {
                    project.restore(&run.hit(local)).unwrap();
                    let bytes = project.read("out/a");
                    assert!(
                        results.iter().any(|run| bytes == run.inputs.repeat(50_000).as_bytes())
                    );
                }
            });
        }
    });
    assert_eq!(project.files("out").len(), 2);
}

#[test]
fn clearing_the_cache_meanwhile_fails_nobody() {
    let project = Project::new();
    let project = &project;
    std::thread::scope(|scope| {
        let clearing = scope.spawn(move || {
            for _ in 0..50 {
                // It may grow again while it is removed.
                drop(fs::remove_folder(&project.path("._qik/cache")));
            }
        });
        let local = project.local();
        while !clearing.is_finished() {
            let run = Run::new("one");
            // Not stored is fine; a wrong hit or a panic is not.
            drop(run.store(&local));
            if let Lookup::Hit(hit) = local.lookup(run.key())
                && let Ok(mut log) = hit.open_log()
            {
                let mut bytes = Vec::new();
                log.read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes, run.log);
            }
            drop(local.finish());
        }
    });
    let local = project.local();
    Run::new("one").store(&local).unwrap();
    Run::new("one").check_hit(&local);
}
