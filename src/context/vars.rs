//! Declared variables with their values, and the settings beside them. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use super::qik_vars::{QikFields, find_profile, find_setting, unknown_setting};
use crate::config::{Declarations, Value, Var, VarKind};
use crate::error::{Code, Diagnostic, Located, Result};
use crate::sys::Env;
use crate::sys::veil::{SECRET_BYTES_MIN, Veil};

/// What a template shows of a variable that may be without a value.
const NO_VALUE: &str = "None";

/// All that `{ctx.…}` can name.
#[derive(Debug, Clone)]
pub struct Context {
    /// By name; the error of a variable waits until the variable is used.
    vars: BTreeMap<String, Result<String, Diagnostic>>,
    /// The names of the variables that are secret.
    secrets: BTreeSet<String>,
    qik: QikFields,
}

impl Context {
    /// Takes each variable's value from the environment, else the profile, else its default.
    /// Fails only if there is no such profile. The veil learns what is secret.
    pub fn new(
        declarations: &Declarations,
        env: &Env,
        profile: Option<&str>,
        qik: QikFields,
        veil: &Veil,
    ) -> Result<Self> {
        let namespaces = find_profile(declarations, profile)?;
        let given = namespaces.and_then(|namespaces| namespaces.get("project"));
        let given: BTreeMap<&str, &Located<Value>> = given
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| {
                declarations.var(name).map(|var| (var.name.value.as_str(), value))
            })
            .collect();
        let vars = declarations.vars.iter().map(|var| {
            let name = &var.name.value;
            let value = value_of(var, env, given.get(name.as_str()).copied());
            (name.clone(), if var.is_secret { hidden(var, env, value, veil) } else { value })
        });
        let secrets = declarations.vars.iter().filter(|var| var.is_secret);
        let secrets = secrets.map(|var| var.name.value.clone());
        Ok(Self { vars: vars.collect(), secrets: secrets.collect(), qik })
    }

    /// Whether any variable is secret.
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The secret variable that a field stands for: what follows `ctx.`.
    pub fn secret(&self, path: &str) -> Option<&str> {
        let name = path.strip_prefix("project.").unwrap_or(path);
        self.secrets.get(name).map(String::as_str)
    }

    /// The text of a field: what follows `ctx.`. Errors have no place.
    pub fn value(&self, path: &str) -> Result<&str, Diagnostic> {
        match path.split_once('.') {
            None => self.var(path),
            Some(("project", name)) => self.var(name),
            Some(("qik", name)) => self.setting(name),
            Some((namespace, _)) => {
                let message =
                    format!("`{{ctx.{path}}}` names nothing: `{namespace}` is no namespace");
                Err(Diagnostic::new(Code::NamespaceNotFound, message)
                    .did_you_mean(namespace, crate::config::NAMESPACES.iter().copied())
                    .or_hint("`{ctx.NAME}` is a variable, `{ctx.qik.NAME}` a setting"))
            }
        }
    }

    fn var(&self, name: &str) -> Result<&str, Diagnostic> {
        if let Some(value) = self.vars.get(name) {
            return value.as_deref().map_err(Clone::clone);
        }
        let message = format!("no context variable named `{name}`");
        let unknown = Diagnostic::new(Code::VariableNotFound, message)
            .did_you_mean(name, self.vars.keys().map(String::as_str));
        Err(if unknown.hints.is_empty() {
            unknown.hint("declare it in `ctx`, or double the braces if they are no template's")
        } else {
            unknown
        })
    }

    fn setting(&self, name: &str) -> Result<&str, Diagnostic> {
        let name = find_setting(name).ok_or_else(|| unknown_setting(name))?;
        Ok(self.qik.get(name).map_or(NO_VALUE, String::as_str))
    }
}

/// The environment variables of a variable, the one that counts first: whoever sets
/// `PROJECT__USER` means the project, and `USER` is set anyway.
fn env_names(name: &str) -> [String; 2] {
    let name = name.to_uppercase().replace('-', "_");
    [format!("PROJECT__{name}"), name]
}

/// The value of a secret, which the veil has learnt, as it is written and as it is rendered.
fn hidden(
    var: &Var,
    env: &Env,
    value: Result<String, Diagnostic>,
    veil: &Veil,
) -> Result<String, Diagnostic> {
    let names = env_names(&var.name.value);
    let written = names.iter().find_map(|name| env.get(OsStr::new(name)));
    if let Some(written) = written {
        veil.learn(&written.to_string_lossy());
    }
    let value = value?;
    if !var.is_required && value == NO_VALUE {
        return Ok(value);
    }
    veil.learn(&value);
    if (1..SECRET_BYTES_MIN).contains(&value.trim().len()) {
        let name = &var.name.value;
        let message = format!("the secret `{name}` is too short to be taken out of what is shown");
        let hint = format!("give it {SECRET_BYTES_MIN} characters or more, or remove `secret`");
        return Err(Diagnostic::new(Code::ValueInvalid, message).hint(hint));
    }
    Ok(value)
}

fn value_of(var: &Var, env: &Env, given: Option<&Located<Value>>) -> Result<String, Diagnostic> {
    let name = &var.name.value;
    for variable in env_names(name) {
        let Some(written) = env.get(OsStr::new(&variable)) else { continue };
        let value = written.to_str().and_then(|text| var.kind.parse(text));
        return value.map(|value| value.rendered()).ok_or_else(|| {
            let expected = if written.to_str().is_none() { "UTF-8" } else { var.kind.expected() };
            let message = if var.is_secret {
                format!("the variable `{name}` is not {expected}")
            } else {
                let written = written.to_string_lossy();
                format!("the variable `{name}` is `{written}`, which is not {expected}")
            };
            Diagnostic::new(Code::ValueInvalid, message)
                .because(format!("the environment variable `{variable}` is set to it"))
        });
    }
    if let Some(value) = given.or(var.default.as_ref()) {
        return Ok(shown(var.kind, &value.value));
    }
    if !var.is_required {
        return Ok(NO_VALUE.to_owned());
    }
    let [_, variable] = env_names(name);
    Err(Diagnostic::new(Code::ValueNotFound, format!("the variable `{name}` has no value")).hint(
        format!("set the environment variable `{variable}`, or give the variable a `default`"),
    ))
}

/// A value of the configuration, whose type was checked when it was read.
fn shown(kind: VarKind, value: &Value) -> String {
    kind.parse(&value.rendered()).map_or_else(|| value.rendered(), |value| value.rendered())
}
