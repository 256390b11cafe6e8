//! One request of a webhook.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use ureq::http::header;

use super::happening::HappeningJson;
use super::queue::Batch;
use super::secret::WebhookSecret;
use super::url::WebhookUrl;
use crate::http_date;
use crate::token::UnixTime;

/// What a receiver may answer at most, which nobody reads: enough that the connection can be used again.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A batch as it is sent: the same bytes and the same id whenever it is tried.
pub(super) struct Delivery {
    id: String,
    body: Vec<u8>,
}

#[derive(Serialize)]
struct BodyJson<'a> {
    dropped: u64,
    events: Vec<HappeningJson<'a>>,
}

/// What a receiver made of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reception {
    /// It has it.
    Taken,
    /// It does not want it, and will not.
    Refused(String),
    /// It may take it later.
    Failed {
        /// Why it did not.
        why: String,
        /// When it asks to be tried again (`Retry-After`).
        retry_after: Option<Duration>,
    },
}

impl Delivery {
    /// The id is random: who gets it knows by it that this is one that it has seen.
    pub(super) fn new(batch: &Batch, random: [u8; 12]) -> Self {
        let body = BodyJson {
            dropped: batch.dropped,
            events: batch.events.iter().map(|event| event.as_json()).collect(),
        };
        Self {
            id: format!("msg_{}", data_encoding::HEXLOWER.encode(&random)),
            body: serde_json::to_vec(&body).expect("no map here has keys that are no strings"),
        }
    }

    /// Sends it once.
    pub(super) fn send(
        &self,
        agent: &ureq::Agent,
        url: &WebhookUrl,
        secret: &WebhookSecret,
        timeout: Duration,
    ) -> Reception {
        let timestamp = UnixTime::now().as_secs();
        let sent = agent
            .post(url.as_uri())
            .config()
            .timeout_global(Some(timeout))
            .build()
            .header("Content-Type", "application/json")
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header(
                "webhook-signature",
                secret.sign(&self.id, timestamp, &self.body),
            )
            .send(&self.body[..]);
        match sent {
            Ok(response) => {
                let status = response.status().as_u16();
                let retry_after = response.headers().get(header::RETRY_AFTER);
                let retry_after = retry_after.and_then(|value| value.to_str().ok());
                let retry_after =
                    retry_after.and_then(|value| http_date::retry_after(value, SystemTime::now()));
                let mut body = response.into_body();
                // What it says does not matter, nor whether it can be read.
                let _ = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
                of_status(status, retry_after)
            }
            Err(error) => Reception::Failed {
                why: error.to_string(),
                retry_after: None,
            },
        }
    }
}

/// A receiver that is overloaded or gone for a moment may take the same later, and may say when. All else is a
/// mistake that does not go away: another place, no right, no such thing.
fn of_status(status: u16, retry_after: Option<Duration>) -> Reception {
    match status {
        200..=299 => Reception::Taken,
        408 | 425 | 429 | 500..=599 => Reception::Failed {
            why: format!("status {status}"),
            retry_after,
        },
        _ => Reception::Refused(format!("status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        for (status, word) in [
            (200, "Taken"),
            (204, "Taken"),
            (301, "Refused"),
            (307, "Refused"),
            (400, "Refused"),
            (401, "Refused"),
            (404, "Refused"),
            (408, "Failed"),
            (429, "Failed"),
            (500, "Failed"),
            (503, "Failed"),
            (600, "Refused"),
        ] {
            let reception = format!("{:?}", of_status(status, None));
            assert!(reception.starts_with(word), "{status}: {reception}");
        }
    }
}
