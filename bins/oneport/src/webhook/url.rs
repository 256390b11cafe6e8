//! Where a webhook is.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;

use crate::http_url::{HttpUrl, HttpUrlError};

/// The URL that events are sent to. It may have a password in it, so it is not printed: its `Display` is only
/// the server's name.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Uri);

impl WebhookUrl {
    pub(super) fn as_uri(&self) -> &Uri {
        &self.0
    }
}

impl FromStr for WebhookUrl {
    type Err = HttpUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = HttpUrl::parse(text)?;
        if url.fragment.is_some() {
            return Err(HttpUrlError::Fragment);
        }
        // The HTTP library takes fewer characters than the checks above.
        text.parse().map(Self).map_err(|_| HttpUrlError::Character)
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host().unwrap_or_default())
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({self}/..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_shown_and_nothing_else() {
        let url: WebhookUrl = "http://user:word@host:8080/secret?key=1"
            .parse()
            .expect("a URL");
        assert_eq!(url.to_string(), "host");
        assert_eq!(format!("{url:?}"), "WebhookUrl(host/..)");
    }

    #[test]
    fn a_port_is_the_one_that_is_asked() {
        for (text, port) in [
            ("http://host:1/", Some(1)),
            ("https://host:65535?a", Some(65535)),
            ("http://[::1]:80", Some(80)),
            ("https://host", None),
        ] {
            let url: WebhookUrl = text.parse().expect(text);
            assert_eq!(url.as_uri().port_u16(), port, "{text}");
        }
        for (text, error) in [
            ("http://host:99999/", HttpUrlError::Port),
            ("http://host/#a", HttpUrlError::Fragment),
            ("http://host/#", HttpUrlError::Fragment),
            ("http://user:word@host:0/", HttpUrlError::Port),
            ("http://a b/", HttpUrlError::WhiteSpace),
            ("ftp://host/", HttpUrlError::Scheme),
        ] {
            assert_eq!(text.parse::<WebhookUrl>(), Err(error), "{text}");
        }
    }
}
