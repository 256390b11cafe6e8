//! What users install: the Debian package with its service, and the container image. Each is made as
//! they make it, but for the profile of the binary in it, put where it harms nobody, run by the words
//! that it brings along, and taken away again.

mod container;
mod debian;
mod manager;
mod sandbox;
mod settings;
mod unit;

use std::process::{Command, Stdio};

use oneport_tests::{Error, Result};

/// Runs a command to its end; what it printed.
fn run(command: &mut Command) -> Result<String> {
    let program = format!("{command:?}");
    let failed = |why| Error::Start {
        program: program.clone(),
        why,
    };
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    match output.status.success() {
        true => Ok(stdout),
        false => Err(failed(format!("{}: {stdout}{stderr}", output.status))),
    }
}
