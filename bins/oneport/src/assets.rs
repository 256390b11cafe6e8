//! The page, which is part of the binary.

use oneport_signal::Asset;

/// All that the relay serves beside signaling.
pub(crate) static ASSETS: &[Asset] = &[
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        body: include_bytes!("../web/index.html"),
    },
    Asset {
        path: "/style.css",
        content_type: "text/css; charset=utf-8",
        body: include_bytes!("../web/style.css"),
    },
    // The operator's page. It shows nothing by itself: what it asks for is not for everybody.
    Asset {
        path: "/status",
        content_type: "text/html; charset=utf-8",
        body: include_bytes!("../web/status/index.html"),
    },
    Asset {
        path: "/status/style.css",
        content_type: "text/css; charset=utf-8",
        body: include_bytes!("../web/status/style.css"),
    },
    script("/status/page.js", include_bytes!("../web/status/page.js")),
    script("/status/chart.js", include_bytes!("../web/status/chart.js")),
    script(
        "/status/figures.js",
        include_bytes!("../web/status/figures.js"),
    ),
    // The page, from its entry down.
    script("/page.js", include_bytes!("../web/page.js")),
    script("/stay.js", include_bytes!("../web/stay.js")),
    script("/sending.js", include_bytes!("../web/sending.js")),
    script("/transfers.js", include_bytes!("../web/transfers.js")),
    script("/moves.js", include_bytes!("../web/moves.js")),
    script("/recipient.js", include_bytes!("../web/recipient.js")),
    script("/people.js", include_bytes!("../web/people.js")),
    script("/kick.js", include_bytes!("../web/kick.js")),
    script("/hues.js", include_bytes!("../web/hues.js")),
    script("/links.js", include_bytes!("../web/links.js")),
    script("/times.js", include_bytes!("../web/times.js")),
    script("/names.js", include_bytes!("../web/names.js")),
    script("/typing.js", include_bytes!("../web/typing.js")),
    script("/conversation.js", include_bytes!("../web/conversation.js")),
    script("/earlier.js", include_bytes!("../web/earlier.js")),
    script("/scroll.js", include_bytes!("../web/scroll.js")),
    script("/unread.js", include_bytes!("../web/unread.js")),
    script("/line.js", include_bytes!("../web/line.js")),
    script("/file-line.js", include_bytes!("../web/file-line.js")),
    script("/composer.js", include_bytes!("../web/composer.js")),
    script("/attach.js", include_bytes!("../web/attach.js")),
    script("/me.js", include_bytes!("../web/me.js")),
    script("/address.js", include_bytes!("../web/address.js")),
    script("/panels.js", include_bytes!("../web/panels.js")),
    script("/status.js", include_bytes!("../web/status.js")),
    script("/appearance.js", include_bytes!("../web/appearance.js")),
    script("/text.js", include_bytes!("../web/text.js")),
    script("/dom.js", include_bytes!("../web/dom.js")),
    // The library, which other pages may import.
    script("/oneport.js", include_bytes!("../web/oneport.js")),
    script("/oneport-room.js", include_bytes!("../web/oneport-room.js")),
    script("/oneport-told.js", include_bytes!("../web/oneport-told.js")),
    script(
        "/oneport-message.js",
        include_bytes!("../web/oneport-message.js"),
    ),
    script(
        "/oneport-people.js",
        include_bytes!("../web/oneport-people.js"),
    ),
    script(
        "/oneport-files.js",
        include_bytes!("../web/oneport-files.js"),
    ),
    script(
        "/oneport-takers.js",
        include_bytes!("../web/oneport-takers.js"),
    ),
    script(
        "/oneport-outgoing.js",
        include_bytes!("../web/oneport-outgoing.js"),
    ),
    script(
        "/oneport-parts.js",
        include_bytes!("../web/oneport-parts.js"),
    ),
    script(
        "/oneport-arguments.js",
        include_bytes!("../web/oneport-arguments.js"),
    ),
    script(
        "/oneport-incoming.js",
        include_bytes!("../web/oneport-incoming.js"),
    ),
    script(
        "/oneport-outbox.js",
        include_bytes!("../web/oneport-outbox.js"),
    ),
    script(
        "/oneport-lifeline.js",
        include_bytes!("../web/oneport-lifeline.js"),
    ),
    script(
        "/oneport-entry.js",
        include_bytes!("../web/oneport-entry.js"),
    ),
    script(
        "/oneport-delivery.js",
        include_bytes!("../web/oneport-delivery.js"),
    ),
    script(
        "/oneport-token.js",
        include_bytes!("../web/oneport-token.js"),
    ),
    script(
        "/oneport-secret.js",
        include_bytes!("../web/oneport-secret.js"),
    ),
    script(
        "/oneport-turns.js",
        include_bytes!("../web/oneport-turns.js"),
    ),
    script(
        "/oneport-emitter.js",
        include_bytes!("../web/oneport-emitter.js"),
    ),
    script(
        "/oneport-types.js",
        include_bytes!("../web/oneport-types.js"),
    ),
    script(
        "/oneport-frames.js",
        include_bytes!("../web/oneport-frames.js"),
    ),
    script("/oneport-peer.js", include_bytes!("../web/oneport-peer.js")),
];

const fn script(path: &'static str, body: &'static [u8]) -> Asset {
    Asset {
        path,
        content_type: "text/javascript; charset=utf-8",
        body,
    }
}
