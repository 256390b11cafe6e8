//! The service's unit.

use std::path::{Path, PathBuf};
use std::process::Command;

use oneport_tests::Result;

use crate::run;

/// Of 10, where 10 is a service that may do whatever it likes. Most services of a distribution have 9.
const EXPOSURE_MAX: f64 = 2.0;

/// The folder with what is packed.
pub(crate) fn packaging() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("../bins/oneport/packaging")
}

/// What a unit says.
pub(crate) struct Unit(pub(crate) String);

impl Unit {
    /// The value of a key that stands there once.
    pub(crate) fn value(&self, key: &str) -> &str {
        let mut values = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let value = values.next().unwrap_or_else(|| panic!("{key} is missing"));
        assert_eq!(values.next(), None, "{key} is there twice");
        value
    }
}

#[test]
fn a_service_that_is_taken_over_can_do_little() -> Result {
    let report = run(Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(packaging().join("oneport.service")))?;
    let (_, verdict) = report
        .split_once("Overall exposure level for oneport.service: ")
        .expect("a verdict");
    let exposure: f64 = verdict
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number");
    println!("exposure {exposure} of 10");
    assert!(exposure <= EXPOSURE_MAX, "{report}");
    Ok(())
}
