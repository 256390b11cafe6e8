//! Flags, environment and file on the binary itself.

use crate::common::{Relay, SECRET, TemporaryFile, oneport, run};

#[test]
fn a_relay_is_configured_by_all_three() {
    let secret = TemporaryFile::new("secret", SECRET);
    let file = format!(
        "# A relay.\nlisten = '127.0.0.1:0'\nmax-clients = 7\nmax-rooms = 8\nmax-room-clients = 9\n\
         secret-file = {:?}\n",
        secret.path()
    );
    let file = TemporaryFile::new("oneport.toml", &file);
    let arguments = ["serve", "--config", file.path(), "--max-clients", "3"];
    let mut command = oneport(&arguments);
    let relay = Relay::spawn(command.env("ONEPORT_MAX_ROOMS", "5"));
    let limits = "limits  3 clients; 5 rooms of 9 clients;";
    assert!(relay.banner.contains(limits), "{}", relay.banner);
    assert_eq!(relay.post("lobby", None).1, "token_missing");
}

#[test]
fn what_config_prints_can_be_its_file() {
    let file = TemporaryFile::new("oneport.toml", "max-memory = '1G'\nslow = ['a=gap']\n");
    let arguments = ["config", "--config", file.path(), "--max-clients", "3"];
    let mut command = oneport(&arguments);
    let (code, first, stderr) = run(command.env("ONEPORT_SECRET", SECRET));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for line in [
        format!("max-memory = \"1G\" # {}:1", file.path()),
        format!("slow = [\"a=gap\"] # {}:2", file.path()),
        "max-clients = 3 # command line".into(),
        "max-rooms = 256 # default".into(),
    ] {
        assert!(first.lines().any(|it| it == line), "{line}\n{first}");
    }
    assert!(
        first.contains("ONEPORT_SECRET") && !first.contains(SECRET),
        "{first}"
    );

    let printed = TemporaryFile::new("printed.toml", &first);
    let (code, second, _) = run(&mut oneport(&["config", "--config", printed.path()]));
    assert_eq!(code, Some(0));
    let settings = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| Some(line.split_once(" # ")?.0.to_owned()))
            .collect()
    };
    assert_eq!(settings(&first), settings(&second));
    assert!(settings(&first).len() > 8, "{first}");
}

#[test]
fn nonsense_ends_it_with_2_and_a_line() {
    let file = TemporaryFile::new("oneport.toml", "open = true\nmax-client = 7\n");
    for command in ["serve", "config"] {
        let (code, stdout, stderr) = run(&mut oneport(&[command, "--config", file.path()]));
        let path = file.path();
        let told = format!(
            "oneport: {path}:2: there is no key \"max-client\"; did you mean max-clients?\n"
        );
        assert_eq!((code, stdout.as_str(), stderr), (Some(2), "", told));
    }
    let (code, _, stderr) = run(oneport(&["serve"]).env("ONEPORT_OPEN", "perhaps"));
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("oneport: ONEPORT_OPEN: "), "{stderr}");
    let (code, _, stderr) = run(&mut oneport(&["serve", "--config", "/no/such/file"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/no/such/file cannot be read"), "{stderr}");
    let (code, _, stderr) = run(oneport(&["config"]).env("ONEPORT_MAX_ROOM", "5"));
    assert_eq!(code, Some(0));
    assert!(
        stderr.contains("did you mean ONEPORT_MAX_ROOMS?"),
        "{stderr}"
    );
}
