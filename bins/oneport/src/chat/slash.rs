//! The commands of an interactive chat: a closed set, so that a slip of the finger is not published.

/// What a typed line means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed<'a> {
    Message(&'a str),
    Command(Slash),
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slash {
    Help,
    Members,
    Quit,
}

impl Slash {
    const ALL: [Self; 3] = [Self::Help, Self::Members, Self::Quit];

    fn name(self) -> &'static str {
        match self {
            Self::Help => "/help",
            Self::Members => "/members",
            Self::Quit => "/quit",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Help => "list the commands",
            Self::Members => "list the members of the room",
            Self::Quit => "leave, as Ctrl-D does",
        }
    }

    /// Returns what `/help` prints, line by line.
    pub(super) fn help() -> impl Iterator<Item = String> {
        let lines = |(name, meaning)| format!("{name:10} {meaning}");
        let commands = Self::ALL.map(|command| (command.name(), command.meaning()));
        let text = [("//TEXT", "send a message that begins with /")];
        commands.into_iter().chain(text).map(lines)
    }
}

/// Reads a typed line.
///
/// # Errors
///
/// A sentence, if the line begins with a slash and is not a command.
pub(super) fn parse(line: &str) -> Result<Typed<'_>, String> {
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(Typed::Message(line));
    };
    if rest.starts_with('/') {
        return Ok(Typed::Message(rest));
    }
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or(line);
    let mut commands = Slash::ALL.into_iter();
    let Some(command) = commands.find(|command| command.name() == name) else {
        return Err(format!(
            "not sent: there is no command {name}; /help lists them, and /{name} sends it as a message"
        ));
    };
    match words.next() {
        None => Ok(Typed::Command(command)),
        Some(_) => Err(format!("not sent: {name} takes nothing after it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, typed) in [
            ("hello", Typed::Message("hello")),
            (" /help", Typed::Message(" /help")),
            ("a /help", Typed::Message("a /help")),
            ("//help", Typed::Message("/help")),
            ("//", Typed::Message("/")),
            ("///", Typed::Message("//")),
            ("/help", Typed::Command(Slash::Help)),
            ("/help ", Typed::Command(Slash::Help)),
            ("/members", Typed::Command(Slash::Members)),
            ("/quit", Typed::Command(Slash::Quit)),
        ] {
            assert_eq!(parse(line), Ok(typed), "{line}");
        }
    }

    #[test]
    fn lines_that_are_neither_commands_nor_messages() {
        for line in [
            "/",
            "/ ",
            "/ help",
            "/hlep",
            "/Help",
            "/helpme",
            "/help me",
            "/quit now",
            "/etc/hosts",
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.starts_with("not sent"), "{line}: {error}");
        }
    }

    #[test]
    fn help_names_all_that_there_is() {
        let help: Vec<_> = Slash::help().collect();
        for command in Slash::ALL {
            let is_it = |line: &&String| line.split(' ').next() == Some(command.name());
            assert_eq!(help.iter().filter(is_it).count(), 1, "{help:?}");
        }
        assert!(help.iter().any(|line| line.starts_with("//")), "{help:?}");
    }
}
