//! Values of secret variables: part of the inputs, and nowhere to be seen.

use crate::support::{Bucket, Output, Project, until};

const TOKEN: &str = "tok-s3cr3t-0123456789";

/// A project with the secret `token`, whose value is in the environment.
fn project(commands: &str) -> Project {
    let project = Project::new();
    project.toml(&format!("ctx = [{{name = 'token', secret = true}}]\n{commands}"));
    project.file("a.txt", "1\n").commit();
    project.env("TOKEN", TOKEN)
}

/// No file of the project but those named, and no stream, shows a secret.
#[track_caller]
fn check_hidden(project: &Project, output: &Output, secret: &str, but: &str) {
    assert!(!output.dump().contains(secret), "{}", output.dump());
    let found = project.sh(&format!("grep -rlaF -e '{secret}' . | grep -vxF ./{but}; true"));
    assert_eq!(found.stdout(), "", "{secret}");
}

#[test]
fn a_secret_is_in_no_file_and_no_stream() {
    for cache in ["local", "repo"] {
        let project = project(&format!(
            "[commands.say]\nexec = \"\"\"{{tick say}}; echo 'Bearer {{ctx.token}}.'; \
             printf %s '{{ctx.token}}' > raw; printenv TOKEN\"\"\"\n\
             deps = ['a.txt', {{type = 'const', val = 'v{{ctx.token}}'}}]\ncache = '{cache}'\n\
             [commands.bad]\nexec = 'sh -c \"{{ctx.token}}\"; exit 3'\ndeps = ['a.txt']\n\
             cache-when = 'finished'\n",
        ));
        for args in [&["-v"][..], &["--logger", "json"], &["-n", "1"], &["-f", "-v"], &[]] {
            let project = project.env("QIK_LOG", "trace").env("RUST_BACKTRACE", "1");
            let output = project.qik(args).exits(3);
            check_hidden(&project, &output, TOKEN, "raw");
        }
        let replayed = project.qik(["say", "-n", "1"]).ok();
        replayed.prints("Bearer ***.\n***\n");
        assert_eq!(project.read("._qik/out/say.out"), "Bearer ***.\n***\n");
        assert_eq!(project.read("raw"), TOKEN, "an artifact is what the command made");
        assert_eq!(project.runs("say"), 2);
        project.file("a.txt", "2\n");
        let output = project.env("QIK_LOG", "trace").qik(["-v"]).exits(3);
        check_hidden(&project, &output, TOKEN, "raw");
    }
}

#[test]
fn a_secret_is_not_in_the_list_of_processes() {
    let script = "tr '\\\\0' '\\\\n' < /proc/$$/cmdline > line; env > env; \
                  echo '{ctx.token}' -$QIK__EXEC-";
    let project = project(&format!("[commands]\nsay = \"{script}\"\n"));
    project.qik(["say"]).ok().prints("*** --\n");
    assert!(project.read("line").contains("\n-c\n"));
    assert!(!project.read("line").contains(TOKEN));
    assert!(!project.read("env").contains("QIK__EXEC"), "what it starts has no copy");
}

#[test]
fn a_command_with_a_secret_is_the_script_that_it_says() {
    let project = project(
        "[commands]\nlines = '''\n# {ctx.token}\nfalse\nset -- a b\ncat <<END\n$#\nEND\nexit 7\n'''\n\
         torn = 'echo {ctx.token} \"'\n",
    );
    project.qik(["lines"]).exits(7).prints("2\n");
    project.qik(["torn"]).exits(2).lacks(TOKEN);
}

#[test]
fn a_split_secret_is_hidden_too() {
    // Each piece is written by a process of its own, the first up to a place where reads end.
    let script = "head -c 65530 /dev/zero | tr \"\\\\0\" x; printf tok-s3; touch half; {wait go}; \
                  printf cr3t-0123; {wait on}; echo 456789";
    let project = project(&format!("[commands]\nsay = '{}'\n", script.replace("\\\\", "\\")));
    let started = project.start(["say", "-n", "1"]);
    until("half of it is there", || project.exists("half"));
    let log = project.root.join("._qik/out/say.out");
    let size = || log.metadata().map_or(0, |meta| meta.len());
    until("what comes before is there", || size() == 65530);
    project.file("go", "").file("on", "");
    let output = started.wait().ok();
    assert_eq!(output.stdout(), "x".repeat(65530) + "***\n");
}

