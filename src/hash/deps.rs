//! A runnable's deps sorted by what they need to be looked at; `load` deps are read here.

use serde::Deserialize;

use crate::error::{Code, Diagnostic, RunnableError};
use crate::paths::AbsPath;
use crate::plan::{Dep, Pyimport, Runnable};
use crate::python::requirement_files;
use crate::sys::fs;

/// Deps by kind.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// All deps as declared and rendered.
    pub(super) declared: Vec<String>,
    pub(super) globs: Vec<String>,
    pub(super) consts: Vec<String>,
    pub(super) distributions: Vec<String>,
    /// Modules that are needed with all that they import.
    pub(super) pyimports: Vec<Pyimport>,
    /// All source files of the import graph are needed.
    pub(super) has_sources: bool,
    /// What the imports of these are held against.
    pub(super) fence: Option<Vec<Pyimport>>,
    /// Files that `load` deps name, and requirements with all that they include.
    pub(super) loaded: Vec<String>,
}

/// What a file of a `load` dep holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Loaded {
    #[serde(default)]
    pub(super) globs: Vec<String>,
    #[serde(default)]
    pydists: Vec<String>,
}

/// Sorts the deps of a runnable; reads what its `load` deps name.
pub(super) fn expand(root: &AbsPath, runnable: &Runnable) -> Result<Expanded, RunnableError> {
    let mut expanded = Expanded::default();
    for upstream in &runnable.upstreams {
        expanded.declared.push(["command ", upstream.name.as_str()].concat());
    }
    for dep in &runnable.deps {
        expanded.add(root, dep)?;
    }
    // Later dotenv files win, so their order counts, and a file may be of either kind.
    expanded.declared.extend(runnable.dotenv.iter().map(|path| format!("dotenv {path}")));
    expanded.declared.extend(runnable.venv_files.iter().map(|path| format!("venv {path}")));
    expanded.declared.extend(runnable.declared.iter().cloned());
    for path in &runnable.requirements {
        expanded.declared.push(format!("requirements {path}"));
        expanded.loaded.extend(requirement_files(root, path));
    }
    Ok(expanded)
}

impl Expanded {
    fn add(&mut self, root: &AbsPath, dep: &Dep) -> Result<(), RunnableError> {
        match dep {
            Dep::Glob(pattern) => {
                self.declared.push(["glob ", pattern].concat());
                self.globs.push(pattern.clone());
            }
            Dep::Const(value) => {
                self.declared.push("const".to_owned());
                self.consts.push(value.clone());
            }
            Dep::Pydist(name) => {
                self.declared.push(format!("pydist {name}"));
                self.distributions.push(name.clone());
            }
            Dep::Pygraph(pyimport) => {
                self.declared.push(format!("pygraph {}", pyimport.name));
                self.pyimports.push(pyimport.clone());
            }
            Dep::PygraphFiles => {
                self.declared.push("pygraph".to_owned());
                self.has_sources = true;
            }
            Dep::PygraphFence(items) => {
                self.declared.extend(items.iter().map(|item| format!("fence {}", item.name)));
                self.fence = Some(items.clone());
            }
            Dep::Load { path, default } => {
                self.declared.push(format!("load {path}"));
                self.loaded.push(path.clone());
                self.add_loaded(root, path, default.as_deref())?;
            }
        }
        Ok(())
    }

    fn add_loaded(
        &mut self,
        root: &AbsPath,
        path: &str,
        default: Option<&[Dep]>,
    ) -> Result<(), RunnableError> {
        let Some(bytes) = fs::optional(fs::read(root.join(path).as_path()))? else {
            let Some(default) = default else {
                return Err(Diagnostic::new(Code::LoadInvalid, format!("no file `{path}`"))
                    .hint("make it with an upstream command, or give the dep a `default`")
                    .into());
            };
            return default.iter().try_for_each(|dep| self.add(root, dep));
        };
        let loaded = parse(&bytes).map_err(|cause| {
            Diagnostic::new(Code::LoadInvalid, format!("`{path}` holds no deps"))
                .because(cause)
                .hint(r#"write `{"globs": ["…"], "pydists": ["…"]}` into it"#)
        })?;
        self.globs.extend(loaded.globs);
        self.distributions.extend(loaded.pydists);
        Ok(())
    }
}

/// Reads a file of a `load` dep, or says what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Loaded, String> {
    // serde takes a list for the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err("a list, expected an object".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
