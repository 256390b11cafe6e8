//! The fragment of the page's address: `#room`, `#room?token=…` and `#room?key=…`.
//!
//! It is read as the page reads it (`web/address.js`): the room is percent-encoded, the rest is a query
//! string (`application/x-www-form-urlencoded`) in any order, and the first value of a name counts. What
//! the page would ignore, such as an empty token, is an error here: nobody looks at a terminal's address
//! bar.

use oneport_signal::percent_decode;
use oneport_wire::{AccessToken, RoomName};

use crate::room_key::RoomKey;

/// What an invitation has after the `#`. Before it, these would be sent to the server, and ignored.
const NAMES: [&str; 3] = ["room", "token", "key"];

/// The room, token and key of an address. Its `Debug` shows neither token nor key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub(crate) room: Option<RoomName>,
    pub(crate) token: Option<AccessToken>,
    /// The key of a private room, whose messages are encrypted between its members.
    pub(crate) key: Option<RoomKey>,
}

impl Invitation {
    /// Reads the fragment of a URL.
    ///
    /// # Errors
    ///
    /// A sentence without the secrets of the URL, if a part cannot be used.
    pub(crate) fn of(url: &str) -> Result<Self, String> {
        let (before, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (_, query) = before.split_once('?').unwrap_or_default();
        if let Some(name) = NAMES
            .into_iter()
            .find(|name| value_of(query, name).is_some())
        {
            return Err(format!(
                "the URL has the {name} before the #, where it is ignored: an invitation has it after the #"
            ));
        }
        let (room, details) = fragment.split_once('?').unwrap_or((fragment, ""));
        let room = decoded(room);
        let detail = |wanted| value_of(details, wanted);
        let room = Some(room).filter(|room| !room.is_empty());
        Ok(Self {
            room: room
                .map(|room| room.parse())
                .transpose()
                .map_err(|error| format!("the URL names no room: {error}"))?,
            token: detail("token")
                .map(|token| token.trim().parse())
                .transpose()
                .map_err(|error| format!("the token in the URL: {error}"))?,
            key: detail("key")
                .map(|key| key.trim().parse())
                .transpose()
                .map_err(|error| format!("the key in the URL: {error}"))?,
        })
    }

    /// Returns the room of `--room` or of the URL.
    ///
    /// # Errors
    ///
    /// A sentence, if the two differ.
    pub(crate) fn room_with(
        &self,
        argument: Option<&RoomName>,
    ) -> Result<Option<RoomName>, String> {
        match (argument, &self.room) {
            (Some(argument), Some(room)) if argument != room => Err(format!(
                "--room is {argument}, but the URL names the room {room}: leave one of them out"
            )),
            (argument, room) => Ok(argument.or(room.as_ref()).cloned()),
        }
    }

    /// Returns the token of `--token-file` or of the URL.
    ///
    /// # Errors
    ///
    /// A sentence, if the two differ.
    pub(crate) fn token_with(
        &self,
        argument: Option<AccessToken>,
    ) -> Result<Option<AccessToken>, String> {
        match (&argument, &self.token) {
            (Some(argument), Some(token)) if argument != token => Err(
                "--token-file and the URL have different tokens: leave one of them out".to_owned(),
            ),
            _ => Ok(argument.or_else(|| self.token.clone())),
        }
    }
}

/// The first value of a name in a query string.
fn value_of(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&name.replace('+', " ")), value.replace('+', " "))
    });
    let (_, value) = pairs.find(|(name, _)| name == wanted)?;
    Some(decoded(&value))
}

