//! What a client may use, and how patient it is.

use std::time::Duration;

use oneport_link::LinkConfig;

/// What a [`Client`](crate::Client) is made of and how much it may hold.
#[derive(Clone, Debug)]
pub struct Config {
    /// The certificate, and as candidates the addresses of the owner's socket.
    pub link: LinkConfig,
    /// The wait before the first attempt after a lost link; each further one doubles it.
    pub backoff_min: Duration,
    /// The longest wait. A relay that comes back finds its clients within this time.
    pub backoff_max: Duration,
    /// How many messages may wait to be sent or acknowledged.
    pub pending_max: usize,
    /// How many bytes they may have together; at least one message may always wait.
    pub pending_bytes_max: usize,
    /// How many bytes of events may wait for the owner. Beyond that the client gives its link up,
    /// and resumes when they are taken: nothing is lost unless that takes the relay's grace time.
    pub events_bytes_max: usize,
}

impl Config {
    /// The defaults, with these links.
    pub fn new(link: LinkConfig) -> Self {
        Self {
            link,
            backoff_min: Duration::from_millis(250),
            backoff_max: Duration::from_secs(15),
            pending_max: 1024,
            pending_bytes_max: 4 * 1024 * 1024,
            events_bytes_max: 16 * 1024 * 1024,
        }
    }
}
