//! Janus with nothing but TextRoom and its HTTP API.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Place, Server, is_installed};

const PORT: u16 = 8088;

/// The shared objects that it loads, by the folders that it wants them in.
const PARTS: [(&str, &str); 2] = [
    ("plugins", "libjanus_textroom.so"),
    ("transports", "libjanus_http.so"),
];

/// Where its parts are: in a folder named after the architecture, or without one.
fn parts() -> Option<PathBuf> {
    let libraries = Path::new("/usr/lib");
    let below = fs::read_dir(libraries).into_iter().flatten().flatten();
    below
        .map(|entry| entry.path())
        .chain([libraries.to_path_buf()])
        .map(|folder| folder.join("janus"))
        .find(|folder| folder.join("plugins").is_dir())
}

pub(super) fn missing() -> Option<String> {
    (!is_installed("janus") || parts().is_none())
        .then(|| "Janus is not installed: apt-get install janus".into())
}

/// Sessions end only when they are told to: whoever measures does not send keep-alives. Connections share
/// as many threads as there are cores; one for each, the default, costs up to twice the CPU.
fn general(folder: &Path, place: &Place) -> String {
    let folder = folder.display();
    let address = place.address;
    let event_loops = place.cores();
    format!(
        r#"general: {{
    configs_folder = "{folder}"
    plugins_folder = "{folder}/plugins"
    transports_folder = "{folder}/transports"
    events_folder = "{folder}/events"
    loggers_folder = "{folder}/loggers"
    debug_level = 2
    debug_colors = false
    session_timeout = 0
    event_loops = {event_loops}
}}
nat: {{
    ice_enforce_list = "{address}"
}}
"#
    )
}

fn http(address: IpAddr) -> String {
    format!(
        r#"general: {{
    json = "compact"
    http = true
    ip = "{address}"
    port = {PORT}
}}
"#
    )
}

const TEXTROOM: &str = r#"general: {
    json = "compact"
}
"#;

pub(super) fn start(place: &Place) -> io::Result<Server> {
    if place.address.is_loopback() {
        let why = "Janus ignores loopback: it needs another address";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let source = parts().ok_or(io::ErrorKind::NotFound)?;
    let temporary = tempfile::tempdir()?;
    let folder = temporary.path();
    for (kind, object) in PARTS {
        fs::create_dir(folder.join(kind))?;
        symlink(
            source.join(kind).join(object),
            folder.join(kind).join(object),
        )?;
    }
    for kind in ["events", "loggers"] {
        fs::create_dir(folder.join(kind))?;
    }
    let main = folder.join("janus.jcfg");
    fs::write(&main, general(folder, place))?;
    fs::write(
        folder.join("janus.transport.http.jcfg"),
        http(place.address),
    )?;
    fs::write(folder.join("janus.plugin.textroom.jcfg"), TEXTROOM)?;
    let mut command = place.command("janus");
    command.arg("-C").arg(&main);
    let address = SocketAddr::new(place.address, PORT);
    Server::start(command, temporary, address, "/janus")
}
