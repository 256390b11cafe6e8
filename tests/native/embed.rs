//! The core in a program of one's own: the example is one, and it is run here.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use oneport_link::{ChannelConfig, Kind, Write};
use oneport_tests::{Result, native::NativeClient, relay};

/// Kills the example when the test ends, however it does.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn join(data: SocketAddr, sdp: SocketAddr) -> Result<NativeClient> {
    let (mut client, offer) = NativeClient::offer(data, ChannelConfig::new("chat"))?;
    let mut signaling = TcpStream::connect(sdp)?;
    signaling.write_all(offer.as_bytes())?;
    signaling.shutdown(Shutdown::Write)?;
    signaling.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answer = String::new();
    signaling.read_to_string(&mut answer)?;
    client.accept(&answer)?;
    client.run_until("the channel to open", |client| !client.channels.is_empty())?;
    Ok(client)
}

#[test]
fn the_example_relays() -> Result {
    let mut command = relay::example("oneport-core", "embed")?;
    command
        .args(["127.0.0.1:0", "127.0.0.1:0"])
        .stdout(Stdio::piped());
    let mut example = Example(command.spawn()?);
    let stdout = example.0.stdout.take().expect("it is piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let addresses: Vec<SocketAddr> = line
        .split(' ')
        .filter_map(|w| w.trim().parse().ok())
        .collect();
    let [data, sdp] = addresses[..] else {
        panic!("two addresses, not {line:?}");
    };
    let mut ada = join(data, sdp)?;
    let mut bob = join(data, sdp)?;
    assert_eq!(ada.send(Kind::Text, b"embedded"), Write::Accepted);
    bob.run_until("it arrives", |bob| {
        ada.turn(Duration::from_millis(1)).is_ok() && bob.heard() == ["embedded"]
    })
}
