//! The one table of error codes. Nothing else knows a number.
//!
//! Codes are never renumbered and never reused. `conf0` to `conf14`, `ctx0` to `ctx4`, `args0`,
//! `space0` to `space2` and `pydist0`, `pydist1` mean what they mean in Python's qik (there
//! `conf14` stands for two errors; ours keeps the first, [`Code::CircularFence`] is new).
//! Each has a section in `docs/errors.md`; a test fails if either side lacks the other.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)+) => {
        /// What kind of thing is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The short name that the user sees and searches for, as `conf5`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }
        }
    };
}

codes! {
    /// No `qik.toml` from the working directory up to the git root.
    ConfigNotFound = "conf0",
    /// Not TOML, an unknown key, a wrong type or a value that is not allowed.
    ConfigInvalid = "conf1",
    /// A module that no space has.
    ModuleNotFound = "conf2",
    /// A plugin that is not configured.
    PluginNotFound = "conf3",
    /// `PREFIX/…` or `PREFIX.…` names neither a module nor a plugin.
    ModuleOrPluginNotFound = "conf4",
    /// A command that does not exist.
    CommandNotFound = "conf5",
    /// A plugin that qik does not have.
    PluginUnknown = "conf6",
    /// Commands that wait for each other.
    GraphCycle = "conf7",
    /// A space that does not exist.
    SpaceNotFound = "conf8",
    /// A cache that does not exist.
    CacheNotFound = "conf9",
    /// A `type` of a cache that qik does not have.
    CacheTypeInvalid = "conf10",
    /// A `type` of a dep that qik does not have.
    DepTypeInvalid = "conf11",
    /// A `type` of a virtual environment that qik does not have.
    VenvTypeInvalid = "conf12",
    /// Spaces that inherit each other's virtual environments in a circle.
    CircularVenv = "conf13",
    /// Spaces that inherit each other's constraints in a circle.
    CircularConstraint = "conf14",
    /// Spaces whose fences hold each other.
    CircularFence = "conf15",
    /// A template field where it can have no value.
    TemplateMisplaced = "conf16",
    /// Two declarations that would have the same name, or a name that cannot be one.
    NameInvalid = "conf17",
    /// A pattern that git would not take, or that leaves the repository or the project.
    PatternInvalid = "conf18",
    /// A dep pattern that matches nothing: a warning.
    PatternUnmatched = "conf19",
    /// A profile that is not declared.
    ProfileNotFound = "ctx0",
    /// A value that is not of the variable's type.
    ValueInvalid = "ctx1",
    /// A required variable without a value.
    ValueNotFound = "ctx2",
    /// A context variable that is not declared.
    VariableNotFound = "ctx3",
    /// `{ctx.X.Y}` with an unknown `X`.
    NamespaceNotFound = "ctx4",
    /// An argument of a runnable that was not given.
    ArgumentMissing = "args0",
    /// An option or value on the command line that qik does not know.
    UsageInvalid = "args1",
    /// The lock file of a space is missing.
    LockNotFound = "space0",
    /// The virtual environment of a space is missing.
    VenvNotFound = "space1",
    /// There is no `uv` where one is needed.
    UvNotFound = "uv0",
    /// A dotenv file is missing.
    DotenvNotFound = "space2",
    /// A dotenv file with a line that is none.
    DotenvInvalid = "space3",
    /// An imported module that no distribution has.
    ModuleDistributionNotFound = "pydist0",
    /// A distribution that is not installed.
    DistributionNotFound = "pydist1",
    /// A Python module that is not there.
    ImportNotFound = "graph0",
    /// A source file that cannot be read as Python.
    SourceInvalid = "graph1",
    /// A folder of the Python path that is not there.
    PythonPathNotFound = "graph2",
    /// Outside of a git repository, or in a bare one.
    RepositoryNotFound = "git0",
    /// A ref, branch or commit that git does not know.
    RefNotFound = "git1",
    /// git or its index could not be read.
    GitFailed = "git2",
    /// git's clean filter of a file failed.
    FilterFailed = "git3",
    /// An entry of a cache that could not be used, or not be stored.
    CacheFailed = "cache0",
    /// A remote cache that could not be asked, or that could not be trusted.
    RemoteFailed = "cache1",
    /// A file or folder that could not be read or written.
    FileFailed = "run0",
    /// A command that could not be started.
    SpawnFailed = "run1",
    /// A file of a `load` dep that is missing or malformed.
    LoadInvalid = "run2",
    /// A program for `qikx` that is not there, or that cannot be started.
    ProgramFailed = "run3",
    /// Changes are noticed late, or commands that change their own inputs were not run again.
    WatchLimited = "watch0",
}
