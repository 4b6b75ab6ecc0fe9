//! Which files git may store otherwise than they are: those are git's to hash.
//!
//! Attributes are taken from the same files as git takes them. What no file mentions is settled
//! by that; else libgit2 matches the patterns, and whatever it would read in another way than git
//! (quoted patterns, macros, attributes from outside of the work tree) counts as converted.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{AttrCheckFlags, AttrValue, Repository};

use super::configuration::{home, xdg_folder};
use super::index::IndexSnapshot;
use super::repo::Repo;
use super::settings::Settings;
use crate::error::Diagnostic;
use crate::sys::fs;

/// A file of attributes larger than this is git's to read.
const SIZE_BYTES_MAX: u64 = 1 << 20;

/// Attributes that change any content.
const CONTENT: [&str; 3] = ["filter", "ident", "working-tree-encoding"];

/// What a line has to hold to say anything of line ends.
const LINE_ENDS: [&str; 4] = ["text", "crlf", "eol", "binary"];

/// Attributes of the whole machine.
const SYSTEM_FILE: &str = "/etc/gitattributes";

/// Who is to be asked what attributes a file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Judge {
    /// Nobody: it has none.
    #[default]
    Nobody,
    Library,
    Git,
}

/// Who is to be asked, by kind of attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Judges {
    content: Judge,
    line_ends: Judge,
}

impl Judges {
    const GIT: Self = Self { content: Judge::Git, line_ends: Judge::Git };

    /// Of what a file of attributes says; `judge` where it is plain.
    fn of(text: &[u8], judge: Judge) -> Self {
        let mut judges = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii_start();
            if line.starts_with(b"#") {
                continue;
            }
            let judge = if is_odd(line) { Judge::Git } else { judge };
            let has = |words: &[&str]| words.iter().any(|word| contains(line, word.as_bytes()));
            judges = judges.and(Self {
                content: if has(&CONTENT) { judge } else { Judge::Nobody },
                line_ends: if has(&LINE_ENDS) { judge } else { Judge::Nobody },
            });
        }
        judges
    }

    fn and(self, other: Self) -> Self {
        Self {
            content: self.content.max(other.content),
            line_ends: self.line_ends.max(other.line_ends),
        }
    }
}

/// Whether libgit2 reads a line in another way than git: it knows no quotes and no escapes but its
/// own, it negates patterns, and it expands macros that another line takes back.
fn is_odd(line: &[u8]) -> bool {
    let takes_back = |word: &[u8]| word != b"binary" && contains(word, b"binary");
    line.starts_with(b"\"")
        || line.starts_with(b"!")
        || line.starts_with(b"[attr]")
        || line.contains(&b'\\')
        || line.split(u8::is_ascii_whitespace).skip(1).any(takes_back)
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}

/// The conversions of a work tree, as its attributes are now.
pub(super) struct Conversions<'a> {
    repo: &'a Repo,
    snapshot: &'a IndexSnapshot,
    settings: &'a Settings,
    /// By folder, without a final slash; with what the folders above say.
    folders: BTreeMap<Vec<u8>, Judges>,
}

impl<'a> Conversions<'a> {
    pub(super) fn new(repo: &'a Repo, snapshot: &'a IndexSnapshot) -> Result<Self, Diagnostic> {
        let settings = repo.settings()?;
        Ok(Self { repo, snapshot, settings, folders: BTreeMap::new() })
    }

    /// Whether any content of a file may be stored otherwise.
    pub(super) fn may_change(&mut self, path: &[u8]) -> bool {
        match self.judges(parent(path)).content {
            Judge::Nobody => false,
            Judge::Git => true,
            Judge::Library => self.ask(|repository| {
                let mut values = CONTENT.iter().map(|name| attribute(repository, path, name));
                values.try_fold(false, |found, value| {
                    Ok(found || !matches!(value?, Value::Unset | Value::Unspecified))
                })
            }),
        }
    }

    /// Whether a file with CRLF may be stored without them. Where that depends on what is in it,
    /// a NUL makes it binary.
    pub(super) fn may_change_line_ends(&mut self, path: &[u8], has_nul: bool) -> bool {
        let by_setting = self.settings.converts_line_ends && !has_nul;
        match self.judges(parent(path)).line_ends {
            Judge::Nobody => by_setting,
            Judge::Git => true,
            Judge::Library => self.ask(|repository| {
                let [text, crlf, eol] = [
                    attribute(repository, path, "text")?,
                    attribute(repository, path, "crlf")?,
                    attribute(repository, path, "eol")?,
                ];
                // Of `crlf` libgit2 only knows surely that it is not there: its `binary` unsets it.
                Ok(match (text, crlf, eol) {
                    (Value::Unset, _, _) => false,
                    (Value::Unspecified, Value::Unspecified, Value::Unspecified) => by_setting,
                    (Value::Auto, _, _) => !has_nul,
                    _ => true,
                })
            }),
        }
    }

