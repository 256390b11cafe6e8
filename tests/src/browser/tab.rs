use std::time::Duration;

use crate::{Error, Result, lines::Lines};

/// What a page needs of a browser; one implementation for each protocol.
///
/// What has a default here is what only one of the browsers can.
pub(super) trait Tab: Send + Sync + std::fmt::Debug {
    /// Loads an address and waits until it is loaded.
    fn go_to(&self, url: &str, timeout: Duration) -> Result;

    /// Evaluates an expression whose value, awaited, is a string.
    fn eval(&self, expression: &str, timeout: Duration) -> Result<String>;

    /// Runs a script in every later document before the document's own.
    fn before_load(&self, script: &str) -> Result;

    /// What is visible, as PNG in base64.
    fn screenshot(&self) -> Result<String>;

    /// Closes the page as a user would, and forgets its user.
    fn close(&self) -> Result;

    /// What the page logged.
    fn console(&self) -> &Lines;

    /// Kills the page's process.
    fn kill(&self) -> Result {
        Err(Error::Unsupported {
            what: "kill a page's process",
        })
    }

    /// Makes the page's screen another.
    fn emulate_screen(&self, _: Screen) -> Result {
        Err(Error::Unsupported {
            what: "emulate a screen",
        })
    }

    /// Makes the page's network worse.
    fn emulate_network(&self, _: Network) -> Result {
        Err(Error::Unsupported {
            what: "emulate a network",
        })
    }
}

/// A screen; the default is a phone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Whether its owner prefers dark pages.
    pub dark: bool,
    /// Whether it is a phone's, with touch.
    pub touch: bool,
}

impl Screen {
    /// Two device pixels for a CSS pixel.
    pub const SCALE: u32 = 2;
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            width: 360,
            height: 740,
            dark: false,
            touch: true,
        }
    }
}

/// A bad network; the default is a good one.
///
/// Latency, loss and rate act on data channels too. `offline` acts on HTTP and WebSocket alone: an open data
/// channel stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// No request gets through.
    pub offline: bool,
    /// Added to the time of a round trip, in milliseconds.
    pub latency_ms: u32,
    /// How many of a hundred packets are lost.
    pub loss_percent: u32,
    /// Bytes a second that the page can receive; without a limit if 0.
    pub download_rate: u32,
}
