//! What a request gets.

use std::net::IpAddr;
use std::sync::Arc;

use log::debug;
use oneport_wire::{AccessToken, AccessTokenError, OFFER_BYTES_MAX, Refusal, RoomName, SessionId};

use crate::asset::Shelf;
use crate::backend::{Backend, ConnectRequest, Connected};
use crate::counters::Meters;
use crate::forwarded::Origin;
use crate::handshake;
use crate::head::{Head, Method};
use crate::operator::OperatorRequest;
use crate::problem::Problem;
use crate::response::Response;
use crate::restart::{self, About};
use crate::route::Route;

/// The media type of offers and answers.
const OFFER_TYPE: &str = "application/sdp";

/// Turns requests into responses; knows no sockets.
pub(crate) struct Handler {
    pub(crate) shelf: Shelf,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) meters: Meters,
    pub(crate) operator_body_bytes_max: usize,
}

/// How a request goes on after its head.
#[derive(Debug)]
pub(crate) enum Plan {
    /// It is answered already; its body, if any, means nothing.
    Respond(Response),
    /// Its body is an offer of this many bytes, for [`Handler::offer`].
    ReadOffer { room: RoomName, bytes: usize },
    /// Its body is a fragment of this many bytes, for [`Handler::restart`].
    ReadFragment { about: About, bytes: usize },
    /// Its body, of this many bytes, is the operator's, for [`Handler::operate`].
    ReadOperation {
        request: OperatorRequest,
        bytes: usize,
    },
    /// It is answered with this, and from then on the connection is a WebSocket.
    Upgrade(Response),
}

impl Handler {
    /// Looks at a head. Everything that can be refused without the body is refused here, before
    /// the client spends the effort of sending it.
    pub(crate) fn plan(&self, head: &Head, origin: &Origin) -> Result<Plan, Problem> {
        let route = Route::of(&head.path);
        match (route, head.method) {
            (Route::Operator(_), _) => Ok(self.plan_operation(head, origin)),
            (Route::Page(path), _) if !self.shelf.has(path) => Err(Problem::not_found()),
            (_, Method::Options) => Ok(Plan::Respond(preflight(route))),
            (Route::Page(path), Method::Get | Method::Head) => match self.shelf.get(path, head) {
                Some(response) => Ok(Plan::Respond(response)),
                None => Err(Problem::not_found()),
            },
            (Route::Health, Method::Get | Method::Head) => Ok(Plan::Respond(health())),
            (Route::WebSocket, Method::Get) => handshake::accept(head).map(Plan::Upgrade),
            (Route::Room(room), Method::Post) => plan_offer(room, head),
            (Route::Session { room, session }, Method::Patch) => restart::plan(room, session, head),
            (Route::Session { room, session }, Method::Delete) => self.delete(room, session),
            _ => Err(Problem::method_not_allowed(route.allow())),
        }
    }

    /// The response to an offer that came over HTTP.
    pub(crate) fn offer(
        &self,
        room: RoomName,
        body: Vec<u8>,
        access_token: Option<Result<AccessToken, AccessTokenError>>,
        client: IpAddr,
    ) -> Response {
        let connected = match access_token.transpose() {
            Ok(token) => self.connect(room.clone(), body, token, client),
            Err(AccessTokenError) => {
                let refusal = Refusal::TokenBad;
                self.note_refusal(&refusal, client);
                Err(refusal)
            }
        };
        match connected {
            Ok(connected) => created(&room, connected),
            Err(refusal) => Problem::from(&refusal).into(),
        }
    }

    /// Asks the backend, unless the offer cannot be one.
    pub(crate) fn connect(
        &self,
        room: RoomName,
        offer: Vec<u8>,
        access_token: Option<AccessToken>,
        client: IpAddr,
    ) -> Result<Connected, Refusal> {
        let request = |offer| ConnectRequest {
            room,
            offer,
            access_token,
            client,
        };
        let connected = offer_text(offer)
            .and_then(|offer| self.backend.connect(request(offer)))
            .inspect_err(|refusal| self.note_refusal(refusal, client))?;
        self.meters.connects.count();
        Ok(connected)
    }

    pub(crate) fn note_refusal(&self, refusal: &Refusal, client: IpAddr) {
        debug!("refused an offer from {client}: {}", refusal.code());
        self.meters.refusal(refusal);
    }

    /// Refuses an operator's request here as far as that can be done without its body.
    fn plan_operation(&self, head: &Head, origin: &Origin) -> Plan {
        let request = OperatorRequest::new(head, origin);
        let length = usize::try_from(head.content_length.unwrap_or(0)).unwrap_or(usize::MAX);
        let admitted = self.backend.admit_operator(&request);
        match admitted {
            Ok(()) if length > self.operator_body_bytes_max => {
                let problem = Problem::body_too_large(self.operator_body_bytes_max);
                Plan::Respond(problem.into_private_response())
            }
            Ok(()) => Plan::ReadOperation {
                request,
                bytes: length,
            },
            Err(problem) => Plan::Respond(problem.into_private_response()),
        }
    }

