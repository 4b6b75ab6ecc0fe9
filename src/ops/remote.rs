//! A declared remote cache → one that can be used: templates rendered, options checked.

use std::sync::Arc;

use super::load::Loaded;
use crate::cache::{Expected, Keys, Local, S3Settings, Secret, Tiered};
use crate::config::{S3, Text};
use crate::context::{Scope, Template};
use crate::error::{Code, Diagnostic, Error};
use crate::sys::Sys;

/// Keys that entries are signed with, separated by commas.
const SIGNING_VARIABLE: &str = "QIK_CACHE_KEY";

/// What AWS's own tools take an endpoint from.
const ENDPOINT_VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// What a variable that is not required and has no value renders to.
const NO_VALUE: &str = "None";

/// Makes a declared cache; fails with everything that is wrong with its options.
pub(super) fn open(
    loaded: &Loaded,
    sys: &Sys,
    local: &Arc<Local>,
    (name, declared): (&str, &S3),
) -> Result<Tiered, Error> {
    let mut options = Options { loaded, diagnostics: Vec::new() };
    let settings = options.settings(sys, name, declared);
    if let Some(error) = Error::from_all(options.diagnostics) {
        return Err(error);
    }
    settings.hide_secrets(&sys.env);
    Ok(Tiered::new(Arc::clone(local), &settings))
}

struct Options<'a> {
    loaded: &'a Loaded,
    diagnostics: Vec<Diagnostic>,
}

impl Options<'_> {
    fn settings(&mut self, sys: &Sys, name: &str, declared: &S3) -> S3Settings {
        let bucket = self.render(&declared.bucket);
        if bucket.as_deref() == Some("") {
            let diagnostic = Diagnostic::new(Code::ConfigInvalid, "`bucket` is empty");
            self.diagnostics.push(diagnostic.at(&declared.bucket.place));
        }
        let mut settings = S3Settings::new(name, bucket.unwrap_or_default());
        settings.prefix = self.option(declared.prefix.as_ref()).unwrap_or_default();
        settings.region = self.option(declared.region_name.as_ref());
        settings.endpoint = self
            .parsed("endpoint-url", declared.endpoint_url.as_ref(), S3Settings::parse_endpoint)
            .or_else(|| {
                ENDPOINT_VARIABLES.iter().find_map(|name| sys.var(name)).map(str::to_owned)
            });
        settings.keys = self.keys(declared);
        if let Some(mode) = self.parsed("mode", declared.mode.as_ref(), str::parse) {
            settings.mode = mode;
        }
        let timeout = declared.timeout.as_ref();
        if let Some(timeout) = self.parsed("timeout", timeout, S3Settings::parse_timeout) {
            settings.timeout = timeout;
        }
        let signing_keys = sys.var(SIGNING_VARIABLE).unwrap_or_default().split(',').map(str::trim);
        settings.veil = sys.veil.clone();
        settings.signing_keys =
            signing_keys.filter(|key| !key.is_empty()).map(Secret::new).collect();
        settings
    }

    /// Both halves of a key, or AWS's usual chain.
    fn keys(&mut self, declared: &S3) -> Option<Keys> {
        let id = self.option(declared.aws_access_key_id.as_ref());
        let secret = self.option(declared.aws_secret_access_key.as_ref());
        let token = self.option(declared.aws_session_token.as_ref());
        let lacks = match (&id, &secret) {
            (Some(id), Some(secret)) => {
                let session_token = token.map(Secret::new);
                return Some(Keys {
                    id: Secret::new(id),
                    secret: Secret::new(secret),
                    session_token,
                });
            }
            (None, None) => return None,
            (Some(_), None) => (&declared.aws_access_key_id, "aws-secret-access-key"),
            (None, Some(_)) => (&declared.aws_secret_access_key, "aws-access-key-id"),
        };
        if let (Some(text), missing) = lacks
            && self.diagnostics.is_empty()
        {
            let message = format!("this needs `{missing}` too");
            let diagnostic = Diagnostic::new(Code::ConfigInvalid, message).at(&text.place);
            self.diagnostics.push(diagnostic.hint("without both, AWS's own configuration is used"));
        }
        None
    }

    /// An option's value, unless it has none.
    fn option(&mut self, text: Option<&Text>) -> Option<String> {
        self.render(text?).filter(|value| !value.is_empty() && value != NO_VALUE)
    }

    fn parsed<T>(
        &mut self,
        key: &str,
        text: Option<&Text>,
        parse: impl FnOnce(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        let value = self.option(text)?;
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(expected) => {
                let message = format!("`{key}` cannot be `{value}`");
                let diagnostic =
                    Diagnostic::new(Code::ConfigInvalid, message).hint(format!("give {expected}"));
                self.diagnostics.push(diagnostic.at(&text?.place));
                None
            }
        }
    }

    fn render(&mut self, text: &Text) -> Option<String> {
        let scope = Scope { context: &self.loaded.context, module: None };
        match Template::parse(&text.value).render(&scope) {
            Ok(value) => Some(value),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic.at(&text.place));
                None
            }
        }
    }
}
