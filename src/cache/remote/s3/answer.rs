//! What an answer that is no success means.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::super::failure::{Failure, Kind};
use super::body::innermost;
use crate::sys::veil::Veil;

/// Longest message of a server that is shown.
const MESSAGE_CHARS_MAX: usize = 200;

/// What an error means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// There is no such object.
    Absent,
    /// There is one already, or somebody is just sending it.
    Present,
    /// The server does not know the condition of the request.
    UnknownCondition,
    Failed(Failure),
}

/// The meaning of an error, with facts for the user that hold no credential.
pub(super) fn diagnose<E>(
    verb: &'static str,
    error: &SdkError<E, HttpResponse>,
    veil: &Veil,
) -> Answered
where
    E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
{
    let failed = |kind: Kind, facts: String| {
        let facts: String = veil.hide_text(&facts).chars().map(visible).collect();
        Answered::Failed(Failure::new(kind, format!("{verb}: {facts}")))
    };
    let cause = || innermost(error).to_string();
    if let Some(kind) = credentials_failure(error) {
        return failed(kind, cause());
    }
    match error {
        SdkError::TimeoutError(_) => failed(Kind::TimedOut, "no answer".to_owned()),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            failed(Kind::TimedOut, cause())
        }
        SdkError::DispatchFailure(_) => failed(Kind::Unreachable, cause()),
        SdkError::ServiceError(service) => {
            let reply = Reply::new(verb, service.raw(), service.err());
            match reply.meaning() {
                Meaning::Absent => Answered::Absent,
                Meaning::Present => Answered::Present,
                Meaning::UnknownCondition => Answered::UnknownCondition,
                Meaning::Failed(kind) => failed(kind, reply.facts(service.err().request_id())),
            }
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status();
            failed(Kind::Garbled, format!("{status} with an answer that is none"))
        }
        _ => failed(Kind::Rejected, cause()),
    }
}

/// Line feeds and the like do not reach a terminal.
fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// What is wrong with credentials that were not even to be had.
fn credentials_failure(error: &(dyn std::error::Error + 'static)) -> Option<Kind> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<CredentialsError>() {
            return Some(match error {
                CredentialsError::InvalidConfiguration(_) => Kind::WrongCredentials,
                _ => Kind::NoCredentials,
            });
        }
        cause = error.source();
    }
    None
}

/// What a server says.
#[derive(Debug)]
struct Reply<'a> {
    verb: &'a str,
    status: u16,
    /// S3's own word, in the body: a HEAD has none.
    code: &'a str,
    message: &'a str,
    region: Option<&'a str>,
}

/// What it means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Absent,
    Present,
    UnknownCondition,
    Failed(Kind),
}

impl<'a> Reply<'a> {
    fn new(
        verb: &'a str,
        response: &'a HttpResponse,
        error: &'a impl ProvideErrorMetadata,
    ) -> Self {
        Self {
            verb,
            status: response.status().as_u16(),
            code: error.code().unwrap_or_default(),
            message: error.message().unwrap_or_default(),
            region: response.headers().get("x-amz-bucket-region"),
        }
    }

    fn facts(&self, request_id: Option<&str>) -> String {
        let mut facts = self.status.to_string();
        if !self.code.is_empty() {
            facts.push(' ');
            facts.push_str(self.code);
        }
        if let Some(id) = request_id {
            facts.extend([" (request id ", id, ")"]);
        }
        if !self.message.is_empty() && self.message != self.code {
            facts.push_str(": ");
            facts.extend(self.message.chars().take(MESSAGE_CHARS_MAX));
        }
        facts
    }

