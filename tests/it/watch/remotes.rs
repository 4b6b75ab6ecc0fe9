//! Remote caches that keep a session waiting.

use std::net::TcpListener;

use rustix::process::Signal;

use super::{IDLE, Watching, project};
use crate::support::{Project, until};

/// A remote that takes connections and never answers, and a project whose command is cached there.
fn silent() -> (TcpListener, Project) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let project = project(&format!(
        "[caches.remote]\ntype = 's3'\nbucket = 'b'\nendpoint-url = 'http://{}'\ntimeout = 1
        aws-access-key-id = 'key'\naws-secret-access-key = 'secret'\n
        [commands.x]\nexec = '{{tick x}}'\ndeps = ['a.txt']\ncache = 'remote'\n",
        listener.local_addr().unwrap()
    ));
    project.file("a.txt", "0\n").commit();
    (listener, project)
}

#[test]
fn a_remote_that_was_of_no_use_is_left_alone_in_the_next_rounds() {
    let (listener, project) = silent();
    let watching = Watching::start(&project, &[]);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok());
    while listener.accept().is_ok() {}
    for number in 1..4 {
        watching.edit("a.txt", format!("{number}\n"));
    }
    assert_eq!(watching.runs("x"), 4);
    assert!(listener.accept().is_err(), "it is not asked again");
    assert_eq!(watching.said().matches("warning[cache1]").count(), 1, "{}", watching.said());
}

#[test]
fn a_signal_ends_a_selection_that_waits_for_a_remote() {
    let (listener, project) = silent();
    let toml = project.read("qik.toml").replace("timeout = 1", "timeout = 600");
    project.file("qik.toml", toml);
    let mut started = project.start(["--cache-status", "cold", "--watch"]);
    drop(listener.accept().unwrap());
    started.signal(Signal::INT);
    until("it has ended", || !started.is_running());
    assert!(!started.stderr_so_far().contains(IDLE));
}
