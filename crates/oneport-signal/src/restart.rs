//! `PATCH` on a session: ICE restart, and candidates, in the shape of RFC 9725 section 4.3.

use oneport_wire::{
    FRAGMENT_BYTES_MAX, IceFragment, IceFragmentError, RestartRefusal, RoomName, SessionId,
};

use crate::backend::{RestartRequest, Restarted};
use crate::handler::{Handler, Plan, body_bytes, entity_tag, session_of};
use crate::head::Head;
use crate::problem::Problem;
use crate::response::Response;

/// RFC 8840 section 9.
pub(crate) const FRAGMENT_TYPE: &str = "application/trickle-ice-sdpfrag";

/// What the head of the request says it is about.
#[derive(Debug)]
pub(crate) struct About {
    room: RoomName,
    session: SessionId,
    follows: Option<Vec<String>>,
}

/// Looks at a head.
pub(crate) fn plan(room: &str, session: &str, head: &Head) -> Result<Plan, Problem> {
    let (room, session) = session_of(room, session)?;
    if head.content_type.as_deref() != Some(FRAGMENT_TYPE) {
        let accept = "Accept-Patch";
        return Err(Problem::unsupported_media_type(accept, FRAGMENT_TYPE));
    }
    let bytes = body_bytes(head, FRAGMENT_BYTES_MAX)?.ok_or(RestartRefusal::TooLarge)?;
    let if_match = head.if_match.as_deref();
    let follows = tags(if_match.ok_or(RestartRefusal::NoPrecondition)?);
    let about = About {
        room,
        session,
        follows,
    };
    Ok(Plan::ReadFragment { about, bytes })
}

/// The entity tags of an If-Match header (RFC 9110 section 13.1.1), `None` for any. Weak ones never match.
/// The examples of RFC 9725 put the asterisk into quotes; no tag of ours is one.
fn tags(if_match: &str) -> Option<Vec<String>> {
    if matches!(if_match, "*" | "\"*\"") {
        return None;
    }
    let quoted = |tag: &str| {
        let tag = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
        Some(tag.to_owned())
    };
    Some(if_match.split(',').filter_map(quoted).collect())
}

impl Handler {
    /// The response to a fragment.
    pub(crate) fn restart(&self, about: About, body: Vec<u8>) -> Response {
        match self.try_restart(about, &body) {
            Ok(Restarted::Anew { answer, etag }) => Response::new(200)
                .header("ETag", entity_tag(etag))
                .body(FRAGMENT_TYPE, answer.into_bytes())
                .for_all_origins(),
            Ok(Restarted::NotNeeded) => Response::new(204).for_all_origins(),
            Err(refusal) => Problem::from(refusal).into(),
        }
    }

    fn try_restart(&self, about: About, body: &[u8]) -> Result<Restarted, RestartRefusal> {
        let About {
            room,
            session,
            follows,
        } = about;
        let text = str::from_utf8(body).map_err(|_| IceFragmentError::NotSdp)?;
        let fragment = IceFragment::parse(text)?;
        self.backend.restart_ice(RestartRequest {
            room,
            session,
            follows,
            fragment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preconditions() {
        for any in ["*", "\"*\""] {
            assert_eq!(tags(any), None, "{any}");
        }
        for (header, wanted) in [
            ("\"a\"", vec!["a"]),
            ("\"a\" , \"b\"", vec!["a", "b"]),
            ("W/\"a\"", vec![]),
            ("a", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(
                tags(header),
                Some(wanted.iter().map(ToString::to_string).collect())
            );
        }
    }
}
