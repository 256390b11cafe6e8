//! Completions and manual pages.

use std::fs;
use std::process::{Command, Stdio};

use crate::common::{TemporaryFile, oneport, run};

/// Runs a program on a file; what it prints, on stdout and on stderr. It is installed by `tests/run`.
fn program(name: &str, arguments: &[&str]) -> (String, String) {
    let (code, stdout, stderr) = run(Command::new(name).args(arguments).stdin(Stdio::null()));
    assert_eq!(code, Some(0), "{name} {arguments:?}: {stderr}");
    (stdout, stderr)
}

fn generated(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run(&mut oneport(arguments));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
    stdout
}

#[test]
fn bash_completes() {
    let script = TemporaryFile::new("completions", &generated(&["completions", "bash"]));
    let complete = |words: &str| {
        let ask = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _oneport oneport \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             echo \"${{COMPREPLY[@]}}\"",
            script.path()
        );
        program("bash", &["-c", &ask]).0.trim().to_owned()
    };
    assert_eq!(
        complete("oneport serve --max-r"),
        "--max-rooms --max-room-clients"
    );
    assert_eq!(complete("oneport to"), "token");
    assert_eq!(complete("oneport serve --log-format j"), "json");
}

#[test]
fn zsh_and_fish_get_a_script() {
    let script = TemporaryFile::new("completions", &generated(&["completions", "zsh"]));
    assert!(script.text().starts_with("#compdef oneport\n"));
    program("zsh", &["-n", script.path()]);
    assert!(generated(&["completions", "fish"]).contains("complete -c oneport"));
    let (code, _, _) = run(&mut oneport(&["completions", "dos"]));
    assert_eq!(code, Some(2));
}

#[test]
fn the_manual_renders_without_a_warning() {
    let page = TemporaryFile::new("oneport.1", &generated(&["man"]));
    let (text, warnings) = program("groff", &["-man", "-Tascii", "-P-cbou", "-ww", page.path()]);
    assert_eq!(warnings, "");
    for told in [
        "NAME",
        "--max-clients",
        "ONEPORT_MAX_CLIENTS",
        "SUBCOMMANDS",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }

    let dir = tempfile::tempdir().expect("a folder for tests");
    generated(&["man", "--dir", dir.path().to_str().expect("UTF-8")]);
    let mut count = 0;
    for entry in fs::read_dir(dir.path()).expect("a folder") {
        let path = entry.expect("a file").path();
        let path = path.to_str().expect("UTF-8");
        assert_eq!(
            program("groff", &["-man", "-Tascii", "-ww", "-z", path]).1,
            "",
            "{path}"
        );
        count += 1;
    }
    assert!(count > 4, "{count} pages");
    let (code, _, stderr) = run(&mut oneport(&["man", "--dir", "/no/such/folder"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/no/such/folder"), "{stderr}");
}
