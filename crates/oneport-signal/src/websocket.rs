//! Signaling over WebSocket: JSON requests and responses, one after the other.

use std::io::ErrorKind;
use std::net::IpAddr;

use log::debug;
use oneport_wire::signaling::{Request, Response};
use oneport_wire::{OFFER_BYTES_MAX, Refusal};
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::frame::Utf8Bytes;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use crate::config::Config;
use crate::deadline_stream::DeadlineStream;
use crate::handler::{Handler, session_path};
use crate::places::{self, Place};
use crate::transport::Transport;

/// The longest message that a WebSocket takes, in bytes: the largest offer as JSON, and 5 KiB for
/// the access token, the room and the punctuation. An access token has a few hundred bytes.
///
/// What JSON must escape in an SDP (line ends, quotes, backslashes) takes two bytes for one, so
/// that no offer needs more than twice its length.
pub const WEBSOCKET_MESSAGE_BYTES_MAX: usize = 2 * OFFER_BYTES_MAX + 5 * 1024;

/// Pings and pongs between two messages. Browsers send none by themselves; a client that sends one
/// a second until the idle timeout is still far from it.
const CONTROL_FRAMES_MAX: u32 = 256;

/// What is read from the socket at once, and allocated for each WebSocket from its beginning.
const READ_BYTES: usize = 4096;

/// How a WebSocket ends.
enum End {
    /// We say why.
    Close(CloseCode, &'static str),
    /// The client said that it closes; it gets the same answer.
    ByClient,
    /// Nobody is there to hear it.
    Gone,
}

/// Serves a connection whose upgrade was accepted, to its end. `read` are the bytes that came
/// after the upgrade request.
pub(crate) fn run<T: Transport>(
    config: &Config,
    handler: &Handler,
    client: IpAddr,
    stream: DeadlineStream<T>,
    place: Option<Place>,
    read: Vec<u8>,
) {
    let socket = WebSocket::from_partially_read(stream, read, Role::Server, Some(limits()));
    let mut session = Session {
        config,
        handler,
        client,
        socket,
        place,
    };
    let end = session.exchange_messages();
    session.finish(end);
}

/// What the library may hold in memory for one WebSocket.
fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(WEBSOCKET_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(WEBSOCKET_MESSAGE_BYTES_MAX))
        // Every message goes out at once; what does not fit is an answer longer than any offer.
        .write_buffer_size(0)
        .max_write_buffer_size(WEBSOCKET_MESSAGE_BYTES_MAX)
}

struct Session<'a, T> {
    config: &'a Config,
    handler: &'a Handler,
    client: IpAddr,
    socket: WebSocket<DeadlineStream<T>>,
    place: Option<Place>,
}

impl<T: Transport> Session<'_, T> {
    fn exchange_messages(&mut self) -> End {
        for _ in 0..self.config.requests_per_connection_max.max(1) {
            let request = match self.next_text() {
                Ok(request) => request,
                Err(end) => return end,
            };
            self.handler.meters.websocket_messages.count();
            let Self {
                handler, client, ..
            } = *self;
            let answer = || respond(handler, client, &request);
            let Ok(response) = places::answer(&mut self.place, answer) else {
                return End::Gone;
            };
            let response = response.unwrap_or_else(|refusal| (&refusal).into());
            self.allow_writing();
            if let Err(error) = self.socket.send(Message::text(response.to_json())) {
                return self.end_by_writing(&error);
            }
        }
        End::Close(CloseCode::Policy, "enough requests on one connection")
    }

    /// Waits for the next text message. The time for it is a total: neither pings nor fragments
    /// prolong it.
    fn next_text(&mut self) -> Result<Utf8Bytes, End> {
        let timeout = self.config.websocket_idle_timeout;
        self.socket.get_mut().read_within(timeout);
        for _ in 0..=CONTROL_FRAMES_MAX {
            // Reading also writes: first of all the pong that the last ping asked for.
            self.allow_writing();
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(text),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Binary(_)) => {
                    return Err(End::Close(
                        CloseCode::Unsupported,
                        "only text is understood",
                    ));
                }
                Ok(Message::Close(_)) => return Err(End::ByClient),
                Err(error) => return Err(end_by_reading(&error)),
            }
        }
        Err(End::Close(CloseCode::Policy, "too many pings"))
    }

    fn end_by_writing(&self, error: &Error) -> End {
        match error {
            Error::WriteBufferFull(_) => End::Close(CloseCode::Error, "the answer is too long"),
            Error::Io(error) if error.kind() == ErrorKind::TimedOut => {
                self.handler.meters.timeouts.count();
                End::Gone
            }
            _ => End::Gone,
        }
    }

    /// Says goodbye and closes. Nothing is parsed any more: after a frame that is too long the
    /// library would go on to buffer it, so the rest is read as raw bytes and thrown away.
    fn finish(mut self, end: End) {
        self.allow_writing();
        match end {
            End::Close(code, reason) => {
                debug!("WebSocket closed with {}: {reason}", u16::from(code));
                let frame = CloseFrame {
                    code,
                    reason: Utf8Bytes::from_static(reason),
                };
                // If it cannot be said, there is nobody to tell that either. A pong that is still
                // owed goes first: the library would put it behind the close frame.
                let _ = self.socket.flush();
                let _ = self.socket.close(Some(frame));
            }
            // Writes the answer, which the library has prepared, and reports that it is over.
            End::ByClient => drop(self.socket.flush()),
            End::Gone => return,
        }
        self.socket.into_inner().linger(self.config.linger_timeout);
    }

    fn allow_writing(&mut self) {
        let timeout = self.config.write_timeout;
        self.socket.get_mut().write_within(timeout);
    }
}

fn respond(handler: &Handler, client: IpAddr, request: &str) -> Result<Response, Refusal> {
    let Request { room, offer, token } =
        Request::from_json(request).inspect_err(|refusal| handler.note_refusal(refusal, client))?;
    let connected = handler.connect(room.clone(), offer.into_bytes(), token, client)?;
    Ok(Response::Answer {
        answer: connected.answer,
        session: session_path(&room, connected.session),
    })
}

/// The close code for what came instead of a message (RFC 6455 section 7.4.1).
fn end_by_reading(error: &Error) -> End {
    match error {
        Error::Io(error) if error.kind() == ErrorKind::TimedOut => {
            End::Close(CloseCode::Away, "idle")
        }
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::Close(CloseCode::Size, "the message is too long")
        }
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "the text is not UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "this is not WebSocket"),
        _ => End::Gone,
    }
}
