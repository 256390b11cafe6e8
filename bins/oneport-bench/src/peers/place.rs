//! Where a relay runs.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::num::NonZero;
use std::process::Command;
use std::thread;

/// Where a relay runs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The network namespace, if not our own.
    pub(crate) namespace: Option<String>,
    /// The core to keep it on, if it matters.
    pub(crate) cpu: Option<usize>,
    /// The address to listen on.
    pub(crate) address: IpAddr,
}

impl Place {
    /// How many cores there are for it.
    pub(super) fn cores(&self) -> usize {
        match self.cpu {
            Some(_) => 1,
            None => thread::available_parallelism().map_or(1, NonZero::get),
        }
    }

    /// A program that runs there. The wrappers become the program: its process is the command's child.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut wrappers: Vec<String> = Vec::new();
        if let Some(namespace) = &self.namespace {
            wrappers.extend(["ip", "netns", "exec", namespace].map(Into::into));
        }
        if let Some(cpu) = self.cpu {
            wrappers.extend(["taskset", "-c", &cpu.to_string()].map(Into::into));
        }
        let Some((first, rest)) = wrappers.split_first() else {
            return Command::new(program);
        };
        let mut command = Command::new(first);
        command.args(rest).arg(program);
        command
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn wrappers_come_first() {
        let mut place = Place {
            namespace: None,
            cpu: None,
            address: Ipv4Addr::LOCALHOST.into(),
        };
        let words = |place: &Place| format!("{:?}", place.command("relay"));
        assert_eq!(words(&place), r#""relay""#);
        place.cpu = Some(1);
        assert_eq!(words(&place), r#""taskset" "-c" "1" "relay""#);
        place.namespace = Some("there".into());
        assert_eq!(
            words(&place),
            r#""ip" "netns" "exec" "there" "taskset" "-c" "1" "relay""#
        );
    }
}
