//! The HTTP API for a backend: what the operator asks about rooms and does in them.
//!
//! A request becomes an [`Operation`], the relay carries it out, and its [`Outcome`](oneport_core::Outcome)
//! becomes the response. Names, words and shapes are those of `oneport.v1` (`PROTOCOL.md`).

mod body;
mod query;
mod response;

use oneport_core::{Command, Operation, Reply};
use oneport_signal::{Method, OperatorRequest, OperatorResponse, Problem, percent_decode};
use oneport_wire::{MemberId, Notice, Refusal, RoomName};

use super::{Access, Operator};
use query::Query;

/// How many messages one request brings unless it says otherwise.
const MESSAGES_DEFAULT: usize = 100;

impl Operator {
    /// Answers a request to a path under `/api/v1/`: this is the rest of the path.
    pub(super) fn api(
        &self,
        access: &Access,
        path: &str,
        request: &OperatorRequest,
        body: &[u8],
    ) -> Result<OperatorResponse, Problem> {
        let operation = operation(access, path, request, body)?;
        match self.ask(Command::Operate(operation))? {
            Reply::Operated(Ok(outcome)) => Ok(response::of(*outcome)),
            Reply::Operated(Err(error)) => Err(response::problem(&error)),
            _ => Err(Problem::new(
                500,
                "internal",
                "the relay answered something else",
            )),
        }
    }
}

/// What is asked, if it may be.
fn operation(
    access: &Access,
    path: &str,
    request: &OperatorRequest,
    body: &[u8],
) -> Result<Operation, Problem> {
    let bad = |error| Problem::new(400, "bad_path", format!("the path: {error}"));
    let parts: Result<Vec<_>, _> = path.split('/').map(percent_decode).collect();
    let parts = parts.map_err(bad)?;
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let Some((&"rooms", rest)) = parts.split_first() else {
        return Err(Problem::not_found());
    };
    let mut query = Query::of(&request.query)?;
    let operation = match (rest, request.method) {
        ([], Method::Get | Method::Head) => Operation::Rooms {
            rooms: access.rooms(),
            after: query.take("after")?,
        },
        ([], _) => return Err(Problem::method_not_allowed("GET, HEAD")),
        ([name, rest @ ..], method) => {
            let room = room_name(name)?;
            access.room(&room)?;
            in_room(room, rest, method, &mut query, request, body)?
        }
    };
    query.end()?;
    Ok(operation)
}

fn in_room(
    room: RoomName,
    rest: &[&str],
    method: Method,
    query: &mut Query,
    request: &OperatorRequest,
    body: &[u8],
) -> Result<Operation, Problem> {
    let allowed = match (rest, method) {
        ([], Method::Get | Method::Head) => return Ok(Operation::Room { room }),
        ([], Method::Delete) => {
            let message: Option<Notice> = query.take("message")?;
            return Ok(Operation::CloseRoom { room, message });
        }
        ([], _) => "GET, HEAD, DELETE",
        (["members"], Method::Get | Method::Head) => {
            let after = query.take("after")?.map(MemberId::new);
            return Ok(Operation::Guests { room, after });
        }
        (["members"], _) => "GET, HEAD",
        (["members", member], Method::Delete) => {
            return Ok(Operation::KickOut {
                room,
                member: member_id(member)?,
                message: query.take("message")?,
            });
        }
        (["members", _], _) => "DELETE",
        (["messages"], Method::Get | Method::Head) => {
            return Ok(Operation::Messages {
                room,
                epoch: query.take("epoch")?,
                excerpt: query.excerpt()?,
                count: query.take("limit")?.unwrap_or(MESSAGES_DEFAULT),
            });
        }
        (["messages"], Method::Post) => {
            let announcement = body::announcement(request, body)?;
            return Ok(Operation::Announce { room, announcement });
        }
        (["messages"], _) => "GET, HEAD, POST",
        _ => return Err(Problem::not_found()),
    };
    Err(Problem::method_not_allowed(allowed))
}

fn room_name(name: &str) -> Result<RoomName, Problem> {
    name.parse()
        .map_err(|error| Problem::from(&Refusal::BadRoom(error)))
}

/// What is no id is nobody's.
fn member_id(text: &str) -> Result<MemberId, Problem> {
    let number = text.parse().map_err(|_| {
        let detail = "a member's id is a number";
        Problem::new(404, "no_such_member", detail)
    })?;
    Ok(MemberId::new(number))
}

#[cfg(test)]
mod tests;
