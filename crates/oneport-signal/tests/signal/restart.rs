//! `PATCH` on a session.

use oneport_wire::FRAGMENT_BYTES_MAX;

use crate::common::{Reply, SESSION, Server, patient};

const ANY: &str = "If-Match: *\r\n";

fn fragment(ufrag: &str) -> String {
    format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:0123456789abcdefghijkl\r\n")
}

fn patch(server: &Server, path: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let mut client = server.connect();
    client.send(format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/trickle-ice-sdpfrag\r\n\
         {headers}Content-Length: {length}\r\n\r\n{body}"
    ));
    client.reply()
}

#[test]
fn a_restart_is_answered() {
    let server = Server::new(patient());
    let path = format!("/r/lobby/{SESSION}");
    for headers in [
        ANY,
        "If-Match: \"*\"\r\n",
        "If-Match: \"now\"\r\n",
        "If-Match: \"old\"\r\nIf-Match: \"now\"\r\n",
    ] {
        let reply = patch(&server, &path, headers, &fragment("anew"));
        assert_eq!(
            (reply.status, reply.text()),
            (200, "answer to anew"),
            "{headers}"
        );
        let kind = Some("application/trickle-ice-sdpfrag");
        assert_eq!(reply.header("Content-Type"), kind);
        assert_eq!(reply.header("ETag"), Some("\"next\""));
        assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
        let exposed = Some("Location, ETag, Retry-After");
        assert_eq!(reply.header("Access-Control-Expose-Headers"), exposed);
    }
}

#[test]
fn candidates_are_taken_note_of() {
    let server = Server::new(patient());
    let path = format!("/r/lobby/{SESSION}");
    let body = fragment("same") + "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n";
    let reply = patch(&server, &path, "If-Match: \"now\"\r\n", &body);
    assert_eq!((reply.status, reply.text()), (204, ""));
    assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
}

#[test]
fn what_is_refused() {
    let server = Server::new(patient());
    let path = format!("/r/lobby/{SESSION}");
    let other = path.replace("lobby", "other");
    let unknown = path.replace('0', "1");
    let (good, huge) = (fragment("anew"), "a".repeat(FRAGMENT_BYTES_MAX + 1));
    let ambiguous = fragment("anew") + &fragment("other");
    for (path, headers, body, status, code) in [
        (&*path, "", &*good, 428, "precondition_required"),
        (
            &path,
            "If-Match: \"old\"\r\n",
            &good,
            412,
            "precondition_failed",
        ),
        (
            &path,
            "If-Match: W/\"now\"\r\n",
            &good,
            412,
            "precondition_failed",
        ),
        (
            &path,
            "If-Match: now\r\n",
            &good,
            412,
            "precondition_failed",
        ),
        (&path, ANY, "", 400, "bad_fragment"),
        (&path, ANY, "hello", 400, "bad_fragment"),
        (&path, ANY, &ambiguous, 400, "bad_fragment"),
        (&path, ANY, &huge, 413, "fragment_too_large"),
        (&path, ANY, &fragment("busy"), 503, "busy"),
        (&other, ANY, &good, 404, "no_such_session"),
        (&unknown, ANY, &good, 404, "no_such_session"),
        ("/r/lobby/x", ANY, &good, 404, "no_such_session"),
        ("/r/a%20b/x", ANY, &good, 400, "bad_room"),
    ] {
        let reply = patch(&server, path, headers, body);
        let found = (reply.status, &*reply.problem_code());
        assert_eq!(found, (status, code), "{path} {headers:?} {body:.20?}");
    }
    let mut client = server.connect();
    client.send(format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n"
    ));
    let reply = client.reply();
    assert_eq!(
        (reply.status, &*reply.problem_code()),
        (415, "unsupported_media_type")
    );
    let kind = Some("application/trickle-ice-sdpfrag");
    assert_eq!(reply.header("Accept-Patch"), kind);
    let mut client = server.connect();
    client.send(format!("OPTIONS {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(client.reply().header("Accept-Patch"), kind);
}
