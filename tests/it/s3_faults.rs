//! A remote that does not work: a command still runs, soon, with one warning that says why.

use std::time::{Duration, Instant};

use crate::support::{Bucket, Fault, Output, Project};

/// What a test sets where it has to wait for a remote that does not answer.
const SOON: &str = "timeout = 1";

/// How long such a remote may keep anybody, with all else that a busy machine needs time for; far
/// from the minutes that waiting for each command would take.
const BOUND: Duration = Duration::from_secs(10);

#[track_caller]
fn check_one_warning(output: Output, message: &str, hint: &str) -> Output {
    let output = output.says(message).says(hint).no_panic();
    assert_eq!(output.stderr().matches("warning[").count(), 1, "{}", output.dump());
    output
}

/// A clone of what another machine has sent, in front of a bucket that answers badly.
#[track_caller]
fn check_download(fault: &Fault, message: &str, hint: &str) {
    let bucket = Bucket::new();
    let is_silent = matches!(fault, Fault::Stall | Fault::Trickle);
    let project = bucket.hello(if is_silent { SOON } else { "" });
    project.qik(["hello"]).ok();
    let clone = project.clone_to("clone");
    bucket.requests();
    bucket.breaks("GET", fault.clone());
    let start = Instant::now();
    let output = check_one_warning(clone.qik(["hello"]).ok(), message, hint);
    assert!(start.elapsed() < BOUND, "{fault:?} took {:?}", start.elapsed());
    assert_eq!(project.runs("hello"), 2, "{fault:?}");
    assert_eq!(clone.read("out/a"), "content-of-a\n");
    assert!(output.stdout().contains("content-of-a"));
    // With the remote mended, a third machine finds the entry whole.
    bucket.proxy.heal();
    project.clone_to("third").qik(["hello"]).ok().warns_not();
    assert_eq!(project.runs("hello"), 2, "{fault:?}");
}

#[test]
fn answers_that_are_cut_off_are_misses() {
    let hint = "check the network";
    check_download(&Fault::Cut(0), "broke off its answer", hint);
    check_download(&Fault::Cut(200), "broke off its answer", hint);
    check_download(&Fault::Reset(200), "broke off its answer", hint);
}

#[test]
fn a_length_that_lies_about_what_follows_an_entry_does_no_harm() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    bucket.breaks("GET", Fault::Long);
    project.clone_to("clone").qik(["hello"]).ok().warns_not();
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn answers_that_do_not_come_are_misses() {
    let hint = "`timeout` of `[caches.remote]`";
    check_download(&Fault::Stall, "did not answer within 1 s", hint);
    check_download(&Fault::Trickle, "did not answer within 1 s", hint);
    check_download(&Fault::Hangup, "cannot be reached", "`endpoint-url`");
    check_download(&Fault::Garbage, "cannot be reached", "`endpoint-url`");
}

#[test]
fn answers_that_are_altered_are_misses() {
    let (message, hint) = ("is not used", "its result replaces it");
    check_download(&Fault::Flip(60), message, hint);
    check_download(&Fault::Flip(400), message, hint);
    check_download(&Fault::Short(100), message, hint);
    check_download(&Fault::Nothing, message, hint);
    check_download(&Fault::Body(b"{\"foo\": 1}"), message, hint);
    check_download(&Fault::Page, "does not answer as an S3 server does", "login page");
}

