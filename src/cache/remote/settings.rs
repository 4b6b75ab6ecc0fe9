//! What a user configures of a remote cache, rendered and checked. Pure.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::sys::Env;
use crate::sys::veil::Veil;

/// How long to wait for an answer, and for each further stretch of it, where nothing is said:
/// long enough for a busy server and a slow line, short enough to be borne once in a run.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(15);

/// The longest that may be configured: more is a mistake.
const TIMEOUT_MAX: Duration = Duration::from_hours(1);

/// Shorter than this, a text is no credential but a word that a store on one's own machine takes
/// for one, as `test` or `minio`: hiding it would spoil all output.
const CREDENTIAL_BYTES_MIN: usize = 8;

/// Where AWS's usual chain looks first.
const CREDENTIAL_VARIABLES: [&str; 3] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// A cache of type `s3`.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The cache's name.
    pub cache: String,
    pub bucket: String,
    pub prefix: String,
    /// That of AWS's configuration, else `us-east-1`, where there is none.
    pub region: Option<String>,
    /// Of an S3-compatible store, which is then asked in path style.
    pub endpoint: Option<String>,
    /// Else AWS's usual chain.
    pub keys: Option<Keys>,
    pub mode: Mode,
    pub timeout: Duration,
    /// Keys that entries are signed with: by the first, while those of all are taken. Without one
    /// nothing is signed.
    pub signing_keys: Vec<Secret>,
    /// Learns the credentials, which it keeps out of all that is shown and kept.
    pub veil: Veil,
}

/// Credentials of the configuration.
#[derive(Debug, Clone)]
pub struct Keys {
    pub id: Secret,
    pub secret: Secret,
    pub session_token: Option<Secret>,
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever signs with it and for nobody else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Hides a credential from now on.
pub(super) fn hide(veil: &Veil, credential: &str) {
    if credential.len() >= CREDENTIAL_BYTES_MIN {
        veil.learn(credential);
    }
}

/// Which way results go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    ReadWrite,
    ReadOnly,
    WriteOnly,
}

impl Mode {
    pub(super) fn reads(self) -> bool {
        self != Self::WriteOnly
    }

    pub(super) fn writes(self) -> bool {
        self != Self::ReadOnly
    }
}

/// A value that an option does not take; as text, what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(&'static str);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Mode {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        match text {
            "read-write" => Ok(Self::ReadWrite),
            "read-only" => Ok(Self::ReadOnly),
            "write-only" => Ok(Self::WriteOnly),
            _ => Err(Expected("`read-write`, `read-only` or `write-only`")),
        }
    }
}

impl S3Settings {
    /// Those of a cache that says nothing but its bucket.
    pub fn new(cache: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self {
            cache: cache.into(),
            bucket: bucket.into(),
            prefix: String::new(),
            region: None,
            endpoint: None,
            keys: None,
            mode: Mode::default(),
            timeout: TIMEOUT_DEFAULT,
            signing_keys: Vec::new(),
            veil: Veil::default(),
        }
    }

    /// Hides what is secret and known before any request: the keys of the configuration, or what
    /// AWS's usual chain begins with.
    pub fn hide_secrets(&self, env: &Env) {
        let mut secrets: Vec<&str> = self.signing_keys.iter().map(Secret::reveal).collect();
        if let Some(Keys { id, secret, session_token }) = &self.keys {
            let keys = [Some(id), Some(secret), session_token.as_ref()];
            secrets.extend(keys.into_iter().flatten().map(Secret::reveal));
        } else {
            let variables = CREDENTIAL_VARIABLES.iter();
            secrets.extend(variables.filter_map(|name| env.get(OsStr::new(name))?.to_str()));
        }
        for secret in secrets {
            hide(&self.veil, secret);
        }
    }

