//! What the command says to its operator.

use std::net::UdpSocket;
use std::process::Output;

use oneport_tests::{Result, relay};

fn run(arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let Output {
        status,
        stdout,
        stderr,
    } = relay::run(arguments)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((status.code(), text(stdout), text(stderr)))
}

#[test]
fn help_and_version() -> Result {
    let (code, help, _) = run(&["--help"])?;
    assert_eq!(code, Some(0));
    for word in [
        "serve",
        "--listen",
        "--announce",
        "--open",
        "127.0.0.1:3478",
        "RUST_LOG",
    ] {
        assert!(help.contains(word), "{word} is not in:\n{help}");
    }
    let (code, version, _) = run(&["--version"])?;
    assert_eq!((code, version.starts_with("oneport ")), (Some(0), true));
    Ok(())
}

/// Whoever has the port: settings are looked at before it is taken.
#[test]
fn unusable_arguments_exit_with_two_and_say_what_to_do() -> Result {
    let taken = UdpSocket::bind("127.0.0.1:0")?;
    let taken = taken.local_addr()?.to_string();
    for (arguments, hint) in [
        (&["--listen", "0.0.0.0:3478"][..], "--open"),
        (&["serve", "--listen", "[::]:3478"], "--open"),
        (&["--listen", "3478"], "--listen"),
        (&["--max-clients", "none"], "--max-clients"),
        (&["serve", "--no-such-flag"], "--no-such-flag"),
        (&["--listen", &taken, "--max-memory", "7M"], "needs 8M"),
        (&["--max-memory", "much"], "512M"),
        (&["--slow", "quick"], "disconnect and gap"),
        (
            &["--listen", &taken, "--slow", "gap", "--slow", "gap"],
            "twice",
        ),
        (&["--webhook", "http://host:99999/"], "1 to 65535"),
        (&["--webhook", "http://host/#a"], "fragment"),
        (&["--webhook", "http://a b/"], "white space"),
        (&["check", "http://host:0"], "1 to 65535"),
        (&["check", "http://256.0.0.1"], "neither a name nor"),
        (&["chat", "http://ada@host", "--lines"], "user name"),
        (&["sing"], "sing"),
    ] {
        let (code, _, stderr) = run(arguments)?;
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(hint), "{arguments:?}: {stderr}");
    }
    Ok(())
}

#[test]
fn a_taken_port_is_one_line_with_address_and_cause() -> Result {
    let taken = UdpSocket::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let (code, _, stderr) = run(&["--listen", &address])?;
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.contains(&address) && stderr.contains("in use"),
        "{stderr}"
    );
    Ok(())
}