#[test]
fn refusals_are_misses_that_say_what_to_do() {
    for (status, code, message, hint) in [
        (403, "AccessDenied", "denies reading", "s3:ListBucket"),
        (403, "InvalidAccessKeyId", "does not take the credentials", "access key"),
        (403, "SignatureDoesNotMatch", "does not take the credentials", "access key"),
        (400, "ExpiredToken", "credentials have expired", "sign in again"),
        (404, "NoSuchBucket", "has no bucket `bucket-", "make the bucket"),
        (500, "InternalError", "is overloaded or broken", "later"),
        (503, "SlowDown", "503 SlowDown (request id R-42)", "later"),
        (429, "TooManyRequests", "is overloaded or broken", "later"),
        (400, "InvalidArgument", "does not do what it is asked", "speaks S3"),
    ] {
        check_download(&Fault::Status(status, code, ""), message, hint);
    }
    check_download(&Fault::Bare(403), "denies reading", "s3:ListBucket");
    check_download(&Fault::Bare(404), "does not answer as an S3 server does", "endpoint-url");
    check_download(&Fault::Bare(502), "is overloaded or broken", "later");
    check_download(
        &Fault::Status(403, "RequestTimeTooSkewed", "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n"),
        "the clock of this machine is wrong",
        "set the clock",
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let trap = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let lines = format!(
        "Location: http://{}/x\r\nx-amz-bucket-region: eu-north-1\r\n",
        trap.local_addr().unwrap()
    );
    let lines: &'static str = Box::leak(lines.into_boxed_str());
    let hint = "`region-name = \"eu-north-1\"`";
    check_download(&Fault::Status(301, "PermanentRedirect", lines), "is in another region", hint);
    check_download(&Fault::Status(307, "TemporaryRedirect", lines), "is in another region", hint);
    assert!(trap.accept().is_err(), "nobody has come");
}

#[test]
fn what_passes_on_a_second_try_costs_no_warning() {
    for fault in [
        Fault::Status(500, "InternalError", ""),
        Fault::Status(503, "SlowDown", ""),
        Fault::Status(429, "TooManyRequests", "Retry-After: 1\r\n"),
        Fault::Hangup,
    ] {
        let bucket = Bucket::new();
        let project = bucket.hello("");
        for verb in ["GET", "PUT"] {
            bucket.breaks_once(verb, fault.clone());
            bucket.breaks_once(verb, fault.clone());
        }
        project.qik(["hello"]).ok().warns_not();
        assert_eq!(bucket.requests().len(), 6, "{fault:?}");
        project.clone_to("clone").qik(["hello"]).ok().warns_not();
        assert_eq!(project.runs("hello"), 1, "{fault:?}");
    }
}

#[test]
fn the_clock_of_a_server_is_believed() {
    // As on a machine whose clock is wrong: the first request is refused, the next, with the
    // server's time, is not.
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let date = "LC_ALL=C date -u -d '+6 min' '+Date: %a, %d %b %Y %H:%M:%S GMT'";
    let later = project.sh(date).ok().stdout().replace('\n', "\r\n");
    let later: &'static str = Box::leak(later.into_boxed_str());
    bucket.breaks_once("GET", Fault::Status(403, "RequestTimeTooSkewed", later));
    project.qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.keys().len(), 1);
}

#[test]
fn uploads_that_fail_leave_the_run_alone() {
    for (fault, message, hint) in [
        (Fault::Status(403, "AccessDenied", ""), "denies writing", "read-only"),
        (Fault::Status(500, "InternalError", ""), "is overloaded or broken", "later"),
        (Fault::Hangup, "cannot be reached", "endpoint-url"),
        (Fault::Stall, "did not answer within 1 s", "timeout"),
        (Fault::Status(404, "NoSuchBucket", ""), "has no bucket", "make the bucket"),
    ] {
        let bucket = Bucket::new();
        let project = bucket.hello(if matches!(fault, Fault::Stall) { SOON } else { "" });
        bucket.breaks("PUT", fault.clone());
        let start = Instant::now();
        check_one_warning(project.qik(["hello"]).ok(), message, hint);
        assert!(start.elapsed() < BOUND, "{fault:?} took {:?}", start.elapsed());
        // Nobody sees half of it, and the next machine sends it.
        assert!(bucket.keys().is_empty(), "{fault:?}");
        bucket.proxy.heal();
        project.clone_to("clone").qik(["hello"]).ok().warns_not();
        assert_eq!((project.runs("hello"), bucket.keys().len()), (2, 1), "{fault:?}");
    }
}

