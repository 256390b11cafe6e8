//! What a service says to whoever started it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use oneport_tests::{Error, Result};

/// A service is up in milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Listens as a service manager does.
pub(crate) struct Manager(UnixDatagram);

impl Manager {
    /// Listens at this path, to anybody.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let socket = UnixDatagram::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o777))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// Waits until it is told this line.
    pub(crate) fn wait_for(&self, line: &str) -> Result {
        let mut heard = String::new();
        let mut buffer = [0; 1024];
        loop {
            let Ok(length) = self.0.recv(&mut buffer) else {
                return Err(Error::Expired {
                    what: format!("{line} from the service"),
                    after: PATIENCE,
                    seen: heard,
                });
            };
            let said = String::from_utf8_lossy(&buffer[..length]);
            if said.lines().any(|said| said == line) {
                return Ok(());
            }
            heard.push_str(&said);
        }
    }
}