    /// The response to an operator's request.
    pub(crate) fn operate(&self, request: &OperatorRequest, body: Vec<u8>) -> Response {
        match self.backend.operate(request, body) {
            Ok(response) => response.into(),
            Err(problem) => problem.into_private_response(),
        }
    }

    fn delete(&self, room: &str, session: &str) -> Result<Plan, Problem> {
        let (room, session) = session_of(room, session)?;
        if !self.backend.disconnect(&room, session) {
            return Err(Problem::no_such_session());
        }
        // 200, not 204, is what RFC 9725 section 4.2 shows.
        Ok(Plan::Respond(Response::new(200).for_all_origins()))
    }
}

/// The URL path of a session.
pub(crate) fn session_path(room: &RoomName, session: SessionId) -> String {
    format!("/r/{room}/{session}")
}

fn plan_offer(room: &str, head: &Head) -> Result<Plan, Problem> {
    let room = room_name(room)?;
    if head.content_type.as_deref() != Some(OFFER_TYPE) {
        return Err(Problem::unsupported_media_type("Accept-Post", OFFER_TYPE));
    }
    match body_bytes(head, OFFER_BYTES_MAX)? {
        Some(bytes) => Ok(Plan::ReadOffer { room, bytes }),
        None => Err(Problem::from(&Refusal::OfferTooLarge)),
    }
}

/// The length of a request's body; `None` if it is beyond the limit.
pub(crate) fn body_bytes(head: &Head, max: usize) -> Result<Option<usize>, Problem> {
    let length = head.content_length.ok_or_else(Problem::length_required)?;
    Ok(usize::try_from(length).ok().filter(|bytes| *bytes <= max))
}

/// What the URL of a session names.
pub(crate) fn session_of(room: &str, session: &str) -> Result<(RoomName, SessionId), Problem> {
    let room = room_name(room)?;
    let session = session.parse().map_err(|_| Problem::no_such_session())?;
    Ok((room, session))
}

fn room_name(name: &str) -> Result<RoomName, Problem> {
    name.parse()
        .map_err(|error| Problem::from(&Refusal::BadRoom(error)))
}

/// What the backend may rely on: some text of bounded length.
fn offer_text(offer: Vec<u8>) -> Result<String, Refusal> {
    if offer.is_empty() {
        return Err(Refusal::BadOffer("it is empty".into()));
    }
    if offer.len() > OFFER_BYTES_MAX {
        return Err(Refusal::OfferTooLarge);
    }
    String::from_utf8(offer).map_err(|_| Refusal::BadOffer("it is not UTF-8".into()))
}

/// `201 Created` (RFC 9725 section 4.2).
fn created(room: &RoomName, connected: Connected) -> Response {
    Response::new(201)
        .header("Location", session_path(room, connected.session))
        .header("ETag", entity_tag(connected.etag))
        .body(OFFER_TYPE, connected.answer.into_bytes())
        .for_all_origins()
}

pub(crate) fn entity_tag(mut tag: String) -> String {
    tag.retain(is_etag_character);
    format!("\"{tag}\"")
}

/// RFC 9110 section 8.8.3, "etagc", without the obsolete part.
fn is_etag_character(character: char) -> bool {
    matches!(character, '!' | '#'..='~')
}

/// The response to `OPTIONS`, which is also what a browser's CORS preflight wants to see. It does
/// not judge the room's name: only the request after it can tell a page what is wrong with it.
fn preflight(route: Route<'_>) -> Response {
    let response = Response::new(204)
        .header("Allow", route.allow())
        .header("Access-Control-Allow-Methods", route.allow())
        .header(
            "Access-Control-Allow-Headers",
            "content-type, authorization, if-match",
        )
        .header("Access-Control-Max-Age", PREFLIGHT_SECS)
        .for_all_origins();
    match route {
        Route::Room(_) => response.header("Accept-Post", OFFER_TYPE),
        Route::Session { .. } => response.header("Accept-Patch", restart::FRAGMENT_TYPE),
        _ => response,
    }
}

/// How long a browser may remember a preflight: two hours, the most that Chromium honours.
const PREFLIGHT_SECS: &str = "7200";

fn health() -> Response {
    Response::new(200)
        .body("text/plain; charset=utf-8", b"ok\n")
        .header("Server", concat!("oneport/", env!("CARGO_PKG_VERSION")))
        .header("Cache-Control", "no-store")
        .for_all_origins()
}
