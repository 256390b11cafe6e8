//! What systemd, or whatever else has started this process as a service, is told of its state:
//! sd_notify(3). Without `NOTIFY_SOCKET` in the environment nobody wants to know, and nothing happens.

use std::fmt::Write;
use std::time::Duration;

use oneport_io::CallError;
use sd_notify::NotifyState;

use crate::server::{BUSY_PAUSE, Probe, Server};

/// So often in each period of the watchdog it is told that all is well: a loop that is too busy for
/// one question is not restarted for it.
const SIGNS_PER_PERIOD: u32 = 3;

/// Whoever runs this process as a service.
pub struct ServiceManager;

impl ServiceManager {
    /// Tells it that clients can come now, and where; from then on signs of life, if it wants them.
    pub fn ready(server: &Server) {
        let mut status = String::from("serving on");
        for address in server.listen() {
            let _ = write!(status, " {address}");
        }
        tell(&[NotifyState::Status(&status), NotifyState::Ready]);
        if let Some(period) = sd_notify::watchdog_enabled() {
            watch(server.probe(), period);
        }
    }

    /// Tells it that the end is meant.
    pub fn stopping() {
        tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }
}

/// A manager that does not listen is no reason to stop.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("the service manager cannot be told: {error}");
    }
}

/// Passes on signs of life of the event loop, so that one that hangs is noticed and started anew: a
/// thread that only says that it lives itself would prove nothing.
fn watch(probe: Probe, period: Duration) {
    let pause = period / SIGNS_PER_PERIOD;
    let thread = std::thread::Builder::new().name("watchdog".into());
    let started = thread.spawn(move || {
        loop {
            match probe.answers() {
                Ok(()) => tell(&[NotifyState::Watchdog]),
                // A full queue is one that a loop which turns empties.
                Err(CallError::Busy) => {
                    std::thread::sleep(BUSY_PAUSE);
                    continue;
                }
                Err(CallError::Stopped) => return,
                Err(error) => log::warn!("no sign of life for the service manager: {error}"),
            }
            std::thread::sleep(pause);
        }
    });
    if let Err(error) = started {
        log::error!("no signs of life for the service manager: {error}");
    }
}
