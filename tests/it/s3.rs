//! A cache in a bucket: what is shared, when it is asked, and with which credentials.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Bucket, Fault, KEY, Project, SECRET, until};

#[test]
fn a_clone_elsewhere_gets_what_another_has_made() {
    let bucket = Bucket::new();
    let project = Project::new();
    project.toml(&format!(
        "{}[commands.build]\nexec = '''{{tick build}}; printf 'a\\000\\377b\\n'; mkdir -p out/deep; \
         cp a.txt out/deep/1.bin; chmod 755 out/deep/1.bin; ln -s deep/1.bin out/link; exit 3'''\n\
         deps = ['a.txt']\nartifacts = ['out']\ncache = 'remote'\ncache-when = 'finished'\n",
        bucket.toml("prefix = 'team/one'"),
    ));
    project.file("a.txt", "content-of-a\n").commit();
    project.qik(["build"]).exits(3);
    assert_eq!(bucket.requests(), ["GET", "PUT"]);

    let clone =
        project.clone_to("elsewhere/deeper").env("HOME", "/nonexistent").env("USER", "else");
    let output = clone.qik(["build"]).exits(3).warns_not();
    assert_eq!(output.stdout, b"a\0\xffb\n");
    assert_eq!(clone.read("out/deep/1.bin"), "content-of-a\n");
    assert_eq!(fs::read_link(clone.root.join("out/link")).unwrap(), Path::new("deep/1.bin"));
    clone.sh("test -x out/deep/1.bin").ok();
    assert_eq!(project.runs("build"), 1);
    assert_eq!(bucket.requests(), ["GET"]);
    let keys = bucket.keys();
    assert!(keys[0].starts_with("team/one/build-") && keys[0].ends_with(".v1.tar.zst"), "{keys:?}");

    // From now on the clone has it, too.
    clone.remove("out");
    clone.qik(["build"]).exits(3);
    assert!(bucket.requests().is_empty() && clone.exists("out/link"));
}

#[test]
fn any_runnable_has_a_key_that_the_store_takes() {
    let bucket = Bucket::new();
    let project = Project::new();
    let long = "l".repeat(150);
    let names = ["a b", "x-", "x..y", "ü-é", "A", "a", "%2e%2e", "a+b&c=d", "'a'", "~", &long];
    let mut text = bucket.toml("");
    for name in names {
        text +=
            &format!("[commands.\"{name}\"]\nexec = 'true'\ndeps = ['a.txt']\ncache = 'remote'\n");
    }
    project.toml(&text);
    project.file("a.txt", "a").commit();
    let selected = project.ls([] as [&str; 0]);
    project.qik([] as [&str; 0]).ok().warns_not();
    assert_eq!(bucket.keys().len(), selected.len());
    let clone = project.clone_to("clone");
    assert_eq!(clone.ls(["--cache-status", "warm"]), selected);
}

#[test]
fn without_a_miss_nothing_is_looked_up() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    bucket.requests();
    // Neither the network nor credentials are needed for what is here.
    let text = project.read("qik.toml").replace(&bucket.endpoint(), "http://192.0.2.1:9");
    project.file("qik.toml", text.replace("aws-", "#aws-"));
    let trap = project.env("AWS_PROFILE", "nobody").env("AWS_EC2_METADATA_DISABLED", "");
    let start = Instant::now();
    trap.qik(["hello"]).ok().warns_not();
    trap.qik(["--ls"]).ok().warns_not();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(project.runs("hello"), 1);
}

#[test]
fn modes_open_one_way_and_come_from_context() {
    let bucket = Bucket::new();
    let project = bucket.hello("mode = \"{ctx.mode}\"");
    let text = project.read("qik.toml");
    project.file("qik.toml", format!("ctx = [{{name = 'mode', default = 'read-only'}}]\n{text}"));
    project.commit();
    let clone = |name: &str| project.clone_to(name);
    clone("pull-request").qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.requests(), ["GET"]);
    clone("main").env("MODE", "write-only").qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.requests(), ["PUT"]);
    clone("next").qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.requests(), ["GET"]);
    assert_eq!(project.runs("hello"), 2);
    project.env("MODE", "append").qik(["hello"]).errs("conf1").says("`read-write`, `read-only` or");
}

