//! What follows the `#` in the address of the relay's page: `#room` or `#room?token=…`.

use oneport_wire::{AccessToken, RoomName};

/// Where an address leads, and by what right. The page takes tokens out of the address that it shows, so who has
/// one in an address was sent it so.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Invitation {
    pub(super) room: Option<RoomName>,
    pub(super) token: Option<AccessToken>,
}

impl Invitation {
    /// Neither of the two has characters that a URL would escape.
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let (_, fragment) = url.split_once('#').unwrap_or_default();
        let (room, details) = fragment.split_once('?').unwrap_or((fragment, ""));
        let token = details
            .split('&')
            .find_map(|detail| detail.strip_prefix("token="));
        let room = Some(room).filter(|room| !room.is_empty());
        Ok(Self {
            room: room
                .map(str::parse)
                .transpose()
                .map_err(|error| format!("the URL names no room: {error}"))?,
            token: token
                .map(str::parse)
                .transpose()
                .map_err(|error| format!("the token in the URL: {error}"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invitations() {
        let read = |url| {
            let Invitation { room, token } = Invitation::of(url).expect(url);
            let token = token.map(|token| token.reveal().to_owned());
            (room.map(|room| room.to_string()), token)
        };
        let some = |text: &str| Some(text.to_owned());
        for (url, room, token) in [
            ("https://relay.example", None, None),
            ("https://relay.example/?token=t", None, None),
            ("https://relay.example/#", None, None),
            ("https://relay.example/#lobby", some("lobby"), None),
            ("https://relay.example/#a?token=t.u", some("a"), some("t.u")),
            (
                "https://relay.example/#a?key=k&token=t",
                some("a"),
                some("t"),
            ),
            ("https://relay.example/#?token=t", None, some("t")),
        ] {
            assert_eq!(read(url), (room, token), "{url}");
        }
        for bad in [
            "http://a/#b c",
            "http://a/#b?token=",
            "http://a/#b?token=t t",
        ] {
            assert!(Invitation::of(bad).is_err(), "{bad}");
        }
    }
}
