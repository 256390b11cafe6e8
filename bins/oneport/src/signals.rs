//! What signals mean to the relay.

use std::fs;
use std::io;
use std::sync::Arc;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::certificate::CertificateFiles;
use crate::server::{Server, Stopper};
use crate::service_manager::ServiceManager;

/// The signals of this process. From its construction on they wait until [`Self::serve`] acts on them: the server
/// may hold what must not be lost.
#[derive(Debug)]
pub struct RelaySignals {
    signals: Signals,
    at_hangup: AtHangup,
}

/// The meaning of SIGHUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtHangup {
    /// The relay was started from a terminal, which is gone: it stops properly.
    Stop,
    /// It is a service: files are read again.
    Reload,
}

impl RelaySignals {
    /// Catches signals from now on. SIGHUP stays ignored where the process was started so, by `nohup` for example.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses.
    pub fn catch() -> io::Result<Self> {
        let ignored = ignored();
        let optional = [SIGHUP, SIGUSR1, SIGUSR2];
        let optional = optional
            .into_iter()
            .filter(|signal| !ignored.contains(*signal));
        // A shell has SIGINT and SIGQUIT ignored by what it starts in the background. They still stop the relay.
        Ok(Self {
            signals: Signals::new([SIGINT, SIGTERM, SIGQUIT].into_iter().chain(optional))?,
            at_hangup: match has_terminal() {
                true => AtHangup::Stop,
                false => AtHangup::Reload,
            },
        })
    }

    /// Starts a thread that acts on them. The first signal that stops the relay stops it properly, a second one at
    /// once.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses a thread.
    pub fn serve(self, server: &Server) -> io::Result<()> {
        let Self {
            mut signals,
            at_hangup,
        } = self;
        let mut reaction = Reaction {
            stopper: server.stopper(),
            certificate: server.certificate(),
            at_hangup,
            is_stopping: false,
        };
        let thread = std::thread::Builder::new().name("signals".into());
        thread.spawn(move || signals.forever().for_each(|signal| reaction.to(signal)))?;
        Ok(())
    }
}

struct Reaction {
    stopper: Stopper,
    certificate: Option<Arc<CertificateFiles>>,
    at_hangup: AtHangup,
    is_stopping: bool,
}

impl Reaction {
    fn to(&mut self, signal: i32) {
        match (signal, self.at_hangup) {
            (SIGUSR1 | SIGUSR2, _) => log::info!("SIGUSR1 and SIGUSR2 are ignored"),
            (SIGHUP, AtHangup::Reload) => self.reload(),
            // A terminal that hangs up may send it, and the shell in it once more.
            (SIGHUP, AtHangup::Stop) if self.is_stopping => {}
            _ if self.is_stopping => std::process::exit(128 + signal),
            _ => {
                self.is_stopping = true;
                log::info!("stopping");
                ServiceManager::stopping();
                self.stopper.stop();
            }
        }
    }

    /// All else that files say counts at the start only.
    fn reload(&self) {
        match &self.certificate {
            Some(files) => {
                log::info!("SIGHUP: the certificate is read again; other settings need a restart");
                files.reload();
            }
            None => {
                log::info!(
                    "SIGHUP: there is no certificate to read again; settings need a restart"
                );
            }
        }
    }
}

/// Whether this process has a controlling terminal.
fn has_terminal() -> bool {
    fs::File::open("/dev/tty").is_ok()
}

/// A set of signals.
struct SignalSet(u64);

impl SignalSet {
    fn contains(&self, signal: i32) -> bool {
        self.0 >> (signal - 1) & 1 == 1
    }
}

/// The signals that this process ignores, as far as the system says.
fn ignored() -> SignalSet {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    SignalSet(mask.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::SIGPIPE;

    use super::*;

    #[test]
    fn ignored_signals_are_known() {
        // Rust's runtime ignores this one at the start.
        assert!(ignored().contains(SIGPIPE));
        assert!(!ignored().contains(SIGTERM));
    }
}
