//! End-to-end encryption of a private room's messages, in the format of the browser library.
//!
//! The format is specified in `web/oneport-secret.js`: 4 bytes padlock, 1 byte version, 12 bytes nonce,
//! the ciphertext of AES-256-GCM, 16 bytes tag. The cipher's key is HKDF-SHA-256 of the room's key with
//! the room's name, and the additional data binds a message to its room and topic.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use data_encoding::{BASE64URL_NOPAD, Encoding};
use oneport_wire::{Payload, RoomName, Topic};

const LABEL: &str = "oneport.sealed.v1";
const PADLOCK: [u8; 4] = [0xf0, 0x9f, 0x94, 0x92];
const VERSION: u8 = 1;
const HEADER_LEN: usize = PADLOCK.len() + 1;
const TEXT: u8 = 1;
const BYTES: u8 = 2;

/// The key of a private room, as it stands in the address of the page. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RoomKey([u8; Self::LEN]);

impl RoomKey {
    const LEN: usize = 32;
}

impl fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomKey(..)")
    }
}

impl FromStr for RoomKey {
    type Err = RoomKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = base64url().decode(text.as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(RoomKeyError)
    }
}

/// The last of 43 digits has two bits too many, which browsers ignore.
fn base64url() -> Encoding {
    let mut specification = BASE64URL_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE64URL_NOPAD)
}

/// A text that is not a [`RoomKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomKeyError;

impl fmt::Display for RoomKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key has 43 characters a-z, A-Z, 0-9, - and _; is the address complete?")
    }
}

impl std::error::Error for RoomKeyError {}

/// Why a message cannot be read. The codes are those of the browser library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    NoKey,
    WrongKey,
    NotSealed,
    UnknownVersion,
}

impl Unreadable {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::WrongKey => "wrong_key",
            Self::NotSealed => "not_sealed",
            Self::UnknownVersion => "unknown_version",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::NoKey => "it is encrypted, and the address of this room has no key",
            Self::WrongKey => "it is encrypted with another key, or was changed on its way",
            Self::NotSealed => "it is not encrypted, and all messages of this room should be",
            Self::UnknownVersion => "it is encrypted in a way that this version does not know",
        }
    }
}

/// Encrypts and decrypts the messages of one room.
pub(crate) struct Sealer {
    key: LessSafeKey,
    room: RoomName,
}

impl Sealer {
    /// Derives the cipher's key for this room.
    ///
    /// # Errors
    ///
    /// If the cryptography library fails.
    pub(crate) fn new(key: &RoomKey, room: RoomName) -> Result<Self, Unspecified> {
        let info = format!("{LABEL} {room}");
        let secret = Salt::new(HKDF_SHA256, &[]).extract(&key.0);
        let info = [info.as_bytes()];
        let key = UnboundKey::from(secret.expand(&info, &AES_256_GCM)?);
        Ok(Self {
            key: LessSafeKey::new(key),
            room,
        })
    }

    /// Encrypts a payload under a random nonce. One key is good for 2^32 messages (NIST SP 800-38D
    /// section 8.3).
    ///
    /// # Errors
    ///
    /// If the system has no randomness, or the cryptography library fails.
    pub(crate) fn seal(
        &self,
        topic: &Topic,
        payload: &Payload<'_>,
    ) -> Result<Vec<u8>, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| Unspecified)?;
        self.seal_with(nonce, topic, payload)
    }

    fn seal_with(
        &self,
        nonce: [u8; NONCE_LEN],
        topic: &Topic,
        payload: &Payload<'_>,
    ) -> Result<Vec<u8>, Unspecified> {
        let kind = match payload {
            Payload::Text(_) => TEXT,
            Payload::Binary(_) => BYTES,
        };
        let mut sealed = [&[kind], payload.as_bytes()].concat();
        self.key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            self.additional_data(topic),
            &mut sealed,
        )?;
        Ok([&PADLOCK[..], &[VERSION], &nonce, &sealed].concat())
    }

    /// Decrypts a message's payload.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], if it was not sealed by this key for this room and topic.
    pub(crate) fn open(
        &self,
        topic: &Topic,
        payload: &Payload<'_>,
    ) -> Result<Payload<'static>, Unreadable> {
        if !is_sealed(payload) {
            return Err(Unreadable::NotSealed);
        }
        let (header, sealed) = payload
            .as_bytes()
            .split_at_checked(HEADER_LEN)
            .ok_or(Unreadable::UnknownVersion)?;
        if header.last() != Some(&VERSION) {
            return Err(Unreadable::UnknownVersion);
        }
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(Unreadable::WrongKey)?;
        let mut plain = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self
            .key
            .open_in_place(nonce, self.additional_data(topic), &mut plain)
            .map_err(|_| Unreadable::WrongKey)?;
        match plain.split_first() {
            Some((&TEXT, text)) => std::str::from_utf8(text)
                .map(|text| Payload::Text(text.to_owned().into()))
                .map_err(|_| Unreadable::WrongKey),
            Some((&BYTES, bytes)) => Ok(Payload::Binary(bytes.to_vec().into())),
            Some(_) => Err(Unreadable::UnknownVersion),
            None => Err(Unreadable::WrongKey),
        }
    }

    fn additional_data(&self, topic: &Topic) -> Aad<Vec<u8>> {
        Aad::from(format!("{LABEL}\0{}\0{}", self.room, topic.as_str()).into_bytes())
    }
}

