use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
};

use oneport_tests::{Error, Result, browser::Browser};

/// The turn of one test, with both browsers for it.
///
/// The browsers are started once: every page of theirs is another user anyway.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) chromium: &'static Browser,
    pub(crate) firefox: &'static Browser,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    pub(crate) fn set() -> Result<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        // A test that failed in its turn leaves nothing behind that matters to the next.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let [chromium, firefox] = browsers()?;
        Ok(Self {
            chromium,
            firefox,
            _turn: turn,
        })
    }

    pub(crate) fn both(&self) -> [&'static Browser; 2] {
        [self.chromium, self.firefox]
    }
}

fn browsers() -> Result<[&'static Browser; 2]> {
    static BROWSERS: OnceLock<Result<[Browser; 2], String>> = OnceLock::new();
    let started = BROWSERS.get_or_init(|| start().map_err(|error| error.to_string()));
    let [chromium, firefox] = started.as_ref().map_err(|why| Error::Start {
        program: "a browser".into(),
        why: why.clone(),
    })?;
    Ok([chromium, firefox])
}

fn start() -> Result<[Browser; 2]> {
    thread::scope(|scope| {
        let firefox = scope.spawn(Browser::firefox);
        let chromium = Browser::chromium()?;
        Ok([
            chromium,
            firefox.join().expect("starting a browser does not panic")?,
        ])
    })
}
