//! Offers: whatever a client says it can do.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use oneport_core::{Certificate, LinkConfig, parse_offer};
use oneport_link::{Credentials, Link};

/// The bytes are an offer.
///
/// # Panics
///
/// Where the answer has other media sections than the offer, or no transport, or more than one.
pub fn offers(data: &[u8]) {
    static CONFIG: OnceLock<Arc<LinkConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let address = (IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)), 3478).into();
        Arc::new(LinkConfig::new(Certificate::generate(), vec![address]))
    });
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let Ok(offer) = parse_offer(text) else {
        return;
    };
    let credentials = Credentials {
        ufrag: "ours".into(),
        password: "0123456789abcdefghijklmn".into(),
    };
    let answered = Link::answer(now(), Arc::clone(config), credentials, &offer);
    let (_, answer) = answered.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(media(text), media(&answer), "{answer}");
    for needed in ["\r\na=ice-ufrag:", "\r\na=fingerprint:", "\r\na=candidate:"] {
        assert_eq!(answer.matches(needed).count(), 1, "{answer}");
    }
}

/// The media of the sections, in order.
fn media(sdp: &str) -> Vec<&str> {
    let lines = sdp.split(['\r', '\n']).map(str::trim_ascii);
    let sections = lines.filter_map(|line| line.strip_prefix("m="));
    sections
        .map(|section| section.split_ascii_whitespace().next().unwrap_or_default())
        .collect()
}

/// All links are answered at the same time.
fn now() -> Instant {
    static NOW: OnceLock<Instant> = OnceLock::new();
    *NOW.get_or_init(Instant::now)
}
