//! Offers and answers as oneport and its like exchange them: one request.

use std::thread;
use std::time::Duration;

use super::{Host, SignalingError};

/// A relay that is full for the moment is asked again.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// A relay that answers offers.
pub(crate) struct Relay {
    host: Host,
    token: Option<String>,
}

impl Relay {
    pub(crate) fn new(host: Host, token: Option<String>) -> Self {
        Self { host, token }
    }

    /// Gives an offer and takes the answer.
    pub(crate) fn exchange(&self, room: &str, offer: &str) -> Result<String, SignalingError> {
        let url = format!("{}/r/{room}", self.host.base);
        let failed = |error: ureq::Error| SignalingError(format!("{url}: {error}"));
        for attempt in 1.. {
            let mut request = self
                .host
                .agent
                .post(&url)
                .header("Content-Type", "application/sdp");
            if let Some(token) = &self.token {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            let mut response = request.send(offer).map_err(failed)?;
            let status = response.status();
            let body = response.body_mut().read_to_string().map_err(failed)?;
            if status == 201 {
                return Ok(body);
            }
            if attempt == ATTEMPTS || status != 503 && status != 429 {
                return Err(SignalingError(format!("{url}: {status}: {body}")));
            }
            thread::sleep(PAUSE);
        }
        unreachable!("the last attempt returns")
    }
}
