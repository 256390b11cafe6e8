//! The static pages.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::head::Head;
use crate::response::Response;

/// A static file that `GET` and `HEAD` serve.
///
/// It comes with headers that let a page load nothing but from its own origin. An asset whose type
/// is JavaScript may be imported by pages of other origins: it is the browser library.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its absolute path, for example `/` or `/oneport.js`. Paths of the endpoint itself (`/ws`,
    /// `/healthz`, `/r/…`) cannot be taken.
    pub path: &'static str,
    /// Its media type, for example `text/html; charset=utf-8`.
    pub content_type: &'static str,
    /// What is in it.
    pub body: &'static [u8],
}

impl Asset {
    fn is_javascript(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default();
        ["text/javascript", "application/javascript"]
            .iter()
            .any(|javascript| essence.trim().eq_ignore_ascii_case(javascript))
    }
}

/// All assets, each with its entity tag.
#[derive(Debug)]
pub(crate) struct Shelf(Vec<(&'static Asset, String)>);

impl Shelf {
    pub(crate) fn new(assets: &'static [Asset]) -> Self {
        Self(assets.iter().map(|asset| (asset, etag(asset))).collect())
    }

    /// The response to a `GET` of this path; `None` if there is no such asset.
    pub(crate) fn get(&self, path: &str, head: &Head) -> Option<Response> {
        let (asset, etag) = self.0.iter().find(|(asset, _)| asset.path == path)?;
        let fresh = head
            .if_none_match
            .as_deref()
            .is_some_and(|known| matches(known, etag));
        let response = if fresh {
            Response::new(304)
        } else {
            Response::new(200).body(asset.content_type, asset.body)
        };
        Some(with_asset_headers(response, asset, etag))
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|(asset, _)| asset.path == path)
    }
}

/// The same for the same content, whatever process serves it: the hasher has fixed keys.
fn etag(asset: &Asset) -> String {
    let mut hasher = DefaultHasher::new();
    asset.content_type.hash(&mut hasher);
    asset.body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// If-None-Match, which compares weakly (RFC 9110 section 13.1.2). Our own tags have no comma, so
/// that splitting at commas cannot make one out of another's pieces.
fn matches(if_none_match: &str, etag: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|candidate| {
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == etag
    })
}

fn with_asset_headers(response: Response, asset: &Asset, etag: &str) -> Response {
    let response = response
        .header("ETag", etag.to_owned())
        // Revalidate always: a page must not run with the library of another release.
        .header("Cache-Control", "no-cache")
        .header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .header("Cross-Origin-Opener-Policy", "same-origin");
    if !asset.is_javascript() {
        return response;
    }
    response
        .header("Access-Control-Allow-Origin", "*")
        .header("Cross-Origin-Resource-Policy", "cross-origin")
}

/// Nothing but what the page's own origin serves, and no frames: room names and messages of
/// strangers are shown on these pages.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_contents_apart() {
        let page = Asset {
            path: "/",
            content_type: "text/html",
            body: b"one",
        };
        let other = Asset {
            body: b"two",
            ..page
        };
        let elsewhere = Asset {
            path: "/index.html",
            ..page
        };
        assert_ne!(etag(&page), etag(&other));
        assert_eq!(etag(&page), etag(&elsewhere));
    }

    #[test]
    fn if_none_match() {
        for known in ["\"a\"", "W/\"a\"", "*", "\"b\", \"a\"", "\"b\" ,W/\"a\""] {
            assert!(matches(known, "\"a\""), "{known}");
        }
        for unknown in ["", "a", "\"b\"", "\"aa\"", "w/\"a\""] {
            assert!(!matches(unknown, "\"a\""), "{unknown}");
        }
    }

    #[test]
    fn javascript_by_its_media_type() {
        for (content_type, expected) in [
            ("text/javascript", true),
            ("Text/JavaScript; charset=utf-8", true),
            ("application/javascript", true),
            ("text/html; charset=utf-8", false),
        ] {
            let asset = Asset {
                path: "/",
                content_type,
                body: b"",
            };
            assert_eq!(asset.is_javascript(), expected, "{content_type}");
        }
    }
}
