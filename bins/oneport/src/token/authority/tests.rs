//! Tokens, good and bad.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{CLOCK_LEEWAY, EXPIRY_LEEWAY, Right, Rights};
use super::*;

const SECRET: &[u8] = b"only the relay and its friends know this";
const NOW: UnixTime = UnixTime::from_secs(1_790_000_000);
const SECOND: Duration = Duration::from_secs(1);

/// `{"alg":"HS256"}`.
const HS256: &str = "eyJhbGciOiJIUzI1NiJ9";

/// Made by a few lines of Python: `{"alg":"HS256"}`, and as claims `{"room": "team-*", "name":
/// "ada", "can": ["join", "publish"], "iat": 1790000000, "exp": 1790000900.5, "sub":
/// "ada@example.org", "jti": "1"}`.
const FOREIGN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJyb29tIjogInRlYW0tKiIsICJuYW1lIjogImFkYSIsICJjYW4iOiB\
    bImpvaW4iLCAicHVibGlzaCJdLCAiaWF0IjogMTc5MDAwMDAwMCwgImV4cCI6IDE3OTAwMDA5MDAuNSwgInN1YiI6ICJhZ\
    GFAZXhhbXBsZS5vcmciLCAianRpIjogIjEifQ.4UA14EqEJEI3_EOvbmHMPPN1mxnRC22P856mC3V9Zlg";

fn authority() -> Authority {
    Authority::new(&Secret::new(SECRET).expect("long enough"))
}

fn claims() -> Claims {
    Claims::new("lobby".parse().expect("a room"), NOW + 60 * SECOND)
}

/// A token with these claims under our secret, whatever they are.
fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET);
    jsonwebtoken::encode(&Header::new(ALGORITHM), claims, &key).expect("JSON")
}

/// A token with this header, encoded, and the right signature for it.
fn with_header(header: &str) -> String {
    let minted = authority().mint(&claims());
    let payload = minted.split('.').nth(1).expect("three parts");
    let message = format!("{header}.{payload}");
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, ALGORITHM);
    format!("{message}.{}", signature.expect("a key for HMAC"))
}

fn verify(token: &str) -> Result<Grant, TokenError> {
    authority().verify(token, NOW)
}

#[test]
fn what_is_minted_is_granted() {
    let mut claims = claims();
    claims.name = Some("ada \u{2764}".parse().expect("a name"));
    claims.can = Rights::from_iter([Right::Join, Right::Kick]);
    claims.nbf = Some(NOW);
    claims.iat = Some(NOW);
    claims.sub = Some("ada@example.org".parse().expect("a subject"));
    let grant = verify(&authority().mint(&claims)).expect("valid");
    assert_eq!(grant.rooms, claims.room);
    assert_eq!(grant.name, claims.name);
    assert_eq!(grant.rights, claims.can);
    assert_eq!(grant.expires, claims.exp);
    assert_eq!(grant.subject, claims.sub);
}

#[test]
fn the_largest_claims_make_a_token_that_is_not_too_long() {
    let mut claims = claims();
    claims.room = "r".repeat(64).parse().expect("a room");
    // What JSON must escape, so that it takes two bytes for one.
    claims.name = Some("\"".repeat(64).parse().expect("a name"));
    claims.sub = Some("\\".repeat(256).parse().expect("a subject"));
    claims.can = Right::ALL.into_iter().collect();
    claims.nbf = Some(NOW);
    claims.iat = Some(NOW);
    claims.exp = UnixTime::from_secs(u64::MAX);
    assert!(verify(&authority().mint(&claims)).is_ok());
}

#[test]
fn a_token_of_another_library() {
    let grant = verify(FOREIGN).expect("valid");
    assert_eq!(grant.rooms.to_string(), "team-*");
    assert_eq!(grant.name.map(|name| name.to_string()), Some("ada".into()));
    assert_eq!(grant.rights.to_string(), "join,publish");
    assert_eq!(grant.expires, UnixTime::from_secs(1_790_000_900));
}

