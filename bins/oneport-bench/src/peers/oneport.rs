//! oneport itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::{env, io};

use super::{Place, Server};

const PORT: u16 = 3478;

/// The limits are there to protect a relay from what a load generator does.
const LIMIT: &str = "50000";

/// The relay that was built with us.
fn binary() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("oneport"))
}

pub(super) fn missing() -> Option<String> {
    let is_there = binary().is_ok_and(|binary| binary.is_file());
    (!is_there).then(|| {
        "oneport must be built beside this program: cargo build --release --workspace".into()
    })
}

pub(super) fn start(place: &Place) -> io::Result<Server> {
    let address = SocketAddr::new(place.address, PORT);
    let mut command = place.command(binary()?);
    command
        .args(["serve", "--open", "--listen", &address.to_string()])
        .args(["--max-clients", LIMIT, "--max-rooms", LIMIT])
        .args(["--max-room-clients", LIMIT])
        .args(["--max-clients-per-address", LIMIT])
        .args(["--max-connecting-per-address", LIMIT])
        .env("RUST_LOG", "warn");
    Server::start(command, tempfile::tempdir()?, address, "")
}
