//! `--timings`: what a run has to look at, whoever asks for it and however often.

use crate::support::Project;

/// The number behind a count; 0 if it is not there.
fn count(text: &str, name: &str) -> usize {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |rest| rest.trim().parse().expect("a number"))
}

#[test]
fn each_file_is_looked_at_once_however_many_commands_share_it() {
    let project = Project::new();
    project.toml(
        "
        [commands.one]
        exec = '{tick one}'
        deps = ['src']
        [commands.two]
        exec = '{tick two}'
        deps = ['src/**', 'other']
        [commands.three]
        exec = '{tick three}'
        deps = ['src/a', { type = 'command', name = 'two' }]
    ",
    );
    project.file("src/a", "1").file("src/b", "2").file("other", "3").file("unused", "4").commit();
    let first = project.qik(["--timings"]).ok();
    assert_eq!(count(&first.stderr(), "commands run"), 3);
    let warm = project.qik(["--timings"]).ok().stderr();
    assert_eq!(count(&warm, "files looked at"), 3, "{warm}");
    assert_eq!(count(&warm, "entries read"), 3, "{warm}");
    assert_eq!(count(&warm, "commands run"), 0, "{warm}");
    assert_eq!(count(&warm, "index entries"), 5, "{warm}");
    let listed = project.qik(["--timings", "--cache-status", "warm", "--ls"]).ok();
    assert_eq!(count(&listed.stderr(), "files looked at"), 3);
    let one = project.qik(["--timings", "--ls", "one"]).ok().stderr();
    assert_eq!(count(&one, "files looked at"), 0, "a name alone is no reason to look: {one}");
    assert_eq!(count(&one, "index entries"), 0, "{one}");
}
