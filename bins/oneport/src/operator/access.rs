//! Who may ask what is the operator's.

use oneport_signal::{OperatorRequest, Problem};
use oneport_wire::{Refusal, RoomName, RoomPattern};

use crate::token::{Authority, Grant, Right, TokenError, UnixTime};

/// What an operator may ask, by where the request comes from or by the token that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It was made on this machine.
    Local,
    /// It shows a token with the right `admin`.
    Admin(Grant),
}

impl Access {
    /// What this request may do. A token that is shown counts, wherever the request comes from.
    ///
    /// # Errors
    ///
    /// `token_missing`, `token_bad`, `token_expired` or `forbidden`, as in signaling; `operator_is_local`
    /// where the relay has no secret that could sign a token.
    pub(crate) fn of(
        request: &OperatorRequest,
        authority: Option<&Authority>,
    ) -> Result<Self, Problem> {
        match (&request.access_token, authority) {
            (Some(token), Some(authority)) => {
                let token = token
                    .as_ref()
                    .map_err(|_| Problem::from(&Refusal::TokenBad))?;
                let verified = authority.verify(token.reveal(), UnixTime::now());
                let granted = verified.map_err(|error| problem(&error))?;
                if !granted.rights.contains(Right::Admin) {
                    return Err(problem(&TokenError::MissingRight(Right::Admin)));
                }
                Ok(Self::Admin(granted))
            }
            _ if request.is_local => Ok(Self::Local),
            (None, Some(_)) => Err(problem(&TokenError::Missing)),
            (_, None) => {
                let detail = "this relay has no secret, so that only requests that are made on its own \
                              machine, not by way of a proxy, can be told to be its operator's";
                Err(Problem::new(403, "operator_is_local", detail))
            }
        }
    }

    /// Whether it may ask about the relay as a whole: a token must be one for every room.
    ///
    /// # Errors
    ///
    /// `forbidden`.
    pub(crate) fn whole_relay(&self) -> Result<(), Problem> {
        match self {
            Self::Admin(grant) if !grant.rooms.is_every_room() => {
                let detail =
                    "this is about the whole relay, so the access token must be for the room *";
                Err(Problem::new(403, "forbidden", detail))
            }
            Self::Local | Self::Admin(_) => Ok(()),
        }
    }

    /// The rooms that it may ask about.
    pub(crate) fn rooms(&self) -> RoomPattern {
        match self {
            Self::Local => "*".parse().expect("every room"),
            Self::Admin(grant) => grant.rooms.clone(),
        }
    }

    /// Whether it may ask about this room, or change something there.
    ///
    /// # Errors
    ///
    /// `forbidden`.
    pub(crate) fn room(&self, room: &RoomName) -> Result<(), Problem> {
        match self {
            Self::Local => Ok(()),
            Self::Admin(grant) => grant
                .allows(room, Right::Admin.into())
                .map_err(|error| problem(&error)),
        }
    }
}

fn problem(error: &TokenError) -> Problem {
    log::debug!("an operator's request is refused: {error}");
    Problem::from(&error.refusal())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use oneport_signal::Method;

    use crate::token::{Claims, Rights, Secret};

    use super::*;

    fn authority() -> Authority {
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef");
        Authority::new(&secret.expect("long enough"))
    }

    fn request(is_local: bool, token: Option<&str>) -> OperatorRequest {
        OperatorRequest {
            method: Method::Get,
            path: "/metrics".into(),
            query: String::new(),
            accept: None,
            content_type: None,
            access_token: token.map(str::parse),
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            is_local,
        }
    }

    fn token(rooms: &str, rights: &[Right]) -> String {
        let exp = UnixTime::now() + Duration::from_mins(1);
        authority().mint(&Claims {
            can: rights.iter().copied().collect::<Rights>(),
            ..Claims::new(rooms.parse().expect("a pattern"), exp)
        })
    }

    fn code(access: Result<Access, Problem>) -> &'static str {
        access.map_or_else(|problem| problem.code(), |_| "ok")
    }

    #[test]
    fn from_elsewhere_only_with_a_token() {
        let authority = authority();
        let admin = token("*", &[Right::Admin]);
        let member = token("*", &[Right::Join, Right::Publish, Right::Kick]);
        for (shown, expected) in [
            (None, "token_missing"),
            (Some("a b"), "token_bad"),
            (Some("a.b.c"), "token_bad"),
            (Some(&*member), "forbidden"),
            (Some(&*admin), "ok"),
        ] {
            let access = Access::of(&request(false, shown), Some(&authority));
            assert_eq!(code(access), expected, "{shown:?}");
        }
    }

    #[test]
    fn from_here_without_one_but_a_bad_one_is_not_overlooked() {
        let authority = authority();
        let open = Access::of(&request(true, None), None);
        assert_eq!(open, Ok(Access::Local));
        let here = Access::of(&request(true, None), Some(&authority));
        assert_eq!(here, Ok(Access::Local));
        let bad = Access::of(&request(true, Some("x")), Some(&authority));
        assert_eq!(code(bad), "token_bad");
    }

    #[test]
    fn an_open_relay_has_no_operator_elsewhere() {
        for token in [None, Some("x")] {
            let access = Access::of(&request(false, token), None);
            assert_eq!(code(access), "operator_is_local");
        }
    }

    #[test]
    fn a_token_for_some_rooms_does_not_tell_of_all() {
        let authority = authority();
        for (rooms, whole) in [("*", true), ("team-*", false), ("lobby", false)] {
            let token = token(rooms, &[Right::Admin]);
            let access = Access::of(&request(false, Some(&token)), Some(&authority));
            let access = access.expect("an admin");
            assert_eq!(access.whole_relay().is_ok(), whole, "{rooms}");
            assert!(access.room(&"team-7".parse().expect("a name")).is_ok() != (rooms == "lobby"));
        }
    }
}
