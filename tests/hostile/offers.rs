//! Offers whose senders never send a datagram.

use std::net::{IpAddr, SocketAddr, TcpStream};

use oneport_link::ChannelConfig;
use oneport_tests::{
    Result,
    http::{self, Response},
    native::NativeClient,
    relay::Relay,
    talkers::newcomer,
};
use socket2::{Domain, Socket, Type};

use crate::{WORST, alone, talkers};

/// What the relay allows one address, unless told otherwise.
const PER_ADDRESS: usize = 64;

/// Together they ask for more than the 500 handshakes that the relay allows all of them.
const ADDRESSES: u8 = 12;

/// Posts an offer from this address.
fn post(relay: SocketAddr, from: IpAddr, offer: &str) -> Result<Response> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect(&relay.into())?;
    let request = format!(
        "POST /r/attic HTTP/1.1\r\nHost: {relay}\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{offer}",
        offer.len()
    );
    http::send_on(TcpStream::from(socket), request.as_bytes(), WORST)
}

/// Posts so many offers, and returns the codes of the refusals.
fn refusals(relay: SocketAddr, from: IpAddr, offers: usize, offer: &str) -> Result<Vec<String>> {
    let mut refusals = Vec::new();
    for _ in 0..offers {
        let response = post(relay, from, offer)?;
        if response.status != 201 {
            let problem: serde_json::Value =
                serde_json::from_slice(&response.body).unwrap_or_default();
            refusals.push(problem["code"].as_str().unwrap_or("none").to_owned());
        }
    }
    Ok(refusals)
}

#[test]
fn up_to_the_caps_and_beyond() -> Result {
    let _alone = alone();
    let relay = Relay::on_loopback()?;
    let talkers = talkers(relay.url())?;
    let (_, offer) = NativeClient::offer(relay.address(), ChannelConfig::new("chat"))?;
    let address = |n: u8| IpAddr::from([127, 0, 1, n]);

    let refused = refusals(relay.address(), address(1), PER_ADDRESS + 20, &offer)?;
    let expected = "too_many_handshakes_from_address";
    assert!(refused.len() <= 20 && refused.contains(&expected.into()));
    assert!(refused.iter().all(|code| code == expected), "{refused:?}");
    let one = newcomer(relay.url())?;

    let mut refused = Vec::new();
    for n in 2..=ADDRESSES {
        refused.extend(refusals(relay.address(), address(n), PER_ADDRESS, &offer)?);
    }
    assert_eq!(
        refused,
        Vec::<String>::new(),
        "each in the place of another"
    );
    let many = newcomer(relay.url())?;
    talkers.all_hear_all(WORST)?;

    let figures = talkers.finish();
    let remark = format!(
        "a newcomer needs {} ms beside one address, {} ms beside {ADDRESSES}",
        one.as_millis(),
        many.as_millis()
    );
    figures.print(
        "offers and never a datagram, up to the caps and beyond",
        &remark,
    );
    figures.assert_unnoticed(WORST);
    assert!(one < WORST && many < WORST, "{one:?} {many:?}");
    Ok(())
}