#[test]
fn options_that_make_no_sense_are_named() {
    for (option, message) in [
        ("timeout = 0", "`timeout` cannot be `0`"),
        ("timeout = 'soon'", "`timeout` cannot be `soon`"),
        ("timeout = true", "`timeout`"),
        ("mode = 'rw'", "`mode` cannot be `rw`"),
        ("prefx = 'x'", "prefix"),
        ("aws-session-token = '{ctx.nothing}'", "nothing"),
    ] {
        let bucket = Bucket::new();
        let project = bucket.hello(option);
        project.qik(["hello"]).fails().no_panic().says(message).lacks(SECRET);
        assert_eq!(project.runs("hello"), 0, "{option}");
    }
    let bucket = Bucket::new();
    for (text, message) in [
        ("bucket = ''", "`bucket` is empty"),
        ("bucket = 'b'\nendpoint-url = 'minio:9000'", "`endpoint-url` cannot be"),
        ("bucket = 'b'\naws-access-key-id = 'AKIDHALF'", "this needs `aws-secret-access-key` too"),
    ] {
        let project = bucket.hello("");
        let commands = project.read("qik.toml").split_once("[commands").unwrap().1.to_owned();
        project
            .file("qik.toml", format!("[caches.remote]\ntype = 's3'\n{text}\n[commands{commands}"));
        project.qik(["hello"]).errs("conf1").says(message).lacks("AKIDHALF");
    }
}

#[test]
fn a_cache_that_is_not_used_need_not_make_sense() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let text = project.read("qik.toml");
    project.file("qik.toml", format!("{text}[caches.other]\ntype='s3'\nbucket='b'\nmode='no'\n"));
    project.qik(["hello"]).ok();
}

#[test]
fn a_status_is_asked_for_without_downloading() {
    let bucket = Bucket::new();
    let project = bucket.commands(12, "");
    project.qik(["-n", "12"]).ok();
    bucket.requests();
    let clone = project.clone_to("clone");
    bucket.breaks("HEAD", Fault::Delay(Duration::from_millis(300)));
    let start = Instant::now();
    assert_eq!(clone.ls(["--cache-status", "warm"]).len(), 12);
    assert!(start.elapsed() < Duration::from_millis(2500), "one after the other it takes 3.6 s");
    assert_eq!(bucket.requests(), vec!["HEAD"; 12]);
    assert!(!clone.exists("._qik/cache"), "nothing is kept");
    clone.file("a.txt", "changed");
    assert_eq!(clone.ls(["--cache-status", "cold"]).len(), 12);
    bucket.requests();
    bucket.breaks("HEAD", Fault::Status(403, "AccessDenied", ""));
    bucket.proxy.heal();
    bucket.breaks("HEAD", Fault::Status(403, "AccessDenied", ""));
    let mut command = clone.qik_command(["--ls", "--cache-status", "warm"]);
    let output = crate::support::Output::of(&mut command).ok().says("denies reading");
    assert_eq!(output.stderr().matches("warning[").count(), 1, "{}", output.dump());
}

#[test]
fn the_status_of_a_downstream_follows_artifacts_that_are_only_remote() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let text = project.read("qik.toml");
    project.file(
        "qik.toml",
        format!(
            "{text}[commands.down]\nexec = '{{tick down}}'\n\
             deps = ['a.txt', {{type = 'command', name = 'hello'}}]\ncache = 'remote'\n"
        )
        .replace("{tick down}", "cat out/a"),
    );
    project.commit();
    project.qik(["down"]).ok();
    let clone = project.clone_to("clone");
    assert_eq!(clone.ls(["--cache-status", "warm"]), ["down", "hello"]);
    assert!(!clone.exists("out") && !clone.exists("._qik/cache"));
}

