//! Who gets in.

use std::time::Duration;

use oneport::token::{Claims, Right, UnixTime};

use crate::common::{Relay, SECRET, authority, bad_tokens, claims};

#[test]
fn over_http() {
    let relay = Relay::start();
    let (status, code, response) = relay.post("lobby", None);
    assert_eq!((status, &*code), (401, "token_missing"));
    assert!(response.contains("\r\nWWW-Authenticate: Bearer\r\n"));
    for (what, token, status, code) in bad_tokens() {
        let (found_status, found, response) = relay.post("lobby", Some(&token));
        assert_eq!((found_status, &*found), (status, code), "{what}");
        let challenges = response.contains("\r\nWWW-Authenticate: Bearer ");
        assert_eq!(challenges, status == 401, "{what}");
        // Only time helps, and only here.
        let may_retry = response.contains("\r\nRetry-After: ");
        assert_eq!(may_retry, what == "not yet valid", "{what}");
    }
    // A token that was signed by a clock that is ahead.
    let ahead = UnixTime::now() + Duration::from_secs(20);
    let token = authority(SECRET).mint(&Claims {
        nbf: Some(ahead),
        iat: Some(ahead),
        ..claims("lobby")
    });
    assert_eq!(relay.post("lobby", Some(&token)).0, 201);
    for (pattern, room) in [("lobby", "lobby"), ("team-*", "team-7"), ("*", "anywhere")] {
        let token = authority(SECRET).mint(&claims(pattern));
        let (status, _, response) = relay.post(room, Some(&token));
        assert_eq!(status, 201, "{pattern} {room}: {response}");
        assert!(response.contains(" webrtc-datachannel"), "{response}");
    }
}

/// As `oneport token --help` and README say it: each of the first three rights lets its bearer in.
#[test]
fn which_rights_let_in() {
    let relay = Relay::start();
    let bits = 0..1_usize << Right::ALL.len();
    for bits in bits {
        let is_in = |(index, right)| (bits >> index & 1 == 1).then_some(right);
        let rights: Vec<Right> = Right::ALL
            .into_iter()
            .enumerate()
            .filter_map(is_in)
            .collect();
        let token = authority(SECRET).mint(&Claims {
            can: rights.iter().copied().collect(),
            ..claims("lobby")
        });
        let lets_in = [Right::Join, Right::Publish, Right::Subscribe]
            .iter()
            .any(|right| rights.contains(right));
        let expected = if lets_in {
            (201, "")
        } else {
            (403, "forbidden")
        };
        let (status, code, _) = relay.post("lobby", Some(&token));
        assert_eq!((status, &*code), expected, "{rights:?}");
        let (code, _) = relay.ask("lobby", Some(&token));
        assert_eq!(code, expected.1, "{rights:?}");
    }
}

#[test]
fn over_websocket() {
    let relay = Relay::start();
    assert_eq!(relay.ask("lobby", None).0, "token_missing");
    for (what, token, _, code) in bad_tokens() {
        assert_eq!(relay.ask("lobby", Some(&token)).0, code, "{what}");
    }
    let token = authority(SECRET).mint(&claims("team-*"));
    assert_eq!(relay.ask("team-7", Some(&token)).0, "");
}

/// The page and its health need no token: what is worth something is in the rooms.
#[test]
fn what_is_public_stays_public() {
    let relay = Relay::start();
    let health = relay.get("/healthz");
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    assert!(relay.get("/").starts_with("HTTP/1.1 200 "));
}
