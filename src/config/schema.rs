//! What a project declares, with the places where it does: the same types for both dialects.
//!
//! Names are checked against each other (`check.rs`), templates are not rendered yet: a
//! [`Text`] is as the user wrote it.

use std::collections::BTreeMap;

use crate::error::{Located, Place};

/// A string as written, perhaps with template fields in it.
pub type Text = Located<String>;

/// Values by namespace (`project`, `qik`) and name.
pub type Profile = BTreeMap<String, BTreeMap<String, Located<Value>>>;

/// One project's declarations.
#[derive(Debug, Clone, Default)]
pub struct Declarations {
    /// By full name: `NAME`, or `MODULE/NAME` from a module's own file.
    pub commands: BTreeMap<String, Command>,
    pub vars: Vec<Var>,
    /// 0.1's profiles by name.
    pub profiles: BTreeMap<String, Profile>,
    /// Added to every command.
    pub base_deps: Vec<Dep>,
    pub defaults: Defaults,
    pub caches: BTreeMap<String, Cache>,
    /// Always holds `default`.
    pub spaces: BTreeMap<String, Space>,
    pub plugins: BTreeMap<String, Plugin>,
    pub pydist: Pydist,
}

impl Declarations {
    /// The context variable of a name; a key of a profile may have `-` for its `_`.
    pub fn var(&self, name: &str) -> Option<&Var> {
        let is = |var: &&Var| var.name.value == name;
        let is_nearly = |var: &&Var| var.name.value.replace('_', "-") == name;
        self.vars.iter().find(is).or_else(|| self.vars.iter().find(is_nearly))
    }
}

/// A command as declared.
#[derive(Debug, Clone)]
pub struct Command {
    /// Where its name stands.
    pub place: Place,
    pub exec: Text,
    pub deps: Vec<Dep>,
    pub artifacts: Vec<Text>,
    pub cache: Option<Text>,
    pub cache_when: Option<CacheWhen>,
    pub space: Option<Text>,
    pub tags: Vec<String>,
    pub is_hidden: bool,
    /// Whether it declares to rewrite its own inputs; `None` leaves it to the defaults.
    pub rewrites: Option<bool>,
    /// The module whose file declares it.
    pub module: Option<String>,
}

/// What a command depends on, as declared.
#[derive(Debug, Clone)]
pub enum Dep {
    /// `"pattern"` or `{type = "glob", pattern}`.
    Glob(Text),
    /// `{type = "const", val}`; any scalar, as text.
    Const(Text),
    /// `{type = "command", name, strict, isolated}`.
    Command { name: Text, strictness: Strictness, is_isolated: Option<bool> },
    /// `{type = "pydist", name}`.
    Pydist(Text),
    /// `{type = "pygraph", pyimport}`.
    Pygraph(Text),
    /// 0.1's `{type = "module", name}`: the import graph of a declared module.
    PygraphOfModule(Text),
    /// `{type = "load", path, default}`; `default` is a list of patterns and pydists.
    Load { path: Text, default: Option<Vec<Self>> },
}

/// Whether what selects an upstream by a change selects the downstream too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    Lax,
    Strict,
}

/// Which exit codes are worth keeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheWhen {
    /// Exit code 0.
    Success,
    /// Any other exit code.
    Failed,
    /// Either; 0.1 says `always`.
    Finished,
}

/// A context variable.
#[derive(Debug, Clone)]
pub struct Var {
    pub name: Text,
    pub kind: VarKind,
    pub default: Option<Located<Value>>,
    pub is_required: bool,
    /// Whether its value is shown to nobody and kept nowhere.
    pub is_secret: bool,
}

/// The type of a context variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VarKind {
    Str,
    Int,
    Bool,
}

/// A scalar of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Str(String),
    Int(i64),
    Bool(bool),
    /// A list of strings, for profiles that set `commands` and the like.
    List(Vec<String>),
}

/// What holds for commands and spaces that say nothing else.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    pub cache: Option<Text>,
    pub cache_when: Option<CacheWhen>,
    /// Folders that Python imports start from.
    pub python_path: Vec<Text>,
    pub venv: Option<Venv>,
    pub dotenv: Vec<Text>,
    pub rewrites: bool,
    /// Bound of the local cache, in bytes.
    pub cache_size_bytes_max: Option<u64>,
}

