//! Runs the program that does the work, and has valgrind count the relay's part of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use oneport_tests::{Error, Result, artifacts, relay};

use crate::phase::Phase;

/// The calls by which one comes into the relay: what is counted is what happens within them. None of
/// them is within another. (Full names: of patterns that begin alike, valgrind sees only the first.)
const DOORS: [&str; 4] = [
    "oneport_core::machine::<impl oneport_link::machine::Machine for oneport_core::relay::Relay>\
     ::handle_input",
    "oneport_core::machine::<impl oneport_link::machine::Machine for oneport_core::relay::Relay>\
     ::poll_transmit",
    "oneport_core::machine::<impl oneport_link::machine::Machine for oneport_core::relay::Relay>\
     ::poll_timeout",
    "oneport_core::connect::<impl oneport_core::relay::Relay>::connect",
];

/// The program's marks.
const BEGINS: &str = "cost::phase_begins";
const ENDS: &str = "cost::phase_ends";

/// Has glibc copy and fill in a loop: callgrind counts `rep movsb` as an instruction for each byte,
/// which would make a copy of some kilobytes look a hundred times as dear as it is.
const NO_REP: (&str, &str) = ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS");

/// Of the profile in Cargo.toml.
const PROFILE: &str = "cost";

/// What the program did; `None`, after saying why, where there is no valgrind.
///
/// What valgrind has found out stays with the artifacts, for `callgrind_annotate`.
///
/// # Errors
/// [`Error::Start`] with what was printed, where it cannot be built or run.
pub(crate) fn run() -> Result<Option<Vec<Phase>>> {
    if version("valgrind").is_none() {
        println!("skipped: there is no valgrind here");
        return Ok(None);
    }
    let program = relay::example_with("oneport-sim", "cost", PROFILE)?;
    let folder = artifacts::path("cost")?;
    // Of an earlier run there may be more.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        // Names in full, wherever they stand.
        .arg("--compress-strings=no")
        .args(DOORS.map(|door| format!("--toggle-collect={door}")))
        .arg(format!("--zero-before={BEGINS}"))
        .arg(format!("--dump-after={ENDS}"))
        .arg("--callgrind-out-file=callgrind.out")
        .arg(program.get_program())
        .env(NO_REP.0, NO_REP.1)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr)));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    phases(&folder, &lines).map(Some)
}

/// The first line of what a program says of its version, if it is there.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().next().map(str::to_owned)
}

/// The n-th line that the program printed is about the n-th file that valgrind wrote.
fn phases(folder: &Path, lines: &str) -> Result<Vec<Phase>> {
    let mut phases = Vec::new();
    let mut found = [false; DOORS.len()];
    for (index, line) in lines.lines().enumerate() {
        let file = folder.join(format!("callgrind.out.{}", index + 1));
        let profile = fs::read_to_string(&file)
            .map_err(|error| failed(format!("{}: {error}", file.display())))?;
        for (door, found) in DOORS.iter().zip(&mut found) {
            *found |= profile
                .lines()
                .any(|line| line.strip_prefix("fn=") == Some(door));
        }
        phases.push(Phase::parse(line, total(&profile)?)?);
    }
    // A door with another name would make everything look cheap.
    match DOORS.iter().zip(found).find(|(_, found)| !found) {
        Some((door, _)) => Err(failed(format!("nothing was counted in {door}"))),
        None => Ok(phases),
    }
}

fn total(profile: &str) -> Result<u64> {
    let mut lines = profile.lines();
    let summary = lines.find_map(|line| line.strip_prefix("summary: "));
    let total = summary.and_then(|count| count.parse().ok());
    total.ok_or_else(|| failed("a profile without a summary"))
}

fn failed(why: impl Into<String>) -> Error {
    Error::Start {
        program: "the example cost under valgrind".into(),
        why: why.into(),
    }
}
