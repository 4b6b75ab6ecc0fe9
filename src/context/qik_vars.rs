//! The settings of a run: their names and types, and what the environment and profiles say of
//! them. Pure.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::config::{Declarations, Profile, Value, VarKind};
use crate::error::{Code, Diagnostic, Error, Located, Result};
use crate::sys::Env;

/// What `{ctx.qik.…}` shows, by name; one that is not there shows `None`.
pub type QikFields = BTreeMap<&'static str, String>;

/// Settings that are given, by name, each of its type.
pub type Settings = BTreeMap<&'static str, Value>;

/// The variable that chooses the profile.
pub const PROFILE_VARIABLE: &str = "QIK__PROFILE";

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    One(VarKind),
    /// Strings, separated by commas in the environment.
    List,
}

/// Every setting, in the order of the documentation.
pub const SETTINGS: &[(&str, SettingKind)] = &[
    ("arch", SettingKind::One(VarKind::Str)),
    ("isolated", SettingKind::One(VarKind::Bool)),
    ("watch", SettingKind::One(VarKind::Bool)),
    ("watch_mode", SettingKind::One(VarKind::Str)),
    ("debounce", SettingKind::One(VarKind::Int)),
    ("force", SettingKind::One(VarKind::Bool)),
    ("ls", SettingKind::One(VarKind::Bool)),
    ("workers", SettingKind::One(VarKind::Int)),
    ("fail", SettingKind::One(VarKind::Bool)),
    ("verbosity", SettingKind::One(VarKind::Int)),
    ("since", SettingKind::One(VarKind::Str)),
    ("commands", SettingKind::List),
    ("modules", SettingKind::List),
    ("spaces", SettingKind::List),
    ("cache_status", SettingKind::One(VarKind::Str)),
    ("cache_when", SettingKind::One(VarKind::Str)),
    ("caches", SettingKind::List),
    ("tags", SettingKind::List),
    ("logger", SettingKind::One(VarKind::Str)),
];

/// 0.1's names of settings.
const OLD_NAMES: &[(&str, &str)] = &[("num_workers", "workers"), ("cache_types", "caches")];

/// Profiles that need no declaration, as in 0.1; `default` holds where none is chosen.
const BUILT_IN_PROFILES: &[&str] = &["default", "ci"];

/// The name of a setting in any of its spellings.
pub(super) fn find_setting(name: &str) -> Option<&'static str> {
    let name = name.replace('-', "_");
    let old = OLD_NAMES.iter().find(|(old, _)| *old == name).map(|(_, new)| *new);
    let name = old.unwrap_or(&name);
    SETTINGS.iter().find(|(setting, _)| *setting == name).map(|(setting, _)| *setting)
}

/// A setting that does not exist.
pub(super) fn unknown_setting(name: &str) -> Diagnostic {
    Diagnostic::new(Code::VariableNotFound, format!("qik has no setting named `{name}`"))
        .did_you_mean(name, SETTINGS.iter().map(|(setting, _)| *setting))
}

/// What the variables `QIK__NAME` say; an empty one says nothing. All that is wrong is reported.
pub fn settings_from_env(env: &Env) -> Result<Settings> {
    let mut settings = Settings::new();
    let mut diagnostics = Vec::new();
    for (name, kind) in SETTINGS {
        let variable = format!("QIK__{}", name.to_uppercase());
        let Some(written) = env.get(OsStr::new(&variable)) else { continue };
        if written.is_empty() {
            continue;
        }
        match written.to_str().and_then(|text| parse(*kind, text)) {
            Some(value) => drop(settings.insert(name, value)),
            None => diagnostics.push(malformed(&variable, &written.to_string_lossy(), *kind)),
        }
    }
    Error::from_all(diagnostics).map_or(Ok(settings), Err)
}

/// What a profile says: `default` where none is chosen.
pub fn profile_settings(declarations: &Declarations, profile: Option<&str>) -> Result<Settings> {
    let Some(namespaces) = find_profile(declarations, profile)? else {
        return Ok(Settings::new());
    };
    let mut settings = Settings::new();
    let mut diagnostics = Vec::new();
    for (name, Located { value, place }) in namespaces.get("qik").into_iter().flatten() {
        let setting = find_setting(name);
        let known = SETTINGS.iter().find(|(known, _)| Some(*known) == setting);
        let Some((setting, kind)) = known else {
            diagnostics.push(unknown_setting(name).at(place));
            continue;
        };
        match cast(*kind, value) {
            Some(value) => drop(settings.insert(setting, value)),
            None => {
                diagnostics.push(malformed(name, &value.rendered(), *kind).at(place));
            }
        }
    }
    Error::from_all(diagnostics).map_or(Ok(settings), Err)
}

/// The values of a profile by namespace; `None` if it is there but says nothing.
pub(super) fn find_profile<'d>(
    declarations: &'d Declarations,
    profile: Option<&str>,
) -> Result<Option<&'d Profile>> {
    let name = profile.unwrap_or("default");
    let declared = declarations.profiles.get(name);
    if declared.is_some() || BUILT_IN_PROFILES.contains(&name) {
        return Ok(declared);
    }
    let known =
        declarations.profiles.keys().map(String::as_str).chain(BUILT_IN_PROFILES.iter().copied());
    Err(Diagnostic::new(Code::ProfileNotFound, format!("no profile named `{name}`"))
        .did_you_mean(name, known)
        .hint(format!("declare it as `[ctx.{name}.qik]` or `[ctx.{name}.project]`"))
        .into())
}

fn parse(kind: SettingKind, text: &str) -> Option<Value> {
    match kind {
        SettingKind::One(kind) => kind.parse(text),
        SettingKind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::List(items.map(str::to_owned).collect()))
        }
    }
}

/// A value of a profile as a setting's type.
fn cast(kind: SettingKind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (SettingKind::List, Value::List(_)) => Some(value.clone()),
        (SettingKind::List, Value::Str(text)) => parse(kind, text),
        (SettingKind::List, Value::Int(_) | Value::Bool(_)) => None,
        (SettingKind::One(kind), value) => kind.cast(value.clone()),
    }
}

fn malformed(name: &str, written: &str, kind: SettingKind) -> Diagnostic {
    let expected = match kind {
        SettingKind::One(kind) => kind.expected(),
        SettingKind::List => "a list of strings",
    };
    let message = format!("`{name}` is `{written}`, which is not {expected}");
    Diagnostic::new(Code::ValueInvalid, message)
}