#[test]
fn only_hs256_is_taken() {
    assert!(verify(&with_header(HS256)).is_ok());
    for (header, encoded, error) in [
        (
            r#"{"alg":"none"}"#,
            "eyJhbGciOiJub25lIn0",
            TokenError::Malformed,
        ),
        (
            r#"{"alg":"None"}"#,
            "eyJhbGciOiJOb25lIn0",
            TokenError::Malformed,
        ),
        (
            r#"{"alg":"hs256"}"#,
            "eyJhbGciOiJoczI1NiJ9",
            TokenError::Malformed,
        ),
        ("{}", "e30", TokenError::Malformed),
        (
            r#"{"alg":"RS256"}"#,
            "eyJhbGciOiJSUzI1NiJ9",
            TokenError::WrongAlgorithm,
        ),
        (
            r#"{"alg":"HS512"}"#,
            "eyJhbGciOiJIUzUxMiJ9",
            TokenError::WrongAlgorithm,
        ),
        (
            r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
            "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9",
            TokenError::Malformed,
        ),
    ] {
        let token = with_header(encoded);
        assert_eq!(verify(&token), Err(error.clone()), "{header}");
        // As "none" is meant to be, without a signature.
        let (message, _) = token.rsplit_once('.').expect("three parts");
        assert!(verify(&format!("{message}.")).is_err(), "{header}");
        assert!(verify(message).is_err(), "{header}");
    }
    let key = EncodingKey::from_secret(SECRET);
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = jsonwebtoken::encode(&Header::new(algorithm), &claims(), &key).expect("JSON");
        assert_eq!(verify(&token), Err(TokenError::WrongAlgorithm));
    }
}

#[test]
fn nothing_but_the_very_token_is_taken() {
    let token = authority().mint(&claims());
    let other = Secret::new(&SECRET.to_ascii_uppercase()).expect("long enough");
    let forged = Authority::new(&other).mint(&claims());
    assert_eq!(verify(&forged), Err(TokenError::BadSignature));
    for position in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' {
            b'B'
        } else {
            b'A'
        };
        let changed = String::from_utf8(changed).expect("ASCII");
        let error = verify(&changed).expect_err("changed");
        assert_eq!(error.code(), "token_bad", "at {position}: {error}");
    }
    for length in 0..token.len() {
        let error = verify(&token[..length]).expect_err("cut");
        assert_eq!(error.code(), "token_bad", "{length} bytes: {error}");
    }
    for padded in [
        format!(" {token}"),
        format!("{token}="),
        format!("{token}."),
    ] {
        assert_eq!(verify(&padded), Err(TokenError::Malformed), "{padded}");
    }
}

#[test]
fn texts_that_are_no_tokens() {
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\u{e9}.\u{e9}.\u{e9}",
        "e30.e30.e30",
    ] {
        assert_eq!(verify(text), Err(TokenError::Malformed), "{text}");
    }
    // The length decides before anything else is looked at.
    let padding = "x".repeat(AccessToken::BYTES_MAX);
    let long = signed(&json!({"room": "lobby", "can": [], "exp": 1, "pad": padding}));
    assert_eq!(verify(&long), Err(TokenError::TooLong));
    assert_eq!(verify(&padding), Err(TokenError::Malformed));
}

#[test]
fn claims_that_are_none() {
    let good = json!({"room": "lobby", "can": ["join"], "exp": 1_790_000_060});
    assert!(verify(&signed(&good)).is_ok());
    for missing in ["room", "can", "exp"] {
        let mut claims = good.clone();
        claims.as_object_mut().expect("an object").remove(missing);
        assert_eq!(
            verify(&signed(&claims)),
            Err(TokenError::Malformed),
            "{missing}"
        );
    }
    for (claim, value, error) in [
        ("room", json!("a b"), TokenError::Malformed),
        ("room", json!("a*b"), TokenError::Malformed),
        ("room", json!(["lobby"]), TokenError::Malformed),
        ("can", json!("join"), TokenError::Malformed),
        ("exp", json!("1790000060"), TokenError::Malformed),
        ("exp", json!(null), TokenError::Malformed),
        ("exp", json!(-1), TokenError::Expired),
        ("nbf", json!("soon"), TokenError::Malformed),
        ("name", json!(""), TokenError::Malformed),
        ("name", json!("a\nb"), TokenError::Malformed),
        ("sub", json!(7), TokenError::Malformed),
        ("aud", json!("somebody else"), TokenError::OtherAudience),
        (
            "aud",
            json!(["somebody", "else"]),
            TokenError::OtherAudience,
        ),
    ] {
        let mut claims = good.clone();
        claims[claim] = value.clone();
        assert_eq!(verify(&signed(&claims)), Err(error), "{claim}: {value}");
    }
    for claims in [json!([]), json!("lobby"), json!(null)] {
        assert_eq!(
            verify(&signed(&claims)),
            Err(TokenError::Malformed),
            "{claims}"
        );
    }
}

