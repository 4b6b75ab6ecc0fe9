//! Objects in a bucket: the only folder that knows AWS.
//!
//! Nothing is built before the first request: no runtime, no client, no look for credentials.
//! Requests come from threads that block; a thread of its own drives the connections.

mod answer;
mod body;
mod connect;
mod credentials;
mod driver;

use std::fmt;
use std::future::Future;
use std::io::Read;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use tokio::time::sleep;

use self::answer::{Answered, diagnose};
use self::body::Body;
use self::connect::Connection;
use super::failure::{Failure, Kind};
use super::settings::S3Settings;
use super::{Label, Overwrite, Remote, Upload};

/// The key of an object's metadata that holds the exit code, so that a HEAD can tell it.
const CODE: &str = "qik-code";

/// A bucket.
pub(super) struct S3 {
    settings: S3Settings,
    connection: Mutex<Option<Result<Arc<Connection>, Failure>>>,
    /// Expired credentials were looked up anew, which helps once or not at all.
    has_refreshed: AtomicBool,
    /// The server does not know `If-None-Match`.
    is_unconditional: AtomicBool,
}

impl S3 {
    pub(super) fn new(settings: S3Settings) -> Self {
        Self {
            settings,
            connection: Mutex::default(),
            has_refreshed: AtomicBool::new(false),
            is_unconditional: AtomicBool::new(false),
        }
    }

    /// The connection, made now if this is the first request; one that cannot be made is not
    /// tried again.
    fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.get_or_insert_with(|| Connection::new(&self.settings).map(Arc::new)).clone()
    }

    /// Makes a request, and once more with new credentials if the old ones have expired.
    fn ask<T>(
        &self,
        request: impl Fn(&Arc<Connection>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let result = request(&self.connection()?);
        let has_expired =
            matches!(&result, Err(failure) if failure.kind == Kind::ExpiredCredentials);
        if !has_expired
            || self.settings.keys.is_some()
            || self.has_refreshed.swap(true, Ordering::Relaxed)
        {
            return result;
        }
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        request(&self.connection()?)
    }
}

impl Remote for S3 {
    fn fetch(&self, object: &str) -> Result<Option<Box<dyn Read + Send>>, Failure> {
        self.ask(|connection| {
            let request = connection.client.get_object().bucket(&self.settings.bucket).key(object);
            let answer: Result<GetObjectOutput, _> = connection.driver.run(request.send());
            match answer {
                Ok(output) => {
                    let body = Body::new(connection, output.body, self.settings.timeout);
                    Ok(Some(Box::new(body) as Box<dyn Read + Send>))
                }
                Err(error) => match diagnose("GET", &error, &connection.veil) {
                    Answered::Absent => Ok(None),
                    Answered::Failed(failure) => Err(failure),
                    Answered::Present | Answered::UnknownCondition => Err(surprise("GET")),
                },
            }
        })
    }

    fn look(&self, object: &str) -> Result<Option<Label>, Failure> {
        self.ask(|connection| {
            let request = connection.client.head_object().bucket(&self.settings.bucket).key(object);
            match connection.driver.run(request.send()) {
                Ok(output) => {
                    let code = output.metadata().and_then(|metadata| metadata.get(CODE));
                    Ok(Some(Label { code: code.and_then(|code| code.parse().ok()) }))
                }
                Err(error) => match diagnose("HEAD", &error, &connection.veil) {
                    Answered::Absent => Ok(None),
                    Answered::Failed(failure) => Err(failure),
                    Answered::Present | Answered::UnknownCondition => Err(surprise("HEAD")),
                },
            }
        })
    }

    fn send(&self, object: &str, upload: &Upload<'_>) -> Result<(), Failure> {
        self.ask(|connection| {
            let is_conditional =
                upload.overwrite == Overwrite::No && !self.is_unconditional.load(Ordering::Relaxed);
            let put = |is_conditional| {
                let sending = self.put(connection, (object, upload), is_conditional);
                connection.driver.run(sending)
            };
            match (put(is_conditional)?, is_conditional) {
                (Answered::UnknownCondition, true) => {
                    self.is_unconditional.store(true, Ordering::Relaxed);
                    finished(put(false)?)
                }
                (answered, _) => finished(answered),
            }
        })
    }
}

/// An entry that is there already is as good as one that was sent.
fn finished(answered: Answered) -> Result<(), Failure> {
    match answered {
        Answered::Present => Ok(()),
        Answered::Failed(failure) => Err(failure),
        Answered::Absent | Answered::UnknownCondition => Err(surprise("PUT")),
    }
}

fn surprise(verb: &str) -> Failure {
    Failure::new(Kind::Garbled, format!("{verb}: an answer to another question"))
}

impl S3 {
    /// Sends a file; fails by itself once nothing moves any more.
    async fn put(
        &self,
        connection: &Connection,
        (object, upload): (&str, &Upload<'_>),
        is_conditional: bool,
    ) -> Result<Answered, Failure> {
        let (body, size) = body::of_file(upload.file, upload.moved_bytes).await?;
        let request = connection
            .client
            .put_object()
            .bucket(&self.settings.bucket)
            .key(object)
            .body(body)
            .content_length(size)
            .content_type("application/zstd")
            .metadata(CODE, upload.code.to_string())
            .set_if_none_match(is_conditional.then(|| "*".to_owned()))
            .customize()
            .config_override(connect::without_total_bound(&self.settings));
        let answer: Result<PutObjectOutput, SdkError<PutObjectError>> =
            while_moving(request.send(), upload.moved_bytes, self.settings.timeout).await?;
        Ok(match answer {
            Ok(_) => Answered::Present,
            Err(error) => diagnose("PUT", &error, &connection.veil),
        })
    }
}

/// Looks at what has moved, within the time in which something must.
const LOOK_COUNT: u32 = 4;

/// The result of sending, or a failure once no byte has moved for a while.
async fn while_moving<T>(
    sending: impl Future<Output = T>,
    moved_bytes: &AtomicU64,
    bound: Duration,
) -> Result<T, Failure> {
    let mut sending = pin!(sending);
    let mut still_count = 0;
    let mut before = moved_bytes.load(Ordering::Relaxed);
    loop {
        tokio::select! {
            result = &mut sending => return Ok(result),
            () = sleep(bound / LOOK_COUNT) => {
                let now = moved_bytes.load(Ordering::Relaxed);
                still_count = if now == before { still_count + 1 } else { 0 };
                before = now;
                if still_count >= LOOK_COUNT {
                    return Err(Failure::new(Kind::TimedOut, "PUT: nothing moves any more"));
                }
            }
        }
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("settings", &self.settings).finish_non_exhaustive()
    }
}
