//! The examples of the documents that the project was asked for, as they stand there.
//!
//! One of them cannot: `lock_with_arch.toml` has the closing brace that its document lacks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Project;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/seeds");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A project with an example's configuration, the files that it speaks of, and its tools.
fn project(example: &str) -> Project {
    let project = Project::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/seeds").join(example);
    project.file("qik.toml", fs::read_to_string(path).unwrap());
    project.file("requirements.in", "x\n").file("requirements.txt", "");
    for module in ["a", "b"] {
        project.file(format!("my/module/{module}/__init__.py"), "import os\n");
    }
    project.commit();
    let tools = project.world().join("tools");
    for tool in ["pip-compile", "ruff", "pyright"] {
        let script = format!("#!/bin/sh\necho \"$@\" >> $TICKS/{tool}\necho x==1\n");
        project.file(tools.join(tool), script).chmod(tools.join(tool).to_str().unwrap(), 0o755);
    }
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    project.env("PATH", &path)
}

#[test]
fn every_example_loads() {
    let examples = examples();
    assert!(examples.len() >= 12);
    for path in examples {
        let project = project(path.file_name().unwrap().to_str().unwrap());
        let names = project.ls([""; 0]);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(names.is_empty(), !text.contains("[commands."), "{}", path.display());
    }
}

#[test]
fn the_lock_examples_run_and_replay() {
    for (example, runs) in [
        ("lock_without_deps.toml", 2),
        ("lock.toml", 1),
        ("lock_always.toml", 1),
        ("lock_in_repo.toml", 1),
    ] {
        let project = project(example);
        for _ in 0..2 {
            project.qik(["lock"]).ok().warns_not();
            assert_eq!(project.read("requirements.txt"), "x==1\n");
        }
        assert_eq!(project.runs("pip-compile"), runs, "{example}");
    }
}

#[test]
fn the_credentials_example_needs_its_variables_only_where_they_are_used() {
    let project = project("s3_credentials.toml");
    let text = project.read("qik.toml");
    project.file("qik.toml", format!("{text}\n[commands]\nhello = '{{tick}}'\n"));
    project.qik(["hello", "--ls"]).ok().prints("hello\n");
}

#[test]
fn the_distribution_examples_follow_versions_and_machines() {
    for example in ["lock_with_dist.toml", "lock_with_arch.toml"] {
        let project = project(example);
        let text = project.read("qik.toml");
        project.qik(["lock"]).exits(2).says("error[pydist1]").says("pip-tools");
        for (version, runs) in [("7.0", 1), ("7.0", 1), ("7.1", 2)] {
            project
                .file("qik.toml", format!("{text}\n[pydist.versions]\npip-tools = '{version}'\n"));
            project.qik(["lock"]).ok();
            assert_eq!(project.runs("pip-compile"), runs, "{example} {version}");
        }
        let other = project.env("QIK__ARCH", "another");
        other.qik(["lock"]).ok();
        let is_arch = example == "lock_with_arch.toml";
        assert_eq!(project.runs("pip-compile"), if is_arch { 3 } else { 2 });
    }
}

#[test]
fn the_module_example_lints_what_has_changed() {
    let project = project("modules.toml");
    assert_eq!(project.ls([""; 0]), ["lint#my.module.a", "lint#my.module.b"]);
    project.qik(["lint"]).ok();
    assert_eq!(project.runs("ruff"), 2);
    project.file("my/module/a/__init__.py", "import sys\n");
    project.qik(["lint"]).ok();
    assert_eq!(project.runs("ruff"), 3);
    project.qik(["lint", "-m", "my.module.b"]).ok();
    assert_eq!(project.runs("ruff"), 3);
}

#[test]
fn an_example_with_a_missing_brace_is_told_where() {
    let project = Project::new();
    project.file(
        "qik.toml",
        "[commands.lock]\nexec = \"pip-compile\"\ndeps = [\n    {type = \"const\", val = \"{ctx.qik.arch}\"\n]\n",
    );
    project.qik(["lock"]).errs("conf1").says("qik.toml:");
}
