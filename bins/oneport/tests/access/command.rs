//! What the command line says of secrets and tokens.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use oneport::token::{Right, UnixTime};

use crate::common::{Relay, SECRET, TemporaryFile, authority, oneport, run};

#[test]
fn a_token_for_somebody() {
    let file = TemporaryFile::new("secret", &format!("{SECRET}\n"));
    let secret = ["token", "--secret-file", file.path()];
    let wanted = "--room lobby --name ada --can publish,join,subscribe --for 90s";
    let (code, stdout, _) = run(oneport(&secret).args(wanted.split(' ')));
    assert_eq!(code, Some(0));
    let token = stdout.strip_suffix('\n').expect("a line");
    assert!(!token.contains(char::is_whitespace), "{token}");

    let now = UnixTime::now();
    let grant = authority(SECRET).verify(token, now).expect("valid");
    assert_eq!(grant.rooms.to_string(), "lobby");
    assert_eq!(grant.name.map(|name| name.to_string()), Some("ada".into()));
    assert_eq!(grant.rights.to_string(), "join,publish,subscribe");
    let end = now + Duration::from_secs(90);
    assert!((end.as_secs() - 10..=end.as_secs()).contains(&grant.expires.as_secs()));

    // By the environment, which counts for less than a file.
    let mut command = oneport(&["token", "--room", "*"]);
    let (code, stdout, stderr) = run(command.env("ONEPORT_SECRET", SECRET));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let grant = authority(SECRET).verify(stdout.trim(), now).expect("valid");
    assert!(grant.rights.contains(Right::Join));
    let (_, stdout, _) = run(oneport(&secret)
        .args(["--room", "*"])
        .env("ONEPORT_SECRET", SECRET.to_lowercase()));
    assert!(authority(SECRET).verify(stdout.trim(), now).is_ok());
}

#[test]
fn a_token_that_allows_nothing_is_made_with_a_warning() {
    let mut command = oneport(&["token", "--room", "a", "--can", "kick"]);
    let (code, stdout, stderr) = run(command.env("ONEPORT_SECRET", SECRET));
    assert_eq!((code, stdout.lines().count()), (Some(0), 1));
    assert!(stderr.contains("join"), "{stderr}");
    for can in ["admin", "kick,admin", "publish", "kick,subscribe"] {
        let mut command = oneport(&["token", "--room", "a", "--can", can]);
        let (code, _, stderr) = run(command.env("ONEPORT_SECRET", SECRET));
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{can}");
    }
}

#[test]
fn exit_codes_and_what_to_do() {
    let short = TemporaryFile::new("short", "0123456789abcdef0123456789abcde\n");
    let long = TemporaryFile::new("long", &"x".repeat(5000));
    let good = TemporaryFile::new("good", SECRET);
    for (arguments, code, hint) in [
        (&["token", "--room", "a"][..], 2, "--secret-file"),
        (&["token", "--secret-file", good.path()], 2, "--room"),
        (
            &["token", "--secret-file", good.path(), "--room", "a b"],
            2,
            "room name",
        ),
        (
            &["token", "--room", "a", "--can", "sing"],
            2,
            "join,publish,subscribe,kick,admin",
        ),
        (&["token", "--room", "a", "--for", "never"], 2, "15m"),
        (
            &["token", "--secret-file", short.path(), "--room", "a"],
            2,
            "32 bytes",
        ),
        (
            &["token", "--secret-file", long.path(), "--room", "a"],
            2,
            "4096 bytes",
        ),
        (
            &["token", "--secret-file", "/no/such/file", "--room", "a"],
            1,
            "/no/such/file",
        ),
        (
            &["serve", "--secret-file", "/no/such/file"],
            1,
            "/no/such/file",
        ),
        (&["serve", "--secret-file", short.path()], 2, "32 bytes"),
        (&["--open", "--secret-file", good.path()], 2, "--open"),
        (&["--listen", "0.0.0.0:0"], 2, "--secret-file"),
    ] {
        let (found, stdout, stderr) = run(&mut oneport(arguments));
        assert_eq!(found, Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(hint), "{arguments:?}: {stderr}");
        assert_eq!(stdout, "", "{arguments:?}");
    }
    let (code, _, stderr) = run(oneport(&["--open"]).env("ONEPORT_SECRET", SECRET));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.contains("--open") && stderr.contains("ONEPORT_SECRET"),
        "{stderr}"
    );
    // Somebody wanted a secret and has none: that must not mean that everybody gets in.
    let (code, _, stderr) = run(oneport(&["serve"]).env("ONEPORT_SECRET", ""));
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn a_file_that_everybody_can_read_is_warned_of() {
    let file = TemporaryFile::new("secret", SECRET);
    for (mode, warns) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(file.path(), Permissions::from_mode(mode)).expect("ours");
        let arguments = ["token", "--room", "a", "--secret-file", file.path()];
        let (code, _, stderr) = run(&mut oneport(&arguments));
        assert_eq!(code, Some(0));
        assert_eq!(stderr.contains("chmod 600"), warns, "{mode:o}: {stderr}");
    }
}

#[test]
fn with_a_secret_it_may_listen_beyond_loopback() {
    let mut command = oneport(&["--listen", "0.0.0.0:0"]);
    let relay = Relay::spawn(command.env("ONEPORT_SECRET", SECRET));
    assert!(relay.banner.contains("open    UDP"), "{}", relay.banner);
    let log = relay.into_log();
    assert!(
        log.contains("only those with an access token get in"),
        "{log}"
    );
}

/// The commands of README's section on access tokens, but for the relay itself: the secret that they make
/// is one that nobody else can read, and nothing is complained of.
#[test]
fn the_documented_secret_is_silent() {
    const README: &str = include_str!("../../../../README.md");
    let (_, section) = README
        .split_once("\n### Access tokens\n")
        .expect("a section");
    let (_, block) = section.split_once("```sh\n").expect("commands");
    let (commands, _) = block.split_once("```").expect("an end");
    let (serve, others): (Vec<_>, Vec<_>) = commands
        .lines()
        .partition(|line| line.starts_with("oneport serve "));
    assert_eq!((serve.len(), others.len()), (1, 2), "{commands}");

    let folder = tempfile::TempDir::new().expect("a folder");
    let binary = Path::new(env!("CARGO_BIN_EXE_oneport"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", binary.parent().expect("a folder").display());
    let script = format!("umask 022\n{}", others.join("\n"));
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", &script])
        .current_dir(&folder)
        .env("PATH", path)
        .env_remove("RUST_LOG");
    let (code, token, stderr) = run(&mut shell);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let secret = folder.path().join("secret");
    let mode = fs::metadata(&secret)
        .expect("it is made")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let secret = fs::read_to_string(secret).expect("text");
    let verified = authority(&secret).verify(token.trim(), UnixTime::now());
    assert!(verified.is_ok(), "{verified:?}");
}