#[test]
fn a_kept_failure_is_known_to_a_status() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.file("qik.toml", project.read("qik.toml").replace("cat a.txt;", "exit 3;"));
    project.commit();
    project.qik(["hello", "--cache-when", "finished"]).exits(3);
    let clone = project.clone_to("clone");
    assert_eq!(clone.ls(["--cache-status", "cold"]), ["hello"]);
    assert_eq!(clone.ls(["--cache-status", "warm", "--cache-when", "finished"]), ["hello"]);
    // It is of no use to whoever keeps successes alone, runs, and is replaced by what is.
    clone.qik(["hello"]).exits(3);
    assert_eq!(project.runs("hello"), 2);
}

#[test]
fn the_default_cache_and_its_name_may_come_from_context() {
    let bucket = Bucket::new();
    let project = Project::new();
    project.toml(&format!(
        "ctx = [{{name = 'where', default = 'local'}}]\n[defaults]\ncache = '{{ctx.where}}'\n\
         [commands.hello]\nexec = '{{tick hello}}'\ndeps = ['a.txt']\n{}",
        bucket.toml("")
    ));
    project.file("a.txt", "a").commit();
    project.qik(["hello"]).ok();
    assert!(bucket.requests().is_empty());
    project.clone_to("ci").env("WHERE", "remote").qik(["hello"]).ok();
    assert_eq!(bucket.keys().len(), 1);
}

#[test]
fn force_asks_for_nothing_and_sends_all() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    bucket.requests();
    project.qik(["hello", "-f"]).ok();
    assert_eq!(bucket.requests(), ["PUT"]);
    let heads = {
        project.clone_to("clone").qik(["hello", "-f"]).ok();
        bucket.proxy.take_heads()
    };
    assert!(!heads[0].to_lowercase().contains("if-none-match"), "what is forced is to be kept");
}

#[test]
fn an_entry_is_written_where_there_is_none() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    project.qik(["hello"]).ok();
    let heads = bucket.proxy.take_heads();
    assert!(heads[1].to_lowercase().contains("if-none-match: *"), "{}", heads[1]);
    // Two that make the same at once are both content.
    for (status, code) in [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")] {
        let clone = project.clone_to(code);
        clone.file("a.txt", code);
        bucket.breaks_once("PUT", Fault::Status(status, code, ""));
        clone.qik(["hello"]).ok().warns_not();
    }
    // A store that does not know the condition gets the entry without.
    project.file("a.txt", "three");
    bucket.breaks_once("PUT", Fault::Status(501, "NotImplemented", ""));
    project.qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.keys().len(), 2);
}

#[test]
fn machines_that_make_the_same_at_once_agree() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let clones: Vec<Project> = (0..4).map(|n| project.clone_to(&format!("c{n}"))).collect();
    bucket.breaks("GET", Fault::Delay(Duration::from_millis(300)));
    let started: Vec<_> = clones.iter().map(|clone| clone.start(["hello"])).collect();
    for started in started {
        started.wait().ok().warns_not();
    }
    let before = project.runs("hello");
    assert_eq!(bucket.keys().len(), 1);
    project.clone_to("late").qik(["hello"]).ok().warns_not();
    assert_eq!(project.runs("hello"), before);
}

#[test]
fn lookups_and_uploads_overlap() {
    let bucket = Bucket::new();
    let project = bucket.commands(24, "");
    bucket.breaks("*", Fault::Delay(Duration::from_millis(150)));
    let start = Instant::now();
    project.qik(["-n", "2"]).ok().warns_not();
    let cold = start.elapsed();
    // One after the other: 48 requests of 150 ms.
    assert!(cold < Duration::from_secs(5), "{cold:?}");
    let clone = project.clone_to("clone");
    let start = Instant::now();
    clone.qik(["-n", "2"]).ok().warns_not();
    let warm = start.elapsed();
    assert!(warm < Duration::from_millis(2500), "{warm:?} for 24 requests of 150 ms");
    assert_eq!(project.runs("c0") + project.runs("c23"), 2);
}

