//! The upgrade from HTTP to WebSocket, on the server's side (RFC 6455 section 4.2).

use tungstenite::handshake::derive_accept_key;

use crate::head::Head;
use crate::problem::Problem;
use crate::response::Response;

/// Judges a `GET` of `/ws`: the response that switches protocols, or why it stays HTTP.
pub(crate) fn accept(head: &Head) -> Result<Response, Problem> {
    let upgrade = &head.upgrade;
    // An upgrade asked for in HTTP/1.0 must be ignored (RFC 9110 section 7.8).
    if !upgrade.websocket || !head.http11 {
        return Err(Problem::upgrade_required("this path speaks WebSocket only"));
    }
    if !upgrade.connection {
        return Err(Problem::bad_upgrade(
            "the Connection header does not say upgrade",
        ));
    }
    if upgrade.version.as_deref() != Some("13") {
        return Err(Problem::upgrade_required(
            "the WebSocket version here is 13",
        ));
    }
    let Some(key) = upgrade.key.as_deref().filter(|key| is_key(key)) else {
        return Err(Problem::bad_upgrade(
            "Sec-WebSocket-Key is not 16 bytes in base64",
        ));
    };
    if head.content_length.unwrap_or(0) > 0 {
        return Err(Problem::bad_upgrade("an upgrade has no body"));
    }
    Ok(Response::new(101)
        .header("Upgrade", "websocket")
        .header("Connection", "upgrade")
        .header("Sec-WebSocket-Accept", derive_accept_key(key.as_bytes())))
}

/// Whether this is base64 of 16 bytes: 22 digits and the padding.
fn is_key(key: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix("==")
        .is_some_and(|digits| digits.len() == 22 && digits.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use crate::response::{Form, Persistence};

    use super::*;

    fn answer(lines: &str) -> String {
        let request = format!("GET /ws HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
        let parsed = Head::parse(request.as_bytes(), 8192).expect("valid");
        let (head, _) = parsed.expect("complete");
        let response = accept(&head).unwrap_or_else(Response::from);
        let form = Form {
            head_only: false,
            persistence: Persistence::KeepAlive,
        };
        String::from_utf8(response.to_bytes(form, "now")).expect("UTF-8")
    }

    #[test]
    fn the_example_of_the_rfc() {
        let answer = answer(
            "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        );
        assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
        assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    }

    #[test]
    fn upgrades_that_are_none() {
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n";
        let version = "Sec-WebSocket-Version: 13\r\n";
        for (status, lines) in [
            (426, String::new()),
            (426, format!("Connection: upgrade\r\n{version}{key}")),
            (
                426,
                format!("Upgrade: h2c\r\nConnection: upgrade\r\n{version}{key}"),
            ),
            (400, format!("Upgrade: websocket\r\n{version}{key}")),
            (426, format!("{upgrade}{key}")),
            (426, format!("{upgrade}Sec-WebSocket-Version: 8\r\n{key}")),
            (400, format!("{upgrade}{version}")),
            (
                400,
                format!("{upgrade}{version}Sec-WebSocket-Key: c2hvcnQ=\r\n"),
            ),
            (400, format!("{upgrade}{version}{key}Content-Length: 1\r\n")),
        ] {
            let answer = answer(&lines);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{lines}: {answer}"
            );
            let names_version = answer.contains("\r\nSec-WebSocket-Version: 13\r\n");
            assert_eq!(names_version, status == 426, "{lines}");
        }
    }
}
