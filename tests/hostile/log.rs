//! A log that nobody reads, or that cannot be written: the relay's members must not notice.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Write};
use std::net::UdpSocket;
use std::process::Stdio;
use std::time::Duration;

use oneport_tests::{
    Result,
    relay::{self, Relay, free_address},
    talkers::newcomer,
};

use crate::{WORST, alone, talkers};

/// Each leaves some lines in the log.
const NEWCOMERS: usize = 300;

/// Serves members and newcomers, whose coming and going is logged, and ends when it is told to.
fn serves(fault: &str, stdout: Stdio, stderr: Stdio) -> Result {
    let _alone = alone();
    let relay = Relay::start_unseen(free_address()?, stdout, stderr)?;
    let talkers = talkers(relay.url())?;
    let mut took = Duration::ZERO;
    for _ in 0..NEWCOMERS {
        took = took.max(newcomer(relay.url())?);
    }
    talkers.all_hear_all(WORST)?;
    let figures = talkers.finish();
    let ended = relay.terminate()?;
    figures.print(
        fault,
        &format!("newcomers need {} ms at most", took.as_millis()),
    );
    figures.assert_unnoticed(WORST);
    assert!(took < WORST, "{took:?}");
    assert_eq!(ended.code(), Some(0));
    Ok(())
}

#[test]
fn a_start_that_fails_keeps_its_exit_code() -> Result {
    let taken = UdpSocket::bind("127.0.0.1:0")?;
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let mut command = relay::command()?;
    command.args(["--listen", &taken.local_addr()?.to_string()]);
    let status = command.stderr(writer).stdin(Stdio::null()).status()?;
    assert_eq!(status.code(), Some(1));
    Ok(())
}

/// A pipe that is full for as long as its reader, which does not read, is held.
fn full_pipe() -> Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = std::io::pipe()?;
    let mut filler = writer.try_clone()?;
    // It fills what there is and waits for more room, until the reader is gone.
    std::thread::spawn(move || while filler.write_all(&[b'x'; 4096]).is_ok() {});
    Ok((reader, writer))
}

#[test]
fn that_nobody_reads() -> Result {
    let (_reader, writer) = full_pipe()?;
    serves(
        "stderr a full pipe that nobody reads",
        Stdio::null(),
        writer.into(),
    )
}

#[test]
fn whose_reader_is_gone() -> Result {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    serves("stderr a closed pipe", Stdio::null(), writer.into())
}

#[test]
fn on_a_full_disk() -> Result {
    let full = File::options().write(true).open("/dev/full")?;
    serves("stderr on a full disk", Stdio::null(), full.into())
}

#[test]
fn and_stdout_closed() -> Result {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    serves("stdout a closed pipe", writer.into(), Stdio::null())
}