#[test]
fn credentials_come_from_the_environment_and_from_files() {
    let bucket = Bucket::new();
    let bare = bucket.hello("");
    let text: String = bare
        .read("qik.toml")
        .lines()
        .filter(|it| !it.starts_with("aws-"))
        .map(|it| format!("{it}\n"))
        .collect();
    bare.file("qik.toml", text);
    bare.commit();
    let away = bare.env("AWS_EC2_METADATA_DISABLED", "true");
    let env = away.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
    env.qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.keys().len(), 1);

    let home = away.world().join("home/.aws");
    fs::create_dir(&home).unwrap();
    let profile = format!("[ci]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    fs::write(home.join("credentials"), profile).unwrap();
    let files = away.clone_to("files").env("AWS_PROFILE", "ci");
    files.qik(["hello"]).ok().warns_not();
    let process = format!(
        "[profile p]\ncredential_process = echo '{{\"Version\": 1, \"AccessKeyId\": \"{KEY}\", \
         \"SecretAccessKey\": \"{SECRET}\"}}'\n"
    );
    fs::write(home.join("config"), process).unwrap();
    away.clone_to("process").env("AWS_PROFILE", "p").qik(["hello"]).ok().warns_not();
    assert_eq!(bare.runs("hello"), 1);
}

#[test]
fn credentials_that_do_not_work_cost_one_warning() {
    let bucket = Bucket::new();
    let project = bucket.commands(5, "");
    let right = project.read("qik.toml");
    for (text, message) in [
        (right.replace(SECRET, "wrong-secret-key"), "does not take the credentials"),
        (right.replace(KEY, "AKIDUNKNOWN"), "does not take the credentials"),
        (right.replace("aws-", "#aws-"), "needs credentials, and there are none"),
    ] {
        project.file("qik.toml", text);
        let before = project.runs("c4");
        let output = project.env("AWS_EC2_METADATA_DISABLED", "true").qik(["-f", "-n", "1"]).ok();
        let output = output.says(message).lacks("wrong-secret-key").lacks("AKIDUNKNOWN");
        assert_eq!(output.stderr().matches("warning[cache1]").count(), 1, "{}", output.dump());
        assert_eq!(project.runs("c4"), before + 1);
    }
}

#[test]
fn a_line_end_after_a_credential_does_no_harm() {
    let bucket = Bucket::new();
    let project = bucket.hello("aws-session-token = \"{ctx.token}\"");
    let text = project.read("qik.toml").replace(KEY, "{ctx.id}").replace(SECRET, "{ctx.secret}");
    let ctx = "ctx = ['id', 'secret', {name = 'token', required = false}]\n";
    project.file("qik.toml", format!("{ctx}{text}"));
    project.commit();
    let line = |text: &str| format!("{text}\n");
    let with_lines = project.env("ID", &line(KEY)).env("SECRET", &line(SECRET));
    with_lines.qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.keys().len(), 1);
    // In the environment it is a mistake that is named.
    let text: String = text
        .lines()
        .filter(|it| !it.starts_with("aws-"))
        .fold(String::new(), |text, line| text + line + "\n");
    project.file("qik.toml", text);
    let env = project.env("AWS_ACCESS_KEY_ID", &line(KEY)).env("AWS_SECRET_ACCESS_KEY", SECRET);
    let output = env.qik(["hello", "-f"]).ok().no_panic().says("does not take the credentials");
    output.says("a line end").lacks(KEY);
}

#[test]
fn instance_metadata_is_waited_for_once_and_not_long() {
    let bucket = Bucket::new();
    let project = bucket.commands(4, "");
    let text = project.read("qik.toml").replace("aws-", "#aws-");
    project.file("qik.toml", text);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let start = Instant::now();
    let output = project.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint).qik(["-n", "1"]).ok();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(output.stderr().matches("warning[cache1]").count(), 1, "{}", output.dump());
}

