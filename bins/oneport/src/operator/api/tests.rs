//! What the API takes from requests, and what it says of them.

use std::net::{IpAddr, Ipv4Addr};

use oneport_core::Excerpt;
use oneport_wire::{Offset, Payload};

use super::*;

fn request(method: Method, query: &str, content_type: Option<&str>) -> OperatorRequest {
    OperatorRequest {
        method,
        path: String::new(),
        query: query.into(),
        accept: None,
        content_type: content_type.map(str::to_owned),
        access_token: None,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_local: true,
    }
}

fn ask(method: Method, path: &str, body: &str) -> Result<Operation, Problem> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = request(method, query, Some("application/json"));
    operation(&Access::Local, path, &request, body.as_bytes())
}

fn refused(method: Method, path: &str, body: &str) -> (u16, &'static str) {
    let problem = ask(method, path, body).expect_err(path);
    (problem.status(), problem.code())
}

#[test]
fn paths_that_are_none_and_methods_that_they_do_not_have() {
    for (path, allow) in [
        ("rooms", "GET, HEAD"),
        ("rooms/lobby", "GET, HEAD, DELETE"),
        ("rooms/lobby/members", "GET, HEAD"),
        ("rooms/lobby/members/1", "DELETE"),
        ("rooms/lobby/messages", "GET, HEAD, POST"),
    ] {
        let methods = [
            (Method::Get, "GET"),
            (Method::Head, "HEAD"),
            (Method::Post, "POST"),
            (Method::Delete, "DELETE"),
            (Method::Options, "OPTIONS"),
            (Method::Other, "PUT"),
        ];
        for (method, name) in methods {
            let is_allowed = allow.split(", ").any(|allowed| allowed == name);
            let refused = ask(method, path, r#"{"text":""}"#).err();
            let expected = (!is_allowed).then(|| Problem::method_not_allowed(allow));
            assert_eq!(refused, expected, "{name} {path}");
        }
    }
    for (path, refusal) in [
        ("", (404, "not_found")),
        ("room", (404, "not_found")),
        ("rooms/", (400, "bad_room")),
        ("rooms/a%20b", (400, "bad_room")),
        ("rooms/lobby/", (404, "not_found")),
        ("rooms/lobby/members/1/2", (404, "not_found")),
    ] {
        assert_eq!(refused(Method::Get, path, ""), refusal, "{path}");
    }
    let nobody = refused(Method::Delete, "rooms/lobby/members/ada", "");
    assert_eq!(nobody, (404, "no_such_member"));
}

#[test]
fn parameters() {
    let excerpt = |query: &str| match ask(Method::Get, &format!("rooms/lobby/messages?{query}"), "")
    {
        Ok(Operation::Messages { excerpt, count, .. }) => (excerpt, count),
        other => panic!("{query}: {other:?}"),
    };
    let at = Offset::from(7);
    assert_eq!(excerpt(""), (Excerpt::Latest, MESSAGES_DEFAULT));
    assert_eq!(excerpt("since=7&limit=2"), (Excerpt::Since(at), 2));
    assert_eq!(excerpt("limit=0&before=7"), (Excerpt::Before(at), 0));
    for query in [
        "since=7&before=8",
        "since=-1",
        "since=9007199254740992",
        "since=",
        "limit=all",
        "epoch=1",
        "page=2",
        "limit=1&limit=2",
    ] {
        let path = format!("rooms/lobby/messages?{query}");
        assert_eq!(
            refused(Method::Get, &path, ""),
            (400, "bad_query"),
            "{query}"
        );
    }
    match ask(
        Method::Delete,
        "rooms/lobby/members/3?message=that+is%20enough",
        "",
    ) {
        Ok(Operation::KickOut {
            message, member, ..
        }) => {
            assert_eq!(
                message.map(|message| message.to_string()),
                Some("that is enough".into())
            );
            assert_eq!(member, MemberId::new(3));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_encoded_wrong_is_not_taken_literally() {
    for (method, path, code) in [
        (
            Method::Delete,
            "rooms/lobby/members/3?message=%zz",
            "bad_query",
        ),
        (
            Method::Delete,
            "rooms/lobby/members/3?message=%",
            "bad_query",
        ),
        (Method::Delete, "rooms/lobby?message=100%", "bad_query"),
        (Method::Delete, "rooms/lobby?message=%ff", "bad_query"),
        (Method::Delete, "rooms/lobby?message=%c3+%a9", "bad_query"),
        (Method::Delete, "rooms/lobby?%zz=1", "bad_query"),
        (Method::Get, "rooms?after=%zz", "bad_query"),
        (Method::Get, "rooms/lobby/messages?limit=%", "bad_query"),
        (Method::Get, "rooms/%zz", "bad_path"),
        (Method::Get, "rooms/lobby/%", "bad_path"),
        (Method::Delete, "rooms/lobby/members/%ff", "bad_path"),
        (Method::Get, "rooms/a%2Fb", "bad_room"),
        (Method::Get, "rooms/a%00", "bad_room"),
    ] {
        assert_eq!(refused(method, path, ""), (400, code), "{path}");
    }
    // What is encoded without need is the same.
    for path in ["rooms/%6cobby", "rooms/lobb%79", "%72ooms/lobby"] {
        let room = "lobby".parse().expect("a name");
        let asked = ask(Method::Get, path, "");
        assert!(
            matches!(asked, Ok(Operation::Room { room: ref asked }) if *asked == room),
            "{path}: {asked:?}"
        );
    }
    match ask(Method::Delete, "rooms/lobby?message=100%25+%C3%A9", "") {
        Ok(Operation::CloseRoom { message, .. }) => {
            let message = message.map(|message| message.to_string());
            assert_eq!(message.as_deref(), Some("100% \u{e9}"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_to_be_said() {
    let said = |body: &str| match ask(Method::Post, "rooms/lobby/messages", body) {
        Ok(Operation::Announce { announcement, .. }) => announcement,
        other => panic!("{body}: {other:?}"),
    };
    let short = said(r#"{"text":"hi"}"#);
    assert_eq!(short.payload, Payload::Text("hi".into()));
    assert!(short.is_kept && short.topic.is_empty() && short.to.is_none() && short.id.is_none());
    let long = said(r#"{"id":"1","topic":"chat","to":[5,3],"class":"transient","binary":"AP8="}"#);
    assert_eq!(long.payload, Payload::Binary([0, 0xff].as_slice().into()));
    assert!(!long.is_kept && long.id.is_some());
    assert_eq!(long.to.map(|to| to.as_slice().len()), Some(2));

    for body in [
        "",
        "[]",
        "{}",
        r#"{"text":"a","binary":"AP8="}"#,
        r#"{"binary":"AP8"}"#,
        r#"{"binary":"not base64"}"#,
        r#"{"text":1}"#,
        r#"{"text":"a","class":"lossy"}"#,
        r#"{"text":"a","to":[]}"#,
        r#"{"text":"a","to":["ada"]}"#,
        r#"{"text":"a","id":""}"#,
        r#"{"text":"a","echo":true}"#,
        r#"{"text":"a","text":"b"}"#,
        r#"{"text":"a"} {}"#,
    ] {
        let refused = refused(Method::Post, "rooms/lobby/messages", body);
        assert_eq!(refused, (400, "bad_request"), "{body}");
    }
    let request = request(Method::Post, "", Some("text/plain"));
    let refused = operation(&Access::Local, "rooms/lobby/messages", &request, b"{}");
    assert_eq!(refused.expect_err("no JSON").status(), 415);
}
