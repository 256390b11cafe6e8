use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use data_encoding::BASE64;
use serde_json::Value;

use super::tab::{Network, Screen, Tab};
use crate::{
    Error, Result, artifacts,
    wait::{self, Look},
};

/// For loading a page, and for a script for which the test names no bound.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A page of its own user; it is closed when dropped.
#[derive(Debug)]
pub struct Page {
    name: String,
    tab: Box<dyn Tab>,
    /// Nothing is left to close.
    closed: bool,
}

impl Page {
    pub(super) fn new(name: String, tab: Box<dyn Tab>) -> Self {
        Self {
            name,
            tab,
            closed: false,
        }
    }

    /// The browser's name with a number, such as `firefox-3`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Loads an address in this page and waits for its load event.
    ///
    /// # Errors
    /// When it cannot be loaded within 20 s.
    pub fn go_to(&self, url: &str) -> Result {
        self.tab.go_to(url, TIMEOUT)
    }

    /// Runs a script in every document that this page loads later, before the document's own scripts.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn before_load(&self, script: &str) -> Result {
        self.tab.before_load(script)
    }

    /// The value of a JavaScript expression, awaited if it is a promise, as JSON: what
    /// `JSON.stringify` makes of it, and `null` for `undefined`. Statements go into a function that is
    /// called on the spot.
    ///
    /// # Errors
    /// [`Error::Exception`] when the script throws; [`Error::Expired`] after 20 s.
    pub fn eval(&self, expression: &str) -> Result<Value> {
        self.eval_within(expression, TIMEOUT)
    }

    /// [`Page::eval`] with another bound.
    ///
    /// # Errors
    /// As [`Page::eval`].
    pub fn eval_within(&self, expression: &str, timeout: Duration) -> Result<Value> {
        // The line break ends a comment.
        let json = format!("(async () => JSON.stringify((await ({expression}\n)) ?? null))()");
        let text = self.tab.eval(&json, timeout)?;
        serde_json::from_str(&text).map_err(|_| Error::Garbled { what: text })
    }

    /// Waits until a JavaScript expression is `true`. Until then it may be anything else, best what
    /// helps to see why (`list.length === 3 || list`), and may throw.
    ///
    /// # Errors
    /// [`Error::Expired`] with the expression's last value, the page's console and the path of a
    /// screenshot.
    pub fn wait_for(&self, condition: &str, timeout: Duration) -> Result {
        let what = format!("{condition} in {}", self.name);
        let waited = wait::until(what, timeout, || match self.eval(condition) {
            Ok(Value::Bool(true)) => Ok(Look::Done(())),
            Ok(value) => Ok(Look::NotYet(value.to_string())),
            // The page may be between two documents.
            Err(error @ (Error::Exception { .. } | Error::Refused { .. })) => {
                Ok(Look::NotYet(error.to_string()))
            }
            Err(error) => Err(error),
        });
        waited.map_err(|error| match error {
            Error::Expired { what, after, seen } => Error::Expired {
                what,
                after,
                seen: seen + &self.evidence(),
            },
            error => error,
        })
    }

    /// What helps to see why a wait ran out.
    fn evidence(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let shot = artifacts::path(&format!(
            "expired-{}-{number}-{}.png",
            std::process::id(),
            self.name
        ))
        .and_then(|path| self.screenshot(&path).map(|()| path.display().to_string()))
        .unwrap_or_else(|error| error.to_string());
        let console: Vec<_> = self
            .console()
            .iter()
            .map(|line| format!("\n    {line}"))
            .collect();
        format!(
            "\n  screenshot: {shot}\n  console: {} lines{}",
            console.len(),
            console.concat()
        )
    }

    /// Writes what is visible to a PNG file.
    ///
    /// # Errors
    /// When the page is dead, or the file cannot be written.
    pub fn screenshot(&self, path: &Path) -> Result {
        fs::write(path, self.screenshot_png()?).map_err(Error::from)
    }

    /// What is visible, as the bytes of a PNG file.
    ///
    /// # Errors
    /// When the page is dead.
    pub fn screenshot_png(&self) -> Result<Vec<u8>> {
        let data = self.tab.screenshot()?;
        let garbled = |_| Error::Garbled {
            what: "a screenshot that is not base64".into(),
        };
        BASE64.decode(data.as_bytes()).map_err(garbled)
    }

    /// What the page logged so far, each line with its level in front, such as `[warning] slow`.
    #[must_use]
    pub fn console(&self) -> Vec<String> {
        self.tab.console().all()
    }

    /// Makes the page's screen another.
    ///
    /// # Errors
    /// [`Error::Unsupported`] in Firefox if the screen is dark or has touch.
    pub fn emulate_screen(&self, screen: Screen) -> Result {
        self.tab.emulate_screen(screen)
    }

    /// Makes the page's network worse, or good again.
    ///
    /// # Errors
    /// [`Error::Unsupported`] in Firefox.
    pub fn emulate_network(&self, network: Network) -> Result {
        self.tab.emulate_network(network)
    }

    /// Closes the page as a user would: it is told and may say goodbye. Its storage goes with it.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn close(mut self) -> Result {
        self.closed = true;
        self.tab.close()
    }

    /// Kills the page's process, so that no handler of the page runs.
    ///
    /// # Errors
    /// [`Error::Unsupported`] in Firefox: only [`super::Browser::kill`] ends it as rudely.
    pub fn kill(&self) -> Result {
        self.tab.kill()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !self.closed {
            // The browser may be gone already, and the page with it.
            let _ = self.tab.close();
        }
    }
}