/// A configured cache beside the built-in `local`, `repo` and `none`.
#[derive(Debug, Clone)]
pub struct Cache {
    pub place: Place,
    pub kind: CacheKind,
}

/// The type of a configured cache.
#[derive(Debug, Clone)]
pub enum CacheKind {
    S3(S3),
}

/// The options of a cache of type `s3`.
#[derive(Debug, Clone)]
pub struct S3 {
    pub bucket: Text,
    pub prefix: Option<Text>,
    pub region_name: Option<Text>,
    pub endpoint_url: Option<Text>,
    pub aws_access_key_id: Option<Text>,
    pub aws_secret_access_key: Option<Text>,
    pub aws_session_token: Option<Text>,
    /// `read-write`, `read-only` or `write-only`.
    pub mode: Option<Text>,
    /// Seconds.
    pub timeout: Option<Text>,
}

/// A space as declared.
#[derive(Debug, Clone, Default)]
pub struct Space {
    /// Where its name stands; `None` for an undeclared `default`.
    pub place: Option<Place>,
    pub venv: Option<Venv>,
    pub modules: Vec<Module>,
    pub fence: Option<Fence>,
    pub dotenv: Option<Vec<Text>>,
    pub root: Option<Text>,
}

/// A module as declared.
#[derive(Debug, Clone)]
pub struct Module {
    pub name: Text,
    /// The folder; the name itself where none is given.
    pub path: Text,
}

/// A virtual environment as declared.
#[derive(Debug, Clone)]
pub enum Venv {
    /// Requirements for the virtualenv plugin, or, without one, for whatever is active.
    Reqs(Vec<Text>),
    /// `{type = "active", reqs, lock}`.
    Active { reqs: Vec<Text>, lock: Option<Text> },
    /// `{type = "uv", reqs, lock, constraint, python}`.
    Uv { reqs: Vec<Text>, lock: Option<Text>, constraint: Option<Constraint>, python: Option<Text> },
    /// `{type = "space", name}`: that of another space.
    Space(Text),
}

/// What bounds the versions of a virtual environment.
#[derive(Debug, Clone)]
pub enum Constraint {
    File(Text),
    /// `{type = "space", name}`: the lock of another space.
    Space(Text),
}

/// What the Python modules of a space may import.
#[derive(Debug, Clone)]
pub enum Fence {
    /// `true`: the modules of the space.
    Modules,
    /// Modules and paths, and the fences of other spaces.
    Items(Vec<FenceItem>),
}

/// An item of a fence.
#[derive(Debug, Clone)]
pub enum FenceItem {
    Path(Text),
    /// `{type = "space", name}`.
    Space(Text),
}

/// A configured plugin.
#[derive(Debug, Clone)]
pub struct Plugin {
    pub place: Place,
    pub kind: PluginKind,
}

/// The plugins that are built in.
#[derive(Debug, Clone)]
pub enum PluginKind {
    Pygraph(PygraphOptions),
    Uv(UvOptions),
    /// Needs no entry; accepted for those who have one.
    S3,
}

/// The options of `qik.pygraph`.
#[derive(Debug, Clone, Default)]
pub struct PygraphOptions {
    pub ignores_type_checking: bool,
    pub ignores_pydists: bool,
    pub cache: Option<Text>,
    pub build_cache: Option<Text>,
    pub lock_cache: Option<Text>,
    pub check_cache: Option<Text>,
}

/// The options of `qik.uv`.
#[derive(Debug, Clone, Default)]
pub struct UvOptions {
    pub python: Option<Text>,
    pub constraint: Option<Constraint>,
    pub index_url: Option<Text>,
    pub extra_index_url: Option<Text>,
    pub cache: Option<Text>,
}

/// How distributions are found and what is said of them.
#[derive(Debug, Clone, Default)]
pub struct Pydist {
    /// Versions of what is not installed.
    pub versions: BTreeMap<String, Text>,
    pub ignores_missing: bool,
    /// Imported module → distribution.
    pub modules: BTreeMap<String, Text>,
    pub ignores_missing_modules: bool,
}
