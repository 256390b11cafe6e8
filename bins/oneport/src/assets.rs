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
    // The page, from its entry down.
    script("/page.js", include_bytes!("../web/page.js")),
    script("/room.js", include_bytes!("../web/room.js")),
    script("/conversation.js", include_bytes!("../web/conversation.js")),
    script("/people.js", include_bytes!("../web/people.js")),
    script("/said.js", include_bytes!("../web/said.js")),
    script("/composer.js", include_bytes!("../web/composer.js")),
    script("/me.js", include_bytes!("../web/me.js")),
    script("/panels.js", include_bytes!("../web/panels.js")),
    script("/status.js", include_bytes!("../web/status.js")),
    script("/appearance.js", include_bytes!("../web/appearance.js")),
    script("/dom.js", include_bytes!("../web/dom.js")),
    script("/wire.js", include_bytes!("../web/wire.js")),
    // The libraries, which other pages may import: rooms, and plain channels.
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
    script("/frames.js", include_bytes!("../web/frames.js")),
    script("/link.js", include_bytes!("../web/link.js")),
    script("/peer.js", include_bytes!("../web/peer.js")),
];

const fn script(path: &'static str, body: &'static [u8]) -> Asset {
    Asset {
        path,
        content_type: "text/javascript; charset=utf-8",
        body,
    }
}
