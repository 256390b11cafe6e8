//! What a path stands for.

use std::fmt;

/// A path, told apart by its shape; whether its parts are valid is for the handler to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `*`: the server as a whole.
    Server,
    /// `/healthz`: whether the endpoint lives.
    Health,
    /// `/metrics`, `/readyz`, `/status/data`, `/api/…`: what the operator asks, and the backend answers.
    Operator(&'a str),
    /// `/ws`: signaling over WebSocket.
    WebSocket,
    /// `/r/{room}`: where offers go; the WHIP endpoint of RFC 9725.
    Room(&'a str),
    /// `/r/{room}/{session}`: the WHIP session of RFC 9725.
    Session { room: &'a str, session: &'a str },
    /// Anything else, which may be an asset.
    Page(&'a str),
}

impl<'a> Route<'a> {
    pub(crate) fn of(path: &'a str) -> Self {
        match path {
            "*" => Self::Server,
            "/healthz" => Self::Health,
            "/ws" => Self::WebSocket,
            "/metrics" | "/readyz" | "/status/data" => Self::Operator(path),
            _ if path.starts_with("/api/") => Self::Operator(path),
            _ => Self::room_or_page(path),
        }
    }

    fn room_or_page(path: &'a str) -> Self {
        let Some(rest) = path.strip_prefix("/r/") else {
            return Self::Page(path);
        };
        match rest.split_once('/') {
            None => Self::Room(rest),
            Some((room, session)) if !session.contains('/') => Self::Session { room, session },
            Some(_) => Self::Page(path),
        }
    }

    /// The methods that there are, as the Allow header lists them; those of the operator's paths only
    /// the backend knows.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Server => "OPTIONS",
            Self::Health | Self::Page(_) => "GET, HEAD, OPTIONS",
            Self::Operator(_) => "",
            Self::WebSocket => "GET, OPTIONS",
            Self::Room(_) => "POST, OPTIONS",
            Self::Session { .. } => "PATCH, DELETE, OPTIONS",
        }
    }
}

/// For the log: without the session's id, which is as secret as a password.
impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("*"),
            Self::Health => f.write_str("/healthz"),
            Self::WebSocket => f.write_str("/ws"),
            Self::Room(room) => write!(f, "/r/{}", room.escape_debug()),
            Self::Session { room, .. } => write!(f, "/r/{}/..", room.escape_debug()),
            Self::Operator(path) | Self::Page(path) => write!(f, "{}", path.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let session = Route::Session {
            room: "a",
            session: "b",
        };
        for (path, route) in [
            ("*", Route::Server),
            ("/healthz", Route::Health),
            ("/ws", Route::WebSocket),
            ("/metrics", Route::Operator("/metrics")),
            ("/metrics/", Route::Page("/metrics/")),
            ("/status", Route::Page("/status")),
            ("/status/data", Route::Operator("/status/data")),
            ("/api/v1/rooms", Route::Operator("/api/v1/rooms")),
            ("/api", Route::Page("/api")),
            ("/ws/", Route::Page("/ws/")),
            ("/", Route::Page("/")),
            ("/r", Route::Page("/r")),
            ("/r/", Route::Room("")),
            ("/r/a", Route::Room("a")),
            ("/r/a%2Fb", Route::Room("a%2Fb")),
            ("/r/a/b", session),
            ("/r/a/b/c", Route::Page("/r/a/b/c")),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }

    #[test]
    fn the_log_shows_no_session_and_no_line_breaks() {
        assert_eq!(Route::of("/r/a/0123").to_string(), "/r/a/..");
        assert_eq!(Route::of("/a\u{85}b").to_string(), "/a\\u{85}b");
    }
}
