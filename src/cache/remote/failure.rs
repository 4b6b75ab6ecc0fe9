//! What a remote can do wrong, in words, and what to do about it. Pure.

use std::fmt;
use std::time::Duration;

use crate::error::{Code, Diagnostic};

/// A request that did not do what it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// What was seen, as `GET: 503 SlowDown (request id 1)`; never a credential.
    pub(super) facts: String,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Refused, no such host, no route, no TLS, cut off before any answer.
    Unreachable,
    /// No answer, or an answer that does not move on.
    TimedOut,
    /// It answers, each time after so long that running commands would be as good.
    Slow,
    /// There are none to be found.
    NoCredentials,
    WrongCredentials,
    ExpiredCredentials,
    ClockSkewed,
    Denied,
    NoBucket,
    /// The bucket is elsewhere; where, if that is said.
    OtherRegion(Option<String>),
    /// It says itself that it cannot now.
    Overloaded,
    /// Cut off in the middle of an answer.
    Interrupted,
    /// Not the answer of an S3 server.
    Garbled,
    /// The object is larger than it takes.
    TooLarge,
    /// Any other refusal.
    Rejected,
}

impl Kind {
    /// Whether other credentials might do.
    pub(super) fn concerns_credentials(&self) -> bool {
        matches!(self, Self::NoCredentials | Self::WrongCredentials | Self::ExpiredCredentials)
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

/// The remote as the user knows it.
#[derive(Debug, Clone)]
pub(super) struct Described {
    /// The name of the cache.
    pub(super) cache: String,
    pub(super) bucket: String,
    /// The bound of the configuration.
    pub(super) timeout: Duration,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.facts)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    pub(super) fn new(kind: Kind, facts: impl Into<String>) -> Self {
        Self { kind, facts: facts.into() }
    }

    /// Failures in a row after which the remote is left alone; `None` if it never is.
    ///
    /// One where the next request would fare no better, or would keep everybody waiting as long;
    /// a few where it might.
    pub(super) fn patience(&self, direction: Direction) -> Option<u32> {
        /// A busy server answers most requests; one that fails three in a row, each of them
        /// tried three times, is down.
        const FLAKY: u32 = 3;
        /// S3 denies an absent object to those who may not list, which every cold command asks
        /// for: only a long row says that nothing at all may be read. A denial comes fast.
        const DENIED: u32 = 16;
        match (&self.kind, direction) {
            (
                Kind::Slow | Kind::Overloaded | Kind::Interrupted | Kind::Garbled | Kind::Rejected,
                _,
            ) => Some(FLAKY),
            (Kind::Denied, Direction::Read) => Some(DENIED),
            (Kind::TooLarge, _) => None,
            _ => Some(1),
        }
    }

    /// Whether only this direction is affected.
    pub(super) fn is_one_way(&self) -> bool {
        matches!(self.kind, Kind::Denied | Kind::TooLarge)
    }

    /// As a warning: what is wrong, what qik does instead, what was seen, what to do.
    pub(super) fn warning(&self, remote: &Described, direction: Direction) -> Diagnostic {
        let cache = &remote.cache;
        let instead = match (self.is_one_way(), direction) {
            (false, _) if self.patience(direction) == Some(1) => "this run goes on without it",
            _ if self.kind == Kind::TooLarge => "results that large are not sent to it",
            (_, Direction::Read) => "commands run instead of being replayed",
            (_, Direction::Write) => "results are not sent to it",
        };
        let problem = self.problem(remote, direction);
        Diagnostic::new(Code::RemoteFailed, format!("the cache `{cache}` {problem}: {instead}"))
            .because(self.facts.clone())
            .hint(self.way_out(remote, direction))
    }

    fn problem(&self, remote: &Described, direction: Direction) -> String {
        let text = match &self.kind {
            Kind::Unreachable => "cannot be reached",
            Kind::TimedOut => {
                return format!("did not answer within {} s", seconds(remote.timeout));
            }
            Kind::Slow => "is too slow to be of use",
            Kind::NoCredentials => "needs credentials, and there are none",
            Kind::WrongCredentials => "does not take the credentials",
            Kind::ExpiredCredentials => "says that the credentials have expired",
            Kind::ClockSkewed => "says that the clock of this machine is wrong",
            Kind::Denied if direction == Direction::Read => "denies reading",
            Kind::Denied => "denies writing",
            Kind::NoBucket => return format!("has no bucket `{}`", remote.bucket),
            Kind::OtherRegion(_) => "is in another region",
            Kind::Overloaded => "is overloaded or broken",
            Kind::Interrupted => "broke off its answer",
            Kind::Garbled => "does not answer as an S3 server does",
            Kind::TooLarge => "refuses large objects",
            Kind::Rejected => "does not do what it is asked",
        };
        text.to_owned()
    }

    fn way_out(&self, remote: &Described, direction: Direction) -> String {
        let Described { cache, bucket, .. } = remote;
        match &self.kind {
            Kind::Unreachable => {
                format!("check `endpoint-url` of `[caches.{cache}]`, the network and its proxies")
            }
            Kind::TimedOut | Kind::Slow => {
                format!("check the network; `timeout` of `[caches.{cache}]` says how long to wait")
            }
            Kind::NoCredentials => format!(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with `aws sso login`, \
                 or set `aws-access-key-id` and `aws-secret-access-key` of `[caches.{cache}]`"
            ),
            Kind::WrongCredentials => format!(
                "check the access key, its secret and the session token: those of \
                 `[caches.{cache}]`, else those that AWS's own tools would use"
            ),
            Kind::ExpiredCredentials => {
                "sign in again, as with `aws sso login`, or renew the session token".to_owned()
            }
            Kind::ClockSkewed => "set the clock of this machine".to_owned(),
            Kind::Denied if direction == Direction::Read => format!(
                "grant `s3:GetObject`, and `s3:ListBucket` too, without which S3 denies what is \
                 only missing, on the bucket `{bucket}`; or set `mode = \"write-only\"`"
            ),
            Kind::Denied => format!(
                "grant `s3:PutObject` on the bucket `{bucket}`, or set `mode = \"read-only\"`"
            ),
            Kind::NoBucket => {
                format!(
                    "make the bucket, or check `bucket` and `endpoint-url` of `[caches.{cache}]`"
                )
            }
            Kind::OtherRegion(Some(region)) => {
                format!("set `region-name = \"{region}\"` in `[caches.{cache}]`")
            }
            Kind::OtherRegion(None) => {
                format!("set `region-name` in `[caches.{cache}]` to that of the bucket")
            }
            Kind::Overloaded => "try again later".to_owned(),
            Kind::Interrupted => "check the network, and proxies on the way".to_owned(),
            Kind::Garbled => format!(
                "check `endpoint-url` of `[caches.{cache}]`: a proxy or a login page may answer"
            ),
            Kind::TooLarge => format!(
                "raise the limit of the store or of a proxy before it, or keep large artifacts \
                 out of the cache `{cache}`"
            ),
            Kind::Rejected => {
                format!("check the options of `[caches.{cache}]`, and that this server speaks S3")
            }
        }
    }
}

/// A duration for people: `15`, `0.5`.
fn seconds(duration: Duration) -> String {
    format!("{}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote() -> Described {
        Described { cache: "ci".into(), bucket: "b".into(), timeout: Duration::from_millis(1500) }
    }

    #[track_caller]
    fn check(kind: Kind, direction: Direction, message: &str, hint: &str) {
        let warning = Failure::new(kind, "seen").warning(&remote(), direction);
        assert_eq!(warning.message, message);
        assert_eq!(warning.causes, ["seen"]);
        assert!(warning.hints[0].contains(hint), "{:?}", warning.hints);
    }

    #[test]
    fn each_failure_says_what_is_done_and_what_to_do() {
        use Direction::{Read, Write};
        let without = "this run goes on without it";
        for (kind, problem, hint) in [
            (Kind::Unreachable, "cannot be reached", "endpoint-url"),
            (Kind::TimedOut, "did not answer within 1.5 s", "`timeout` of `[caches.ci]`"),
            (Kind::NoCredentials, "needs credentials, and there are none", "aws sso login"),
            (Kind::WrongCredentials, "does not take the credentials", "access key"),
            (Kind::ExpiredCredentials, "says that the credentials have expired", "sign in again"),
            (Kind::ClockSkewed, "says that the clock of this machine is wrong", "set the clock"),
            (Kind::NoBucket, "has no bucket `b`", "make the bucket"),
            (
                Kind::OtherRegion(Some("eu".into())),
                "is in another region",
                "`region-name = \"eu\"`",
            ),
            (Kind::OtherRegion(None), "is in another region", "`region-name`"),
        ] {
            check(kind, Read, &format!("the cache `ci` {problem}: {without}"), hint);
        }
        let instead = "commands run instead of being replayed";
        for (kind, problem, hint) in [
            (Kind::Slow, "is too slow to be of use", "`timeout`"),
            (Kind::Overloaded, "is overloaded or broken", "later"),
            (Kind::Interrupted, "broke off its answer", "network"),
            (Kind::Garbled, "does not answer as an S3 server does", "login page"),
            (Kind::Rejected, "does not do what it is asked", "speaks S3"),
            (Kind::Denied, "denies reading", "s3:ListBucket"),
        ] {
            check(kind, Read, &format!("the cache `ci` {problem}: {instead}"), hint);
        }
        let message = "the cache `ci` denies writing: this run goes on without it";
        let message = message.replace("this run goes on without it", "results are not sent to it");
        check(Kind::Denied, Write, &message, "read-only");
        let message = "the cache `ci` refuses large objects: results that large are not sent to it";
        check(Kind::TooLarge, Write, message, "raise the limit");
    }
}
