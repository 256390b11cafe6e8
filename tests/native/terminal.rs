//! `oneport chat` at a terminal: a pseudo-terminal that `script` makes, and a screen that understands
//! what a line editor writes to one.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use oneport_tests::{
    Result,
    relay::{self, Relay},
    wait::{self, Look},
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// The last line of a chat that has given the terminal back.
const RESTORED: &str = "restored";

/// A program at a terminal; killed when dropped.
struct Terminal {
    process: Child,
    keyboard: ChildStdin,
    /// All that was written to it.
    written: Arc<Mutex<Vec<u8>>>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Terminal {
    fn chat(arguments: &[&str]) -> Result<Self> {
        let mut program = vec![
            relay::command()?
                .get_program()
                .to_string_lossy()
                .into_owned(),
        ];
        program.push("chat".into());
        program.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let quoted: Vec<_> = program.iter().map(|word| format!("'{word}'")).collect();
        // The terminal is afterwards as it was before.
        let shell = format!(
            "mode=$(stty -g); {}; code=$?; [ \"$mode\" = \"$(stty -g)\" ] && echo {RESTORED}; exit $code",
            quoted.join(" ")
        );
        let mut command = Command::new("script");
        command
            .args(["--quiet", "--flush", "--return", "--echo", "never"])
            .args(["--command", &shell, "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut output = process.stdout.take().expect("it is piped");
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&written);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let mut written = writer.lock().unwrap_or_else(PoisonError::into_inner);
                written.extend_from_slice(&bytes[..length]);
            }
        });
        Ok(Self {
            keyboard: process.stdin.take().expect("it is piped"),
            process,
            written,
        })
    }

    fn press(&mut self, keys: &str) -> Result {
        self.keyboard.write_all(keys.as_bytes())?;
        Ok(self.keyboard.flush()?)
    }

    fn lines(&self) -> Vec<String> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        screen(&String::from_utf8_lossy(&written))
    }

    /// Waits until the screen ends with these lines, and returns all that is on it.
    fn shows(&self, end: &[&str]) -> Result<Vec<String>> {
        wait::until(format!("{end:?} on the screen"), TIMEOUT, || {
            let lines = self.lines();
            let is_end =
                lines.ends_with(&end.iter().map(|&line| line.to_owned()).collect::<Vec<_>>());
            Ok(if is_end {
                Look::Done(lines)
            } else {
                Look::NotYet(format!("{lines:#?}"))
            })
        })
    }

    /// Waits for its end; its exit code, and what is on the screen then.
    fn end(mut self) -> Result<(Option<i32>, Vec<String>)> {
        let status = wait::until("the end of the chat", TIMEOUT, || {
            let ended = self.process.try_wait()?;
            Ok(ended.map_or_else(|| Look::NotYet(format!("{:#?}", self.lines())), Look::Done))
        })?;
        // What it wrote is read by another thread.
        let lines = self.shows(&[RESTORED, ""])?;
        Ok((status.code(), lines))
    }
}

/// The lines on a screen that is as high as it has to be, after all of this was written to it: with
/// the few control sequences that a line editor uses (ECMA-48). Others would be seen.
fn screen(written: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut chars = written.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => {
                // A terminal returns the carriage, too: its output mode has ONLCR, which wrote "\r\n".
                row += 1;
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\u{8}' => column = column.saturating_sub(1),
            '\u{7}' => {}
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                let mut parameters = String::new();
                let end = loop {
                    match chars.next() {
                        Some(c @ '\u{40}'..='\u{7e}') => break c,
                        Some(c) => parameters.push(c),
                        // The rest is on its way.
                        None => break ' ',
                    }
                };
                let count = parameters.parse().unwrap_or(1);
                match end {
                    'A' => row = row.saturating_sub(count),
                    'B' => row = (row + count).min(lines.len() - 1),
                    'C' => column += count,
                    'D' => column = column.saturating_sub(count),
                    'K' => lines[row].truncate(column),
                    'J' => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    // Modes: bracketed paste, synchronized output, colours.
                    'h' | 'l' | 'm' | ' ' => {}
                    other => lines[row].extend(format!("<{parameters}{other}>").chars()),
                }
            }
            c => {
                let line = &mut lines[row];
                while line.len() <= column {
                    line.push(' ');
                }
                line[column] = c;
                column += 1;
            }
        }
    }
    let lines = lines.into_iter().map(String::from_iter);
    lines
        .map(|line: String| line.trim_end().to_owned())
        .collect()
}

