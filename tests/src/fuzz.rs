//! The body of the fuzz target `tokens`; those of the others are in `oneport-sim`, which the program
//! with its tokens is not below.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use oneport::token::{Authority, Claims, Grant, Rights, Secret, TokenError, UnixTime};
use oneport::wire::{AccessToken, RoomName, RoomPattern};

const SECRET: &[u8] = b"only the relay and its friends know this";
const NOW: UnixTime = UnixTime::from_secs(1_790_000_000);

/// The first byte says what the others are: a token; the header and the claims of one, which is signed;
/// or a pattern of rooms and a room.
///
/// # Panics
///
/// Where a token is taken that nobody signed, or means something else when it is signed again, or a
/// pattern does not match what it says.
pub fn tokens(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    match choice % 3 {
        0 => unsigned(text),
        1 => signed(first, second),
        _ => pattern(first, second),
    }
}

fn authority() -> Authority {
    Authority::new(&Secret::new(SECRET).expect("long enough"))
}

fn unsigned(token: &str) {
    let is_one = token.parse::<AccessToken>();
    if let Ok(is_one) = &is_one {
        assert_eq!(is_one.reveal(), token);
    }
    assert!(authority().verify(token, NOW).is_err(), "{token}");
}

fn signed(header: &str, claims: &str) {
    let encoded = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_secret(SECRET);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    let token = format!("{message}.{}", signature.expect("a key for HMAC"));
    let authority = authority();
    match authority.verify(&token, NOW) {
        Ok(grant) => {
            assert!(token.parse::<AccessToken>().is_ok());
            let claims = Claims {
                name: grant.name.clone(),
                can: grant.rights,
                sub: grant.subject.clone(),
                ..Claims::new(grant.rooms.clone(), grant.expires)
            };
            assert_eq!(authority.verify(&authority.mint(&claims), NOW), Ok(grant));
        }
        // It is signed: whatever else is wrong with it.
        Err(error) => assert_ne!(error, TokenError::BadSignature),
    }
}

fn pattern(pattern: &str, room: &str) {
    let Ok(rooms) = pattern.parse::<RoomPattern>() else {
        return;
    };
    assert_eq!(rooms.to_string(), pattern);
    let Ok(room) = room.parse::<RoomName>() else {
        return;
    };
    let is_match = match pattern.strip_suffix('*') {
        Some(beginning) => room.as_str().starts_with(beginning),
        None => room.as_str() == pattern,
    };
    assert_eq!(rooms.matches(&room), is_match);
    let claims = Claims::new(rooms, NOW + Duration::from_secs(60));
    let grant: Grant = authority()
        .verify(&authority().mint(&claims), NOW)
        .expect("it is signed");
    assert_eq!(grant.allows(&room, Rights::MEMBER).is_ok(), is_match);
}