#[test]
fn another_value_is_another_input() {
    let project = project("[commands.say]\nexec = '{tick say} # {ctx.token}'\ndeps = ['a.txt']\n");
    project.qik(["say"]).ok();
    project.qik(["say"]).ok();
    assert_eq!(project.runs("say"), 1);
    let other = project.env("TOKEN", "another-token");
    other.qik(["say"]).ok().says("secret `token` changed").lacks("another-token");
    assert_eq!(project.runs("say"), 2);
    project.qik(["say"]).ok();
    assert_eq!(project.runs("say"), 2, "the first result is there still");
}

#[test]
fn two_secrets_do_not_change_places_unnoticed() {
    let project = Project::new();
    let toml = |exec: &str| {
        let vars = "[{name = 'one', secret = true}, {name = 'two', secret = true}]";
        format!("ctx = {vars}\n[commands.say]\nexec = '{{tick say}} # {exec}'\ndeps = ['a.txt']\n")
    };
    project.file("a.txt", "").toml(&toml("{ctx.one} {ctx.two}")).commit();
    let project = project.env("ONE", "first-one").env("TWO", "second-one");
    project.qik(["say"]).ok();
    project.toml(&toml("{ctx.two} {ctx.one}"));
    project.qik(["say"]).ok();
    assert_eq!(project.runs("say"), 2);
}

#[test]
fn what_was_stored_before_it_was_secret_is_not_shown() {
    for cache in ["local", "repo"] {
        let project = Project::new();
        let commands = format!(
            "[commands.uses]\nexec = '{{tick uses}}; echo <{{ctx.token}}>'\ndeps = ['a.txt']\n\
             cache = '{cache}'\n[commands.tells]\nexec = '{{tick tells}}; printenv TOKEN'\n\
             deps = ['a.txt']\ncache = '{cache}'\n",
        )
        .replace("<{", "\"<{")
        .replace("}>", "}>\"");
        project.toml(&format!("ctx = ['token']\n{commands}"));
        project.file("a.txt", "1\n").commit();
        let project = project.env("TOKEN", TOKEN);
        project.qik(["-v", "-n", "1"]).ok().prints(&format!("{TOKEN}\n<{TOKEN}>\n"));
        project.toml(&format!("ctx = [{{name = 'token', secret = true}}]\n{commands}"));
        let output = project.qik(["-v"]).ok().lacks(TOKEN);
        assert!(output.stderr().contains("the stored output of `tells` shows a secret"));
        assert_eq!((project.runs("uses"), project.runs("tells")), (2, 2));
        assert_eq!(project.sh(&format!("grep -rl '{TOKEN}' ._qik/out .qik; true")).stdout(), "");
        project.qik(["-v"]).ok().lacks(TOKEN).warns_not();
        assert_eq!((project.runs("uses"), project.runs("tells")), (2, 2));
    }
}

#[test]
fn each_line_of_a_secret_is_hidden() {
    let project = project("[commands]\nsay = '''printenv TOKEN | sed 's/^/> /' '''\n");
    let key = "-----BEGIN KEY-----\nAAAAAAAA\nBBBBBBBB\n-----END KEY-----\n";
    project.env("TOKEN", key).qik(["say"]).ok().prints("> ***\n> ***\n> ***\n> ***\n> \n");
}

#[test]
fn a_secret_that_cannot_be_hidden_is_an_error() {
    let project = project("[commands]\nsay = 'echo x{ctx.token}x'\nother = 'echo abc'\n");
    project.env("TOKEN", "abc").qik(["say"]).errs("ctx1").says("too short").lacks("abc");
    project.env("TOKEN", "abc").qik(["other"]).ok().prints("abc\n");
    project.env("TOKEN", "").qik(["say"]).ok().prints("xx\n");
    project.env("TOKEN", "hush").qik(["say"]).ok().prints("x***x\n");
}

