//! Versions of distributions: where they are looked for, and what counts when there are none.

use crate::support::Project;

const LINT: &str =
    "[commands.lint]\nexec = '{tick lint}'\ndeps = [{type = 'pydist', name = 'My.Linter'}]\n";

const SITE: &str = "../venv/lib/python3.12/site-packages";

/// A command that depends on a distribution, with an active environment that has none.
fn project(more: &str) -> Project {
    let project = Project::new();
    project.toml(&format!("{LINT}{more}\n")).commit();
    project.file("../venv/pyvenv.cfg", "version = 3.12.1\n").file(format!("{SITE}/x.py"), "");
    let venv = project.world().join("venv");
    project.env("VIRTUAL_ENV", venv.to_str().unwrap()).without_env("PYTHONPATH")
}

fn dist_info(project: &Project, folder: &str, version: &str) {
    let info = format!("{folder}/my_linter-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: my-linter\nVersion: {version}\n");
    project.file(format!("{info}/METADATA"), metadata).file(format!("{info}/RECORD"), "");
}

/// The version in the fingerprint of the last result.
#[track_caller]
fn version(project: &Project) -> String {
    project.sh("rm -rf ._qik").ok();
    project.qik(["lint"]).ok();
    // What is stored with a result says what it depends on.
    let found =
        project.sh("grep -rhao '\"my-linter\":\"[^\"]*\"' ._qik/cache/v1/entries | tail -1");
    let text = found.stdout();
    text.trim().trim_start_matches("\"my-linter\":").trim_matches('"').to_owned()
}

#[test]
fn metadata_of_every_kind_is_found() {
    let cases = [
        ("my_linter-1.0.dist-info/METADATA", "Name: my-linter\nVersion: 9.9\n", "1.0"),
        ("My.Linter-1.1-py3.12.egg-info", "Name: My.Linter\nVersion: 9.9\n", "1.1"),
        ("My_Linter-1.2-py3.12.egg-info/PKG-INFO", "Version: 9.9\n", "1.2"),
        (
            "my_linter.egg-info/PKG-INFO",
            "Name: my-linter\nVersion: 1.3.dev1\n\nVersion: 0\n",
            "1.3.dev1",
        ),
        ("my_linter.dist-info/METADATA", "Name: my-linter\nVersion: 1.4+local.1\n", "1.4+local.1"),
        ("my_linter-1.5-py3.12.egg/EGG-INFO/PKG-INFO", "Version: 9.9\n", "1.5"),
    ];
    for (path, text, expected) in cases {
        let project = project("");
        project.file(format!("{SITE}/{path}"), text);
        project.file(format!("{SITE}/easy-install.pth"), "./my_linter-1.5-py3.12.egg\n");
        assert_eq!(version(&project), expected, "{path}");
        assert!(!project.reruns("lint"), "{path}");
    }
}