#[test]
fn those_who_may_not_write_stop_trying() {
    let bucket = Bucket::new();
    let project = bucket.commands(10, "");
    bucket.breaks("PUT", Fault::Status(403, "AccessDenied", ""));
    check_one_warning(project.qik(["-n", "1"]).ok(), "denies writing", "mode = \"read-only\"");
    let requests = bucket.requests();
    assert_eq!(requests.iter().filter(|verb| *verb == "GET").count(), 10, "reading goes on");
    assert!(requests.iter().filter(|verb| *verb == "PUT").count() <= 4, "{requests:?}");
}

#[test]
fn many_commands_wait_for_a_dead_remote_once() {
    let dead = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let bucket = Bucket::new();
    let project = bucket.commands(60, SOON);
    let text = project.read("qik.toml");
    project.file("qik.toml", text.replace(&bucket.proxy.address.to_string(), &dead().to_string()));
    let start = Instant::now();
    check_one_warning(project.qik([] as [&str; 0]).ok(), "cannot be reached", "endpoint-url");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert_eq!(project.runs("c59"), 1);

    // One that is silent, too.
    project.file("qik.toml", text).sh("rm -rf ._qik").ok();
    bucket.breaks("*", Fault::Stall);
    let start = Instant::now();
    check_one_warning(project.qik([] as [&str; 0]).ok(), "did not answer within 1 s", "timeout");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert!(bucket.requests().len() <= 16 + 4, "those that were under way when it was noticed");
}

#[test]
fn a_remote_that_fails_again_and_again_is_left_alone() {
    let bucket = Bucket::new();
    let project = bucket.commands(30, "");
    bucket.breaks("*", Fault::Status(503, "SlowDown", ""));
    let output = project.qik(["-n", "1"]).ok();
    check_one_warning(output, "is overloaded or broken", "later");
    let count = bucket.requests().len();
    assert!(count <= 3 * 20, "{count} requests of 30 commands");
    assert_eq!(project.runs("c29"), 1);
}

#[test]
fn a_remote_that_dawdles_is_left_alone() {
    let bucket = Bucket::new();
    let project = bucket.commands(20, "timeout = 2");
    let chain: String = (1..20)
        .map(|n| format!("[commands.c{n}]\nexec = 'echo'\ndeps = ['a.txt', {{type = 'command', name = 'c{}'}}]\ncache = 'remote'\n", n - 1))
        .collect();
    let text = project.read("qik.toml");
    let head = text.split_once("[commands.c1]").unwrap().0;
    project.file("qik.toml", format!("{head}{chain}"));
    // Each answer comes within the bound, after as long as a command may take.
    bucket.breaks("GET", Fault::Delay(Duration::from_millis(800)));
    let start = Instant::now();
    check_one_warning(project.qik([] as [&str; 0]).ok(), "is too slow to be of use", "timeout");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    // The first one may have waited for credentials.
    assert_eq!(bucket.requests().iter().filter(|verb| *verb == "GET").count(), 1 + 3);
}

#[test]
fn a_host_that_does_not_exist_costs_no_time() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let text = project.read("qik.toml").replace(&bucket.endpoint(), "https://s3.invalid");
    project.file("qik.toml", text);
    let start = Instant::now();
    check_one_warning(project.qik(["hello"]).ok(), "cannot be reached", "endpoint-url");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

#[test]
fn a_command_that_fails_fails_with_its_own_code() {
    let bucket = Bucket::new();
    let project: Project = bucket.hello("");
    project.file("qik.toml", project.read("qik.toml").replace("cat a.txt;", "exit 7;"));
    bucket.breaks("*", Fault::Hangup);
    project.qik(["hello", "--cache-when", "finished"]).exits(7).says("cannot be reached");
}