/// What arrives appears above the line that is being typed, which stays as it is and is sent whole.
#[test]
fn a_half_typed_line_stays_whole() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = Terminal::chat(&[relay.url(), "--name", "ada"])?;
    ada.shows(&["* in room lobby, members: 1", ">"])?;
    let mut bob = Terminal::chat(&[relay.url(), "--name", "bob"])?;
    bob.shows(&["* in room lobby, members: 2", ">"])?;
    ada.shows(&["* bob joined", ">"])?;
    ada.press("half a li")?;
    ada.shows(&["> half a li"])?;
    for number in 0..20 {
        bob.press(&format!("interruption {number}\r"))?;
    }
    let lines = ada.shows(&["bob: interruption 19", "> half a li"])?;
    let heard = (0..20).map(|number| format!("bob: interruption {number}"));
    let from = lines.len() - 21;
    assert_eq!(lines[from..lines.len() - 1], heard.collect::<Vec<_>>());
    // The cursor is where it was, and can be moved: Ctrl-A, a word, Ctrl-E.
    ada.press("ne\u{1}not \u{5}!\r")?;
    bob.shows(&["ada: not half a line!", ">"])?;
    ada.shows(&["> not half a line!", ">"])?;
    // The last line comes back: arrow up.
    ada.press("\u{1b}[A?\r")?;
    bob.shows(&["ada: not half a line!?", ">"])?;

    // Ctrl-D ends it, Ctrl-C too, and both are said.
    ada.press("\u{4}")?;
    let (code, _) = ada.end()?;
    assert_eq!(code, Some(0));
    bob.shows(&["* ada left (left)", ">"])?;
    bob.press("never sent\u{3}")?;
    let (code, lines) = bob.end()?;
    assert_eq!(
        (code, &*lines[lines.len() - 3]),
        (Some(0), "> never sent"),
        "{lines:#?}"
    );
    Ok(())
}

/// Lines that are pasted faster than the relay takes them wait, and none is lost.
#[test]
fn pasted_lines_all_arrive() -> Result {
    const LINES: usize = 400;
    let relay = Relay::on_loopback()?;
    let mut ada = Terminal::chat(&[relay.url(), "--name", "ada"])?;
    ada.shows(&["* in room lobby, members: 1", ">"])?;
    let bob = Terminal::chat(&[relay.url(), "--name", "bob"])?;
    bob.shows(&["* in room lobby, members: 2", ">"])?;
    let pasted: String = (0..LINES)
        .map(|number| format!("line {number}\r"))
        .collect();
    ada.press(&pasted)?;
    let last = format!("ada: line {}", LINES - 1);
    let lines = bob.shows(&[&last, ">"])?;
    let heard: Vec<_> = (0..LINES)
        .map(|number| format!("ada: line {number}"))
        .collect();
    assert_eq!(lines[lines.len() - 1 - LINES..lines.len() - 1], heard);
    ada.press("/quit\r")?;
    assert_eq!(ada.end()?.0, Some(0));
    Ok(())
}

/// Commands are a closed set, and none of them is published, however it is spelled.
#[test]
fn commands_are_not_messages() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = Terminal::chat(&[relay.url(), "--name", "ada", "--give-up-after", "1"])?;
    ada.shows(&["* in room lobby, members: 1", ">"])?;
    let mut bob = Terminal::chat(&[relay.url(), "--name", "\u{202e}bob\u{200b}"])?;
    bob.shows(&["* in room lobby, members: 2", ">"])?;
    // What could turn the line around is seen.
    ada.shows(&["* \u{fffd}bob\u{fffd} joined", ">"])?;
    ada.press("/help\r")?;
    let last = "* //TEXT     send a message that begins with /";
    let lines = ada.shows(&[last, ">"])?;
    for command in ["/help", "/members", "/quit"] {
        let is_it = |line: &String| line.starts_with(&format!("* {command} "));
        assert!(lines.iter().any(is_it), "{command}: {lines:#?}");
    }
    ada.press("/hlep\r")?;
    wait::until("the complaint", TIMEOUT, || {
        let lines = ada.lines();
        let is_told = lines
            .iter()
            .any(|line| line.starts_with("* not sent: there is no command /hlep"));
        Ok(if is_told {
            Look::Done(())
        } else {
            Look::NotYet(format!("{lines:#?}"))
        })
    })?;
    ada.press("/members\r")?;
    ada.shows(&["* members: ada, \u{fffd}bob\u{fffd}", ">"])?;
    ada.press("//etc/hosts\rthe end\r")?;
    bob.shows(&[
        "* in room lobby, members: 2",
        "ada: /etc/hosts",
        "ada: the end",
        ">",
    ])?;
    bob.press("/quit\r")?;
    assert_eq!(bob.end()?.0, Some(0));
    ada.shows(&["* \u{fffd}bob\u{fffd} left (left)", ">"])?;

    // A relay that goes while a line is being typed: the line can still be read.
    ada.press("unfin")?;
    ada.shows(&["> unfin"])?;
    relay.terminate()?;
    let (code, lines) = ada.end()?;
    assert_eq!(code, Some(1), "{lines:#?}");
    let at = lines.iter().position(|line| line == "> unfin");
    let after = &lines[at.expect("the line") + 1..];
    assert!(
        after[0].starts_with("oneport: the relay is lost"),
        "{lines:#?}"
    );
    Ok(())
}

#[test]
fn a_screen() {
    for (written, expected) in [
        ("> hi\r\nyou", &["> hi", "you"][..]),
        ("abc\rx\u{1b}[K", &["x"]),
        ("one\r\ntwo\u{1b}[A\r\u{1b}[J!", &["!"]),
        ("abc\u{8}\u{8}X", &["aXc"]),
        ("\u{1b}[?2004h\u{1b}[2C.", &["  ."]),
    ] {
        assert_eq!(screen(written), expected, "{written:?}");
    }
}