#[test]
fn times_are_exact_up_to_the_leeway() {
    let at = |secs: u64| Some(UnixTime::from_secs(secs));
    let now = NOW.as_secs();
    let leeway = CLOCK_LEEWAY.as_secs();
    let expiry = EXPIRY_LEEWAY.as_secs();
    for (exp, nbf, iat, error) in [
        (now + 1, None, None, None),
        (now - expiry + 1, None, None, None),
        (now - expiry, None, None, Some(TokenError::Expired)),
        (0, None, None, Some(TokenError::Expired)),
        (u64::MAX, at(0), at(0), None),
        (now + 60, at(now + leeway), None, None),
        (
            now + 60,
            at(now + leeway + 1),
            None,
            Some(TokenError::NotYetValid),
        ),
        (now + 60, None, at(now + leeway), None),
        (
            now + 60,
            None,
            at(now + leeway + 1),
            Some(TokenError::NotYetValid),
        ),
        (now + 60, at(u64::MAX), None, Some(TokenError::NotYetValid)),
    ] {
        let mut claims = claims();
        claims.exp = UnixTime::from_secs(exp);
        claims.nbf = nbf;
        claims.iat = iat;
        let result = verify(&authority().mint(&claims));
        assert_eq!(result.err(), error, "{exp} {nbf:?} {iat:?}");
    }
}

#[test]
fn a_grant_is_for_its_rooms_and_rights() {
    let mut claims = claims();
    claims.room = "team-*".parse().expect("a pattern");
    claims.can = Rights::from_iter([Right::Join, Right::Subscribe]);
    let grant = verify(&authority().mint(&claims)).expect("valid");
    for (room, needed, said) in [
        ("team-7", Rights::from(Right::Join), ""),
        ("team-7", Rights::default(), ""),
        (
            "team-7",
            Rights::MEMBER,
            "the access token lacks the right publish",
        ),
        (
            "team-7",
            Right::Admin.into(),
            "the access token lacks the right admin",
        ),
        (
            "attic",
            Rights::MEMBER,
            "the access token is for team-*, not for attic",
        ),
    ] {
        let result = grant.allows(&room.parse().expect("a room"), needed);
        let error = result.err();
        assert_eq!(
            error.as_ref().map_or(String::new(), ToString::to_string),
            said
        );
        assert!(error.is_none_or(|error| error.code() == "forbidden"));
    }
}

#[test]
fn every_error_has_its_code() {
    let wrong_room = TokenError::WrongRoom {
        room: "attic".parse().expect("a room"),
        rooms: "team-*".parse().expect("a pattern"),
    };
    for (error, code, status) in [
        (TokenError::Missing, "token_missing", 401),
        (TokenError::TooLong, "token_bad", 401),
        (TokenError::Malformed, "token_bad", 401),
        (TokenError::WrongAlgorithm, "token_bad", 401),
        (TokenError::BadSignature, "token_bad", 401),
        (TokenError::OtherAudience, "token_bad", 401),
        (TokenError::NotYetValid, "token_bad", 401),
        (TokenError::Expired, "token_expired", 401),
        (wrong_room, "forbidden", 403),
        (TokenError::MissingRight(Right::Kick), "forbidden", 403),
    ] {
        assert_eq!(
            (error.code(), error.refusal().http_status()),
            (code, status)
        );
        assert_ne!(error.to_string(), "");
    }
}

#[test]
fn nothing_of_the_secret_is_printed() {
    assert_eq!(format!("{:?}", authority()), "Authority(..)");
}
