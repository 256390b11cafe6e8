//! `--state`: what is not what a relay has left is refused aloud and set aside, and who cannot leave
//! anything says so.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use oneport::Participant;
use oneport::client::{Command, Event, Payload, Publish, join};
use oneport_tests::{Result, relay::Relay, talkers};
use tempfile::TempDir;

/// Longer than anything here takes, however busy the machine is.
const SOON: Duration = Duration::from_secs(20);

const ON_LOOPBACK: [&str; 2] = ["--listen", "127.0.0.1:0"];

fn start(file: &Path) -> Result<Relay> {
    let file = file.to_str().expect("UTF-8");
    Relay::start(&[&ON_LOOPBACK[..], &["--state", file]].concat())
}

/// Somebody who has said something of that size in the room `lobby`.
fn speaker(relay: &Relay, bytes: usize) -> Result<Participant> {
    let mut participant = talkers::enter(relay.url(), "lobby")?;
    let text = "x".repeat(bytes);
    let publish = Publish::new("lobby".parse().expect("a name"), Payload::Text(text.into()));
    let id = Some("1".parse().expect("an id"));
    participant.command(Command::Publish { id, publish })?;
    while !matches!(participant.next_event(SOON)?, Some(Event::Ack(_))) {}
    Ok(participant)
}

/// The state of a relay with somebody in it.
fn left(file: &Path) -> Result<Vec<u8>> {
    let relay = start(file)?;
    let speaker = speaker(&relay, 2000)?;
    assert!(relay.terminate()?.success());
    drop(speaker);
    Ok(fs::read(file)?)
}

fn set_aside(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder)?.map(|file| Ok(file?.path()));
    let files: Vec<_> = files.collect::<Result<_>>()?;
    let is_aside = |file: &PathBuf| file.to_string_lossy().contains(".damaged-");
    Ok(files.into_iter().filter(is_aside).collect())
}

#[test]
fn only_its_owner_reads_it_and_it_is_gone_while_a_relay_runs() -> Result {
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    left(&file)?;
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    let relay = start(&file)?;
    relay.wait_for_log("going on with 1 rooms, 2 entries and 1 sessions", SOON)?;
    assert!(!file.exists());
    // There is one owner of a state at a time.
    relay.kill();
    let relay = start(&file)?;
    relay.wait_for_log("there is no state", SOON)?;
    Ok(())
}

/// Whatever is changed about it: nothing of it is used, it stays for whoever wants to look at it, and
/// the relay serves.
#[test]
fn what_is_damaged_or_foreign_is_set_aside() -> Result {
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let good = left(&file)?;
    fs::remove_file(&file)?;
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    // The magic, the length, the checksum, the version, and all over the rest.
    let mut cases: Vec<_> = [0, 15, 16, 23, 24, 55, 56, 57, 58].map(flipped).to_vec();
    cases.extend((100..good.len()).step_by(good.len() / 4).map(flipped));
    cases.extend([1, 20, 40, 57, good.len() - 1].map(|length| good[..length].to_vec()));
    cases.push(Vec::new());
    cases.push([&good[..], b"x"].concat());
    cases.push(b"#!/bin/sh\necho hello\n".repeat(100));
    for (number, bytes) in cases.iter().enumerate() {
        fs::write(&file, bytes)?;
        let relay = start(&file)?;
        let line = relay.wait_for_log("cannot be used", SOON)?;
        assert!(line.contains("ERROR"), "{line}");
        let aside = set_aside(folder.path())?;
        assert_eq!(aside.len(), 1, "{number}: {line}");
        assert_eq!(&fs::read(&aside[0])?, bytes, "{number}");
        fs::remove_file(&aside[0])?;
        relay.kill();
    }
    // The same as it was.
    fs::write(&file, &good)?;
    start(&file)?.wait_for_log("going on with 1 rooms", SOON)?;
    Ok(())
}

#[test]
fn a_folder_that_is_not_there_is_found_at_the_start() -> Result {
    let folder = TempDir::new()?;
    let nowhere = folder.path().join("nowhere/state");
    for file in [&nowhere, &folder.path().to_path_buf()] {
        let file = file.to_str().expect("UTF-8");
        let output =
            oneport_tests::relay::run(&[&["serve", "--state", file], &ON_LOOPBACK[..]].concat())?;
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("no state can be kept in"), "{said}");
    }
    Ok(())
}

/// A file size that the system does not allow stands for a full disk: the relay says that it could not
/// leave its state, and leaves no part of it.
#[test]
fn a_full_disk_is_said() -> Result {
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let state = file.to_str().expect("UTF-8");
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let arguments = [&ON_LOOPBACK[..], &["--state", state]].concat();
    let relay = Relay::start_by(&["/bin/sh", "-c", limited, "sh"], &arguments)?;
    let log = relay.log();
    let speaker = speaker(&relay, 100_000)?;
    let status = relay.terminate()?;
    assert_eq!(status.code(), Some(1));
    log.wait_for("why", SOON, |line| {
        line.contains("the state cannot be left")
    })?;
    assert!(!file.exists());
    let left: Vec<_> = fs::read_dir(folder.path())?.collect();
    assert_eq!(left.len(), 1, "only the lock: {left:?}");
    drop(speaker);
    Ok(())
}

/// Somebody in a room with a long history comes back to it.
#[test]
fn somebody_comes_back_and_the_history_is_there() -> Result {
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let state = file.to_str().expect("UTF-8");
    let relay = start(&file)?;
    let address = relay.address().to_string();
    let mut speaker = speaker(&relay, 100)?;
    relay.terminate()?;
    let relay = Relay::start(&["--listen", &address, "--state", state])?;
    let joined = loop {
        if let Some(Event::Joined(joined)) = speaker.next_event(SOON)? {
            break joined;
        }
    };
    assert_eq!(joined.recovery, oneport::wire::frame::Recovery::Recovered);
    let mut newcomer = Participant::connect(relay.url(), "lobby".parse().expect("a name"), None)?;
    newcomer.join(oneport::client::Join {
        history: 10,
        ..join("lobby".parse().expect("a name"))
    })?;
    loop {
        if let Some(Event::Message {
            message,
            is_history,
        }) = newcomer.next_event(SOON)?
        {
            assert!(is_history);
            assert_eq!(message.payload.as_bytes().len(), 100);
            break;
        }
    }
    Ok(())
}