#[test]
fn an_editable_installation_has_the_version_of_its_sources() {
    let project = project("");
    dist_info(&project, SITE, "1.0");
    let source = project.world().join("my source");
    let url = format!("file://{}", source.display()).replace(' ', "%20");
    let direct = format!("{SITE}/my_linter-1.0.dist-info/direct_url.json");
    project.file(&direct, format!(r#"{{"url": "{url}", "dir_info": {{"editable": true}}}}"#));
    assert_eq!(version(&project), "1.0", "there are no sources");
    project.file("../my source/pyproject.toml", "[project]\nname = 'x'\nversion = '1.1'\n");
    assert_eq!(version(&project), "1.1");
    project.file("../my source/pyproject.toml", "[project]\ndynamic = ['version']\n");
    assert_eq!(version(&project), "1.0", "its sources do not say");
}

#[test]
fn sources_named_by_pth_files_have_metadata_of_their_own() {
    let project = project("");
    let source = project.world().join("source");
    let pth = format!("import sys; sys.x = 1\n# comment\n{}\n../nowhere\n", source.display());
    project.file(format!("{SITE}/__editable__.my_linter-2.0.pth"), pth);
    project.file("../source/my_linter.egg-info/PKG-INFO", "Name: my-linter\nVersion: 2.0\n");
    assert_eq!(version(&project), "2.0");
    dist_info(&project, SITE, "2.1");
    assert_eq!(version(&project), "2.1", "site-packages comes first");
}

#[test]
fn a_commit_is_part_of_the_version() {
    let project = project("");
    dist_info(&project, SITE, "1.0");
    let direct = format!("{SITE}/my_linter-1.0.dist-info/direct_url.json");
    let text = |commit: &str| {
        format!(
            r#"{{"url": "https://host/x", "vcs_info": {{"vcs": "git", "commit_id": "{commit}"}}}}"#
        )
    };
    project.file(&direct, text("aa"));
    assert_eq!(version(&project), "1.0 (aa)");
    project.file(&direct, text("bb"));
    assert!(project.reruns("lint"));
}

#[test]
fn leftovers_of_installers_count() {
    let project = project("");
    dist_info(&project, SITE, "1.0");
    dist_info(&project, SITE, "1.1");
    project.file(format!("{SITE}/~y_linter-0.9.dist-info/METADATA"), "");
    assert_eq!(version(&project), "1.0, 1.1", "Python takes any of them");
}

#[test]
fn the_first_folder_that_has_it_wins() {
    let project = project("");
    dist_info(&project, SITE, "1.0");
    dist_info(&project, "near", "1.5");
    assert_eq!(version(&project), "1.0");
    assert_eq!(version(&project.env("PYTHONPATH", "none:near")), "1.5");
}

#[test]
fn the_python_on_the_path_is_enough() {
    let project = project("").without_env("VIRTUAL_ENV");
    dist_info(&project, "../usr/lib/python3/dist-packages", "1.0");
    project.file("../usr/bin/python3.12", "").chmod("../usr/bin/python3.12", 0o755);
    project.link("../usr/bin/python3", "python3.12").link("../bin/python3", "../usr/bin/python3");
    project.file("../usr/lib/python3.12/os.py", "");
    let bin = project.world().join("bin");
    let path = format!("{}:{}", bin.display(), project.variable("PATH"));
    assert_eq!(version(&project.env("PATH", &path)), "1.0");
}

#[test]
fn a_dotenv_file_may_name_the_environment() {
    let project = project("[spaces.default]\ndotenv = '.env'");
    let other = project.world().join("other");
    dist_info(&project, "../other/lib/python3.12/site-packages", "3.0");
    project.file(".env", format!("VIRTUAL_ENV={}\n", other.display()));
    assert_eq!(version(&project), "3.0");
}

#[test]
fn a_lock_pins_what_is_not_installed() {
    let locks = [
        (
            "requirements.txt",
            "# all\nother==9\nmy_linter[extra]==1.0 \\\n    --hash=sha256:00\n",
            "1.0",
        ),
        ("my.lock", "My-Linter == 1.1 ; python_version > '3'\nloose>=2\n", "1.1"),
        ("uv.lock", "version = 1\n\n[[package]]\nname = \"my-linter\"\nversion = \"1.2\"\n", "1.2"),
        (
            "poetry.lock",
            "[[package]]\nname = \"My_Linter\"\nversion = \"1.3\"\noptional = false\n",
            "1.3",
        ),
        (
            "pylock.toml",
            "lock-version = '1.0'\n[[packages]]\nname = 'my-linter'\nversion = '1.4'\n\
             [[packages]]\nname = 'my-linter'\nversion = '1.5'\nmarker = 'x'\n",
            "1.4, 1.5",
        ),
    ];
    for (path, text, expected) in locks {
        let toml = format!(
            "[spaces.default]\nvenv = {{type = 'active', reqs = 'reqs.in', lock = '{path}'}}"
        );
        let project = project(&toml);
        project.file("reqs.in", "my-linter\n");
        project.qik(["lint"]).errs("pydist1").says("My.Linter");
        project.file(path, text);
        assert_eq!(version(&project), expected, "{path}");
        dist_info(&project, SITE, "7.0");
        assert_eq!(version(&project), "7.0", "{path}: what is installed goes before");
    }
}

#[test]
fn declared_versions_go_before_locked_ones_and_these_before_missing_ones() {
    let project = project("[spaces.default]\nvenv = 'lock.txt'\n[pydist]\nignore-missing = true");
    project.file("lock.txt", "another==1\n");
    assert_eq!(version(&project), "missing");
    project.file("lock.txt", "my-linter==1.0\n");
    assert_eq!(version(&project), "1.0");
    let text = project
        .read("qik.toml")
        .replace("[pydist]", "[pydist.versions]\nmy_linter = '2.0'\n[pydist]");
    project.file("qik.toml", text);
    assert_eq!(version(&project), "2.0");
}

#[test]
fn what_is_only_wanted_is_not_pinned() {
    for line in [
        "my-linter",
        "my-linter>=1",
        "my-linter==1.*",
        "-e ./my-linter",
        "# my-linter==1",
        "my-linter~=1.0",
    ] {
        let project = project("[spaces.default]\nvenv = 'reqs.txt'");
        project.file("reqs.txt", format!("{line}\n"));
        project.qik(["lint"]).errs("pydist1");
        assert_eq!(project.runs("lint"), 0, "{line}");
    }
}
