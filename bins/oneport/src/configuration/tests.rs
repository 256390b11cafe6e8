//! What counts when several say it, and what is refused.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with the file `oneport.toml` in it, and what it takes to read it.
struct Case {
    folder: TempDir,
}

impl Case {
    fn new(file: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for tests");
        fs::write(folder.path().join("oneport.toml"), file).expect("writable");
        Self { folder }
    }

    fn path(&self) -> String {
        let path = self.folder.path().join("oneport.toml");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// With the file.
    fn read(&self, flags: &str, variables: &[(&str, &str)]) -> Result<Invocation, ConfigError> {
        let words = format!("oneport config {flags} --config {}", self.path());
        read(&words, variables)
    }

    /// What `oneport config` prints about a flag, without the folder.
    fn line(&self, name: &str, flags: &str, variables: &[(&str, &str)]) -> String {
        let invocation = self.read(flags, variables).expect("a configuration");
        let text = printed(&invocation).replace(&self.path(), "FILE");
        let line = text.lines().find(|line| is_about(line, name));
        line.unwrap_or_else(|| panic!("{name} in {text}"))
            .to_owned()
    }
}

fn is_about(line: &str, name: &str) -> bool {
    let line = line.strip_prefix("# ").unwrap_or(line);
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with([' ', ':']))
}

fn read(words: &str, variables: &[(&str, &str)]) -> Result<Invocation, ConfigError> {
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    Invocation::read(words.split_whitespace().map(OsString::from), variables)
}

fn printed(invocation: &Invocation) -> String {
    let configuration = invocation.configuration.as_ref();
    configuration.expect("of the relay").to_string()
}

