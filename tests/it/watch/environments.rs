//! Environments that uv makes: what changes them runs the commands of the space, once.

use super::{Watching, project};

#[test]
fn changed_requirements_install_and_run_once() {
    let project = project(
        "[plugins]\nuv = 'qik.uv'\n[spaces.default]\nvenv = 'reqs.in'\n
        [commands.x]\nexec = '{tick x}; tool > out'\ndeps = [{type = 'pydist', name = 'tool'}]\n",
    );
    project.file("reqs.in", "-r base.in\ntool==1.0\n").file("base.in", "").commit();
    let project = project.without_env("VIRTUAL_ENV").with_uv();
    let watching = Watching::start(&project, &["x", "probe"]);
    assert_eq!(watching.settled(), Vec::<String>::new(), "its own installation starts nothing");
    assert_eq!((watching.runs("x"), project.uv_calls().len()), (1, 3));

    assert_eq!(watching.edit("reqs.in", "-r base.in\ntool==2.0\n"), "reqs.in");
    assert_eq!(watching.settled(), ["reqs.in"]);
    assert_eq!((watching.runs("x"), project.uv_calls().len()), (2, 3));
    assert_eq!(project.read("out"), "tool 2.0\n");

    assert_eq!(watching.edit("base.in", "# nothing\n"), "base.in");
    assert_eq!(watching.settled(), ["reqs.in", "base.in"]);
    assert_eq!((watching.runs("x"), project.uv_calls().len()), (2, 1), "the lock is the same");
    watching.end().exits(0);
}