/// No file of the cache or of the output, and no stream, holds a secret.
#[track_caller]
fn check_discreet(project: &Project, output: &crate::support::Output, secrets: &[&str]) {
    for secret in secrets {
        assert!(!output.dump().contains(secret), "{}", output.dump());
        let found = project.sh(&format!("grep -rlF -- '{secret}' ._qik; true")).ok();
        assert_eq!(found.stdout(), "", "{secret}");
    }
}

#[test]
fn no_credential_is_ever_shown() {
    let token = "s3ssion/T0ken+value==";
    let bucket = Bucket::new();
    let project = bucket.hello(&format!("aws-session-token = \"{token}\""));
    let secrets = [SECRET, KEY, token];
    let echo: &'static str = Box::leak(
        format!("<?xml version=\"1.0\"?><Error><Code>Odd</Code><Message>{KEY} {SECRET} {token}</Message></Error>").into_boxed_str(),
    );
    for fault in [
        None,
        Some(Fault::Status(403, "SignatureDoesNotMatch", "")),
        Some(Fault::Status(400, echo, "")),
        Some(Fault::Hangup),
        Some(Fault::Page),
    ] {
        bucket.proxy.heal();
        if let Some(fault) = fault {
            bucket.breaks("*", fault);
        }
        for args in [&["-v", "2"][..], &["--logger", "json"], &["-v", "0"]] {
            let args = [args, &["-f", "hello"]].concat();
            let loud = project.env("QIK_LOG", "trace").env("RUST_LOG", "trace");
            let output = loud.env("RUST_BACKTRACE", "1").qik(&args).ok();
            check_discreet(&project, &output, &secrets);
        }
        project.sh("rm -rf ._qik").ok();
        check_discreet(&project, &project.env("QIK_LOG", "trace").qik(["hello"]).ok(), &secrets);
    }
    // Not even a part of it, where a server says more than is shown.
    let long = "long0token".repeat(60);
    let text = project.read("qik.toml");
    project.file("qik.toml", text.replace(token, &long));
    bucket.proxy.heal();
    bucket.breaks("*", Fault::Status(400, Box::leak(long.into_boxed_str()), ""));
    let output = project.env("QIK_LOG", "trace").qik(["-f", "hello"]).ok();
    check_discreet(&project, &output, &["long0token"]);
    project.file("qik.toml", text);
    // Nor is it where a mistake stands beside it.
    let text = project.read("qik.toml").replace("type = \"s3\"", "type = 's3'\nbukket = 5");
    project.file("qik.toml", text);
    check_discreet(&project, &project.qik(["hello"]).fails(), &secrets);
    project.file(
        "qik.toml",
        format!(
            "[caches]\nremote = {{type = 's3', bucket = 5, aws-secret-access-key = '{SECRET}'}}\n"
        ),
    );
    check_discreet(&project, &project.qik(["--ls"]).fails().says("bucket = 5"), &secrets);
    project.file(
        "qik.toml",
        format!("[caches.remote]\ntype = 's3'\nbucket = 'b'\naws-secret-acces-key = '{SECRET}'\n"),
    );
    check_discreet(&project, &project.qik(["--ls"]).fails(), &secrets);
    project.file(
        "qik.toml",
        "[caches.remote]\ntype = 's3'\nbucket = 'b'\nendpoint-url = 'http://u:hunter2@h'\n\
         [commands.hello]\nexec = ''\ndeps = ['a.txt']\ncache = 'remote'\n",
    );
    check_discreet(&project, &project.qik(["hello"]).errs("conf1"), &["hunter2"]);
}

#[test]
fn an_expired_token_is_renewed_once() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let text: String = project
        .read("qik.toml")
        .lines()
        .filter(|it| !it.starts_with("aws-"))
        .map(|it| format!("{it}\n"))
        .collect();
    project.file("qik.toml", text);
    project.commit();
    let project = project
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    bucket.breaks_once("GET", Fault::Status(400, "ExpiredToken", ""));
    project.qik(["hello"]).ok().warns_not();
    assert_eq!(bucket.requests(), ["GET", "GET", "PUT"]);
    bucket.breaks("*", Fault::Status(400, "ExpiredToken", ""));
    project.clone_to("clone").qik(["hello"]).ok().says("have expired").says("sign in again");
}