fn refused(result: Result<Invocation, ConfigError>) -> String {
    let error = result.expect_err("nonsense");
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

#[test]
fn a_flag_counts_before_its_variable_and_that_before_the_file() {
    let case = Case::new("\nmax-clients = 1\n");
    let variable = [("ONEPORT_MAX_CLIENTS", "2")];
    for (flags, variables, line) in [
        (
            "--max-clients 3",
            &variable[..],
            "max-clients = 3 # command line",
        ),
        ("", &variable, "max-clients = 2 # ONEPORT_MAX_CLIENTS"),
        ("", &[], "max-clients = 1 # FILE:2"),
    ] {
        assert_eq!(case.line("max-clients", flags, variables), line);
    }
    let line = Case::new("").line("max-clients", "", &[]);
    assert_eq!(line, "max-clients = 1000 # default");
}

#[test]
fn it_is_what_the_relay_is_given_with_and_without_a_command() {
    let case = Case::new("listen = ['127.0.0.1:1', '[::1]:2']\nmax-memory = '2G'\nopen = true");
    for start in ["oneport", "oneport serve"] {
        let words = format!("{start} --max-rooms 5 --config {}", case.path());
        let read = read(&words, &[("ONEPORT_MAX_CLIENTS", "7")]).expect("valid");
        let Command::Serve(args) = read.command else {
            panic!("{start} serves")
        };
        assert_eq!(args.listen.len(), 2);
        assert!(args.open);
        assert_eq!(args.max_memory, Some(crate::Bytes(2 << 30)));
        assert_eq!((args.max_rooms.0, args.max_clients.0), (5, 7));
    }
}

#[test]
fn a_list_replaces_the_other() {
    let case = Case::new("announce = ['10.0.0.1', '10.0.0.2']");
    let variable = [("ONEPORT_ANNOUNCE", "10.0.0.3, ::1")];
    for (flags, variables, line) in [
        (
            "--announce 10.0.0.9",
            &variable[..],
            r#"["10.0.0.9"] # command line"#,
        ),
        ("", &variable, r#"["10.0.0.3", "::1"] # ONEPORT_ANNOUNCE"#),
        ("", &[], r#"["10.0.0.1", "10.0.0.2"] # FILE:1"#),
    ] {
        let line = format!("announce = {line}");
        assert_eq!(case.line("announce", flags, variables), line);
    }
    let alone = Case::new("announce = '10.0.0.1'").line("announce", "", &[]);
    assert_eq!(alone, r#"announce = ["10.0.0.1"] # FILE:1"#);
    let none = Case::new("announce = []").line("announce", "", &[]);
    assert_eq!(none, "announce = [] # FILE:1");
}

#[test]
fn switches() {
    let case = Case::new("open = true");
    for (value, line) in [
        ("true", "open = true # ONEPORT_OPEN"),
        ("1", "open = true # ONEPORT_OPEN"),
        ("false", "open = false # ONEPORT_OPEN"),
        ("0", "open = false # ONEPORT_OPEN"),
    ] {
        assert_eq!(case.line("open", "", &[("ONEPORT_OPEN", value)]), line);
    }
    let typed = case.line("open", "--open", &[("ONEPORT_OPEN", "false")]);
    assert_eq!(typed, "open = true # command line");
    assert_eq!(case.line("open", "", &[]), "open = true # FILE:1");
}

#[test]
fn a_secret_is_where_it_counts_and_is_not_shown() {
    let case = Case::new("secret-file = '/a'");
    let secret = ("ONEPORT_SECRET", "not-to-be-shown");
    let file = ("ONEPORT_SECRET_FILE", "/b");
    for (flags, variables, line) in [
        ("", &[][..], "secret-file = \"/a\" # FILE:1"),
        (
            "",
            &[secret],
            "# secret-file: what it would name is in ONEPORT_SECRET",
        ),
        (
            "",
            &[secret, file],
            "secret-file = \"/b\" # ONEPORT_SECRET_FILE",
        ),
        (
            "--secret-file /c",
            &[secret, file],
            "secret-file = \"/c\" # command line",
        ),
    ] {
        assert_eq!(case.line("secret-file", flags, variables), line);
        let all = printed(&case.read(flags, variables).expect("valid"));
        assert!(!all.contains(secret.1), "{all}");
    }
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let line = |url: &str| Case::new(&format!("webhook = '{url}'")).line("webhook", "", &[]);
    let hidden = "# webhook: not shown, as it may contain a password; FILE:1";
    assert_eq!(line("http://ada:Gr8@example.org/told"), hidden);
    let shown = r#"webhook = "http://example.org/@told" # FILE:1"#;
    assert_eq!(line("http://example.org/@told"), shown);
    let case = Case::new("webhook = 'gopher://ada:Gr8@example.org'");
    let error = refused(case.read("", &[])).replace(&case.path(), "FILE");
    assert_eq!(error, "FILE:1: this is no value for --webhook");
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let case = Case::new("max-rooms = 9");
    let path = case.path();
    let named = read("oneport config", &[("ONEPORT_CONFIG", &path)]).expect("valid");
    assert!(printed(&named).contains("max-rooms = 9"));
    let other = read(
        &format!("oneport config --config {path}"),
        &[("ONEPORT_CONFIG", "/no/such/file")],
    );
    assert!(printed(&other.expect("a flag counts more")).contains("max-rooms = 9"));
    let missing = read("oneport serve --config /no/such/file", &[]).expect_err("missing");
    assert_eq!(missing.exit_code(), 1);
    assert!(
        missing
            .to_string()
            .starts_with("/no/such/file cannot be read")
    );
}

#[test]
fn what_is_printed_says_the_same_again() {
    let all = Case::new(
        "listen = ['0.0.0.0:1', '[::]:1']\nannounce = ['10.0.0.1']\nopen = true\nmax-clients = 0x10\n\
         max-memory = '1G'\nslow = ['game-*=gap', 'disconnect']",
    );
    let secret = Case::new("secret-file = \"/a \\\"b\\\"\\u007f\\n\"");
    for case in [all, secret, Case::new("")] {
        let printed_first = printed(&case.read("", &[]).expect("valid"));
        fs::write(case.path(), &printed_first).expect("writable");
        let printed_then = printed(&case.read("", &[]).expect("what was printed is valid"));
        let settings = |text: &str| -> Vec<String> {
            let parsed: toml::Table = text.parse().expect("TOML");
            parsed.iter().map(|it| format!("{it:?}")).collect()
        };
        assert_eq!(settings(&printed_first), settings(&printed_then));
        assert!(settings(&printed_first).len() >= 5, "{printed_first}");
    }
}

#[test]
fn nonsense_in_a_file_is_refused_with_its_line() {
    for (file, told) in [
        (
            "\n\nmax-client = 3",
            ":3: there is no key \"max-client\"; did you mean max-clients?",
        ),
        (
            "max_clients = 3",
            ":1: there is no key \"max_clients\"; did you mean max-clients?",
        ),
        ("zzz = 1", ":1: there is no key \"zzz\""),
        (
            "[limits]\nmax-clients = 3",
            ":1: there is no key \"limits\"",
        ),
        (
            "max-clients.a = 3",
            ":1: max-clients: this is a string or a whole number",
        ),
        (
            "config = 'other'",
            ":1: config: a file does not name another one",
        ),
        (
            "open = false\nmax-clients = 0",
            ":2: invalid value '0' for '--max-clients <N>': a number",
        ),
        ("max-clients = -1", ":1: invalid value '-1' for"),
        (
            "max-clients = 1.5",
            ":1: max-clients: this is a string or a whole number",
        ),
        (
            "max-clients = [1]",
            ":1: max-clients: this is a string or a whole number",
        ),
        (
            "max-clients = true",
            ":1: max-clients: this is a string or a whole number",
        ),
        (
            "max-clients = 99999999999999999999",
            ":1: max-clients: this number is too large",
        ),
        ("open = 'yes'", ":1: open: this is true or false"),
        ("open = 1", ":1: open: this is true or false"),
        ("listen = []", ":1: listen: an empty list leaves nothing"),
        (
            "listen = [['127.0.0.1:1']]",
            ":1: listen: this is a string or a whole number",
        ),
        (
            "listen = '127.0.0.1'",
            ":1: invalid value '127.0.0.1' for '--listen <ADDR:PORT>'",
        ),
        ("secret-file = ''", ":1: "),
        ("max-rooms = 1\nmax-rooms = 2", ":2: duplicate key"),
        ("max-rooms 1", ":1: "),
        ("\n\nopen = tru", ":3: "),
        (
            "open = true\nsecret-file = 'x'",
            "(open: FILE:1; secret-file: FILE:2)",
        ),
    ] {
        let case = Case::new(file);
        let error = refused(case.read("", &[])).replace(&case.path(), "FILE");
        assert!(error.contains(told), "{file}\n{error}\n{told}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn what_belongs_together_may_come_from_two_places() {
    let case = Case::new("tls-key = '/key'\nwebhook = 'http://host/'");
    let flags = "--tls-cert /new --webhook-messages lobby --webhook-secret-file /secret";
    let read = case.read(flags, &[]);
    assert!(read.is_ok(), "{:?}", read.err());
}

#[test]
fn what_is_in_a_file_by_mistake_is_not_shown() {
    for file in [
        "secret = 'Gr8'",
        "Gr8",
        "open = true Gr8",
        "secret-file = Gr8",
        "open = 'Gr8'",
    ] {
        let error = refused(Case::new(file).read("", &[]));
        assert!(!error.contains("Gr8"), "{file}: {error}");
    }
    let mut much = "#".repeat(1024 * 1024);
    much.push('\n');
    assert!(refused(Case::new(&much).read("", &[])).contains("too long"));
}

#[test]
fn nonsense_in_the_environment_is_refused_with_its_name() {
    for (variable, value, told) in [
        (
            "ONEPORT_MAX_CLIENTS",
            "0",
            "invalid value '0' for '--max-clients <N>'",
        ),
        ("ONEPORT_MAX_CLIENTS", "", "it is empty"),
        ("ONEPORT_OPEN", "yes", "true or false"),
        ("ONEPORT_OPEN", "", "it is empty"),
        ("ONEPORT_LISTEN", "127.0.0.1:1,", "invalid value ''"),
        ("ONEPORT_CONFIG", "", "it is empty"),
        ("ONEPORT_SECRET_FILE", "", "it is empty"),
    ] {
        let error = refused(read("oneport", &[(variable, value)]));
        assert!(error.starts_with(&format!("{variable}: ")), "{error}");
        assert!(error.contains(told), "{error}");
    }
    let error = refused(read("oneport --open", &[("ONEPORT_SECRET_FILE", "x")]));
    let told = "(open: command line; secret-file: ONEPORT_SECRET_FILE)";
    assert!(error.contains(told), "{error}");
}

#[test]
fn other_variables_of_our_name_are_told() {
    let variables = [
        ("ONEPORT_MAX_CLIENT", "1"),
        ("ONEPORT_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/"),
        // Of this repository's tests.
        ("ONEPORT_BIN", "/usr/bin/oneport"),
        ("ONEPORT_COST_WRITE", "1"),
        ("ONEPORT_SOAK_SECONDS", "60"),
    ];
    let read = read("oneport", &variables).expect("not refused");
    let warnings = read
        .configuration
        .expect("of the relay")
        .warnings()
        .to_vec();
    assert_eq!(
        warnings,
        [
            "the variable ONEPORT_MAX_CLIENT means nothing; did you mean ONEPORT_MAX_CLIENTS?",
            "the variable ONEPORT_SERVICE_HOST means nothing",
        ]
    );
}

#[test]
fn each_flag_has_a_variable_and_a_key_of_its_own() {
    let flags = Flag::all();
    assert!(flags.len() > 5);
    let mut variables: Vec<_> = flags.iter().map(Flag::variable).collect();
    variables.extend(
        flags
            .iter()
            .filter_map(|flag| Some(flag.other_variable()?.name().to_owned())),
    );
    variables.sort();
    let count = variables.len();
    variables.dedup();
    assert_eq!(variables.len(), count, "{variables:?}");
    assert!(variables.contains(&"ONEPORT_MAX_ROOM_CLIENTS".to_owned()));
    // Or the secret would be typed, and shown.
    for flag in &flags {
        let is_secret = flag.name().ends_with("secret") || flag.name().ends_with("password");
        assert!(!is_secret, "{}", flag.name());
    }
}
