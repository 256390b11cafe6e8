//! Headless Chromium and Firefox, driven from a test without a WebDriver binary.
//!
//! Chromium speaks the Chrome DevTools Protocol (CDP), Firefox WebDriver BiDi, each over one
//! WebSocket on loopback. Every page is a user of its own: its storage is its own, it is never in the
//! background, and where the browser isolates sites it has its own process. Calls block, and may be
//! made from several threads at once.

mod bidi;
mod cdp;
mod connection;
mod launch;
mod page;
mod tab;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use crate::Result;
use connection::Connection;
use launch::Launched;

pub use page::Page;
pub use tab::{Network, Screen};

/// A running browser; it dies with this value, and with the test process.
#[derive(Debug)]
pub struct Browser {
    engine: Engine,
    connection: Arc<Connection>,
    /// For names of pages.
    opened: AtomicU32,
    /// Last, because it is what the others talk to.
    _process: Launched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Chromium,
    Firefox,
}

impl Browser {
    /// Starts Chromium.
    ///
    /// # Errors
    /// [`crate::Error::Start`] when it is not installed or does not come up within 30 s.
    pub fn chromium() -> Result<Self> {
        Self::chromium_with(&[])
    }

    /// Starts Chromium with these arguments as well.
    ///
    /// # Errors
    /// As [`Self::chromium`].
    pub fn chromium_with(arguments: &[&str]) -> Result<Self> {
        let process = launch::chromium(arguments)?;
        let connection = cdp::connect(process.address())?;
        Ok(Self::new(Engine::Chromium, connection, process))
    }

    /// Starts Firefox.
    ///
    /// # Errors
    /// [`crate::Error::Start`] when it is not installed or does not come up within 30 s.
    pub fn firefox() -> Result<Self> {
        let process = launch::firefox()?;
        let connection = bidi::connect(process.address())?;
        Ok(Self::new(Engine::Firefox, connection, process))
    }

    fn new(engine: Engine, connection: Connection, process: Launched) -> Self {
        let connection = Arc::new(connection);
        Self {
            engine,
            connection,
            opened: AtomicU32::new(0),
            _process: process,
        }
    }

    /// `chromium` or `firefox`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.engine {
            Engine::Chromium => "chromium",
            Engine::Firefox => "firefox",
        }
    }

    /// A new user with a page at that address, loaded.
    ///
    /// # Errors
    /// When the address cannot be loaded.
    pub fn open(&self, url: &str) -> Result<Page> {
        let page = self.blank()?;
        page.go_to(url)?;
        Ok(page)
    }

    /// A new user with an empty page, to be prepared before it goes anywhere.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn blank(&self) -> Result<Page> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let tab: Box<dyn tab::Tab> = match self.engine {
            Engine::Chromium => Box::new(cdp::CdpTab::open(&self.connection)?),
            Engine::Firefox => Box::new(bidi::BidiTab::open(&self.connection)?),
        };
        Ok(Page::new(format!("{}-{number}", self.name()), tab))
    }

    /// Kills the browser's processes at once: its pages learn nothing and say nothing.
    ///
    /// That is what dropping it does; the name says what a test means.
    pub fn kill(self) {}
}