    fn ask(&self, question: impl FnOnce(&Repository) -> Result<bool, git2::Error>) -> bool {
        self.repo.library().ask(question).unwrap_or(true)
    }

    fn judges(&mut self, folder: &[u8]) -> Judges {
        if let Some(judges) = self.folders.get(folder) {
            return *judges;
        }
        let above = if folder.is_empty() { self.outside() } else { self.judges(parent(folder)) };
        let judges = above.and(self.inside(folder));
        self.folders.insert(folder.to_vec(), judges);
        judges
    }

    /// What the folder's own file says. git does not follow a symlink there.
    fn inside(&self, folder: &[u8]) -> Judges {
        let separator: &[u8] = if folder.is_empty() { b"" } else { b"/" };
        let path = [folder, separator, b".gitattributes"].concat();
        let on_disk = self.repo.root().join(OsStr::from_bytes(&path));
        match fs::optional(fs::read_bounded(on_disk.as_path(), SIZE_BYTES_MAX)) {
            Ok(Some(text)) => Judges::of(&text, Judge::Library),
            Err(_) => Judges::GIT,
            Ok(None) if self.snapshot.find(&path).is_some() => Judges::GIT,
            Ok(None) => Judges::default(),
        }
    }

    /// What files outside of the work tree say.
    fn outside(&self) -> Judges {
        let env = self.repo.git().env();
        let has = |name: &str| env.contains_key(OsStr::new(name));
        if self.settings.has_attribute_tree || has("GIT_ATTR_SOURCE") {
            return Judges::GIT;
        }
        let user_file = match self.settings.attributes_file.as_deref() {
            None => xdg_folder(env).map(|folder| folder.join("attributes")),
            Some([b'~', b'/', below @ ..]) => {
                home(env).map(|home| home.join(OsStr::from_bytes(below)))
            }
            Some([b'~' | b'%', ..]) => return Judges::GIT,
            Some(path) => Some(self.repo.root().as_path().join(OsStr::from_bytes(path))),
        };
        let system_file = (!has("GIT_ATTR_NOSYSTEM")).then(|| PathBuf::from(SYSTEM_FILE));
        let own_file = self.repo.common_dir().join("info/attributes");
        let of = |path: &Path, judge| match fs::optional(fs::read(path)) {
            Ok(text) => Judges::of(&text.unwrap_or_default(), judge),
            Err(_) => Judges::GIT,
        };
        let distant = [system_file, user_file].into_iter().flatten();
        let distant = distant.map(|path| of(&path, Judge::Git));
        distant.fold(of(own_file.as_path(), Judge::Library), Judges::and)
    }
}

fn parent(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte == b'/').map_or(b"", |at| &path[..at])
}

/// What a file has of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Unspecified,
    Unset,
    Auto,
    Other,
}

/// libgit2's texts hold only until it is asked again.
fn attribute(repository: &Repository, path: &[u8], name: &str) -> Result<Value, git2::Error> {
    let path = Path::new(OsStr::from_bytes(path));
    let value = repository.get_attr_bytes(path, name, AttrCheckFlags::FILE_THEN_INDEX)?;
    Ok(match AttrValue::always_bytes(value) {
        AttrValue::Unspecified => Value::Unspecified,
        AttrValue::False => Value::Unset,
        AttrValue::Bytes(b"auto") => Value::Auto,
        AttrValue::True | AttrValue::String(_) | AttrValue::Bytes(_) => Value::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::{Judge, Judges};

    #[track_caller]
    fn check(text: &str, content: Judge, line_ends: Judge) {
        assert_eq!(Judges::of(text.as_bytes(), Judge::Library), Judges { content, line_ends });
    }

    #[test]
    fn only_what_is_mentioned_is_asked_for() {
        check("", Judge::Nobody, Judge::Nobody);
        check("*.c diff=cpp\n# filter text\n  # eol\n", Judge::Nobody, Judge::Nobody);
        check("*.c text=auto\n", Judge::Nobody, Judge::Library);
        check("*.psd filter=lfs -text\n", Judge::Library, Judge::Library);
        check("*.id ident", Judge::Library, Judge::Nobody);
    }

    #[test]
    fn what_libgit2_reads_otherwise_is_git_s() {
        check("\"a b\" filter=x\n*.c text\n", Judge::Git, Judge::Library);
        check("\"a b\" merge=x\n", Judge::Nobody, Judge::Nobody);
        check("[attr]lfs filter=lfs\n*.x lfs", Judge::Git, Judge::Nobody);
        check("!*.c text", Judge::Nobody, Judge::Git);
        check("a\\ b eol=lf", Judge::Nobody, Judge::Git);
        check("binary/* binary", Judge::Nobody, Judge::Library);
        check("*.c -binary", Judge::Nobody, Judge::Git);
    }
}