    fn meaning(&self) -> Meaning {
        let kind = match (self.code, self.status) {
            ("NoSuchBucket", _) => Kind::NoBucket,
            ("NoSuchKey", _) => return Meaning::Absent,
            (_, 404) if self.is_head() => return Meaning::Absent,
            ("PreconditionFailed" | "ConditionalRequestConflict", _) | (_, 409 | 412) => {
                return Meaning::Present;
            }
            ("NotImplemented", _) | (_, 501) => return Meaning::UnknownCondition,
            ("RequestTimeTooSkewed" | "RequestExpired", _) => Kind::ClockSkewed,
            ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired", _) => {
                Kind::ExpiredCredentials
            }
            (
                "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
                | "PermanentRedirect"
                | "TemporaryRedirect"
                | "Redirect",
                _,
            )
            | (_, 300..=399) => Kind::OtherRegion(self.region()),
            (
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "InvalidToken"
                | "InvalidSecurity"
                | "NotSignedUp"
                | "Unauthorized",
                _,
            )
            | (_, 401) => Kind::WrongCredentials,
            (_, 403) => Kind::Denied,
            ("SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable", _)
            | (_, 429 | 500..=599) => Kind::Overloaded,
            // The client's own word for an answer without any.
            ("" | "NotFound", 404) | ("", 200..=299) => Kind::Garbled,
            _ => Kind::Rejected,
        };
        Meaning::Failed(kind)
    }

    fn is_head(&self) -> bool {
        self.verb == "HEAD"
    }

    /// Where the bucket is: in a header, else in the words of the message.
    fn region(&self) -> Option<String> {
        let named = || self.message.split_once("expecting '")?.1.split_once('\'').map(|it| it.0);
        self.region.or_else(named).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(verb: &str, status: u16, code: &str, expected: &Meaning) {
        let reply = Reply { verb, status, code, message: "", region: None };
        assert_eq!(reply.meaning(), *expected, "{reply:?}");
    }

    #[test]
    fn an_object_is_absent_only_if_the_server_says_so_as_s3_does() {
        check("GET", 404, "NoSuchKey", &Meaning::Absent);
        check("HEAD", 404, "", &Meaning::Absent);
        check("HEAD", 404, "NotFound", &Meaning::Absent);
        check("GET", 404, "", &Meaning::Failed(Kind::Garbled));
        check("GET", 404, "NotFound", &Meaning::Failed(Kind::Garbled));
        check("GET", 404, "NoSuchBucket", &Meaning::Failed(Kind::NoBucket));
        check("PUT", 404, "NoSuchBucket", &Meaning::Failed(Kind::NoBucket));
    }

    #[test]
    fn an_entry_that_is_there_is_told_from_an_unknown_condition() {
        check("PUT", 412, "PreconditionFailed", &Meaning::Present);
        check("PUT", 409, "ConditionalRequestConflict", &Meaning::Present);
        check("PUT", 501, "NotImplemented", &Meaning::UnknownCondition);
    }

    #[test]
    fn each_refusal_is_told_apart() {
        for (status, code, kind) in [
            (403, "AccessDenied", Kind::Denied),
            (403, "", Kind::Denied),
            (403, "InvalidAccessKeyId", Kind::WrongCredentials),
            (403, "SignatureDoesNotMatch", Kind::WrongCredentials),
            (401, "", Kind::WrongCredentials),
            (400, "InvalidToken", Kind::WrongCredentials),
            (400, "ExpiredToken", Kind::ExpiredCredentials),
            (403, "RequestTimeTooSkewed", Kind::ClockSkewed),
            (301, "PermanentRedirect", Kind::OtherRegion(None)),
            (302, "", Kind::OtherRegion(None)),
            (500, "InternalError", Kind::Overloaded),
            (503, "SlowDown", Kind::Overloaded),
            (429, "", Kind::Overloaded),
            (502, "", Kind::Overloaded),
            (400, "", Kind::Rejected),
            (400, "InvalidArgument", Kind::Rejected),
            (405, "MethodNotAllowed", Kind::Rejected),
        ] {
            check("GET", status, code, &Meaning::Failed(kind));
        }
    }

    #[test]
    fn the_region_is_named_where_it_can_be() {
        let mut reply = Reply {
            verb: "GET",
            status: 400,
            code: "AuthorizationHeaderMalformed",
            message: "the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            region: None,
        };
        assert_eq!(reply.region().as_deref(), Some("eu-west-1"));
        reply.region = Some("ap-south-1");
        assert_eq!(reply.region().as_deref(), Some("ap-south-1"));
    }

    #[test]
    fn facts_are_short_and_hold_the_request_id() {
        let message = "x".repeat(1000);
        let reply =
            Reply { verb: "GET", status: 503, code: "SlowDown", message: &message, region: None };
        let facts = reply.facts(Some("R1"));
        assert!(facts.starts_with("503 SlowDown (request id R1): xxx"), "{facts}");
        assert!(facts.len() < 250);
    }
}
