//! Where a relay is.

use super::ParticipantError;
use crate::http_url::{HttpUrl, HttpUrlError};

/// The URL of a relay: that of its page, or of its root behind a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelayUrl {
    pub(crate) is_https: bool,
    /// Host and port, as in the URL.
    pub(crate) authority: String,
    /// A name or an address, which has no brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What stands before the relay's own paths, such as a proxy may want it.
    base: String,
}

impl RelayUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, ParticipantError> {
        let url = HttpUrl::parse(url).and_then(|url| match url.user_info {
            None => Ok(url),
            Some(_) => Err(HttpUrlError::UserInfo),
        });
        let url = url.map_err(|error| ParticipantError::Url(error.as_str()))?;
        let base = match url.path.trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        };
        Ok(Self {
            is_https: url.is_https,
            authority: url.authority.into(),
            host: url.host.into(),
            port: url.port,
            base,
        })
    }

    /// The URL of one of the relay's paths.
    pub(crate) fn at(&self, path: &str) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}{path}", self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (url, host, port, at) in [
            (
                "http://127.0.0.1:3478",
                "127.0.0.1",
                3478,
                "http://127.0.0.1:3478/ws",
            ),
            (
                "http://[::1]:3478/#lobby",
                "::1",
                3478,
                "http://[::1]:3478/ws",
            ),
            (
                "HTTP://relay.example",
                "relay.example",
                80,
                "http://relay.example/ws",
            ),
            (
                "https://relay.example/",
                "relay.example",
                443,
                "https://relay.example/ws",
            ),
            (
                "https://relay.example/chat/?x=1",
                "relay.example",
                443,
                "https://relay.example/chat/ws",
            ),
        ] {
            let parsed = RelayUrl::parse(url).expect(url);
            assert_eq!((parsed.host.as_str(), parsed.port), (host, port), "{url}");
            assert_eq!(parsed.at("/ws"), at, "{url}");
        }
        for (url, why) in [
            ("lobby", "https://"),
            ("http://", "host"),
            ("https://x:y", "port"),
            ("http://x:99999/", "port"),
            ("http://a@b", "user name"),
            ("http://a b", "white space"),
        ] {
            let error = RelayUrl::parse(url).expect_err(url).to_string();
            assert!(error.contains(why), "{url}: {error}");
        }
    }
}
