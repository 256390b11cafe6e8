//! The codes of `err` and `bye`: whose fault it is, whether a retry helps, and what it means.
//!
//! `PROTOCOL.md` has the same two tables, and a test compares them.

use crate::text::words;

words! {
    /// Whose fault a failure is.
    Fault {
        /// The client's: its program, or what its user asked for.
        Client = "client",
        /// The relay's: it is at one of its limits, going down, or wrong.
        Relay = "relay",
        /// Nobody's: it can happen between a correct client and a healthy relay.
        Nobody = "nobody",
    }
}

/// An enum of codes and the table that gives each its word, fault, use of a retry, and meaning.
macro_rules! codes {
    (
        $(#[$attribute:meta])*
        $name:ident { $($variant:ident $word:literal $fault:ident $retry:ident $meaning:literal)+ }
    ) => {
        words! {
            $(#[$attribute])*
            $name { $(#[doc = $meaning] $variant = $word,)+ }
        }

        impl $name {
            /// Whose fault it is.
            pub const fn fault(self) -> Fault {
                match self {
                    $(Self::$variant => Fault::$fault,)+
                }
            }

            /// Whether the same may succeed when it is tried again later, unchanged.
            pub const fn retry_helps(self) -> bool {
                match self {
                    $(Self::$variant => codes!(@$retry),)+
                }
            }

            /// What it means, in a sentence for people.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }
        }
    };
    (@yes) => { true };
    (@no) => { false };
}

codes! {
    /// Why a frame was not carried out: the code of an `err`.
    ErrorCode {
        BadFrame "bad_frame" Client no
            "The message is no frame: broken JSON or binary, a member missing or of the wrong kind."
        UnknownType "unknown_type" Client no
            "The relay knows no frame of this type."
        TooLarge "too_large" Client no
            "The frame has more bytes than `limits.frame_bytes`."
        WrongChannel "wrong_channel" Client no
            "The lossy channel carries only `pub` frames of class `lossy`."
        BadVersion "bad_version" Client no
            "The relay does not speak this version of the protocol."
        HelloFirst "hello_first" Client no
            "The first frame of a link must be `hello`."
        DuplicateHello "duplicate_hello" Client no
            "The link has already said `hello`."
        BadRoom "bad_room" Client no
            "The text is not a room's name."
        NotInRoom "not_in_room" Client no
            "The session is not in this room over this link: `join` it first."
        AlreadyInRoom "already_in_room" Client no
            "The session is in this room over this link already."
        BadName "bad_name" Client no
            "The member name is empty or has control characters."
        NameTooLong "name_too_long" Client no
            "The member name has too many bytes."
        BadMeta "bad_meta" Client no
            "The metadata is not JSON that every client can read, or is nested too deeply."
        MetaTooLarge "meta_too_large" Client no
            "The metadata has too many bytes."
        TopicTooLong "topic_too_long" Client no
            "The topic has too many bytes."
        TooManyRecipients "too_many_recipients" Client no
            "The list of recipients is too long."
        NoSuchMember "no_such_member" Nobody no
            "A member that the frame names is not in the room, or no longer."
        TooManyRoomsSession "too_many_rooms_session" Client no
            "The session is in as many rooms as it may be."
        TooManyRooms "too_many_rooms" Relay yes
            "The relay has no place for another room."
        RoomFull "room_full" Nobody yes
            "The room has as many members as it may have."
        Rate "rate" Client yes
            "The member is over its rate. The frame was not carried out."
        Forbidden "forbidden" Client no
            "The member's rights do not include this."
        Refused "refused" Client no
            "The relay's operator has code that refused it; the message says why."
        TokenMissing "token_missing" Client no
            "The room needs an access token."
        TokenBad "token_bad" Client no
            "The access token is not one, is not signed by this relay's secret, or is for another room or name."
        TokenExpired "token_expired" Client no
            "The access token was valid once."
        Memory "memory" Relay yes
            "The relay is at its limit of memory."
        ShuttingDown "shutting_down" Relay yes
            "The relay is going down."
        Internal "internal" Relay yes
            "The relay failed at it, and that is a bug of the relay."
    }
}

codes! {
    /// Why the relay ends a link: the code of a `bye`.
    ByeCode {
        Slow "slow" Nobody yes
            "The link took its entries so slowly that some left the ring before it got them."
        Idle "idle" Nobody yes
            "The relay heard nothing from the link for too long, or no `hello` in time."
        Replaced "replaced" Nobody no
            "Another link has resumed the session."
        Kicked "kicked" Client no
            "Somebody with the right to do so removed the session from the relay."
        Expired "expired" Client no
            "The access token that let the session in has expired."
        Protocol "protocol" Client no
            "The link broke the protocol in a way, or so often, that it looks hostile."
        Memory "memory" Relay yes
            "The relay is at its limit of memory."
        Shutdown "shutdown" Relay yes
            "The relay is going down."
        Internal "internal" Relay yes
            "The relay failed, and that is a bug of the relay."
    }
}
