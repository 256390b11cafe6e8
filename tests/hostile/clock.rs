//! A wall clock that steps: only what is stamped with it may show that.

use std::fs;
use std::path::PathBuf;

use oneport_tests::{Result, artifacts, http, relay::Relay, talkers::newcomer};

use crate::{WORST, alone, talkers};

/// Debian's package `libfaketime`, which shows a process another clock, in its folder under `/usr/lib`.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

fn faketime() -> Result<Option<PathBuf>> {
    let folders: Vec<_> = fs::read_dir("/usr/lib")?.collect::<Result<_, _>>()?;
    let mut paths = folders.iter().map(|folder| folder.path().join(FAKETIME));
    Ok(paths.find(|path| path.exists()))
}

/// The year in the `Date` header, which is the relay's wall clock.
fn year(relay: &Relay) -> Result<String> {
    let date = http::get(relay.address(), "/healthz")?;
    let date = date.header("date").unwrap_or_default();
    Ok(date.split(' ').nth(3).unwrap_or_default().to_owned())
}

#[test]
fn steps_forth_and_back() -> Result {
    let Some(faketime) = faketime()? else {
        println!("skipped: libfaketime is not installed");
        return Ok(());
    };
    let _alone = alone();
    let step = artifacts::path("clock-step")?;
    fs::write(&step, "+0d")?;
    let preload = format!("LD_PRELOAD={}", faketime.display());
    let file = format!("FAKETIME_TIMESTAMP_FILE={}", step.display());
    let wrapper = [
        "env",
        &preload,
        &file,
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
    let relay = Relay::start_by(&wrapper, &["--listen", "127.0.0.1:0"])?;
    let talkers = talkers(relay.url())?;
    let mut years = vec![year(&relay)?];
    let mut took = Vec::new();
    for offset in ["+800d", "-800d", "+0d"] {
        fs::write(&step, offset)?;
        years.push(year(&relay)?);
        talkers.all_hear_all(WORST)?;
        took.push(newcomer(relay.url())?);
        talkers.all_hear_all(WORST)?;
    }
    let figures = talkers.finish();
    let took = took.into_iter().max().unwrap_or_default();
    let remark = format!("newcomers need {} ms at most", took.as_millis());
    figures.print("the wall clock steps by 800 days, forth and back", &remark);
    assert_eq!(years[0], years[3], "{years:?}");
    assert!(
        years[1] > years[0] && years[2] < years[0],
        "it did not step: {years:?}"
    );
    figures.assert_unnoticed(WORST);
    assert!(took < WORST, "{took:?}");
    Ok(())
}
