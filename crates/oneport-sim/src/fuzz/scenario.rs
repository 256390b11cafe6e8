//! Operations of members, under the oracle's eyes.

use crate::Scenario;

/// [`Scenario::from_bytes`], and what the oracle says to it.
///
/// # Panics
///
/// Where the oracle finds a fault.
pub fn scenario(data: &[u8]) {
    if let Err(faults) = Scenario::from_bytes(data).run() {
        panic!("{faults:#?}");
    }
}
