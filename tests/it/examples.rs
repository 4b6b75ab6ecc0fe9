//! Every project of `examples/` does what its `check.sh` says, with qik on the PATH.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Project;

#[test]
fn every_example_checks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let example = entry.unwrap().path();
        if !example.is_dir() {
            continue;
        }
        let project = Project::new();
        let copied =
            Command::new("cp").arg("-R").arg(example.join(".")).arg(&project.root).status();
        assert!(copied.unwrap().success());
        project.commit();
        let output = project.sh("sh ./check.sh");
        assert_eq!(output.code, Some(0), "{}\n{}", example.display(), output.dump());
        count += 1;
    }
    assert!(count > 0);
}
