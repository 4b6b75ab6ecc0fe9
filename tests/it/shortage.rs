//! What a machine may lack: open files, programs, a place in the command line.

use crate::support::Project;

#[test]
fn few_open_files_are_enough_for_many_commands() {
    let project = Project::new();
    let commands = (0..60).map(|n| format!("c{n} = '{{tick c}}; echo {n}'\n"));
    project.toml(&format!("[commands]\n{}", commands.collect::<String>())).commit();
    let output = project.sh("ulimit -n 48; qik -n 500").ok();
    assert_eq!(project.runs("c"), 60, "{}", output.dump());
}

#[test]
fn too_few_open_files_are_told() {
    let project = Project::hello(r#"["a.txt"]"#);
    project.file("a.txt", "x").commit();
    for count in 5..32 {
        project.sh(&format!("ulimit -n {count}; qik")).no_panic();
        project.sh(&format!("ulimit -n {count}; qik --cache-status cold --ls")).no_panic();
    }
    project.sh("ulimit -n 10; qik").ok().says("cached");
    let output = project.sh("ulimit -n 10; qik --force").fails();
    output.errs("run1").says("Too many open files").says("ulimit -n");
}

#[test]
fn a_program_that_is_not_there_fails_its_command_alone() {
    let project = Project::new();
    project.toml(
        "[commands]\nmissing = 'no-such-program-of-anybody'\nfolder = './sub'\nfine = '{tick fine}'\n",
    );
    project.file("sub/x", "").commit();
    project.qik(["missing", "fine"]).exits(127).shows("no-such-program-of-anybody");
    project.qik(["folder", "fine"]).exits(126);
    assert_eq!(project.runs("fine"), 2);
    let qik = env!("CARGO_BIN_EXE_qik");
    project.sh(&format!("PATH= '{qik}' fine")).exits(127).says("there is no `sh`");
}

#[test]
fn an_exec_longer_than_the_system_takes_is_told() {
    let project = Project::new();
    let long = format!(": {}", "x".repeat(200_000));
    project.toml(&format!("[commands]\nlong = '{long}'\nfine = '{{tick fine}}'\n")).commit();
    project.qik([""; 0]).exits(126).says("move a long `exec` to a script");
    assert_eq!(project.runs("fine"), 1);
}
