//! Why the relay does not take somebody in.

use std::fmt;

use crate::{OFFER_BYTES_MAX, RoomNameError};

/// Why a connection was refused at signaling.
///
/// Each has a stable [code](Self::code) for programs, a sentence for people (`Display`), the HTTP
/// [status](Self::http_status) that says whose fault it is, and whether and when a
/// [retry](Self::retry_after_secs) can help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The room's name is not one.
    BadRoom(RoomNameError),
    /// The request is not what this endpoint takes (for example broken JSON on the WebSocket).
    BadRequest(&'static str),
    /// The offer is not SDP, or lacks what every offer must have. The text says what.
    BadOffer(String),
    /// The offer is longer than [`OFFER_BYTES_MAX`].
    OfferTooLarge,
    /// The offer is SDP without a data channel section (`m=application … webrtc-datachannel`), or rejects it.
    NoDataChannel,
    /// Nobody gets in without an access token, and there is none.
    TokenMissing,
    /// The access token is not one that this relay's secret has signed.
    TokenBad,
    /// The access token will be valid: the clock that it was signed by is ahead, or it is for later. Its code is
    /// that of [`Self::TokenBad`], but a retry can help.
    TokenNotYetValid,
    /// The access token was valid once.
    TokenExpired,
    /// The access token is for another room, or lacks a right that is needed.
    Forbidden,
    /// The room has as many members as it may have.
    RoomFull,
    /// The relay has as many rooms as it may have.
    TooManyRooms,
    /// The relay has as many links as it may have.
    RelayFull,
    /// This client's address has as many links as it may have.
    TooManyClientsFromAddress,
    /// The relay has no memory for another link.
    Memory,
    /// Too many links of the whole relay are in their handshake, and get ahead with it.
    TooManyHandshakes,
    /// Too many links from this client's address are in their handshake.
    TooManyHandshakesFromAddress,
    /// The relay is too busy to answer now.
    Busy,
    /// The relay is going down.
    ShuttingDown,
}

impl Refusal {
    /// Every [code](Self::code).
    pub const CODES: &[&str] = &[
        "bad_room",
        "bad_request",
        "bad_offer",
        "offer_too_large",
        "no_data_channel",
        "token_missing",
        "token_bad",
        "token_expired",
        "forbidden",
        "room_full",
        "too_many_rooms",
        "relay_full",
        "too_many_clients_from_address",
        "memory",
        "too_many_handshakes",
        "too_many_handshakes_from_address",
        "busy",
        "shutting_down",
    ];

    /// A word for programs; it never changes its meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRoom(_) => "bad_room",
            Self::BadRequest(_) => "bad_request",
            Self::BadOffer(_) => "bad_offer",
            Self::OfferTooLarge => "offer_too_large",
            Self::NoDataChannel => "no_data_channel",
            Self::TokenMissing => "token_missing",
            Self::TokenBad | Self::TokenNotYetValid => "token_bad",
            Self::TokenExpired => "token_expired",
            Self::Forbidden => "forbidden",
            Self::RoomFull => "room_full",
            Self::TooManyRooms => "too_many_rooms",
            Self::RelayFull => "relay_full",
            Self::TooManyClientsFromAddress => "too_many_clients_from_address",
            Self::Memory => "memory",
            Self::TooManyHandshakes => "too_many_handshakes",
            Self::TooManyHandshakesFromAddress => "too_many_handshakes_from_address",
            Self::Busy => "busy",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The status of the HTTP response (RFC 9110 section 15).
    pub fn http_status(&self) -> u16 {
        match self {
            Self::BadRoom(_) | Self::BadRequest(_) | Self::BadOffer(_) => 400,
            Self::TokenMissing | Self::TokenBad | Self::TokenNotYetValid | Self::TokenExpired => {
                401
            }
            Self::Forbidden => 403,
            Self::OfferTooLarge => 413,
            Self::NoDataChannel => 422,
            Self::TooManyClientsFromAddress | Self::TooManyHandshakesFromAddress => 429,
            Self::RoomFull
            | Self::TooManyRooms
            | Self::RelayFull
            | Self::Memory
            | Self::TooManyHandshakes
            | Self::Busy
            | Self::ShuttingDown => 503,
        }
    }

    /// After how many seconds the same request may succeed; `None` if it never will.
    pub fn retry_after_secs(&self) -> Option<u32> {
        match self {
            Self::BadRoom(_)
            | Self::BadRequest(_)
            | Self::BadOffer(_)
            | Self::OfferTooLarge
            | Self::NoDataChannel
            | Self::TokenMissing
            | Self::TokenBad
            | Self::TokenExpired
            | Self::Forbidden => None,
            Self::Busy | Self::TooManyHandshakes | Self::ShuttingDown => Some(1),
            Self::TooManyHandshakesFromAddress => Some(5),
            Self::TokenNotYetValid => Some(10),
            Self::RoomFull
            | Self::TooManyRooms
            | Self::RelayFull
            | Self::TooManyClientsFromAddress
            | Self::Memory => Some(30),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRoom(error) => error.fmt(f),
            Self::BadRequest(what) => f.write_str(what),
            Self::BadOffer(what) => write!(f, "this is not an SDP offer that can be answered: {what}"),
            Self::OfferTooLarge => write!(f, "an offer has at most {OFFER_BYTES_MAX} bytes"),
            Self::NoDataChannel => f.write_str(
                "the offer has no open data channel section: call createDataChannel() before createOffer()",
            ),
            Self::TokenMissing => f.write_str("an access token is needed here"),
            Self::TokenBad => f.write_str("the access token is not valid here"),
            Self::TokenNotYetValid => f.write_str(
                "the access token is not valid yet: compare the clocks of the relay and of what signed it",
            ),
            Self::TokenExpired => f.write_str("the access token has expired"),
            Self::Forbidden => f.write_str("the access token does not allow this"),
            Self::RoomFull => f.write_str("the room is full"),
            Self::TooManyRooms => f.write_str("the relay has no place for another room"),
            Self::RelayFull => f.write_str("the relay has no place for another client"),
            Self::TooManyClientsFromAddress => {
                f.write_str("this address has as many clients as it may have")
            }
            Self::Memory => f.write_str("the relay is at its limit of memory"),
            Self::TooManyHandshakes => f.write_str("too many clients are connecting at this moment"),
            Self::TooManyHandshakesFromAddress => {
                f.write_str("too many clients are connecting from this address at this moment")
            }
            Self::Busy => f.write_str("the relay is too busy to answer"),
            Self::ShuttingDown => f.write_str("the relay is going down"),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<RoomNameError> for Refusal {
    fn from(error: RoomNameError) -> Self {
        Self::BadRoom(error)
    }
}
