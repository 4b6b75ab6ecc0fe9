//! A configuration that changes while it is watched.

use rustix::process::Signal;

use super::{Watching, project, write_toml};
use crate::support::{Project, until};

const ONE: &str = "[commands.one]\nexec = '{tick one}'\ndeps = ['a.txt']\n";
const TWO: &str = "[commands.two]\nexec = '{tick two}'\ndeps = ['b.txt']\n";

#[test]
fn a_new_command_runs_and_the_others_do_not() {
    let project = project(ONE);
    project.file("a.txt", "").file("b.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    let cause = watching.round(|project| write_toml(project, &format!("{ONE}{TWO}")));
    assert_eq!(cause, "qik.toml");
    watching.settled();
    assert_eq!((watching.runs("one"), watching.runs("two")), (1, 1));
    watching.edit("b.txt", "new\n");
    assert_eq!((watching.runs("one"), watching.runs("two")), (1, 2));
    write_toml(&project, TWO);
    watching.settled();
    project.file("a.txt", "new\n");
    watching.settled();
    assert_eq!(watching.runs("one"), 1, "it is no command any more");
}

#[test]
fn new_globs_and_another_exec_count() {
    let project = project(ONE);
    project.file("a.txt", "").file("src/deep/b", "").commit();
    let watching = Watching::start(&project, &[]);
    watching.round(|project| write_toml(project, &ONE.replace("'a.txt'", "'a.txt', 'src'")));
    assert_eq!(watching.runs("one"), 2);
    assert_eq!(watching.edit("src/deep/b", "new\n"), "src/deep/b");
    watching.round(|project| write_toml(project, &ONE.replace("{tick one}", "{tick other}")));
    assert_eq!((watching.runs("one"), watching.runs("other")), (3, 1));
}

#[test]
fn a_broken_configuration_is_shown_and_watched() {
    let project = project(ONE);
    project.file("a.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    let good = project.read("qik.toml");
    watching_error(&watching, "error[conf1]", || {
        project.file("qik.toml", "[commands.one\n");
    });
    project.file("a.txt", "new\n");
    watching_error(&watching, "nonsense", || {
        project.file("qik.toml", "nonsense = 1\n");
    });
    assert_eq!(watching.runs("one"), 1);
    watching.edit("qik.toml", &good);
    assert_eq!(watching.runs("one"), 2, "what changed meanwhile is not lost");
    project.remove("qik.toml");
    until("its absence is told", || watching.said().contains("error[conf0]"));
    project.file("qik.toml", &good);
    watching.settled();
    assert_eq!(watching.runs("one"), 2);
    watching.end().exits(0);
}

#[track_caller]
fn watching_error(watching: &Watching, text: &str, change: impl FnOnce()) {
    change();
    until(&format!("it says {text}"), || watching.said().contains(text));
}

#[test]
fn a_selection_that_is_gone_is_told() {
    let project = project(ONE);
    project.file("a.txt", "").commit();
    let watching = Watching::start(&project, &["one", "probe"]);
    watching_error(&watching, "error[conf5]", || {
        write_toml(&project, &ONE.replace("commands.one", "commands.uno"));
    });
    write_toml(&project, &ONE.replace("{tick one}", "{tick again}"));
    until("it runs again", || watching.runs("again") == 1);
}

#[test]
fn a_module_s_own_file_counts_before_and_after_it_is_there() {
    let project = project("[spaces.default]\nmodules = ['m']\n");
    project.file("m/a.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    let file = "[commands.x]\nexec = '{tick x}'\ndeps = ['m/a.txt']\n";
    watching.round(|project| {
        project.toml_at("m/qik.toml", file);
    });
    assert_eq!(watching.runs("x"), 1);
    assert_eq!(watching.edit("m/a.txt", "new\n"), "m/a.txt");
    watching_error(&watching, "m/qik.toml", || {
        project.file("m/qik.toml", "[spaces]\n");
    });
    watching.round(|project| {
        project.toml_at("m/qik.toml", &file.replace("tick x", "tick y"));
    });
    assert_eq!((watching.runs("x"), watching.runs("y")), (2, 1));
}

#[test]
fn a_broken_file_of_a_new_module_can_be_mended() {
    let project = project("");
    project.file("m/qik.toml", "[commands.x]\nexec = 1\n").commit();
    let watching = Watching::start(&project, &[]);
    watching_error(&watching, "m/qik.toml", || {
        write_toml(&project, "[spaces.default]\nmodules = ['m']\n");
    });
    project.toml_at("m/qik.toml", "[commands]\nx = '{tick x}'\n");
    until("it runs", || watching.runs("x") == 1);
}

#[test]
fn a_comment_in_the_configuration_runs_nothing() {
    let project = project(ONE);
    project.file("a.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    project.file("qik.toml", format!("# why\n{}", project.read("qik.toml")));
    assert_eq!(watching.settled(), Vec::<String>::new());
    assert_eq!(watching.runs("one"), 1);
}

#[test]
fn a_configuration_that_changes_during_a_run_is_loaded_after_it() {
    let project = project("[commands.one]\nexec = '{tick one}; touch started; {wait go}'\n");
    project.file("b.txt", "").commit();
    let watching = Watching::begin(&project, &[]);
    until("it has started", || project.exists("started"));
    write_toml(&project, TWO);
    project.file("go", "");
    until("the new command has run", || watching.runs("two") == 1);
    assert_eq!(watching.runs("one"), 1);
}

/// Moves a folder in one step, so that nothing is noticed of what is in it.
fn rename(project: &Project, from: &str, to: &str) {
    std::fs::rename(project.root.join(from), project.root.join(to)).unwrap();
}

#[test]
fn a_folder_that_takes_the_place_of_a_module_s_brings_its_commands() {
    let project = project("[spaces.default]\nmodules = ['m']\n");
    project.toml_at("m/qik.toml", "[commands]\nx = '{tick x}'\n");
    project.toml_at("other/qik.toml", "[commands]\ny = '{tick y}'\n");
    project.commit();
    let watching = Watching::start(&project, &[]);
    rename(&project, "m", "old");
    rename(&project, "other", "m");
    until("the new command has run", || watching.runs("y") == 1);
}

#[test]
fn a_module_s_folder_may_appear_with_all_that_is_in_it() {
    let project = project("[spaces.default]\nmodules = ['a/b/m']\n");
    project.toml_at("new/b/m/qik.toml", "[commands]\nx = '{tick x}'\n");
    project.commit();
    let watching = Watching::start(&project, &[]);
    rename(&project, "new", "a");
    until("the new command has run", || watching.runs("x") == 1);
}

#[test]
fn a_configuration_that_changes_in_a_storm_is_loaded() {
    let project = project(ONE);
    project.file("a.txt", "").file("b.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    watching.started.signal(Signal::STOP);
    let count = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    for number in 0..count.trim().parse::<usize>().unwrap() / 2 {
        project.file(["a.txt", "b.txt"][number % 2], "more\n");
    }
    write_toml(&project, &format!("{ONE}{TWO}"));
    watching.started.signal(Signal::CONT);
    until("the new command has run", || watching.runs("two") == 1);
    until("the other has run again", || watching.runs("one") == 2);
}

#[test]
fn a_project_that_is_gone_may_come_back() {
    let project = project(ONE);
    project.file("a.txt", "").commit();
    let watching = Watching::start(&project, &[]);
    let away = project.world().join("away");
    std::fs::rename(&project.git_root, &away).unwrap();
    until("it is told", || watching.said().contains("error[conf0]"));
    assert!(!project.git_root.exists(), "nothing is written where it was");
    std::fs::rename(&away, &project.git_root).unwrap();
    watching.settled();
    watching.edit("a.txt", "new\n");
    watching.settled();
    assert_eq!(watching.runs("one"), 2);
}