#[test]
fn a_proxy_of_the_environment_is_used_unless_it_is_not_to_be() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let text = project.read("qik.toml").replace(&bucket.endpoint(), "http://s3.invalid");
    project.file("qik.toml", text);
    project.commit();
    project.env("http_proxy", &bucket.endpoint()).qik(["hello"]).ok();
    assert_eq!(bucket.keys().len(), 1);
    let direct = project.clone_to("direct");
    let direct = direct.env("http_proxy", &bucket.endpoint()).env("no_proxy", "s3.invalid");
    direct.qik(["hello"]).ok().says("cannot be reached");
}

#[test]
fn a_signal_ends_the_wait_for_a_remote() {
    let bucket = Bucket::new();
    let project = bucket.hello("timeout = 60");
    bucket.breaks("GET", Fault::Stall);
    let started = project.start(["hello"]);
    until("it asks", || bucket.requests() == ["GET"]);
    let start = Instant::now();
    started.signal(Signal::INT);
    started.wait().no_panic().exits(130);
    bucket.proxy.heal();
    bucket.breaks("PUT", Fault::Stall);
    let started = project.start(["hello"]);
    until("it sends", || bucket.requests().contains(&"PUT".to_owned()));
    started.signal(Signal::TERM);
    started.wait().no_panic().exits(143);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let left = project.sh("find ._qik/cache/tmp -type f").ok();
    assert_eq!(left.stdout(), "", "no file is left behind");
}

#[test]
fn an_address_without_tls_outside_of_the_network_is_warned_of() {
    let bucket = Bucket::new();
    let project = bucket.hello("");
    let text = project.read("qik.toml").replace(&bucket.endpoint(), "http://s3.example.invalid");
    project.file("qik.toml", text);
    let proxied = project.env("http_proxy", &bucket.endpoint());
    proxied.qik(["hello"]).ok().says("without TLS").says("https://");
    project.qik(["hello"]).ok().warns_not();
}

/// The configurations of the documentation, each with the address of the test's server and the
/// names of its bucket.
#[test]
fn the_stores_of_the_documentation_work() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/caching.md");
    let text = fs::read_to_string(path).unwrap();
    let stores = text.split("## Stores").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks: Vec<&str> =
        stores.split("```toml").skip(1).map(|it| it.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let bucket = Bucket::new();
        let endpoint = format!("endpoint-url = \"{}\"", bucket.endpoint());
        let lines = block.lines().map(|line| match line.split(" = ").next().unwrap() {
            "bucket" => format!("bucket = \"{}\"\n", bucket.name),
            "endpoint-url" => format!("{endpoint}\n"),
            _ => format!("{line}\n"),
        });
        let mut project = Project::new();
        let name = block.split("[caches.").nth(1).unwrap().split(']').next().unwrap();
        let command = format!(
            "[commands.hello]\nexec = '{{tick hello}}'\ndeps = ['a.txt']\ncache = '{name}'\n"
        );
        project.toml(&format!("{}{command}", lines.collect::<String>()));
        project.file("a.txt", "a").commit();
        for variable in ["MINIO_ACCESS_KEY", "R2_ACCESS_KEY_ID", "GCS_HMAC_KEY", "GARAGE_KEY"] {
            project = project.env(variable, KEY);
        }
        for variable in
            ["MINIO_SECRET_KEY", "R2_SECRET_ACCESS_KEY", "GCS_HMAC_SECRET", "GARAGE_SECRET"]
        {
            project = project.env(variable, SECRET);
        }
        let aws = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)];
        for (variable, value) in aws {
            project = project.env(variable, value);
        }
        let project =
            project.env("R2_ACCOUNT", "account").env("AWS_ENDPOINT_URL", &bucket.endpoint());
        project.qik(["hello"]).ok().warns_not();
        project.clone_to("clone").qik(["hello"]).ok().warns_not();
        assert_eq!(project.runs("hello"), 1, "{block}");
    }
}