/// Decodes percent-encoding. What cannot be decoded stays as it is, as in browsers: it is no room's name,
/// and no token or key that anybody makes.
fn decoded(text: &str) -> String {
    percent_decode(text).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn invitations() {
        let read = |url: &str| {
            let Invitation { room, token, key } = Invitation::of(url).expect(url);
            let token = token.map(|token| token.reveal().to_owned());
            (room.map(|room| room.to_string()), token, key.is_some())
        };
        let some = |text: &str| Some(text.to_owned());
        for (fragment, room, token, has_key) in [
            ("", None, None, false),
            ("?utm=1&tokens=t#lobby", some("lobby"), None, false),
            ("#", None, None, false),
            ("#?", None, None, false),
            ("#lobby", some("lobby"), None, false),
            ("#lobby?", some("lobby"), None, false),
            ("#a?token=t.u", some("a"), some("t.u"), false),
            ("#a?key=KEY&token=t", some("a"), some("t"), true),
            ("#a?token=t&key=KEY", some("a"), some("t"), true),
            ("#a?key=KEY", some("a"), None, true),
            ("#a?other=1&&key=KEY&flag", some("a"), None, true),
            // The first one counts.
            ("#a?token=t&token=u", some("a"), some("t"), false),
            // The name of a detail is a whole one.
            ("#a?mytoken=t&tokens=u&Token=v", some("a"), None, false),
            ("#?token=t", None, some("t"), false),
            // Escaped where nobody has to.
            (
                "#%6cobb%79?t%6Fken=t%2Eu",
                some("lobby"),
                some("t.u"),
                false,
            ),
            ("#a?token=%20t.u%0A", some("a"), some("t.u"), false),
            // A fragment has one beginning and one question mark; the rest belongs to values.
            ("#a?token=t?u#v", some("a"), some("t?u#v"), false),
            ("#a?token=t=u", some("a"), some("t=u"), false),
        ] {
            let url = format!("https://relay.example/{}", fragment.replace("KEY", KEY));
            assert_eq!(read(&url), (room, token, has_key), "{url}");
        }
    }

    #[test]
    fn invitations_that_are_none() {
        for (fragment, part) in [
            ("#b c", "room"),
            ("#b%20c", "room"),
            ("#%zz", "room"),
            ("#%", "room"),
            ("#%ff", "room"),
            ("#a+b", "room"),
            ("#..", "room"),
            ("#b?token=", "token"),
            ("#b?token", "token"),
            ("#b?token=t t", "token"),
            ("#b?token=t+t", "token"),
            ("#b?token=%C3%A9", "token"),
            ("#b?key=", "key"),
            ("#b?key=short", "key"),
            ("#b?key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A", "key"),
            ("#b?key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "key"),
        ] {
            let error = Invitation::of(&format!("http://a/{fragment}")).expect_err(fragment);
            assert!(error.contains(part), "{fragment}: {error}");
        }
        // These parts are rejected, not ignored: the client would join another room, or send in clear.
        for (query, part) in [
            ("?token=t.u", "token"),
            ("?key=k#lobby", "key"),
            ("?a=1&k%65y=k#lobby", "key"),
            ("?room=attic", "room"),
            ("?token", "token"),
        ] {
            let error = Invitation::of(&format!("http://a/{query}")).expect_err(query);
            assert!(
                error.contains(&format!("the {part} before")),
                "{query}: {error}"
            );
            assert!(!error.contains("t.u"), "{error}");
        }
    }

    #[test]
    fn contradictions_are_errors_and_repetitions_are_not() {
        let invited = Invitation::of("http://a/#lobby?token=t.u").expect("valid");
        let room = |name: &str| name.parse::<RoomName>().expect("a name");
        let token = |text: &str| text.parse::<AccessToken>().expect("a token");
        let lobby = Ok(Some(room("lobby")));
        assert_eq!(invited.room_with(None), lobby);
        assert_eq!(invited.room_with(Some(&room("lobby"))), lobby);
        let error = invited.room_with(Some(&room("attic"))).expect_err("two");
        assert!(
            error.contains("attic") && error.contains("lobby"),
            "{error}"
        );
        let ours = Ok(Some(token("t.u")));
        assert_eq!(invited.token_with(None), ours);
        assert_eq!(invited.token_with(Some(token("t.u"))), ours);
        let error = invited.token_with(Some(token("other"))).expect_err("two");
        assert!(
            !error.contains("other") && !error.contains("t.u"),
            "{error}"
        );

        let nothing = Invitation::default();
        assert_eq!(nothing.room_with(None), Ok(None));
        assert_eq!(
            nothing.room_with(Some(&room("attic"))),
            Ok(Some(room("attic")))
        );
        assert_eq!(nothing.token_with(Some(token("t"))), Ok(Some(token("t"))));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let url = format!("http://a/#lobby?token=secret-token&key={KEY}");
        let shown = format!("{:?}", Invitation::of(&url).expect("valid"));
        assert!(
            !shown.contains("secret-token") && !shown.contains(KEY),
            "{shown}"
        );
    }
}
