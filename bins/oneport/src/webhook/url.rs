//! Where a webhook is.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;

/// The URL that events are sent to. It may have a password in it, so it is not printed: its `Display`
/// is only the server's name.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Uri);

impl WebhookUrl {
    pub(super) fn as_uri(&self) -> &Uri {
        &self.0
    }
}

impl FromStr for WebhookUrl {
    type Err = BadWebhookUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| BadWebhookUrl)?;
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        match uri.scheme_str() {
            Some("http" | "https") if has_host => Ok(Self(uri)),
            _ => Err(BadWebhookUrl),
        }
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

/// A text that is no [`WebhookUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadWebhookUrl;

impl fmt::Display for BadWebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL like https://app.example.org/events")
    }
}

impl std::error::Error for BadWebhookUrl {}

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
        for text in [
            "",
            "host",
            "/events",
            "ftp://host/",
            "http://",
            "http:///events",
            "http://a b/",
        ] {
            assert_eq!(text.parse::<WebhookUrl>(), Err(BadWebhookUrl), "{text}");
        }
    }
}
