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
    Asset {
        path: "/page.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_bytes!("../web/page.js"),
    },
    Asset {
        path: "/link.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_bytes!("../web/link.js"),
    },
];
