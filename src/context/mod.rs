//! Values that templates may name. Pure.
//!
//! `{ctx.NAME}` is a declared variable: from the environment, else the profile, else its default.
//! `{ctx.qik.NAME}` is a setting of the run. `{module…}` is what the runnable is made for. A value
//! that is missing or malformed is an error only for what names it.
//!
//! The settings themselves are read here too, from `QIK__NAME` and from profiles, since both are
//! values of the same names and types.

mod arch;
mod qik_vars;
mod template;
mod vars;

#[cfg(test)]
mod tests;

pub use arch::arch;
pub use qik_vars::{
    PROFILE_VARIABLE, QikFields, SETTINGS, SettingKind, Settings, profile_settings,
    settings_from_env,
};
pub use template::{ModuleFields, Scope, Template};
pub use vars::Context;
