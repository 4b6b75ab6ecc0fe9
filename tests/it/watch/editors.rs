//! The ways in which editors save a file: each save is one run, and sees the new content.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Watching, project};

/// Saves `a.txt` by a script of steps in its folder; one run each, which sees what was written.
#[track_caller]
fn check(save: impl Fn(&Path, &str)) {
    let project = project("[commands.x]\nexec = '{tick x}; cp src/a.txt seen'\ndeps = ['src']\n");
    project.file("src/a.txt", "zero\n").commit();
    let watching = Watching::start(&project, &[]);
    for (number, text) in ["one\n", "two\n", "three\n"].iter().enumerate() {
        let cause = watching.round(|project| save(&project.root.join("src"), text));
        assert_eq!(cause, "src/a.txt");
        assert_eq!(project.read("seen"), *text);
        assert_eq!(watching.settled().len(), number + 1, "{}", watching.said());
        assert_eq!(watching.runs("x"), number + 2);
    }
}

#[test]
fn in_place() {
    check(|folder, text| fs::write(folder.join("a.txt"), text).unwrap());
}

#[test]
fn in_place_in_many_small_writes() {
    use std::io::Write as _;
    check(|folder, text| {
        let mut file = fs::File::create(folder.join("a.txt")).unwrap();
        for byte in text.bytes() {
            file.write_all(&[byte]).unwrap();
            file.sync_all().unwrap();
        }
    });
}

#[test]
fn vim_with_a_backup_that_is_renamed_away() {
    check(|folder, text| {
        fs::write(folder.join("4913"), "").unwrap();
        fs::remove_file(folder.join("4913")).unwrap();
        fs::write(folder.join(".a.txt.swp"), "swap").unwrap();
        fs::rename(folder.join("a.txt"), folder.join("a.txt~")).unwrap();
        fs::write(folder.join("a.txt"), text).unwrap();
        fs::remove_file(folder.join("a.txt~")).unwrap();
        fs::remove_file(folder.join(".a.txt.swp")).unwrap();
    });
}

#[test]
fn emacs_with_its_lock_and_auto_save_files() {
    check(|folder, text| {
        symlink("me@host.1:2", folder.join(".#a.txt")).unwrap();
        fs::write(folder.join("#a.txt#"), text).unwrap();
        fs::copy(folder.join("a.txt"), folder.join("a.txt~")).unwrap();
        fs::write(folder.join("a.txt"), text).unwrap();
        fs::remove_file(folder.join("#a.txt#")).unwrap();
        fs::remove_file(folder.join(".#a.txt")).unwrap();
    });
}

#[test]
fn vs_code_and_others_that_rename_over() {
    check(|folder, text| {
        let temporary = folder.join(".a.txt.tmp-1234");
        fs::write(&temporary, text).unwrap();
        fs::rename(temporary, folder.join("a.txt")).unwrap();
    });
}

#[test]
fn jetbrains_with_an_old_and_a_new_file() {
    check(|folder, text| {
        fs::write(folder.join("a.txt___jb_tmp___"), text).unwrap();
        fs::rename(folder.join("a.txt"), folder.join("a.txt___jb_old___")).unwrap();
        fs::rename(folder.join("a.txt___jb_tmp___"), folder.join("a.txt")).unwrap();
        fs::remove_file(folder.join("a.txt___jb_old___")).unwrap();
    });
}

#[test]
fn deleted_and_written_again() {
    check(|folder, text| {
        fs::remove_file(folder.join("a.txt")).unwrap();
        fs::write(folder.join("a.txt"), text).unwrap();
    });
}
