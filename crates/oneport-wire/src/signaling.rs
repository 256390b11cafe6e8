//! The JSON bodies of signaling over WebSocket (`/ws`): one text message each way.
//!
//! ```
//! use oneport_wire::signaling::{Request, Response};
//!
//! let request = Request::from_json(r#"{"room": "lobby", "offer": "v=0\r\n"}"#)?;
//! assert_eq!(request.room.as_str(), "lobby");
//!
//! let refusal = Request::from_json(r#"{"room": "lobby"}"#).unwrap_err();
//! assert_eq!(
//!     Response::from(&refusal).to_json(),
//!     r#"{"error":{"code":"bad_request","message":"the request is not {\"room\": …, \"offer\": …} with a string for each"}}"#
//! );
//! # Ok::<(), oneport_wire::Refusal>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::text::Text;
use crate::{AccessToken, AccessTokenError, Refusal, RoomName};

/// What a client asks: to be connected to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The room that the link's plain channels belong to.
    pub room: RoomName,
    /// The client's SDP offer.
    pub offer: String,
    /// The access token, if it shows one: a page cannot give a WebSocket headers.
    pub token: Option<AccessToken>,
}

impl Request {
    /// Reads `{"room": "…", "offer": "…", "token": "…"}`; members that it does not know are ignored. An
    /// empty token is as good as none.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadRequest`] where it is not that, [`Refusal::BadRoom`] where the room's name is
    /// not one, [`Refusal::TokenBad`] where the token cannot be one.
    pub fn from_json(text: &str) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            room: Text<'a>,
            offer: String,
            token: Option<Text<'a>>,
        }
        let body: Body<'_> = serde_json::from_str(text).map_err(|_| {
            Refusal::BadRequest(
                "the request is not {\"room\": …, \"offer\": …} with a string for each",
            )
        })?;
        let token = body.token.filter(|Text(token)| !token.is_empty());
        let token = token.map(|Text(token)| token.parse()).transpose();
        Ok(Self {
            room: body.room.0.parse()?,
            offer: body.offer,
            token: token.map_err(|AccessTokenError| Refusal::TokenBad)?,
        })
    }
}

/// What the relay answers to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// The client is taken in.
    Answer {
        /// The SDP answer.
        answer: String,
        /// The path of the session; `DELETE` on it ends the session.
        session: String,
    },
    /// The client is refused.
    Error {
        /// Why.
        error: ErrorBody,
    },
}

/// Why a client is refused: [`Refusal`] as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// [`Refusal::code`].
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
    /// [`Refusal::retry_after_secs`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u32>,
}

impl Response {
    /// The body as text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialize")
    }
}

impl From<&Refusal> for Response {
    fn from(refusal: &Refusal) -> Self {
        Self::Error {
            error: ErrorBody {
                code: refusal.code(),
                message: refusal.to_string(),
                retry_after_secs: refusal.retry_after_secs(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_as_json() {
        let response = Response::Answer {
            answer: "v=0\r\n".into(),
            session: "/r/lobby/00".into(),
        };
        assert_eq!(
            response.to_json(),
            r#"{"answer":"v=0\r\n","session":"/r/lobby/00"}"#
        );
    }

    #[test]
    fn bad_requests() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"room":1,"offer":""}"#,
            r#"{"room":"a"}"#,
            r#"{"room":"a","offer":"","token":1}"#,
            r#"{"room":"a","offer":"","token":"a.b.c","token":"d.e.f"}"#,
        ] {
            let refusal = Request::from_json(text).expect_err(text);
            assert_eq!(refusal.code(), "bad_request", "{text}");
        }
        let refusal = Request::from_json(r#"{"room":"a b","offer":""}"#).expect_err("space");
        assert_eq!(refusal.code(), "bad_room");
        let token = r#"{"room":"a","offer":"","token":"a b"}"#;
        let refusal = Request::from_json(token).expect_err("space");
        assert_eq!(refusal.code(), "token_bad");
    }

    #[test]
    fn with_and_without_a_token() {
        for (member, token) in [
            ("", None),
            (r#","token":null"#, None),
            (r#","token":"""#, None),
            (r#","token":"a.b\u002ec""#, Some("a.b.c")),
        ] {
            let request = format!(r#"{{"room":"a","offer":"x"{member}}}"#);
            let found = Request::from_json(&request).expect(member).token;
            assert_eq!(found.as_ref().map(AccessToken::reveal), token, "{member}");
        }
    }

    #[test]
    fn escapes_are_understood() {
        let request = Request::from_json(r#"{"room":"\u0061b","offer":"x","more":[1]}"#);
        assert_eq!(request.map(|r| r.room.to_string()), Ok("ab".into()));
    }
}
