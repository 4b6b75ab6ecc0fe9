//! Where credentials come from, and what keeps them out of messages.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{
    ProvideCredentials, Result, SharedCredentialsProvider, future,
};
use aws_sdk_s3::config::{Credentials, Region, SharedHttpClient};

use super::super::settings::{Keys, hide};
use crate::sys::veil::Veil;

/// How long instance metadata may take: it is next door where there is any, and everywhere else
/// every run would wait for it.
const IMDS_TIMEOUT: Duration = Duration::from_secs(1);

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

/// Credentials that the veil learns of before anybody uses them.
#[derive(Debug)]
pub(super) struct Learning {
    source: SharedCredentialsProvider,
    veil: Veil,
}

impl Learning {
    pub(super) fn new(source: SharedCredentialsProvider, veil: &Veil) -> Self {
        Self { source, veil: veil.clone() }
    }

    async fn load(&self) -> Result {
        let credentials = self.source.provide_credentials().await?;
        let token = credentials.session_token();
        let (id, secret) = (credentials.access_key_id(), credentials.secret_access_key());
        [Some(id), Some(secret), token]
            .into_iter()
            .flatten()
            .for_each(|text| hide(&self.veil, text));
        Ok(credentials)
    }
}

impl ProvideCredentials for Learning {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}
