//! The thread that tells a webhook what happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::{Delivery, Reception};
use super::queue::{Batch, Queue};
use super::secret::WebhookSecret;
use super::url::WebhookUrl;
use crate::participant::Trust;

/// How long is waited for a receiver.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// For its answer to a request.
    pub(super) answer: Duration,
    /// After a request that it did not take; twice as long after each further one, and less by chance,
    /// so that not all who wait for it come back at once.
    pub(super) first: Duration,
    /// ... and so long at most.
    pub(super) longest: Duration,
    /// How long the receiver may ask to be left alone (`Retry-After`): longer than the minute or so of a usual
    /// rate limit, and short enough that it is asked more than once before events are dropped.
    pub(super) retry_after_max: Duration,
    /// Until what it does not take is dropped.
    pub(super) give_up: Duration,
    /// At the end of the program, for what still waits.
    pub(super) goodbye: Duration,
}

impl Default for Patience {
    /// A receiver that is deployed anew misses nothing; one that is gone for longer is told so.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            retry_after_max: Duration::from_mins(4),
            give_up: Duration::from_mins(10),
            goodbye: Duration::from_secs(3),
        }
    }
}

/// Tells a webhook what is in a queue, one batch at a time, for their order counts.
pub(super) struct Sender {
    url: WebhookUrl,
    secret: WebhookSecret,
    queue: Arc<Queue>,
    patience: Patience,
    agent: ureq::Agent,
    /// How many requests in a row were not taken.
    failures: u32,
    /// How long the receiver has asked to be left alone.
    retry_after: Duration,
}

impl Sender {
    pub(super) fn new(
        url: &WebhookUrl,
        secret: WebhookSecret,
        trust: &Trust,
        queue: Arc<Queue>,
        patience: Patience,
    ) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A secret signs for this receiver, not for another that it names. One that answers with a
            // redirect has its answer taken as it is.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // What the environment says of proxies is meant for others.
            .proxy(None)
            .tls_config(trust.for_http())
            .user_agent(concat!("oneport/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self {
            url: url.clone(),
            secret,
            queue,
            patience,
            agent,
            failures: 0,
            retry_after: Duration::ZERO,
        }
    }

    /// Goes on until the queue is closed and empty, or the time for that is up.
    pub(super) fn run(mut self) {
        while let Some(batch) = self.queue.next_batch() {
            if !self.tell(&batch) {
                self.queue.give_up(&batch);
                if self.queue.is_closing() {
                    break;
                }
                // Who refuses everything is not asked as fast as things happen.
                self.pause();
            }
        }
        self.queue.end();
    }

    /// Answers whether the receiver has it. At the end of the program it is asked once.
    fn tell(&mut self, batch: &Batch) -> bool {
        let mut random = [0; 12];
        if let Err(error) = getrandom::fill(&mut random) {
            log::error!(
                "the webhook is not told {} events: {error}",
                batch.events.len()
            );
            return false;
        }
        let delivery = Delivery::new(batch, random);
        let since = Instant::now();
        loop {
            let timeout = match self.queue.is_closing() {
                true => self.patience.goodbye.min(self.patience.answer),
                false => self.patience.answer,
            };
            let reception = delivery.send(&self.agent, &self.url, &self.secret, timeout);
            if reception == Reception::Taken {
                self.succeeded(batch);
                return true;
            }
            let is_over = since.elapsed() >= self.patience.give_up;
            let tries_again = matches!(reception, Reception::Failed { .. }) && !is_over;
            self.failed(&reception, batch, tries_again);
            if !tries_again || !self.pause() {
                return false;
            }
        }
    }

    fn succeeded(&mut self, batch: &Batch) {
        self.queue.told(batch);
        if self.failures > 0 {
            log::info!("the webhook at {} is told events again", self.url);
            self.failures = 0;
        }
        self.retry_after = Duration::ZERO;
    }

    /// What goes wrong again and again is said once at `warn`.
    fn failed(&mut self, reception: &Reception, batch: &Batch, tries_again: bool) {
        self.queue.count_failed_request();
        let (why, retry_after) = match reception {
            Reception::Taken => return,
            Reception::Refused(why) => (why, None),
            Reception::Failed { why, retry_after } => (why, *retry_after),
        };
        self.retry_after = retry_after
            .unwrap_or_default()
            .min(self.patience.retry_after_max);
        let level = match self.failures {
            0 => log::Level::Warn,
            _ => log::Level::Debug,
        };
        let then = if tries_again {
            "it is tried again"
        } else {
            "dropped"
        };
        let events = batch.events.len();
        log::log!(
            level,
            "the webhook at {} does not take {events} events ({why}): {then}",
            self.url
        );
        self.failures = self.failures.saturating_add(1);
    }

    /// Waits before the next request, at least as long as the receiver asks. Answers whether there is time for
    /// another.
    fn pause(&self) -> bool {
        let doublings = self.failures.saturating_sub(1).min(16);
        let longest = self.patience.first.saturating_mul(1 << doublings);
        let longest = longest.min(self.patience.longest);
        let chance = getrandom::u32().unwrap_or(0);
        let part = 0.5 + 0.5 * f64::from(chance) / f64::from(u32::MAX);
        self.queue
            .pause(longest.mul_f64(part).max(self.retry_after))
    }
}

#[cfg(test)]
mod tests;
