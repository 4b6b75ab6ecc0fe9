//! `._qik`: what this checkout keeps for itself, which ignores itself.

use crate::error::{Code, Diagnostic};
use crate::paths::WorkDirs;
use crate::sys::fs;

/// Makes `._qik` with its own `.gitignore`, if it is not there. Fails with what is in the way.
pub fn prepare_private(dirs: &WorkDirs) -> Result<(), Diagnostic> {
    let private = dirs.private.as_path();
    let refuse = |what: &str| {
        Diagnostic::new(Code::FileFailed, format!("`{}` is {what}", private.display()))
            .because("qik keeps results and output in a folder of this name")
            .hint("move it away")
    };
    match fs::optional(fs::stat(private))?.map(|stat| stat.file_type()) {
        None => fs::create_folder(private)?,
        Some(kind) if kind.is_dir() => {}
        Some(kind) if kind.is_symlink() => return Err(refuse("a symlink")),
        Some(_) => return Err(refuse("not a folder")),
    }
    let ignore = private.join(".gitignore");
    if fs::optional(fs::stat(&ignore))?.is_none() {
        dirs.unfinished.write(&ignore, b"*\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::AbsPath;

    fn dirs() -> (tempfile::TempDir, WorkDirs) {
        let folder = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::new(AbsPath::new(folder.path()).unwrap());
        (folder, dirs)
    }

    #[test]
    fn the_folder_ignores_itself() {
        let (_folder, dirs) = dirs();
        prepare_private(&dirs).unwrap();
        prepare_private(&dirs).unwrap();
        assert_eq!(fs::read(&dirs.private.as_path().join(".gitignore")).unwrap(), b"*\n");
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let (_folder, dirs) = dirs();
        fs::write_atomic(dirs.private.as_path(), b"").unwrap();
        let diagnostic = prepare_private(&dirs).unwrap_err();
        assert!(diagnostic.message.ends_with("._qik` is not a folder"), "{}", diagnostic.message);

        for target in ["/nowhere/at/all", "/tmp"] {
            fs::remove_file(dirs.private.as_path()).unwrap();
            std::os::unix::fs::symlink(target, dirs.private.as_path()).unwrap();
            let diagnostic = prepare_private(&dirs).unwrap_err();
            assert!(diagnostic.message.ends_with("is a symlink"), "{}", diagnostic.message);
        }
    }
}