/// Returns whether a payload begins as sealed ones do.
pub(crate) fn is_sealed(payload: &Payload<'_>) -> bool {
    matches!(payload, Payload::Binary(bytes) if bytes.starts_with(&PADLOCK))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn sealer(key: &str, room: &str) -> Sealer {
        let key: RoomKey = key.parse().expect("a key");
        Sealer::new(&key, room.parse().expect("a name")).expect("it works")
    }

    fn topic(name: &str) -> Topic {
        name.parse().expect("a topic")
    }

    /// The example of `web/oneport-secret.js`.
    #[test]
    fn the_example_of_the_format() {
        let ours = sealer(&"A".repeat(43), "library");
        let nonce = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        let sealed = ours.seal_with(nonce, &topic("x"), &"hello".into());
        let sealed = sealed.expect("it works");
        assert_eq!(
            HEXLOWER.encode(&sealed),
            "f09f949201000102030405060708090a0b09ae7d139e3606915cbc2941a8290708424edb5d8d38"
        );
        let opened = ours.open(&topic("x"), &Payload::Binary(sealed.into()));
        assert_eq!(opened, Ok("hello".into()));
    }

    #[test]
    fn what_was_sealed_is_opened_and_nothing_else() {
        let key = format!("{}A", "aB3-_x".repeat(7));
        let ours = sealer(&key, "library");
        for payload in [
            Payload::from("hello \u{1f600}"),
            "".into(),
            Payload::Binary(vec![0, 255].into()),
            Payload::Binary(vec![].into()),
        ] {
            let seal = || ours.seal(&topic("chat"), &payload).expect("it works");
            let sealed = seal();
            assert_eq!(sealed.len(), payload.as_bytes().len() + 34);
            assert_ne!(sealed, seal(), "the nonce is random");
            let sealed = Payload::Binary(sealed.into());
            assert!(is_sealed(&sealed));
            assert_eq!(ours.open(&topic("chat"), &sealed), Ok(payload));
            let wrong = Err(Unreadable::WrongKey);
            assert_eq!(ours.open(&topic("other"), &sealed), wrong);
            assert_eq!(sealer(&key, "attic").open(&topic("chat"), &sealed), wrong);
            let other = sealer(&"A".repeat(43), "library");
            assert_eq!(other.open(&topic("chat"), &sealed), wrong);
        }
    }

    #[test]
    fn what_was_changed_is_not_opened() {
        let ours = sealer(&"A".repeat(43), "library");
        let about = topic("chat");
        let sealed = ours.seal(&about, &"hi".into()).expect("it works");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let opened = ours.open(&about, &Payload::Binary(changed.into()));
            let expected = match at {
                0..4 => Unreadable::NotSealed,
                4 => Unreadable::UnknownVersion,
                _ => Unreadable::WrongKey,
            };
            assert_eq!(opened, Err(expected), "byte {at}");
        }
        for length in 0..sealed.len() {
            let cut = Payload::Binary(sealed[..length].to_vec().into());
            assert!(ours.open(&about, &cut).is_err(), "{length} bytes");
        }
        let plain = ours.open(&about, &"hi".into());
        assert_eq!(plain, Err(Unreadable::NotSealed));
        // Begins with a padlock, and is text.
        let plain = ours.open(&about, &"\u{1f512}\u{1}".into());
        assert_eq!(plain, Err(Unreadable::NotSealed));
    }

    #[test]
    fn keys() {
        // Browsers ignore the bits that are too many.
        assert_eq!(
            format!("{}B", "A".repeat(42)).parse::<RoomKey>(),
            "A".repeat(43).parse()
        );
        for text in ["", "A", &"A".repeat(42), &"A".repeat(44), &"+".repeat(43)] {
            assert_eq!(text.parse::<RoomKey>(), Err(RoomKeyError), "{text}");
        }
        let padded = format!("{}=", "A".repeat(43));
        assert_eq!(padded.parse::<RoomKey>(), Err(RoomKeyError));
        let key: RoomKey = "A".repeat(43).parse().expect("a key");
        assert_eq!(format!("{key:?}"), "RoomKey(..)");
    }
}
