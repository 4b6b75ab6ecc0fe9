//! Where credentials come from, and what keeps them out of messages.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, Result, SharedCredentialsProvider, future,
};
use aws_sdk_s3::config::{Credentials, Region, SharedHttpClient};

use super::super::settings::Keys;

/// How long instance metadata may take: it is next door where there is any, and everywhere else
/// every run would wait for it.
const IMDS_TIMEOUT: Duration = Duration::from_secs(1);

/// Shorter than this, a text is no credential, and taking it out of messages would spoil them.
const SECRET_BYTES_MIN: usize = 4;

/// The keys of the configuration.
pub(super) fn configured(keys: &Keys) -> SharedCredentialsProvider {
    let token = keys.session_token.as_ref().map(|token| token.reveal().to_owned());
    let (id, secret) = (keys.id.reveal(), keys.secret.reveal());
    SharedCredentialsProvider::new(Credentials::new(id, secret, token, None, "qik.toml"))
}

/// AWS's usual chain: environment, profiles, SSO, web identity, container, instance metadata.
pub(super) async fn chain(
    region: Option<Region>,
    http: SharedHttpClient,
    http_without_proxy: SharedHttpClient,
) -> SharedCredentialsProvider {
    let metadata = imds::Client::builder()
        .configure(&ProviderConfig::without_region().with_http_client(http_without_proxy))
        .max_attempts(1)
        .connect_timeout(IMDS_TIMEOUT)
        .read_timeout(IMDS_TIMEOUT)
        .operation_attempt_timeout(IMDS_TIMEOUT)
        .operation_timeout(IMDS_TIMEOUT)
        .build();
    let chain = DefaultCredentialsChain::builder()
        .configure(ProviderConfig::without_region().with_http_client(http))
        .imds_client(metadata)
        .region(region)
        .build()
        .await;
    SharedCredentialsProvider::new(chain)
}

/// Takes every credential that was in use out of a text.
#[derive(Clone, Default)]
pub(super) struct Redactor(Arc<Mutex<Vec<String>>>);

impl Redactor {
    pub(super) fn learn(&self, credentials: &Credentials) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = [
            Some(credentials.secret_access_key()),
            credentials.session_token(),
            Some(credentials.access_key_id()),
        ];
        for text in texts.into_iter().flatten() {
            if text.len() >= SECRET_BYTES_MIN && !secrets.iter().any(|secret| secret == text) {
                secrets.push(text.to_owned());
            }
        }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"))
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// Credentials that the redactor learns of before anybody uses them.
#[derive(Debug)]
pub(super) struct Learning {
    source: SharedCredentialsProvider,
    redactor: Redactor,
}

impl Learning {
    pub(super) fn new(source: SharedCredentialsProvider, redactor: Redactor) -> Self {
        Self { source, redactor }
    }

    async fn load(&self) -> Result {
        let credentials = self.source.provide_credentials().await?;
        self.redactor.learn(&credentials);
        if is_sendable(&credentials) {
            return Ok(credentials);
        }
        Err(CredentialsError::invalid_configuration(
            "they hold a line end or another character that no credential has",
        ))
    }
}

/// Whether credentials can be signed and sent with: the client panics at others.
fn is_sendable(credentials: &Credentials) -> bool {
    let token = credentials.session_token().unwrap_or_default();
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    is_plain(credentials.access_key_id())
        && is_plain(token)
        && !credentials.secret_access_key().contains(char::is_control)
}

impl ProvideCredentials for Learning {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_use_is_in_no_message() {
        let redactor = Redactor::default();
        redactor.learn(&Credentials::new("AKIA1", "s3cr3t", Some("t0k3n".into()), None, "test"));
        let text = redactor.redact("key AKIA1 with s3cr3t+t0k3n and s3cr3t");
        assert_eq!(text, "key [secret] with [secret]+[secret] and [secret]");
    }

    #[test]
    fn only_what_a_header_takes_is_sent() {
        for (id, secret, token, expected) in [
            ("AKIA", "s+/=", Some("t0k3n=="), true),
            ("minio", "a secret with ü", None, true),
            ("AKIA\n", "s", None, false),
            ("AKIA", "s\r\n", None, false),
            ("AKIA", "s", Some("t\n"), false),
            ("schlüssel", "s", None, false),
        ] {
            let token = token.map(str::to_owned);
            assert_eq!(is_sendable(&Credentials::new(id, secret, token, None, "test")), expected);
        }
    }

    #[test]
    fn a_key_that_is_hardly_one_leaves_messages_alone() {
        let redactor = Redactor::default();
        redactor.learn(&Credentials::new("a", "", None, None, "test"));
        assert_eq!(redactor.redact("a message"), "a message");
    }
}
