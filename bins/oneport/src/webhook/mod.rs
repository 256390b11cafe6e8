//! Telling somebody else's server what happens in the rooms.
//!
//! The relay's thread puts events into a bounded queue and never waits; a thread of its own carries
//! them away, in order and in batches, and tries again where the receiver does not answer. What is
//! dropped, because the queue was full or the receiver gone for too long, is counted, and the receiver
//! is told how many were lost and where. Requests are signed as
//! [Standard Webhooks](https://www.standardwebhooks.com) says, for which there are libraries.

mod delivery;
mod happening;
mod queue;
mod secret;
mod sender;
mod url;

use std::fmt;
use std::io;
use std::sync::Arc;

use oneport_core::hub::{Body, Event, Observer};
use oneport_wire::RoomPattern;

use crate::cli::WebhookArgs;
use crate::participant::Trust;
use happening::Happening;
use queue::Queue;
pub use queue::WebhookCounts;
use secret::WebhookSecret;
pub use secret::WebhookSecretError;
use sender::{Patience, Sender};
pub use url::WebhookUrl;

/// A running webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    queue: Arc<Queue>,
    messages: Vec<RoomPattern>,
    patience: Patience,
}

impl Webhook {
    /// Starts its thread, if there is somebody to be told.
    ///
    /// # Errors
    ///
    /// [`WebhookError`].
    pub(crate) fn start(args: &WebhookArgs) -> Result<Option<Self>, WebhookError> {
        let Some(url) = &args.webhook else {
            return match args.is_about_none() {
                true => Ok(None),
                false => Err(WebhookError::NoUrl),
            };
        };
        let secret = WebhookSecret::find(args.webhook_secret_file.as_deref());
        let secret = secret.map_err(WebhookError::Secret)?;
        let secret = secret.ok_or(WebhookError::NoSecret)?;
        let patience = Patience::default();
        let queue = Arc::new(Queue::default());
        let trust = match &args.webhook_ca {
            Some(path) => Trust::only(path).map_err(WebhookError::Ca)?,
            None => Trust::default(),
        };
        let sender = Sender::new(url, secret, &trust, Arc::clone(&queue), patience.clone());
        let thread = std::thread::Builder::new().name("webhook".into());
        let started = thread.spawn(move || sender.run());
        started.map_err(WebhookError::Thread)?;
        Ok(Some(Self {
            queue,
            messages: args.webhook_messages.clone(),
            patience,
        }))
    }

    /// What a relay tells its events.
    pub(crate) fn observer(&self) -> Box<dyn Observer> {
        Box::new(Reporter {
            queue: Arc::clone(&self.queue),
            messages: self.messages.clone(),
        })
    }

    /// What has become of its events.
    pub(crate) fn counts(&self) -> WebhookCounts {
        self.queue.counts()
    }

    /// Nothing more will happen: waits until all is told, but not for long.
    pub(crate) fn finish(&self) {
        self.queue.close(self.patience.goodbye);
        let counts = self.counts();
        if counts.waiting > 0 || counts.dropped > 0 {
            log::warn!(
                "the webhook was not told {} events",
                counts.waiting as u64 + counts.dropped
            );
        }
    }
}

/// Queues events. Its work on the relay's thread is to copy them.
#[derive(Debug)]
struct Reporter {
    queue: Arc<Queue>,
    messages: Vec<RoomPattern>,
}

impl Observer for Reporter {
    fn observe(&mut self, event: Event<'_>) {
        if let Event::Entry { entry, .. } = event
            && matches!(entry.body, Body::Message { .. })
            && !self
                .messages
                .iter()
                .any(|rooms| rooms.matches(entry.room()))
        {
            return;
        }
        self.queue.push(Happening::of(event));
    }
}

/// Why there is no webhook where one was wanted.
#[derive(Debug)]
pub enum WebhookError {
    /// It is said what it is to be told, and how, and not whom.
    NoUrl,
    /// There is no secret to sign with.
    NoSecret,
    /// The secret is of no use.
    Secret(WebhookSecretError),
    /// The file of certificate authorities is of no use: why, in words.
    Ca(String),
    /// The system refuses a thread.
    Thread(io::Error),
}

impl WebhookError {
    /// The exit code: 2 where other arguments would help, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoUrl | Self::NoSecret | Self::Ca(_) => 2,
            Self::Secret(error) => error.exit_code(),
            Self::Thread(_) => 1,
        }
    }
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => f.write_str("what is said of a webhook needs --webhook, its URL"),
            Self::NoSecret => write!(
                f,
                "--webhook needs a secret to sign with: add --webhook-secret-file or set {}",
                WebhookSecret::VARIABLE
            ),
            Self::Secret(error) => error.fmt(f),
            Self::Ca(why) => write!(f, "--webhook-ca: {why}"),
            Self::Thread(error) => write!(f, "the webhook has no thread: {error}"),
        }
    }
}

impl std::error::Error for WebhookError {}
