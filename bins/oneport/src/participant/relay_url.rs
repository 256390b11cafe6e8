//! Where a relay is.

use super::ParticipantError;

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
        let bad = ParticipantError::Url;
        let not_http = bad("the URL does not begin with https:// or http://");
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(not_http);
        };
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(not_http);
        }
        if rest.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return Err(bad("the URL contains white space"));
        }
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // RFC 9110 sections 4.2.1 and 4.2.2.
        let default_port = if is_https { 443 } else { 80 };
        let (host, port) =
            split_authority(authority, default_port).ok_or(bad("the URL names no host"))?;
        let base = match path.trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        };
        Ok(Self {
            is_https,
            authority: authority.into(),
            host,
            port,
            base,
        })
    }

    /// The URL of one of the relay's paths.
    pub(crate) fn at(&self, path: &str) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}{path}", self.authority, self.base)
    }
}

/// `host`, `host:port`, `1.2.3.4:port` or `[::1]:port`.
fn split_authority(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(default_port), |port| port.parse().ok())?;
    (!host.is_empty() && !host.contains('@')).then(|| (host.into(), port))
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
        for url in [
            "",
            "lobby",
            "ftp://x",
            "http://",
            "http://:1",
            "https://x:y",
            "http://a@b",
            "http://a b",
        ] {
            let error = RelayUrl::parse(url).expect_err(url);
            assert!(matches!(error, ParticipantError::Url(_)), "{url}");
        }
    }
}