    /// A number of seconds, as `15` or `0.5`.
    pub fn parse_timeout(text: &str) -> Result<Duration, Expected> {
        let seconds = text.trim().trim_end_matches(['s', ' ']).parse::<f64>().ok();
        seconds
            .filter(|seconds| *seconds > 0.0)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|timeout| (Duration::from_millis(1)..=TIMEOUT_MAX).contains(timeout))
            .ok_or(Expected("a number of seconds up to 3600, as `15` or `0.5`"))
    }

    /// An address with scheme and host.
    pub fn parse_endpoint(text: &str) -> Result<String, Expected> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_plain = |c: char| c.is_ascii_graphic();
        rest.filter(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_plain))
            .filter(|rest| !rest.contains('@'))
            .map(|_| text.to_owned())
            .ok_or(Expected("an address like `https://s3.example.com` or `http://localhost:9000`"))
    }

    /// Whether what is sent can be read and changed on its way, by others than those of one's own
    /// network: an address without TLS that is neither this machine's nor a private one.
    pub(super) fn is_exposed(&self) -> bool {
        let Some(rest) = self.endpoint.as_deref().and_then(|url| url.strip_prefix("http://"))
        else {
            return false;
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        };
        match host.parse() {
            Ok(std::net::IpAddr::V4(ip)) => {
                !ip.is_loopback() && !ip.is_private() && !ip.is_link_local()
            }
            Ok(std::net::IpAddr::V6(ip)) => {
                !ip.is_loopback() && !ip.is_unique_local() && !ip.is_unicast_link_local()
            }
            // A name without a dot is one of a local network, as `minio` among containers.
            Err(_) => host.contains('.') && !host.ends_with(".localhost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let keys = Keys {
            id: Secret::new("AKIA"),
            secret: Secret::new("hush"),
            session_token: Some(Secret::new("token")),
        };
        let settings = S3Settings { keys: Some(keys), ..S3Settings::new("ci", "b") };
        let shown = format!("{settings:?} {settings:#?}");
        for secret in ["AKIA", "hush", "token\""] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn credentials_are_hidden_but_no_words() {
        let keys = |id: &str, secret: &str| Keys {
            id: Secret::new(id),
            secret: Secret::new(secret),
            session_token: Some(Secret::new("session-token")),
        };
        let mut settings = S3Settings::new("ci", "b");
        settings.keys = Some(keys("AKIDEXAMPLE", "test"));
        settings.signing_keys = vec![Secret::new("signing-key")];
        let env = Env::from([("AWS_SESSION_TOKEN".into(), "of-the-environment".into())]);
        settings.hide_secrets(&env);
        let text = "test AKIDEXAMPLE session-token signing-key b of-the-environment";
        assert_eq!(settings.veil.hide_text(text), "test *** *** *** b of-the-environment");
        settings.keys = None;
        settings.hide_secrets(&env);
        assert_eq!(settings.veil.hide_text("of-the-environment"), "***");
    }

    #[test]
    fn a_mode_is_one_of_three() {
        for (text, reads, writes) in
            [("read-write", true, true), ("read-only", true, false), ("write-only", false, true)]
        {
            let mode: Mode = text.parse().unwrap();
            assert_eq!((mode.reads(), mode.writes()), (reads, writes), "{text}");
        }
        for text in ["", "READ-ONLY", "read", "readonly"] {
            assert!(text.parse::<Mode>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_timeout_is_a_number_of_seconds() {
        for (text, millis) in [("15", 15_000), ("0.5", 500), ("2s", 2000), ("3600", 3_600_000)] {
            assert_eq!(S3Settings::parse_timeout(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "0", "-1", "nan", "inf", "1e9", "3601", "five", "0.0001"] {
            assert!(S3Settings::parse_timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endpoint_has_a_scheme_and_a_host() {
        for text in ["https://s3.example.com", "http://127.0.0.1:9000/", "http://[::1]:9000"] {
            assert!(S3Settings::parse_endpoint(text).is_ok(), "{text}");
        }
        for text in
            ["", "s3.example.com", "ftp://x", "http://", "http:///x", "http://a b", "https://u:p@x"]
        {
            assert!(S3Settings::parse_endpoint(text).is_err(), "{text}");
        }
    }

    #[track_caller]
    fn check_exposed(endpoint: &str, expected: bool) {
        let endpoint = Some(endpoint.to_owned());
        let settings = S3Settings { endpoint, ..S3Settings::new("ci", "b") };
        assert_eq!(settings.is_exposed(), expected, "{settings:?}");
    }

    #[test]
    fn only_what_leaves_the_network_without_tls_is_exposed() {
        for endpoint in [
            "https://s3.example.com",
            "http://127.0.0.1:9000",
            "http://localhost:9000",
            "http://[::1]:9000",
            "http://minio:9000/",
            "http://10.0.0.7",
            "http://192.168.1.2:9000",
        ] {
            check_exposed(endpoint, false);
        }
        for endpoint in ["http://s3.example.com", "http://8.8.8.8:80", "http://[2001:db8::1]/x"] {
            check_exposed(endpoint, true);
        }
        assert!(!S3Settings::new("ci", "b").is_exposed());
    }
}
