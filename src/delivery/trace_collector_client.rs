//! Posts spans to a collector and interprets its answers (OTLP specification, OTLP/HTTP).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use crate::output::status::{self, StatusFormat};
use crate::transport::backoff::{Backoff, Random};
use crate::transport::connect_error::{cause, retry_after};

/// The upper bound of the first delay between two attempts.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The maximum number of attempts for one request: some minutes.
const MAX_ATTEMPTS: u32 = 12;

/// The maximum duration of one attempt, which the specification recommends.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of bytes that are read of an answer.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The path of traces below the base URL of a collector.
const PATH: [&str; 2] = ["v1", "traces"];

/// A collector.
pub struct CollectorClient {
    /// The HTTP client, which must not follow redirects.
    pub client: Client,
    /// The URL to post to.
    pub url: Url,
    /// The headers that the user adds, which may contain credentials.
    pub headers: HeaderMap,
    /// The format of status messages.
    pub status: StatusFormat,
    /// The random numbers for the jitter of delays.
    pub random: Random,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Posted {
    /// The collector accepted all spans but some.
    Accepted {
        /// The number of spans that it rejected.
        rejected: u64,
    },
    /// No span was accepted, for this reason.
    Refused(String),
}

/// The result of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Done(Posted),
    /// A retry may succeed after at least this delay. The text is the reason.
    Retry(String, Duration),
}

/// Returns the URL of traces for the base URL of a collector, or for that URL itself.
#[must_use]
pub fn traces_url(mut base: Url) -> Url {
    let segments: Vec<_> = base.path_segments().into_iter().flatten().collect();
    let is_whole = segments
        .iter()
        .rev()
        .skip_while(|segment| segment.is_empty())
        .take(2)
        .eq(PATH.iter().rev());
    if !is_whole && let Ok(mut path) = base.path_segments_mut() {
        path.pop_if_empty().extend(PATH);
    }
    base
}

impl CollectorClient {
    /// Posts a request, with retries, until the collector takes or refuses it. Counts the retries.
    pub async fn deliver(&mut self, body: Bytes, retries: &AtomicU64) -> Posted {
        let mut backoff = Backoff::new(FIRST_DELAY);
        loop {
            let (why, at_least) = match self.post(body.clone()).await {
                Attempt::Done(posted) => return posted,
                Attempt::Retry(why, at_least) => (why, at_least),
            };
            let (delay, attempt) = backoff.next(at_least, (self.random)());
            if attempt >= MAX_ATTEMPTS {
                return Posted::Refused(format!("{why}, {attempt} times in a row"));
            }
            retries.fetch_add(1, Ordering::Relaxed);
            status::delivery_retry(self.status, "export", &why, delay, attempt);
            tokio::time::sleep(delay).await;
        }
    }

    async fn post(&self, body: Bytes) -> Attempt {
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let answer = tokio::time::timeout(TIMEOUT, async {
            let mut answer = request.send().await?;
            let mut body = Vec::new();
            while body.len() < ANSWER_LIMIT
                && let Ok(Some(chunk)) = answer.chunk().await
            {
                body.extend_from_slice(&chunk);
            }
            let at_least = retry_after(answer.headers(), Timestamp::now());
            Ok::<_, reqwest::Error>((answer.status(), at_least, body))
        });
        match answer.await {
            Ok(Ok((status, at_least, body))) => classify(status, at_least, &body),
            Ok(Err(error)) => Attempt::Retry(cause(&error), Duration::ZERO),
            Err(_) => {
                Attempt::Retry("the collector did not answer in time".to_owned(), Duration::ZERO)
            }
        }
    }
}

/// Classifies an answer. Only four statuses may be retried.
fn classify(status: StatusCode, at_least: Duration, body: &[u8]) -> Attempt {
    let code = status.as_u16();
    match code {
        200..=299 => Attempt::Done(Posted::Accepted { rejected: rejected(body) }),
        429 | 502..=504 => Attempt::Retry(format!("the collector answered {code}"), at_least),
        300..=399 => Attempt::Done(Posted::Refused(format!(
            "the collector answered with a redirect ({code}), which evtap does not follow"
        ))),
        401 | 403 | 407 => Attempt::Done(Posted::Refused(format!(
            "the collector requires authentication ({code}); see --otlp-header"
        ))),
        404 | 405 => Attempt::Done(Posted::Refused(format!(
            "the URL does not accept traces ({code}); check --otlp"
        ))),
        _ => Attempt::Done(Posted::Refused(format!("the collector answered {code}"))),
    }
}

/// Returns the number of spans that a partial success rejects. An answer without it is a success.
fn rejected(body: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    let text = rejected.as_str().and_then(|text| text.parse().ok());
    text.or_else(|| rejected.as_u64()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_traces_is_appended_once() {
        for (base, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/v1/traces/", "http://127.0.0.1:4318/v1/traces/"),
            ("https://a.example/otlp", "https://a.example/otlp/v1/traces"),
            ("https://a.example/otlp/?x=y", "https://a.example/otlp/v1/traces?x=y"),
            ("https://a.example/traces", "https://a.example/traces/v1/traces"),
        ] {
            let url = traces_url(Url::parse(base).expect("a URL"));
            assert_eq!(url.as_str(), expected, "{base}");
        }
    }

    #[test]
    fn only_four_statuses_are_retried() {
        for code in 200..600 {
            let status = StatusCode::from_u16(code).expect("a status");
            let attempt = classify(status, Duration::from_secs(7), b"");
            match code {
                200..=299 => {
                    assert_eq!(attempt, Attempt::Done(Posted::Accepted { rejected: 0 }));
                }
                429 | 502 | 503 | 504 => {
                    let why = format!("the collector answered {code}");
                    assert_eq!(attempt, Attempt::Retry(why, Duration::from_secs(7)));
                }
                _ => assert!(matches!(attempt, Attempt::Done(Posted::Refused(_))), "{code}"),
            }
        }
    }

    #[test]
    fn a_partial_success_is_counted_whatever_else_the_answer_says() {
        for (body, expected) in [
            ("", 0),
            ("{}", 0),
            ("<html>", 0),
            (r#"{"partialSuccess":{}}"#, 0),
            (r#"{"partialSuccess":{"rejectedSpans":"7","errorMessage":"x"}}"#, 7),
            (r#"{"partialSuccess":{"rejectedSpans":7}}"#, 7),
            (r#"{"partialSuccess":{"rejectedSpans":"-7"}}"#, 0),
            (r#"{"partialSuccess":[]}"#, 0),
        ] {
            assert_eq!(rejected(body.as_bytes()), expected, "{body}");
        }
    }
}