#[test]
fn a_secret_is_not_told_by_what_is_wrong_with_it() {
    let check = |ctx: &str, code: &str| {
        let project = Project::new();
        project.toml(&format!("ctx = [{ctx}]\n[commands]\nsay = 'echo {{ctx.token}}'\n"));
        project.commit();
        let project = project.env("QIK_LOG", "trace");
        project.qik(["say"]).errs(code).lacks(TOKEN).lacks("tok-");
        project.env("TOKEN", TOKEN).qik(["say"]).fails().lacks(TOKEN).lacks("tok-");
    };
    check(
        &format!("{{name = 'token', type = 'int', secret = true, default = '{TOKEN}'}}"),
        "conf1",
    );
    check(&format!("{{name = 'token', secret = true, default = '{TOKEN}', typ = 1}}"), "conf1");
    check("{name = 'token', type = 'int', secret = true}", "ctx2");
    check("{name = 'token', type = 'bool', secret = true}", "conf1");
}

#[test]
fn a_secret_has_no_place_where_it_would_be_seen() {
    for text in [
        "[commands.say]\nexec = 'x'\ndeps = ['{ctx.token}/*']\n",
        "[commands.say]\nexec = 'x'\ndeps = ['a']\nartifacts = ['out/{ctx.project.token}']\n",
        "[commands.say]\nexec = 'x'\n[defaults]\ndotenv = '{ctx.token}'\n",
        "[commands.say]\nexec = 'x'\n[caches.c]\ntype = 's3'\nbucket = '{ctx.token}'\n",
        "[commands.say]\nexec = 'x'\ndeps = [{type = 'command', name = '{ctx.token}'}]\n",
    ] {
        let output = project(text).qik(["say"]).errs("conf16");
        output.says("`token` is a secret").lacks(TOKEN);
    }
    let fine = "[commands.say]\nexec = 'echo {ctx.token}'\n\
        deps = ['a.txt', {type = 'const', val = '{ctx.token}'}]\n[caches.c]\ntype = 's3'\nbucket = 'b'\n\
        aws-access-key-id = 'AKID{ctx.token}'\naws-secret-access-key = '{ctx.token}'\n\
        [plugins.uv]\npyimport = 'qik.uv'\nindex-url = 'https://me:{ctx.token}@host/'\n";
    project(fine).qik(["say"]).ok().prints("***\n");
}

#[test]
fn a_profiles_value_is_as_secret() {
    let project = Project::new();
    project.toml(&format!(
        "vars = [{{name = 'token', secret = true}}]\n[ctx.ci.project]\ntoken = '{TOKEN}'\n\
         [commands]\nsay = 'echo {{ctx.token}}'\n[commands.broken]\nexe = 1\n"
    ));
    project.commit();
    project.qik(["say", "-p", "ci"]).fails().lacks(TOKEN);
    let text = project.read("qik.toml").replace("[commands.broken]\nexe = 1\n", "");
    project.file("qik.toml", text);
    project.qik(["say", "-p", "ci"]).ok().prints("***\n");
}

#[test]
fn credentials_of_a_cache_are_hidden_in_output() {
    let secret = "aws+S3cret/of+the/environment";
    let project = Project::new();
    let command =
        "[commands.say]\nexec = 'printenv AWS_SECRET_ACCESS_KEY QIK_CACHE_KEY'\ndeps = ['a.txt']\n";
    project.file("a.txt", "");
    project.toml(&format!("{command}[caches.c]\ntype = 's3'\nbucket = 'b'\n")).commit();
    let project =
        project.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("QIK_CACHE_KEY", "key-to-sign");
    let project = project.env("AWS_SECRET_ACCESS_KEY", secret);
    let output = project.qik(["say", "-n", "1"]).ok();
    check_hidden(&project, &output, secret, "");
    assert_eq!(output.stdout(), "***\n***\n");
}

#[test]
fn a_remote_cache_gets_no_secret() {
    let bucket = Bucket::new();
    let text = format!(
        "ctx = [{{name = 'token', secret = true}}]\n[commands.say]\n\
         exec = 'echo {{ctx.token}}'\ndeps = ['a.txt']\ncache = 'remote'\n{}",
        bucket.toml("")
    );
    let project = Project::new();
    project.toml(&text).file("a.txt", "").commit();
    let project = project.env("TOKEN", TOKEN);
    project.qik(["say", "-n", "1"]).ok().prints("***\n");
    let clone = project.clone_to("other");
    let output = clone.qik(["say", "-n", "1"]).ok().prints("***\n").says("cached");
    // What came from there is in the clone's cache, unpacked.
    check_hidden(&clone, &output, TOKEN, "");
}
