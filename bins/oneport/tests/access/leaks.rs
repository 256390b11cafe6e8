//! What nobody gets to see: the secret and the tokens.

use crate::common::{Relay, SECRET, TemporaryFile, authority, bad_tokens, claims, oneport, run};

/// Whole, or its signature, which is what others cannot make.
fn assert_no_token(token: &str, text: &str) {
    let secret_part = token.rsplit('.').next().filter(|part| part.len() > 20);
    for part in [Some(token), secret_part].into_iter().flatten() {
        assert!(!text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn a_log_with_everything_in_it_has_no_secret_and_no_token() {
    let file = TemporaryFile::new("secret", SECRET);
    let mut command = oneport(&["--listen", "127.0.0.1:0", "--secret-file", file.path()]);
    let relay = Relay::spawn(command.env("RUST_LOG", "trace"));
    let good = authority(SECRET).mint(&claims("lobby"));
    let mut tokens = vec![good];
    tokens.extend(bad_tokens().into_iter().map(|(_, token, ..)| token));
    let mut said = relay.banner.clone();
    for token in &tokens {
        said.push_str(&relay.post("lobby", Some(token)).2);
        said.push_str(&relay.ask("lobby", Some(token)).1);
    }
    let log = relay.into_log();
    assert!(
        log.contains("somebody may join,publish,subscribe in lobby"),
        "{log}"
    );
    assert!(log.contains("signed with another secret"), "{log}");
    assert!(log.contains("TRACE"), "{log}");
    for text in [&said, &log] {
        assert!(!text.contains(SECRET));
        for token in &tokens {
            assert_no_token(token, text);
        }
    }
}

#[test]
fn no_help_and_no_error_has_a_secret() {
    let short = "Gr8-but-too-short";
    let file = TemporaryFile::new("short", short);
    for (arguments, secret) in [
        (&["--help"][..], SECRET),
        (&["-h"], SECRET),
        (&["serve", "--help"], SECRET),
        (&["token", "--help"], SECRET),
        (&["token", "--room", "a b"], SECRET),
        (&["token", "--room", "lobby", "--name", ""], SECRET),
        (&["--open"], SECRET),
        (&["serve"], short),
        (&["token", "--room", "lobby"], short),
        (&["serve", "--secret-file", file.path()], short),
    ] {
        let mut command = oneport(arguments);
        command
            .env("ONEPORT_SECRET", secret)
            .env("RUST_LOG", "trace");
        let (_, stdout, stderr) = run(&mut command);
        for text in [stdout, stderr] {
            assert!(!text.contains(secret), "{arguments:?}: {text}");
        }
    }
    let (_, help, _) = run(&mut oneport(&["serve", "--help"]));
    assert!(help.contains("--secret-file") && help.contains("ONEPORT_SECRET"));
}
