//! A client of one bucket, as the configuration and AWS's own files say.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Builder, IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;

use super::super::failure::Failure;
use super::super::settings::S3Settings;
use super::credentials::{self, Learning};
use super::driver::Driver;
use crate::sys::veil::Veil;

/// How long a server may take to accept a connection, which needs no thought of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long credentials may take: a role that is assumed by way of another takes two requests.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a request is made before it has failed.
const ATTEMPTS_MAX: u32 = 3;

/// The first pause before a request is made again; the second is twice as long, each of them at
/// random up to that. A server that refuses connections has said so within a second.
const BACKOFF: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// What others than AWS say for "slow down".
const TOO_MANY_REQUESTS: &[u16] = &[429];

/// The region of most S3-compatible stores, which do not care.
const REGION_DEFAULT: &str = "us-east-1";

/// A client with what it takes to use it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) driver: Driver,
    pub(super) veil: Veil,
}

impl Connection {
    /// Reads AWS's configuration; no request is made yet.
    pub(super) fn new(settings: &S3Settings) -> Result<Self, Failure> {
        let driver = Driver::start()?;
        let config = driver.run(load(settings));
        let is_path_style = settings.endpoint.is_some() || config.endpoint_url().is_some();
        let config = Builder::from(&config)
            .force_path_style(is_path_style)
            .retry_classifier(HttpStatusCodeClassifier::new_from_codes(TOO_MANY_REQUESTS))
            .build();
        Ok(Self { client: Client::from_conf(config), driver, veil: settings.veil.clone() })
    }
}

async fn load(settings: &S3Settings) -> SdkConfig {
    let region = region(settings).await;
    let source = if let Some(keys) = &settings.keys {
        credentials::configured(keys)
    } else {
        let (proxied, direct) = (ProxyConfig::from_env(), ProxyConfig::disabled());
        credentials::chain(region.clone(), http(true, proxied), http(false, direct)).await
    };
    let is_tls = !settings.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(Learning::new(source, &settings.veil))
        .http_client(http(is_tls, ProxyConfig::from_env()))
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS_MAX)
                .with_initial_backoff(BACKOFF)
                .with_max_backoff(BACKOFF_MAX),
        )
        .timeout_config(
            timeouts(settings)
                .read_timeout(settings.timeout)
                .operation_timeout(settings.timeout)
                .build(),
        )
        // What is sent has digests of its own, which not every store can take for granted.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // `Body` and `while_moving` do this by the bounds of the configuration.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

/// The region: configured, else that of AWS's own configuration. Instance metadata is not asked:
/// a bucket may be anywhere.
async fn region(settings: &S3Settings) -> Option<Region> {
    RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::from_static(REGION_DEFAULT))
        .region()
        .await
}

fn timeouts(settings: &S3Settings) -> aws_smithy_types::timeout::TimeoutConfigBuilder {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT.min(settings.timeout))
}

/// For requests that take as long as there is something to send.
pub(super) fn without_total_bound(settings: &S3Settings) -> Builder {
    let config = timeouts(settings).disable_operation_timeout().disable_read_timeout().build();
    aws_sdk_s3::Config::builder().timeout_config(config)
}

/// HTTP by way of the proxies of the environment, or past them. Certificates, the system's own,
/// are read only for TLS.
fn http(is_tls: bool, proxies: ProxyConfig) -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder: ConnectorBuilder = Connector::builder().proxy_config(proxies.clone());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        let mut trust = TrustStore::empty();
        if is_tls {
            trust = trust.with_native_roots(true);
        }
        let tls = TlsContext::builder().with_trust_store(trust).build();
        let builder = builder.tls_provider(Provider::rustls(CryptoMode::Ring));
        match tls {
            Ok(tls) => builder.tls_context(tls).build(),
            Err(_) => builder.build(),
        }
    })
}
